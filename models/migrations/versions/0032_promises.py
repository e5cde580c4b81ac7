"""Keep what is asked for inside a compartment until it is in hand, and find who read a compartment"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None

STATES = "state IN ('asked', 'approved', 'issued', 'in_hand', 'not_wanted', 'refused')"


def upgrade() -> None:
    op.create_table(
        "promise",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("student_id", sa.Integer(), nullable=False),
        sa.Column("school_id", sa.Integer(), nullable=False),
        sa.Column("compartment", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("for_whom", sa.Text(), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("asked_on", sa.Date(), nullable=False),
        sa.Column("settled_on", sa.Date(), nullable=True),
        sa.Column("owner_id", sa.Integer(), nullable=True),
        sa.Column("due", sa.Date(), nullable=True),
        sa.Column("once", sa.Text(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        *_authored(),
        sa.CheckConstraint(
            "compartment IN ('stls', 'health', 'counseling', 'iep_504', 'protected')",
            name=op.f("ck_promise_compartment"),
        ),
        sa.CheckConstraint(STATES, name=op.f("ck_promise_state")),
        sa.CheckConstraint("for_whom IN ('student', 'caregiver')", name=op.f("ck_promise_for_whom")),
        sa.ForeignKeyConstraint(["student_id"], ["student.id"], name=op.f("fk_promise_student_id_student")),
        sa.ForeignKeyConstraint(["school_id"], ["school.id"], name=op.f("fk_promise_school_id_school")),
        sa.ForeignKeyConstraint(["owner_id"], ["person.id"], name=op.f("fk_promise_owner_id_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_promise")),
        sa.UniqueConstraint("once", name=op.f("uq_promise_once")),
    )
    op.create_index(op.f("ix_promise_student_id"), "promise", ["student_id"])
    op.create_index(
        "ix_promise_open", "promise", ["compartment", "due"], postgresql_where=sa.text("settled_on IS NULL")
    )
    op.create_table(
        "promise_step",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("promise_id", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("on_day", sa.Date(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("appeal_told", sa.Boolean(), nullable=False),
        sa.Column("once", sa.Text(), nullable=True),
        *_authored(),
        sa.CheckConstraint(STATES, name=op.f("ck_promise_step_state")),
        sa.ForeignKeyConstraint(["promise_id"], ["promise.id"], name=op.f("fk_promise_step_promise_id_promise")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_promise_step")),
        sa.UniqueConstraint("once", name=op.f("uq_promise_step_once")),
    )
    op.create_index(op.f("ix_promise_step_promise_id"), "promise_step", ["promise_id"])
    op.create_index(
        "ix_audit_row_compartment",
        "audit_row",
        ["compartment", "id"],
        postgresql_where=sa.text("compartment IS NOT NULL"),
    )


def _authored() -> list[sa.Column[object]]:
    return [
        sa.Column("author_id", sa.Integer(), nullable=True),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("position", sa.Text(), nullable=False),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=False),
    ]


def downgrade() -> None:
    op.drop_index("ix_audit_row_compartment", table_name="audit_row")
    op.drop_table("promise_step")
    op.drop_table("promise")
