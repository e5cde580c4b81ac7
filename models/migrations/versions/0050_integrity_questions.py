"""Keep questions about the record, with what was counted and every answer"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0050"
down_revision = "0049"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
STATES = "'asked', 'answered', 'closed'"


def upgrade() -> None:
    question = "integrity_question"
    op.create_table(
        question,
        sa.Column("id", sa.Integer(), sa.Identity(always=False), primary_key=True),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("measure", "who", "state")),
        sa.Column("school_id", sa.Integer(), nullable=False),
        *(sa.Column(name, sa.Date(), nullable=False) for name in ("first_day", "last_day", "asked_on")),
        *(sa.Column(name, sa.Integer(), nullable=False) for name in ("x", "n", "usual", "version")),
        sa.Column("asked_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["school_id"], ["school.id"], name=op.f("fk_integrity_question_school_id_school")),
        sa.CheckConstraint(f"state IN ({STATES})", name=op.f("ck_integrity_question_state")),
    )
    op.create_index(op.f("ix_integrity_question_school_id"), question, ["school_id"])
    where = sa.text("state <> 'closed'")
    columns = ["measure", "school_id", "who"]
    op.create_index("uq_integrity_question_open", question, columns, unique=True, postgresql_where=where)
    op.create_table(
        "integrity_note",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), primary_key=True),
        sa.Column("question_id", sa.Integer(), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("step", "words", "author", "position")),
        sa.Column("once", sa.Text(), nullable=True),
        sa.Column("author_id", sa.Integer(), nullable=True),
        sa.Column("written_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(
            ["question_id"], [f"{question}.id"], name=op.f("fk_integrity_note_question_id_integrity_question")
        ),
        sa.UniqueConstraint("once", name=op.f("uq_integrity_note_once")),
        sa.CheckConstraint(f"step IN ({STATES})", name=op.f("ck_integrity_note_step")),
    )
    op.create_index(op.f("ix_integrity_note_question_id"), "integrity_note", ["question_id"])


def downgrade() -> None:
    op.drop_table("integrity_note")
    op.drop_table("integrity_question")
