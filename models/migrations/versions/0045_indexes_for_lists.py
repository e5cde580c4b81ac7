"""Find the open cases of a list, last contacts, who was newly flagged and which days are silent by an index"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0045"
down_revision = "0044"
branch_labels = None
depends_on = None

OPEN, TAUGHT = "closed_on IS NULL", "weight > 0 AND day_type IN ('instructional', 'make_up')"
CAME = "status IN ('submitted', 'partial', 'closed')"
INDEXES = (
    ("ix_support_case_open_due", "support_case", ["due", "number"], OPEN),
    ("ix_support_case_open_school", "support_case", ["school_id", "due", "number"], OPEN),
    ("ix_outreach_contact", "outreach", ["student_id", "on_day"], "is_contact"),
    ("ix_student_status_raised", "student_status", ["tier_since"], "enrolled_now AND tier >= 1"),
    ("ix_calendar_day_taught", "calendar_day", ["school_id", "day"], TAUGHT),
    ("ix_school_day_in", "school_day", ["school_id", "day"], CAME),
)


def upgrade() -> None:
    for name, table, columns, where in INDEXES:
        op.create_index(name, table, columns, postgresql_where=sa.text(where))


def downgrade() -> None:
    for name, table, *_ in INDEXES:
        op.drop_index(name, table_name=table)
