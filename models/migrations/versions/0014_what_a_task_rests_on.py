"""Keep with a task up to which day was known when a rule asked for it, so that a correction can tell what it rests on"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("task", sa.Column("through", sa.Date(), nullable=True))


def downgrade() -> None:
    op.drop_column("task", "through")
