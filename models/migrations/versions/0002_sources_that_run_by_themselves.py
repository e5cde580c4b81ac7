"""Sources that run by themselves"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

EMPTY = sa.text("'{}'")
KINDS = "kind IN ('by_hand', 'folder', 'sftp', 'edfi_api')"
ENDS = "ended IN ('', 'nothing', 'took', 'waits', 'failed')"


def upgrade() -> None:
    for column in _source_columns():
        op.add_column("source", column)
    op.create_check_constraint(op.f("ck_source_kind"), "source", KINDS)
    op.create_check_constraint(op.f("ck_source_brings"), "source", "brings IN ('attendance', 'roster', 'both')")
    op.create_check_constraint(op.f("ck_source_expected_day"), "source", "expected_day IN ('same', 'before')")
    _pull()
    _arrival()


def _source_columns() -> list[sa.Column[Any]]:
    return [
        sa.Column("kind", sa.Text(), server_default="by_hand", nullable=False),
        sa.Column("brings", sa.Text(), server_default="attendance", nullable=False),
        sa.Column("location", postgresql.JSONB(), server_default=EMPTY, nullable=False),
        sa.Column("said", postgresql.JSONB(), server_default=EMPTY, nullable=False),
        sa.Column("timetable", postgresql.JSONB(), server_default=EMPTY, nullable=False),
        sa.Column("expected_by", sa.Time(), nullable=True),
        sa.Column("expected_day", sa.Text(), server_default="same", nullable=False),
        sa.Column("paused", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=True),
    ]


def _pull() -> None:
    op.create_table(
        "pull",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("source_id", sa.Integer(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("asked_by", sa.Text(), nullable=False),
        sa.Column("local_date", sa.Date(), nullable=True),
        sa.Column("slot", sa.Text(), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended", sa.Text(), nullable=False),
        sa.Column("sentence", sa.Text(), nullable=False),
        sa.Column("told", postgresql.JSONB(), nullable=False),
        sa.Column("batches", postgresql.ARRAY(sa.Integer()), nullable=False),
        sa.Column("cursor", postgresql.JSONB(), nullable=True),
        sa.Column("afresh", sa.Boolean(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("retry_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(ENDS, name=op.f("ck_pull_ended")),
        sa.ForeignKeyConstraint(["source_id"], ["source.id"], name=op.f("fk_pull_source_id_source")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pull")),
        sa.UniqueConstraint("source_id", "local_date", "slot", name=op.f("uq_pull_source_id_local_date_slot")),
    )
    op.create_index(op.f("ix_pull_source_id"), "pull", ["source_id"], unique=False)
    op.create_index("uq_pull_open", "pull", ["source_id"], unique=True, postgresql_where=sa.text("ended_at IS NULL"))
    op.create_index(
        "ix_pull_retry_at", "pull", ["retry_at"], unique=False, postgresql_where=sa.text("retry_at IS NOT NULL")
    )


def _arrival() -> None:
    op.create_table(
        "arrival",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("source_id", sa.Integer(), nullable=False),
        sa.Column("pull_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("modified", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("found_as", sa.Text(), nullable=False),
        sa.Column("sentence", sa.Text(), nullable=False),
        sa.Column("batches", postgresql.ARRAY(sa.Integer()), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("cleared_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("found_as IN ('taken', 'known', 'refused')", name=op.f("ck_arrival_found_as")),
        sa.ForeignKeyConstraint(["source_id"], ["source.id"], name=op.f("fk_arrival_source_id_source")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_arrival")),
    )
    op.create_index("ix_arrival_source_id_name", "arrival", ["source_id", "name"], unique=False)
