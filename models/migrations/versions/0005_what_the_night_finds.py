"""What the night finds"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "quality_run",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("asked_by", sa.Text(), nullable=False),
        sa.Column("local_date", sa.Date(), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("counts", postgresql.JSONB(), nullable=False),
        sa.Column("students", postgresql.JSONB(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_quality_run")),
    )
    op.create_index(op.f("ix_quality_run_local_date"), "quality_run", ["local_date"])
    op.create_table(
        "quality_finding",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("check_key", sa.Text(), nullable=False),
        sa.Column("school_id", sa.Integer(), nullable=True),
        sa.Column("first_seen", sa.Date(), nullable=False),
        sa.Column("last_seen", sa.Date(), nullable=False),
        sa.Column("mended_on", sa.Date(), nullable=True),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("examples", postgresql.JSONB(), nullable=False),
        sa.Column("known_reason", sa.Text(), nullable=False),
        sa.Column("known_by", sa.Text(), nullable=False),
        sa.Column("known_on", sa.Date(), nullable=True),
        sa.Column("known_count", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_quality_finding")),
        sa.ForeignKeyConstraint(["school_id"], ["school.id"], name=op.f("fk_quality_finding_school_id")),
    )
    op.create_index(op.f("ix_quality_finding_school_id"), "quality_finding", ["school_id"])
    op.create_index("ix_quality_finding_mended_on", "quality_finding", ["mended_on"])
    op.create_index(
        "uq_quality_finding_live",
        "quality_finding",
        ["check_key", "school_id"],
        unique=True,
        postgresql_where=sa.text("mended_on IS NULL"),
        postgresql_nulls_not_distinct=True,
    )
