"""State hours for each assignment; keep hand-overs with their answers, and work that waits too long"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
KINDS = "'assign', 'refer', 'transfer', 'request', 'school_change'"
STATES = "'to_write', 'sent', 'accepted', 'declined', 'done', 'taken_back'"
WAITS = "'unowned', 'unclaimed', 'overdue', 'unanswered'"


def upgrade() -> None:
    _hours()
    _hand_overs()
    _raised()


def _hours() -> None:
    """What a person stated goes to what they held, where that is one thing; else each is the whole week until said."""
    op.add_column("role_grant", sa.Column("hours", sa.Integer(), nullable=True))
    op.execute("""
        UPDATE role_grant g SET hours = least(greatest(p.hours_per_week, 0), 60) FROM person p
        WHERE p.id = g.person_id AND (SELECT count(*) FROM role_grant o WHERE o.person_id = p.id) = 1
    """)
    op.drop_column("person", "hours_per_week")
    op.create_check_constraint(op.f("ck_role_grant_hours"), "role_grant", "hours BETWEEN 0 AND 60")
    op.execute("UPDATE role_grant SET away_until = NULL WHERE away_until < away_from")
    op.create_check_constraint(
        op.f("ck_role_grant_away"), "role_grant", "away_until IS NULL OR away_until >= away_from"
    )


def _hand_overs() -> None:
    op.create_table(
        "hand_over",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("case_id", sa.Integer(), nullable=False),
        sa.Column("student_id", sa.Integer(), nullable=False),
        sa.Column("school_id", sa.Integer(), nullable=False),
        sa.Column("from_id", sa.Integer(), nullable=True),
        sa.Column("from_role", sa.Text(), nullable=False),
        sa.Column("to_id", sa.Integer(), nullable=True),
        sa.Column("to_role", sa.Text(), nullable=False),
        sa.Column("department", sa.Text(), nullable=False),
        sa.Column("asked", sa.Text(), nullable=False),
        sa.Column("asked_on", sa.Date(), nullable=False),
        sa.Column("due", sa.Date(), nullable=True),
        sa.Column("agreed_by", sa.Text(), nullable=True),
        sa.Column("agreed_on", sa.Date(), nullable=True),
        sa.Column("task_id", sa.Integer(), nullable=True),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("answered_at", MOMENT, nullable=True),
        sa.Column("ended_at", MOMENT, nullable=True),
        sa.Column("once", sa.Text(), nullable=True),
        sa.CheckConstraint(f"kind IN ({KINDS})", name=op.f("ck_hand_over_kind")),
        sa.CheckConstraint(f"state IN ({STATES})", name=op.f("ck_hand_over_state")),
        sa.CheckConstraint("(state <> 'to_write') OR kind = 'school_change'", name=op.f("ck_hand_over_written")),
        sa.ForeignKeyConstraint(["case_id"], ["support_case.id"], name=op.f("fk_hand_over_case_id_support_case")),
        sa.ForeignKeyConstraint(["student_id"], ["student.id"], name=op.f("fk_hand_over_student_id_student")),
        sa.ForeignKeyConstraint(["school_id"], ["school.id"], name=op.f("fk_hand_over_school_id_school")),
        sa.ForeignKeyConstraint(["from_id"], ["person.id"], name=op.f("fk_hand_over_from_id_person")),
        sa.ForeignKeyConstraint(["to_id"], ["person.id"], name=op.f("fk_hand_over_to_id_person")),
        sa.ForeignKeyConstraint(["task_id"], ["task.id"], name=op.f("fk_hand_over_task_id_task")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_hand_over")),
        sa.UniqueConstraint("once", name=op.f("uq_hand_over_once")),
    )
    for column in ("case_id", "student_id", "task_id"):
        op.create_index(op.f(f"ix_hand_over_{column}"), "hand_over", [column])
    moving = sa.text("kind IN ('transfer', 'school_change') AND state IN ('to_write', 'sent')")
    op.create_index("uq_hand_over_moving", "hand_over", ["case_id"], unique=True, postgresql_where=moving)
    asked = sa.text("kind = 'request' AND state = 'sent'")
    op.create_index("uq_hand_over_request", "hand_over", ["case_id", "from_id"], unique=True, postgresql_where=asked)
    waiting = sa.text("state IN ('to_write', 'sent', 'accepted')")
    op.create_index("ix_hand_over_to", "hand_over", ["to_id"], postgresql_where=waiting)
    sent = sa.text("state = 'sent'")
    op.create_index("ix_hand_over_seat", "hand_over", ["school_id", "to_role"], postgresql_where=sent)
    op.create_index("ix_hand_over_from", "hand_over", ["from_id", "created_at"])
    _steps()


def _steps() -> None:
    op.create_table(
        "hand_over_step",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("hand_over_id", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("author_id", sa.Integer(), nullable=True),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("position", sa.Text(), nullable=False),
        sa.Column("written_at", MOMENT, nullable=False),
        sa.CheckConstraint(f"state IN ({STATES})", name=op.f("ck_hand_over_step_state")),
        sa.ForeignKeyConstraint(
            ["hand_over_id"], ["hand_over.id"], name=op.f("fk_hand_over_step_hand_over_id_hand_over")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_hand_over_step")),
    )
    op.create_index(op.f("ix_hand_over_step_hand_over_id"), "hand_over_step", ["hand_over_id"])


def _raised() -> None:
    op.create_table(
        "raised",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("school_id", sa.Integer(), nullable=False),
        sa.Column("case_id", sa.Integer(), nullable=True),
        sa.Column("task_id", sa.Integer(), nullable=True),
        sa.Column("hand_over_id", sa.Integer(), nullable=True),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("level", sa.SmallInteger(), nullable=False),
        sa.Column("since", sa.Date(), nullable=False),
        sa.Column("raised_at", MOMENT, nullable=False),
        sa.Column("network_at", MOMENT, nullable=True),
        sa.Column("ended_at", MOMENT, nullable=True),
        sa.CheckConstraint(f"why IN ({WAITS})", name=op.f("ck_raised_why")),
        sa.CheckConstraint("level IN (1, 2)", name=op.f("ck_raised_level")),
        sa.CheckConstraint("num_nonnulls(case_id, task_id, hand_over_id) = 1", name=op.f("ck_raised_about_one")),
        sa.ForeignKeyConstraint(["school_id"], ["school.id"], name=op.f("fk_raised_school_id_school")),
        sa.ForeignKeyConstraint(["case_id"], ["support_case.id"], name=op.f("fk_raised_case_id_support_case")),
        sa.ForeignKeyConstraint(["task_id"], ["task.id"], name=op.f("fk_raised_task_id_task")),
        sa.ForeignKeyConstraint(["hand_over_id"], ["hand_over.id"], name=op.f("fk_raised_hand_over_id_hand_over")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_raised")),
    )
    now = sa.text("ended_at IS NULL")
    for about in ("case", "task", "hand_over"):
        op.create_index(f"uq_raised_{about}", "raised", [f"{about}_id", "why"], unique=True, postgresql_where=now)
    op.create_index("ix_raised_school_id_level", "raised", ["school_id", "level"], postgresql_where=now)


def downgrade() -> None:
    for table in ("raised", "hand_over_step", "hand_over"):
        op.drop_table(table)
    op.drop_constraint(op.f("ck_role_grant_away"), "role_grant")
    op.add_column("person", sa.Column("hours_per_week", sa.Integer(), nullable=True))
    op.execute("""
        UPDATE person p SET hours_per_week = (SELECT sum(hours) FROM role_grant g WHERE g.person_id = p.id)
    """)
    op.drop_column("role_grant", "hours")
