"""Keep the numbers of a status only where a list shows them, and check derived rows against nothing

A status and a standing are computed from rows that are checked: a key on each of a third of a million rows a morning
costs more than the rows.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

NUMBERS = (
    "enrolled", "absent", "excused", "unexcused", "federal_absent", "tardies", "missing_days", "unknown_days",
    "streak_now", "absent_last_20", "enrolled_last_20", "rate_tier", "tier_min", "tier_max", "policy_version",
)  # fmt: skip
DERIVED = ("student_status", "standing")


def upgrade() -> None:
    op.add_column("staged_day", sa.Column("fresh", sa.Boolean(), server_default=sa.text("false"), nullable=False))
    for column in NUMBERS:
        op.alter_column("student_status", column, nullable=True)
    for table in DERIVED:
        for target in ("school", "student"):
            op.drop_constraint(f"fk_{table}_{target}_id", table, type_="foreignkey")


def downgrade() -> None:
    op.drop_column("staged_day", "fresh")
    for table in DERIVED:
        for target in ("school", "student"):
            op.create_foreign_key(f"fk_{table}_{target}_id", table, target, [f"{target}_id"], ["id"])
    op.execute("DELETE FROM student_status WHERE enrolled IS NULL")  # computed again by the next evaluation
    for column in NUMBERS:
        op.alter_column("student_status", column, nullable=False)
