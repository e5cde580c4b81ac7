"""Keep why files of a source could not be moved out of the way, so that people are told"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("source", sa.Column("not_cleared", sa.Text(), server_default="", nullable=False))
    op.add_column("source", sa.Column("not_cleared_since", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    op.drop_column("source", "not_cleared_since")
    op.drop_column("source", "not_cleared")
