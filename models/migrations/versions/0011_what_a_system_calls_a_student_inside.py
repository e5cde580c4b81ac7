"""Keep what a student system calls a student inside, for rows of its exports that name nobody otherwise"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("student", sa.Column("system_id", sa.Text(), nullable=False, server_default=""))
    _key_staged_marks_by("batch_id", "file", "line", "student_id")


def downgrade() -> None:
    _key_staged_marks_by("batch_id", "file", "line")
    op.drop_column("student", "system_id")


def _key_staged_marks_by(*columns: str) -> None:
    """Nothing is lost with staged rows: what is under way is staged again."""
    op.execute("TRUNCATE staged_mark, staged_roll, staged_day")
    op.drop_constraint("pk_staged_mark", "staged_mark")
    op.create_primary_key("pk_staged_mark", "staged_mark", list(columns))
