"""Keep which files of one command are decided together, and when that was"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("batch", sa.Column("undecided", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column("batch", sa.Column("decided_with", sa.Integer(), nullable=True))
    op.add_column("batch", sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index("ix_batch_undecided", "batch", ["id"], postgresql_where=sa.text("undecided"))


def downgrade() -> None:
    op.drop_index("ix_batch_undecided", "batch")
    for column in ("decided_at", "decided_with", "undecided"):
        op.drop_column("batch", column)
