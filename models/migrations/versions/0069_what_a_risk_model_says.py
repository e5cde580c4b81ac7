"""Keep what a risk model says of students, what staff answered, and who is left out of it"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0069"
down_revision = "0068"
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
    op.execute("SET LOCAL lock_timeout = '10s'")
    op.create_table(
        "risk_score",
        sa.Column("model_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("student_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("school_id", sa.Integer(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("number", sa.SmallInteger(), nullable=False),
        sa.Column("logit", sa.Integer(), nullable=True),
        sa.Column("range_key", sa.Text(), nullable=False),
        sa.Column("reasons", sa.Text(), nullable=False),
        sa.Column("stale", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("model_id", "student_id", name=op.f("pk_risk_score")),
    )
    op.create_index("ix_risk_score_school_id_logit", "risk_score", ["model_id", "school_id", "logit"])
    op.create_index("ix_risk_score_student_id", "risk_score", ["student_id"])
    op.create_table(
        "risk_answer",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("model_id", sa.Integer(), nullable=False),
        sa.Column("student_id", sa.Integer(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("range_key", sa.Text(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        *authored(),
        sa.CheckConstraint("answer IN ('accepted', 'dismissed', 'wrong_data')", name=op.f("ck_risk_answer_answer")),
        sa.ForeignKeyConstraint(["model_id"], ["risk_model.id"], name=op.f("fk_risk_answer_model_id_risk_model")),
        sa.ForeignKeyConstraint(["student_id"], ["student.id"], name=op.f("fk_risk_answer_student_id_student")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_risk_answer")),
    )
    op.create_index(op.f("ix_risk_answer_model_id"), "risk_answer", ["model_id"])
    op.create_index("ix_risk_answer_student_id", "risk_answer", ["student_id"])
    op.create_table(
        "risk_excluded",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("student_id", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_by", sa.Text(), nullable=True),
        *authored(),
        sa.ForeignKeyConstraint(["student_id"], ["student.id"], name=op.f("fk_risk_excluded_student_id_student")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_risk_excluded")),
    )
    op.create_index(
        "ix_risk_excluded_standing", "risk_excluded", ["student_id"], postgresql_where=sa.text("ended_at IS NULL")
    )


def downgrade() -> None:
    for table in ("risk_excluded", "risk_answer", "risk_score"):
        op.drop_table(table)
