"""Keep every form that came after its session had ended, and take +1 and ten digits for one phone number"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0065"
down_revision = "0063"
branch_labels = None
depends_on = None

BEFORE = r"regexp_replace(phone, '\D', '', 'g')"
NOW = r"regexp_replace(regexp_replace(phone, '\D', '', 'g'), '^1(?=\d{10}$)', '')"


def upgrade() -> None:
    op.execute("DELETE FROM draft")  # none is older than half an hour
    op.drop_constraint("pk_draft", "draft", type_="primary")
    op.add_column("draft", sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False))
    op.create_primary_key("pk_draft", "draft", ["id"])
    op.create_index("ix_draft_person_id", "draft", ["person_id"])
    _digits(NOW)


def downgrade() -> None:
    _digits(BEFORE)
    op.execute("DELETE FROM draft")
    op.drop_index("ix_draft_person_id", "draft")
    op.drop_constraint("pk_draft", "draft", type_="primary")
    op.drop_column("draft", "id")
    op.create_primary_key("pk_draft", "draft", ["person_id"])


def _digits(expression: str) -> None:
    op.drop_index("ix_contact_digits", "contact")
    op.create_index("ix_contact_digits", "contact", [sa.text(expression)], postgresql_where=sa.text("phone <> ''"))
