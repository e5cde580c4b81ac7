"""Keep the day a goal's beginning was counted on; beginnings told as of a later day are counted anew"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0090"
down_revision = "0085"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("goal", sa.Column("base_on", sa.Date(), nullable=True))
    # What was kept until now may be of the first count, weeks after the goal was set: the next night counts it again.
    op.execute("UPDATE goal SET base_part = NULL, base_whole = NULL")


def downgrade() -> None:
    op.drop_column("goal", "base_on")
