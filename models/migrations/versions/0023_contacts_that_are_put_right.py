"""Keep how a contact read before it was put right, numbers noted by hand, and each school's ladder"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

WORDS = ("told", "used", "talk")


def upgrade() -> None:
    moment = sa.DateTime(timezone=True)
    for column in WORDS:
        op.add_column("outreach", sa.Column(column, sa.Text(), server_default="", nullable=False))
    op.add_column("outreach", sa.Column("about_day", sa.Date(), nullable=True))
    op.add_column("outreach", sa.Column("version", sa.Integer(), server_default="1", nullable=False))
    op.create_table(
        "outreach_before",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("outreach_id", sa.Integer(), nullable=False),
        sa.Column("student_id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("entry", postgresql.JSONB(), nullable=False),
        sa.Column("ended", sa.Text(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("ended_at", moment, nullable=False),
        sa.Column("ended_by", sa.Text(), nullable=False),
        sa.Column("ended_position", sa.Text(), nullable=False),
        sa.Column("once", sa.Text(), nullable=True),
        sa.CheckConstraint("ended IN ('changed', 'struck')", name=op.f("ck_outreach_before_ended")),
        sa.ForeignKeyConstraint(["student_id"], ["student.id"], name=op.f("fk_outreach_before_student_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outreach_before")),
        sa.UniqueConstraint("once", name=op.f("uq_outreach_before_once")),
    )
    op.create_index(op.f("ix_outreach_before_outreach_id"), "outreach_before", ["outreach_id"])
    op.create_index(op.f("ix_outreach_before_student_id"), "outreach_before", ["student_id"])
    op.create_table(
        "noted_contact",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("student_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("phone", sa.Text(), nullable=False),
        sa.Column("ended_at", moment, nullable=True),
        sa.Column("once", sa.Text(), nullable=True),
        sa.Column("author_id", sa.Integer(), nullable=True),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("position", sa.Text(), nullable=False),
        sa.Column("written_at", moment, nullable=False),
        sa.CheckConstraint("kind IN ('number', 'works')", name=op.f("ck_noted_contact_kind")),
        sa.ForeignKeyConstraint(["student_id"], ["student.id"], name=op.f("fk_noted_contact_student_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_noted_contact")),
        sa.UniqueConstraint("once", name=op.f("uq_noted_contact_once")),
    )
    op.create_index(op.f("ix_noted_contact_student_id"), "noted_contact", ["student_id"])
    digits = sa.text(r"regexp_replace(phone, '\D', '', 'g')")
    op.create_index("ix_contact_digits", "contact", [digits], postgresql_where=sa.text("phone <> ''"))
    address = sa.text("lower(address)")
    op.create_index("ix_contact_address", "contact", [address], postgresql_where=sa.text("address <> ''"))
    op.create_table(
        "school_ladder",
        sa.Column("school_id", sa.Integer(), nullable=False),
        sa.Column("rungs", postgresql.JSONB(), nullable=False),
        sa.Column("changed_at", moment, nullable=False),
        sa.Column("changed_by", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["school_id"], ["school.id"], name=op.f("fk_school_ladder_school_id")),
        sa.PrimaryKeyConstraint("school_id", name=op.f("pk_school_ladder")),
    )


def downgrade() -> None:
    op.drop_index("ix_contact_address", "contact")
    op.drop_index("ix_contact_digits", "contact")
    op.drop_table("school_ladder")
    op.drop_table("noted_contact")
    op.drop_table("outreach_before")
    for column in ("version", "about_day", *reversed(WORDS)):
        op.drop_column("outreach", column)
