"""Find the runs of days that still last, and withdrawn findings, without reading a whole year of them"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0041"
down_revision = "0035"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        "ix_standing_school_id_until", "standing", ["school_id", sa.text("coalesce(until, 'infinity'::date)")]
    )
    op.create_index(
        "ix_finding_withdrawn", "finding", ["student_id"], postgresql_where=sa.text("withdrawn_at IS NOT NULL")
    )


def downgrade() -> None:
    op.drop_index("ix_finding_withdrawn", table_name="finding")
    op.drop_index("ix_standing_school_id_until", table_name="standing")
