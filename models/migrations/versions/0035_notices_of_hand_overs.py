"""Let a notice be about a hand-over"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None

ABOUT = "num_nonnulls(case_id, task_id, school_id, visit_id{more}) <= 1"


def upgrade() -> None:
    op.add_column("notice", sa.Column("hand_over_id", sa.Integer(), nullable=True))
    op.create_foreign_key(op.f("fk_notice_hand_over_id_hand_over"), "notice", "hand_over", ["hand_over_id"], ["id"])
    op.drop_constraint(op.f("ck_notice_about"), "notice")
    op.create_check_constraint(op.f("ck_notice_about"), "notice", ABOUT.format(more=", hand_over_id"))


def downgrade() -> None:
    op.execute("DELETE FROM mail WHERE notice_id IN (SELECT id FROM notice WHERE hand_over_id IS NOT NULL)")
    op.execute("DELETE FROM notice WHERE hand_over_id IS NOT NULL")
    op.drop_constraint(op.f("ck_notice_about"), "notice")
    op.create_check_constraint(op.f("ck_notice_about"), "notice", ABOUT.format(more=""))
    op.drop_column("notice", "hand_over_id")
