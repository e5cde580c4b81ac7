"""Keep people's views of their lists, what one press gave away, and why a flag was set aside"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.add_column("person", sa.Column("list_keys", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.alter_column("person", "list_keys", server_default=None)
    _views()
    _handfuls()
    _answers()


def _views() -> None:
    op.create_table(
        "saved_view",
        sa.Column("id", sa.Integer(), sa.Identity(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("page", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("asks", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("is_first", sa.Boolean(), nullable=False),
        sa.Column("kept_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_saved_view_person_id_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_saved_view")),
        sa.UniqueConstraint("person_id", "page", "name", name=op.f("uq_saved_view_person_id_page_name")),
    )
    first = sa.text("is_first")
    op.create_index("uq_saved_view_first", "saved_view", ["person_id", "page"], unique=True, postgresql_where=first)


def _handfuls() -> None:
    op.create_table(
        "handful",
        sa.Column("id", sa.Integer(), sa.Identity(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("given_to", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("before", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("taken_back_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_handful_person_id_person")),
        sa.ForeignKeyConstraint(["given_to"], ["person.id"], name=op.f("fk_handful_given_to_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_handful")),
    )
    op.create_index(op.f("ix_handful_person_id"), "handful", ["person_id"])


def _answers() -> None:
    op.create_table(
        "flag_answer",
        sa.Column("id", sa.Integer(), sa.Identity(), nullable=False),
        sa.Column("student_id", sa.Integer(), nullable=False),
        sa.Column("since", sa.Date(), nullable=False),
        sa.Column("tier", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("useful", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("author_id", sa.Integer(), nullable=True),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("position", sa.Text(), nullable=False),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("useful IN ('yes', 'no', 'cannot_tell')", name=op.f("ck_flag_answer_useful")),
        sa.ForeignKeyConstraint(["student_id"], ["student.id"], name=op.f("fk_flag_answer_student_id_student")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_flag_answer")),
        sa.UniqueConstraint("student_id", "since", name=op.f("uq_flag_answer_student_id_since")),
    )


def downgrade() -> None:
    for table in ("flag_answer", "handful", "saved_view"):
        op.drop_table(table)
    op.drop_column("person", "list_keys")
