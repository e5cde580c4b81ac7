"""Keep policy texts by their hash, changes under way with what people said of them, and planned policies taken back"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    moment, texts = sa.DateTime(timezone=True), postgresql.ARRAY(sa.Text())
    op.create_table(
        "policy_text",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("kept_by", sa.Text(), nullable=False),
        sa.Column("kept_at", moment, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_policy_text")),
        sa.UniqueConstraint("version", name=op.f("uq_policy_text_version")),
    )
    op.create_table(
        "policy_change",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("base", sa.Text(), nullable=False),
        sa.Column("starts", sa.Date(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("authors", texts, nullable=False),
        sa.Column("begun_at", moment, nullable=False),
        sa.Column("saved_by", sa.Text(), nullable=False),
        sa.Column("saved_at", moment, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_policy_change")),
    )
    op.create_index(op.f("ix_policy_change_version"), "policy_change", ["version"])
    op.create_table(
        "policy_word",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("change_id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("starts", sa.Date(), nullable=False),
        sa.Column("said", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("said_by", sa.Text(), nullable=False),
        sa.Column("said_at", moment, nullable=False),
        sa.ForeignKeyConstraint(["change_id"], ["policy_change.id"], name=op.f("fk_policy_word_change_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_policy_word")),
    )
    op.create_index(op.f("ix_policy_word_change_id"), "policy_word", ["change_id"])
    op.add_column("policy_version", sa.Column("reason", sa.Text(), server_default="", nullable=False))
    op.add_column("policy_version", sa.Column("approved_by", sa.Text(), nullable=True))
    op.add_column("policy_version", sa.Column("withdrawn_by", sa.Text(), nullable=True))
    op.add_column("policy_version", sa.Column("withdrawn_at", moment, nullable=True))
    op.execute("""
        INSERT INTO policy_text (version, name, content, kept_by, kept_at)
        SELECT DISTINCT ON (version) version, name, content, activated_by, activated_at
        FROM policy_version ORDER BY version, id
    """)


def downgrade() -> None:
    for column in ("withdrawn_at", "withdrawn_by", "approved_by", "reason"):
        op.drop_column("policy_version", column)
    for table in ("policy_word", "policy_change", "policy_text"):
        op.drop_table(table)
