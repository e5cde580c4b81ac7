"""Keep with each night's run how far it is and what it found, so that both can be shown"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("job_run", sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True))
    detail = sa.Column("detail", postgresql.JSONB(), server_default=sa.text("'{}'"), nullable=False)
    op.add_column("job_run", detail)


def downgrade() -> None:
    op.drop_column("job_run", "detail")
    op.drop_column("job_run", "ended_at")
