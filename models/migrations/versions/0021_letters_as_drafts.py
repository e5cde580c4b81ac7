"""Keep letters to families: drafts that rules ask for, those sent, and those whose marks were corrected afterwards"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "letter",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("case_id", sa.Integer(), nullable=False),
        sa.Column("student_id", sa.Integer(), nullable=False),
        sa.Column("school_id", sa.Integer(), nullable=False),
        sa.Column("template", sa.Text(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("period", sa.Text(), nullable=False),
        sa.Column("through", sa.Date(), nullable=True),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("created_at", moment, nullable=False),
        sa.Column("withdrawn_at", moment, nullable=True),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("sent_at", moment, nullable=True),
        sa.Column("sent_by", sa.Text(), nullable=True),
        sa.Column("corrected_at", moment, nullable=True),
        sa.Column("settled_at", moment, nullable=True),
        sa.Column("settled_by", sa.Text(), nullable=True),
        sa.Column("settled_as", sa.Text(), nullable=True),
        sa.CheckConstraint("status IN ('draft', 'sent', 'withdrawn')", name=op.f("ck_letter_status")),
        sa.CheckConstraint("settled_as IN ('told', 'not_needed', 'stands_again')", name=op.f("ck_letter_settled_as")),
        sa.CheckConstraint("(status = 'sent') = (sent_at IS NOT NULL)", name=op.f("ck_letter_sent")),
        sa.ForeignKeyConstraint(["case_id"], ["support_case.id"], name=op.f("fk_letter_case_id_support_case")),
        sa.ForeignKeyConstraint(["student_id"], ["student.id"], name=op.f("fk_letter_student_id_student")),
        sa.ForeignKeyConstraint(["school_id"], ["school.id"], name=op.f("fk_letter_school_id_school")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_letter")),
        sa.UniqueConstraint("student_id", "template", "period", name="uq_letter_once"),
    )
    op.create_index(op.f("ix_letter_case_id"), "letter", ["case_id"])
    unsettled = sa.text("corrected_at IS NOT NULL AND settled_at IS NULL")
    op.create_index("ix_letter_unsettled", "letter", ["school_id"], postgresql_where=unsettled)


def downgrade() -> None:
    op.drop_table("letter")
