"""Keep risk models with their training, the steps of their life, and what each evening found"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0068"
down_revision = "0067"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '10s'")
    op.create_table(
        "risk_model",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("school_year", sa.Date(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("stage_since", sa.Date(), nullable=True),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("asked_by", sa.Text(), nullable=False),
        sa.Column("asked_name", sa.Text(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("seconds", sa.Float(), nullable=False),
        sa.Column("steps", sa.Integer(), nullable=False),
        sa.Column("done", sa.Integer(), nullable=False),
        sa.Column("step", sa.Text(), nullable=False),
        sa.Column("plan", postgresql.JSONB(), nullable=False),
        sa.Column("artefact", sa.Text(), nullable=True),
        sa.Column("sha256", sa.Text(), nullable=True),
        sa.Column("signature", sa.Text(), nullable=True),
        sa.Column("refusals", postgresql.JSONB(), nullable=False),
        sa.Column("report", postgresql.JSONB(), nullable=False),
        sa.CheckConstraint(
            "status IN ('waiting', 'running', 'trained', 'refused', 'stopped')", name=op.f("ck_risk_model_status")
        ),
        sa.CheckConstraint("stage IN ('off', 'shadow', 'serving')", name=op.f("ck_risk_model_stage")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_risk_model")),
    )
    op.create_table(
        "risk_part",
        sa.Column("model_id", sa.Integer(), nullable=False),
        sa.Column("nth", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["model_id"], ["risk_model.id"], name=op.f("fk_risk_part_model_id_risk_model")),
        sa.PrimaryKeyConstraint("model_id", "nth", name=op.f("pk_risk_part")),
    )
    op.create_table(
        "risk_step",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("model_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("author_id", sa.Integer(), nullable=True),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("position", sa.Text(), nullable=False),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("kind IN ('shadow', 'approved', 'serving', 'off', 'ended')", name=op.f("ck_risk_step_kind")),
        sa.ForeignKeyConstraint(["model_id"], ["risk_model.id"], name=op.f("fk_risk_step_model_id_risk_model")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_risk_step")),
    )
    op.create_index(op.f("ix_risk_step_model_id"), "risk_step", ["model_id"])
    op.create_table(
        "risk_night",
        sa.Column("model_id", sa.Integer(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("reasons", postgresql.JSONB(), nullable=False),
        sa.Column("scored", sa.Integer(), nullable=False),
        sa.Column("abstained", sa.Integer(), nullable=False),
        sa.Column("stale", postgresql.ARRAY(sa.Integer()), nullable=False),
        sa.Column("figures", postgresql.JSONB(), nullable=False),
        sa.Column("seconds", sa.Float(), nullable=False),
        sa.CheckConstraint("outcome IN ('scored', 'refused', 'outside')", name=op.f("ck_risk_night_outcome")),
        sa.ForeignKeyConstraint(["model_id"], ["risk_model.id"], name=op.f("fk_risk_night_model_id_risk_model")),
        sa.PrimaryKeyConstraint("model_id", "day", name=op.f("pk_risk_night")),
    )


def downgrade() -> None:
    for table in ("risk_night", "risk_step", "risk_part", "risk_model"):
        op.drop_table(table)
