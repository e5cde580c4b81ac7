"""Note at each repeated delivery which batch had said the same, so that it can stand once that one is taken back"""

from __future__ import annotations

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        UPDATE batch SET counts = counts || jsonb_build_object(
            'same_as', CAST(substring(sentence FROM 'same delivery as batch ([0-9]+)') AS int))
        WHERE status = 'duplicate' AND sentence ~ 'same delivery as batch [0-9]+'
    """)


def downgrade() -> None:
    op.execute("UPDATE batch SET counts = counts - 'same_as'")
