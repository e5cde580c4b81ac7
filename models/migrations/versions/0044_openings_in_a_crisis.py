"""Keep what was opened in a crisis, who was told of it and what they found"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0044"
down_revision = "0043"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
TABLE = "crisis_opening"
ABOUT = "num_nonnulls(case_id, task_id, school_id, visit_id, hand_over_id{more}) <= 1"


def upgrade() -> None:
    _openings()
    op.add_column("notice", sa.Column("opening_id", sa.Integer(), nullable=True))
    op.create_foreign_key(op.f("fk_notice_opening_id_crisis_opening"), "notice", TABLE, ["opening_id"], ["id"])
    op.drop_constraint(op.f("ck_notice_about"), "notice")
    op.create_check_constraint(op.f("ck_notice_about"), "notice", ABOUT.format(more=", opening_id"))


def _openings() -> None:
    op.create_table(
        TABLE,
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("once", sa.Text(), nullable=True),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Text(), nullable=False),
        sa.Column("student_id", sa.Integer(), nullable=False),
        sa.Column("school_id", sa.Integer(), nullable=False),
        sa.Column("compartment", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("opened_at", MOMENT, nullable=False),
        sa.Column("ends_at", MOMENT, nullable=False),
        sa.Column("closed_at", MOMENT, nullable=True),
        sa.Column("seen_id", sa.Integer(), nullable=True),
        sa.Column("seen_at", MOMENT, nullable=True),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.Column("answer_words", sa.Text(), server_default="", nullable=False),
        sa.Column("answered_id", sa.Integer(), nullable=True),
        sa.Column("answered_at", MOMENT, nullable=True),
        *_checks(),
        *_keys(),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_crisis_opening")),
        sa.UniqueConstraint("once", name=op.f("uq_crisis_opening_once")),
    )
    op.create_index(op.f("ix_crisis_opening_student_id"), TABLE, ["student_id"])
    op.create_index("ix_crisis_opening_person_id_opened_at", TABLE, ["person_id", "opened_at"])
    op.create_index("ix_crisis_opening_school_id", TABLE, ["school_id", "id"])
    waits = sa.text("answer IS NULL")
    op.create_index("ix_crisis_opening_unanswered", TABLE, ["school_id"], postgresql_where=waits)


def _checks() -> list[sa.CheckConstraint]:
    checks = {
        "compartment": "compartment IN ('stls', 'health', 'counseling', 'iep_504', 'protected')",
        "never": "compartment <> 'protected'",
        "answer": "answer IN ('right', 'not_right')",
        "time": "ends_at > opened_at AND (closed_at IS NULL OR closed_at >= opened_at)",
        "reason": "reason <> ''",
        "answered": "(answer IS NULL) = (answered_at IS NULL)",
        "somebody_else": "seen_id <> person_id AND answered_id <> person_id",
    }
    return [sa.CheckConstraint(said, name=op.f(f"ck_crisis_opening_{name}")) for name, said in checks.items()]


def _keys() -> list[sa.ForeignKeyConstraint]:
    tables = {"person_id": "person", "student_id": "student", "school_id": "school", "seen_id": "person"}
    return [
        sa.ForeignKeyConstraint([column], [f"{table}.id"], name=op.f(f"fk_crisis_opening_{column}_{table}"))
        for column, table in (tables | {"answered_id": "person"}).items()
    ]


def downgrade() -> None:
    op.execute("DELETE FROM mail WHERE notice_id IN (SELECT id FROM notice WHERE opening_id IS NOT NULL)")
    op.execute("DELETE FROM notice WHERE opening_id IS NOT NULL")
    op.drop_constraint(op.f("ck_notice_about"), "notice")
    op.drop_column("notice", "opening_id")
    op.create_check_constraint(op.f("ck_notice_about"), "notice", ABOUT.format(more=""))
    op.drop_table(TABLE)
