"""Leave room in the pages of rows that are written over every morning, so that neither they nor their indexes grow"""

from __future__ import annotations

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE student_status SET (fillfactor = 65)")


def downgrade() -> None:
    op.execute("ALTER TABLE student_status RESET (fillfactor)")
