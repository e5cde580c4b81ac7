"""Let a search be taken back when the marks that began it are corrected, and begun again"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0042"
down_revision = "0041"
branch_labels = None
depends_on = None

STEP = ["case_id", "episode", "step"]


def upgrade() -> None:
    op.add_column("search_done", sa.Column("taken_back_at", sa.DateTime(timezone=True), nullable=True))
    op.drop_constraint(op.f("uq_search_done_case_id_episode_step"), "search_done", type_="unique")
    stands = sa.text("taken_back_at IS NULL")
    op.create_index("uq_search_done_step", "search_done", STEP, unique=True, postgresql_where=stands)


def downgrade() -> None:
    op.drop_index("uq_search_done_step", "search_done")
    op.execute("DELETE FROM search_done WHERE taken_back_at IS NOT NULL")
    op.create_unique_constraint(op.f("uq_search_done_case_id_episode_step"), "search_done", STEP)
    op.drop_column("search_done", "taken_back_at")
