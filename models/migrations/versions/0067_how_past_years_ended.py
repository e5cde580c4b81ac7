"""Keep how each school year ended for each student: what a model is tested by, and last year's rate in the next"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0067"
down_revision = "0065"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '10s'")
    op.create_table(
        "year_end",
        sa.Column("school_year", sa.Date(), nullable=False),
        sa.Column("student_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("known_by", sa.Text(), nullable=False),
        sa.Column("enrolled", sa.Integer(), nullable=False),
        sa.Column("absent", sa.Integer(), nullable=False),
        sa.Column("late_enrolled", sa.Integer(), nullable=True),
        sa.Column("late_absent", sa.Integer(), nullable=True),
        sa.Column("school_id", sa.Integer(), nullable=True),
        sa.Column("grade", sa.Text(), nullable=False),
        sa.CheckConstraint("known_by IN ('marks', 'told')", name=op.f("ck_year_end_known_by")),
        sa.PrimaryKeyConstraint("school_year", "student_id", name=op.f("pk_year_end")),
    )


def downgrade() -> None:
    op.drop_table("year_end")
