"""Keep events beside the one that stands, and whether a delivery shows that attendance was taken"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("TRUNCATE staged_mark, staged_roll, staged_day")
    for table in ("staged_day", "submission"):
        op.add_column(table, sa.Column("taken", sa.Boolean(), server_default=sa.text("true"), nullable=False))
    op.create_table(
        "staged_other",
        sa.Column("batch_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("file", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("school_id", sa.Integer(), nullable=False),
        sa.Column("student_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("period", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("fraction", sa.Integer(), nullable=True),
        sa.Column("minutes", sa.Integer(), nullable=True),
        sa.Column("section_key", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("last_modified", sa.DateTime(timezone=True), nullable=True),
        sa.Column("modified_by", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("batch_id", "file", "line", "student_id", name=op.f("pk_staged_other")),
        prefixes=["UNLOGGED"],
    )


def downgrade() -> None:
    op.drop_table("staged_other")
    for table in ("submission", "staged_day"):
        op.drop_column(table, "taken")
