"""Keep plans in versions, the supports offered in them, each time one was given, and the looks at how it goes"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)

# Until now the goal of a plan was a note that began with these words.
AGREED_BEFORE = """
INSERT INTO plan (case_id, episode, version, goal, helps, family_agreed, next_step, review_on, author_id, author,
                  position, written_at)
SELECT c.id, c.episode, row_number() OVER (PARTITION BY c.id ORDER BY n.id), substr(n.text, 7), '', 'not_asked',
       c.next_step, coalesce(c.due, n.written_at::date), n.author_id, n.author, n.position, n.written_at
FROM note n JOIN support_case c ON c.id = n.case_id
WHERE n.compartment IS NULL AND n.text LIKE 'Plan: %' AND n.written_at >= c.opened_at
"""


def upgrade() -> None:
    _plan()
    _plan_support()
    _support_given()
    _plan_review()
    op.execute(AGREED_BEFORE)


def _plan() -> None:
    op.create_table(
        "plan",
        *_begin(),
        sa.Column("case_id", sa.Integer(), nullable=False),
        sa.Column("episode", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("goal", sa.Text(), nullable=False),
        sa.Column("most_absent", sa.SmallInteger(), nullable=True),
        sa.Column("of_days", sa.SmallInteger(), nullable=True),
        sa.Column("champion_id", sa.Integer(), nullable=True),
        sa.Column("helps", sa.Text(), nullable=False),
        sa.Column("family_agreed", sa.Text(), nullable=False),
        sa.Column("next_step", sa.Text(), nullable=False),
        sa.Column("review_on", sa.Date(), nullable=False),
        *_written("plan"),
        _one_of("plan", "family_agreed", "yes", "no", "not_asked"),
        sa.CheckConstraint("(most_absent IS NULL) = (of_days IS NULL)", name=op.f("ck_plan_goal_in_days")),
        _to("plan", "case_id", "support_case"),
        _to("plan", "champion_id", "person"),
        sa.UniqueConstraint("case_id", "episode", "version", name=op.f("uq_plan_case_id_episode_version")),
    )


def _plan_support() -> None:
    op.create_table(
        "plan_support",
        *_begin(),
        sa.Column("case_id", sa.Integer(), nullable=False),
        sa.Column("student_id", sa.Integer(), nullable=False),
        sa.Column("episode", sa.Integer(), nullable=False),
        sa.Column("intervention", sa.Text(), nullable=False),
        sa.Column("cause", sa.Text(), nullable=True),
        sa.Column("compartment", sa.Text(), nullable=True),
        sa.Column("owner_id", sa.Integer(), nullable=True),
        sa.Column("starts", sa.Date(), nullable=False),
        sa.Column("planned_end", sa.Date(), nullable=False),
        sa.Column("dose_planned", sa.Integer(), nullable=False),
        sa.Column("family_agreed", sa.Text(), nullable=False),
        sa.Column("result", sa.Text(), nullable=True),
        sa.Column("why_ended", sa.Text(), nullable=False),
        sa.Column("ended_on", sa.Date(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        *_written("plan_support"),
        _one_of("plan_support", "compartment", "stls", "health", "counseling", "iep_504", "protected"),
        _one_of("plan_support", "family_agreed", "yes", "no", "not_asked"),
        _one_of("plan_support", "result", "met", "partly", "not_met", "stopped"),
        sa.CheckConstraint("(result IS NULL) = (ended_on IS NULL)", name=op.f("ck_plan_support_ended")),
        _to("plan_support", "case_id", "support_case"),
        _to("plan_support", "student_id", "student"),
        _to("plan_support", "owner_id", "person"),
    )
    op.create_index(op.f("ix_plan_support_case_id"), "plan_support", ["case_id"])
    op.create_index(op.f("ix_plan_support_student_id"), "plan_support", ["student_id"])


def _support_given() -> None:
    op.create_table(
        "support_given",
        *_begin(),
        sa.Column("support_id", sa.Integer(), nullable=False),
        sa.Column("on_day", sa.Date(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("taken_back_at", MOMENT, nullable=True),
        *_written("support_given"),
        _to("support_given", "support_id", "plan_support"),
    )
    op.create_index(op.f("ix_support_given_support_id"), "support_given", ["support_id"])


def _plan_review() -> None:
    op.create_table(
        "plan_review",
        *_begin(),
        sa.Column("case_id", sa.Integer(), nullable=False),
        sa.Column("episode", sa.Integer(), nullable=False),
        sa.Column("plan_id", sa.Integer(), nullable=False),
        sa.Column("decision", sa.Text(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("with_family", sa.Boolean(), nullable=False),
        sa.Column("next_on", sa.Date(), nullable=False),
        *_written("plan_review"),
        _one_of("plan_review", "decision", "exit", "continue", "change", "intensify"),
        _to("plan_review", "case_id", "support_case"),
        _to("plan_review", "plan_id", "plan"),
    )
    op.create_index(op.f("ix_plan_review_case_id"), "plan_review", ["case_id"])


def _begin() -> list[sa.Column[Any]]:
    return [sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False)]


def _written(table: str) -> list[Any]:
    """Who wrote it, in which position, when; that it is written once; and the key of the table."""
    return [
        sa.Column("once", sa.Text(), nullable=True),
        sa.Column("author_id", sa.Integer(), nullable=True),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("position", sa.Text(), nullable=False),
        sa.Column("written_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
        sa.UniqueConstraint("once", name=op.f(f"uq_{table}_once")),
    ]


def _one_of(table: str, column: str, *values: str) -> sa.CheckConstraint:
    listed = ", ".join(f"'{value}'" for value in values)
    return sa.CheckConstraint(f"{column} IN ({listed})", name=op.f(f"ck_{table}_{column}"))


def _to(table: str, column: str, target: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{target}.id"], name=op.f(f"fk_{table}_{column}_{target}"))


def downgrade() -> None:
    for table in ("plan_review", "support_given", "plan_support", "plan"):
        op.drop_table(table)
