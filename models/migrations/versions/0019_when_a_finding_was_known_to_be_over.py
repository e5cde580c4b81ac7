"""Keep when a finding's end was learned, so that a look back tells whether it was met then as far as anybody knew"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("finding", sa.Column("until_at", sa.DateTime(timezone=True), nullable=True))
    # Nobody wrote it down so far: an end counts as learned when the finding itself was.
    op.execute("UPDATE finding SET until_at = recorded_at WHERE until IS NOT NULL")


def downgrade() -> None:
    op.drop_column("finding", "until_at")
