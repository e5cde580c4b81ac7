"""One child under two ids"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

# An enrolment that comes back from history needs the column too.
FORMER_IN_HISTORY = """
UPDATE row_history SET before = before || '{"former_id": 0}'
WHERE table_name = 'stint' AND jsonb_typeof(before) = 'object'
"""


def upgrade() -> None:
    op.add_column("student", sa.Column("same_as", sa.Integer(), nullable=True))
    op.create_foreign_key("fk_student_same_as", "student", "student", ["same_as"], ["id"])
    op.create_index("ix_student_same_as", "student", ["same_as"], postgresql_where=sa.text("same_as IS NOT NULL"))
    op.add_column("stint", sa.Column("former_id", sa.Integer(), server_default=sa.text("0"), nullable=False))
    op.drop_constraint("uq_stint_student_id_school_id_entry_date", "stint", type_="unique")
    op.create_unique_constraint(
        "uq_stint_student_id_school_id_entry_date_former_id",
        "stint",
        ["student_id", "school_id", "entry_date", "former_id"],
    )
    op.execute(FORMER_IN_HISTORY)
    op.create_table(
        "student_merge",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("kept_id", sa.Integer(), nullable=False),
        sa.Column("gone_id", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("batch_id", sa.Integer(), nullable=True),
        sa.Column("merged_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("merged_by", sa.Text(), nullable=False),
        sa.Column("undone_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("undone_by", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["batch_id"], ["batch.id"], name=op.f("fk_student_merge_batch_id")),
        sa.ForeignKeyConstraint(["gone_id"], ["student.id"], name=op.f("fk_student_merge_gone_id")),
        sa.ForeignKeyConstraint(["kept_id"], ["student.id"], name=op.f("fk_student_merge_kept_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_student_merge")),
    )
    op.create_index(op.f("ix_student_merge_batch_id"), "student_merge", ["batch_id"])
    op.create_index(op.f("ix_student_merge_gone_id"), "student_merge", ["gone_id"])
    op.create_index(op.f("ix_student_merge_kept_id"), "student_merge", ["kept_id"])
    op.create_index(
        "uq_student_merge_standing",
        "student_merge",
        ["gone_id"],
        unique=True,
        postgresql_where=sa.text("undone_at IS NULL"),
    )
    op.create_table(
        "moved_row",
        sa.Column("merge_id", sa.Integer(), nullable=False),
        sa.Column("table_name", sa.Text(), nullable=False),
        sa.Column("row_id", sa.Integer(), nullable=False),
        sa.Column("before", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.ForeignKeyConstraint(["merge_id"], ["student_merge.id"], name=op.f("fk_moved_row_merge_id")),
        sa.PrimaryKeyConstraint("merge_id", "table_name", "row_id", name=op.f("pk_moved_row")),
    )
