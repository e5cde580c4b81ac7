"""A form about the risk model that is sent twice is one decision"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0077"
down_revision = "0069"
branch_labels = None
depends_on = None

TABLES = ("risk_model", "risk_step")


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '10s'")
    for table in TABLES:
        op.add_column(table, sa.Column("once", sa.Text(), nullable=True))
        op.create_unique_constraint(op.f(f"uq_{table}_once"), table, ["once"])


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '10s'")
    for table in reversed(TABLES):
        op.drop_constraint(op.f(f"uq_{table}_once"), table, type_="unique")
        op.drop_column(table, "once")
