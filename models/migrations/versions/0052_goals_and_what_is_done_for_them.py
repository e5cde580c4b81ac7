"""Keep goals with every version, how far they have come, and strategies with every look at them"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0052"
down_revision = "0051"
branch_labels = None
depends_on = None


def authored() -> list[sa.Column[object]]:
    return [
        sa.Column("author_id", sa.Integer(), nullable=True),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("position", sa.Text(), nullable=False),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=False),
    ]


def upgrade() -> None:
    op.create_table(
        "goal",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("thread", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("subgroup", sa.Text(), server_default="", nullable=False),
        sa.Column("measure", sa.Text(), nullable=False),
        sa.Column("target", sa.Integer(), nullable=False),
        sa.Column("by_day", sa.Date(), nullable=False),
        sa.Column("why", sa.Text(), server_default="", nullable=False),
        sa.Column("base_day", sa.Date(), nullable=False),
        sa.Column("base_part", sa.BigInteger(), nullable=True),
        sa.Column("base_whole", sa.BigInteger(), nullable=True),
        sa.Column("ended", sa.Text(), server_default="", nullable=False),
        sa.Column("once", sa.Text(), nullable=False),
        *authored(),
        sa.CheckConstraint("measure IN ('chronic', 'tiers', 'attendance', 'in_time')", name=op.f("ck_goal_measure")),
        sa.CheckConstraint("target BETWEEN 1 AND 999", name=op.f("ck_goal_target")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_goal")),
        sa.UniqueConstraint("thread", "version", name=op.f("uq_goal_thread_version")),
        sa.UniqueConstraint("once", name=op.f("uq_goal_once")),
    )
    op.create_index(op.f("ix_goal_place"), "goal", ["place"])
    op.create_table(
        "goal_part",
        sa.Column("thread", sa.Text(), nullable=False),
        sa.Column("school_id", sa.Integer(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("part", sa.BigInteger(), nullable=False),
        sa.Column("whole", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["school_id"], ["school.id"], name=op.f("fk_goal_part_school_id_school")),
        sa.PrimaryKeyConstraint("thread", "school_id", "day", name=op.f("pk_goal_part")),
    )
    _strategies()


def _strategies() -> None:
    op.create_table(
        "strategy",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("thread", sa.Text(), nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("owner_id", sa.Integer(), nullable=False),
        sa.Column("once", sa.Text(), nullable=False),
        *authored(),
        sa.ForeignKeyConstraint(["owner_id"], ["person.id"], name=op.f("fk_strategy_owner_id_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_strategy")),
        sa.UniqueConstraint("once", name=op.f("uq_strategy_once")),
    )
    op.create_index(op.f("ix_strategy_thread"), "strategy", ["thread"])
    op.create_index(op.f("ix_strategy_owner_id"), "strategy", ["owner_id"])
    op.create_table(
        "strategy_look",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("strategy_id", sa.Integer(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("next_on", sa.Date(), nullable=True),
        sa.Column("once", sa.Text(), nullable=False),
        *authored(),
        sa.ForeignKeyConstraint(["strategy_id"], ["strategy.id"], name=op.f("fk_strategy_look_strategy_id_strategy")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_strategy_look")),
        sa.UniqueConstraint("once", name=op.f("uq_strategy_look_once")),
    )
    op.create_index(op.f("ix_strategy_look_strategy_id"), "strategy_look", ["strategy_id"])


def downgrade() -> None:
    op.drop_table("strategy_look")
    op.drop_table("strategy")
    op.drop_table("goal_part")
    op.drop_table("goal")
