"""Let a class period of a timetable hold from a day to a day; those that are there have always held"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

KEY = ["school_id", "grade", "period"]


def upgrade() -> None:
    op.add_column("class_period", sa.Column("valid_from", sa.Date(), server_default="1900-01-01", nullable=False))
    op.alter_column("class_period", "valid_from", server_default=None)
    op.add_column("class_period", sa.Column("valid_to", sa.Date(), nullable=True))
    op.drop_constraint("pk_class_period", "class_period", type_="primary")
    op.create_primary_key("pk_class_period", "class_period", [*KEY, "valid_from"])
    op.execute("""
        UPDATE row_history SET row_key = row_key || '{"valid_from": "1900-01-01"}',
            before = before || '{"valid_from": "1900-01-01", "valid_to": null}'
        WHERE table_name = 'class_period'
    """)


def downgrade() -> None:
    op.execute("""
        UPDATE row_history SET row_key = row_key - 'valid_from', before = before - '{valid_from,valid_to}'::text[]
        WHERE table_name = 'class_period'
    """)
    op.execute("""
        DELETE FROM class_period c USING class_period o
        WHERE (o.school_id, o.grade, o.period) = (c.school_id, c.grade, c.period) AND o.valid_from > c.valid_from
    """)
    op.drop_constraint("pk_class_period", "class_period", type_="primary")
    op.create_primary_key("pk_class_period", "class_period", KEY)
    op.drop_column("class_period", "valid_to")
    op.drop_column("class_period", "valid_from")
