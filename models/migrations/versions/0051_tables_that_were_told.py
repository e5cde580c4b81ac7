"""Keep the tables by grade that were told"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0051"
down_revision = "0050"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "told_cut",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("school_id", sa.Integer(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("grades", JSONB(), nullable=False),
        sa.Column("counts", JSONB(), nullable=False),
        sa.Column("shown", JSONB(), nullable=False),
        sa.ForeignKeyConstraint(["school_id"], ["school.id"], name=op.f("fk_told_cut_school_id_school")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_told_cut")),
        sa.UniqueConstraint("school_id", "day", name=op.f("uq_told_cut_school_id_day")),
    )


def downgrade() -> None:
    op.drop_table("told_cut")
