"""Keep the tables of groups and causes that were told"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0062"
down_revision = "0060"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "told_part",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("schools", sa.Text(), nullable=False),
        sa.Column("leaves", JSONB(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("names", JSONB(), nullable=False),
        sa.Column("columns", JSONB(), nullable=False),
        sa.Column("counts", JSONB(), nullable=False),
        sa.Column("shown", JSONB(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_told_part")),
        sa.UniqueConstraint("schools", "by", "day", name=op.f("uq_told_part_schools_by_day")),
    )


def downgrade() -> None:
    op.drop_table("told_part")
