"""Remember at which schools the students of a block are enrolled, so that a school's day marks its blocks at once"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "block_school",
        sa.Column("block", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("school_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("block", "school_id", name=op.f("pk_block_school")),
    )
    op.create_index(op.f("ix_block_school_school_id"), "block_school", ["school_id"], unique=False)
    op.execute("""
        INSERT INTO block_school (block, school_id)
        SELECT DISTINCT b.block, t.school_id FROM stint t JOIN block_student b USING (student_id)
    """)


def downgrade() -> None:
    op.drop_index(op.f("ix_block_school_school_id"), table_name="block_school")
    op.drop_table("block_school")
