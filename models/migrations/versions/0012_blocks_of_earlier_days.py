"""Keep packed blocks of two earlier days, so that a correction of last week is judged without reading the year"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "past_block",
        sa.Column("block", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("school_year", sa.Date(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("outdated", postgresql.ARRAY(sa.Integer()), server_default="{}", nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("block", "school_year", "day", name=op.f("pk_past_block")),
    )


def downgrade() -> None:
    op.drop_table("past_block")
