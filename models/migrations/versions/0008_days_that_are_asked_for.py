"""Let a task be about a day of a school instead of a student, so that a day that has not come in can be asked for"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

OF_A_DAY = sa.text("student_id IS NULL")


def upgrade() -> None:
    op.add_column("task", sa.Column("day", sa.Date(), nullable=True))
    op.add_column("task", sa.Column("raised_at", sa.DateTime(timezone=True), nullable=True))
    op.alter_column("task", "student_id", nullable=True)
    op.create_index("uq_task_day", "task", ["school_id", "day", "kind"], unique=True, postgresql_where=OF_A_DAY)
    op.create_check_constraint(op.f("ck_task_about"), "task", "(student_id IS NULL) = (day IS NOT NULL)")
    op.create_check_constraint(
        op.f("ck_task_of_a_day"), "task", "student_id IS NOT NULL OR (case_id IS NULL AND compartment IS NULL)"
    )


def downgrade() -> None:
    op.execute("DELETE FROM task WHERE student_id IS NULL")
    op.drop_constraint(op.f("ck_task_of_a_day"), "task", type_="check")
    op.drop_constraint(op.f("ck_task_about"), "task", type_="check")
    op.drop_index("uq_task_day", table_name="task")
    op.alter_column("task", "student_id", nullable=False)
    op.drop_column("task", "raised_at")
    op.drop_column("task", "day")
