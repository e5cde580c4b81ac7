"""Find the few marks with a reason, and the events of plans, without reading the others"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    given, planned = sa.text("reason IS NOT NULL"), sa.text("kind = 'case_planned'")
    op.create_index("ix_mark_with_reason", "mark", ["student_id", "day"], postgresql_where=given)
    op.create_index("ix_event_planned", "event", ["student_id"], postgresql_where=planned)


def downgrade() -> None:
    op.drop_index("ix_event_planned", "event")
    op.drop_index("ix_mark_with_reason", "mark")
