"""Keep the steps of looking for a student, and the days that the district itself caused"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "search_done",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("case_id", sa.Integer(), nullable=False),
        sa.Column("episode", sa.Integer(), nullable=False),
        sa.Column("step", sa.Text(), nullable=False),
        sa.Column("on_day", sa.Date(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("once", sa.Text(), nullable=True),
        *_author(),
        sa.ForeignKeyConstraint(["case_id"], ["support_case.id"], name=op.f("fk_search_done_case_id_support_case")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_search_done")),
        sa.UniqueConstraint("once", name=op.f("uq_search_done_once")),
        sa.UniqueConstraint("case_id", "episode", "step", name=op.f("uq_search_done_case_id_episode_step")),
    )
    op.create_table(
        "district_day",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("student_id", sa.Integer(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("compartment", sa.Text(), nullable=True),
        sa.Column("taken_back_at", sa.DateTime(timezone=True), nullable=True),
        *_author(),
        sa.CheckConstraint(
            "compartment IN ('stls', 'health', 'counseling', 'iep_504', 'protected')",
            name=op.f("ck_district_day_compartment"),
        ),
        sa.ForeignKeyConstraint(["student_id"], ["student.id"], name=op.f("fk_district_day_student_id_student")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_district_day")),
    )
    op.create_index(op.f("ix_district_day_student_id"), "district_day", ["student_id"])


def _author() -> list[sa.Column[Any]]:
    """Who wrote it, in which position, when."""
    return [
        sa.Column("author_id", sa.Integer(), nullable=True),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("position", sa.Text(), nullable=False),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=False),
    ]


def downgrade() -> None:
    op.drop_table("district_day")
    op.drop_table("search_done")
