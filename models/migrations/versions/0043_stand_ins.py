"""Find for whom somebody stands in, and let work of those who are away rise"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0043"
down_revision = "0042"
branch_labels = None
depends_on = None

WHY = ("unowned", "unclaimed", "overdue", "unanswered")


def upgrade() -> None:
    _allow((*WHY, "away"))
    only = sa.text("deputy_id IS NOT NULL")
    op.create_index("ix_role_grant_deputy_id", "role_grant", ["deputy_id"], postgresql_where=only)


def downgrade() -> None:
    op.drop_index("ix_role_grant_deputy_id", "role_grant", postgresql_where=sa.text("deputy_id IS NOT NULL"))
    op.execute("DELETE FROM raised WHERE why = 'away'")
    _allow(WHY)


def _allow(why: tuple[str, ...]) -> None:
    listed = ", ".join(f"'{one}'" for one in why)
    op.drop_constraint(op.f("ck_raised_why"), "raised")
    op.create_check_constraint(op.f("ck_raised_why"), "raised", f"why IN ({listed})")
