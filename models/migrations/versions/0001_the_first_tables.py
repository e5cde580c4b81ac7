"""The first tables"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# The audit refuses edits in the database itself: a row trigger for changes, a statement trigger for TRUNCATE.
APPEND_ONLY = """
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the audit is append-only';
END $$;
CREATE TRIGGER audit_row_is_kept BEFORE UPDATE OR DELETE ON audit_row
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER audit_is_not_emptied BEFORE TRUNCATE ON audit_row
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER audit_seal_is_kept BEFORE UPDATE OR DELETE ON audit_seal
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER audit_seals_are_not_emptied BEFORE TRUNCATE ON audit_seal
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
"""


def upgrade() -> None:
    op.create_table(
        "audit_row",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("student_id", sa.Integer(), nullable=True),
        sa.Column("compartment", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("ip", sa.Text(), nullable=False),
        sa.Column("request_id", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_row")),
    )
    op.create_index("ix_audit_row_at", "audit_row", ["at"], unique=False)
    op.create_index("ix_audit_row_student_id", "audit_row", ["student_id"], unique=False)
    op.create_table(
        "audit_seal",
        sa.Column("position", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("row_id", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("sealed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("late", sa.Boolean(), nullable=False),
        sa.Column("horizon", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("position", name=op.f("pk_audit_seal")),
        sa.UniqueConstraint("row_id", name=op.f("uq_audit_seal_row_id")),
    )
    op.create_table(
        "beat",
        sa.Column("part", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("detail", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint("part", name=op.f("pk_beat")),
    )
    op.create_table(
        "event",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("case_id", sa.Integer(), nullable=True),
        sa.Column("student_id", sa.Integer(), nullable=True),
        sa.Column("compartment", sa.Text(), nullable=True),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("position", sa.Text(), nullable=False),
        sa.Column("data", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_event")),
    )
    op.create_index("ix_event_case_id_at", "event", ["case_id", "at"], unique=False)
    op.create_index("ix_event_student_id_at", "event", ["student_id", "at"], unique=False)
    op.create_index("ix_event_subject", "event", ["subject"], unique=False)
    op.create_table(
        "job_run",
        sa.Column("job", sa.Text(), nullable=False),
        sa.Column("local_date", sa.Date(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("job", "local_date", name=op.f("pk_job_run")),
    )
    op.create_table(
        "mark",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("school_id", sa.Integer(), nullable=False),
        sa.Column("student_id", sa.Integer(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("period", sa.Text(), nullable=False),
        sa.Column("source_id", sa.Integer(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("fraction", sa.Integer(), nullable=True),
        sa.Column("minutes", sa.Integer(), nullable=True),
        sa.Column("section_key", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("last_modified", sa.DateTime(timezone=True), nullable=True),
        sa.Column("modified_by", sa.Text(), nullable=True),
        sa.Column("batch_id", sa.Integer(), nullable=False),
        sa.Column("file", sa.SmallInteger(), nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mark")),
        sa.UniqueConstraint(
            "school_id",
            "day",
            "student_id",
            "period",
            "source_id",
            name=op.f("uq_mark_school_id_day_student_id_period_source_id"),
        ),
    )
    op.create_index("ix_mark_batch_id", "mark", ["batch_id"], unique=False)
    op.create_index("ix_mark_student_id_day", "mark", ["student_id", "day"], unique=False)
    op.create_table(
        "mark_history",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("ended", sa.Text(), nullable=False),
        sa.Column("ended_by", sa.Integer(), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("school_id", sa.Integer(), nullable=False),
        sa.Column("student_id", sa.Integer(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("period", sa.Text(), nullable=False),
        sa.Column("source_id", sa.Integer(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("fraction", sa.Integer(), nullable=True),
        sa.Column("minutes", sa.Integer(), nullable=True),
        sa.Column("section_key", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("last_modified", sa.DateTime(timezone=True), nullable=True),
        sa.Column("modified_by", sa.Text(), nullable=True),
        sa.Column("batch_id", sa.Integer(), nullable=False),
        sa.Column("file", sa.SmallInteger(), nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("ended IN ('superseded', 'removed', 'undone')", name=op.f("ck_mark_history_ended")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mark_history")),
    )
    op.create_index("ix_mark_history_batch_id", "mark_history", ["batch_id"], unique=False)
    op.create_index("ix_mark_history_ended_by", "mark_history", ["ended_by"], unique=False)
    op.create_index("ix_mark_history_student_id_day", "mark_history", ["student_id", "day"], unique=False)
    op.create_table(
        "network",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("batch_id", sa.Integer(), nullable=True),
        sa.Column("line", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_network")),
        sa.UniqueConstraint("key", name=op.f("uq_network_key")),
    )
    op.create_table(
        "outbox",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("job", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("args", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("claimed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("quarantined_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("error", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox")),
    )
    op.create_index(
        "ix_outbox_open",
        "outbox",
        ["id"],
        unique=False,
        postgresql_where=sa.text("done_at IS NULL AND quarantined_at IS NULL"),
    )
    op.create_index(
        "uq_outbox_waiting",
        "outbox",
        ["job", "key"],
        unique=True,
        postgresql_where=sa.text("claimed_at IS NULL AND done_at IS NULL AND quarantined_at IS NULL"),
    )
    op.create_table(
        "person",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("login", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=True),
        sa.Column("totp_secret", sa.Text(), nullable=True),
        sa.Column("totp_last_step", sa.Integer(), nullable=True),
        sa.Column("is_demo", sa.Boolean(), nullable=False),
        sa.Column("hours_per_week", sa.Integer(), nullable=True),
        sa.Column("failed_logins", sa.Integer(), nullable=False),
        sa.Column("locked_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("disabled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_person")),
        sa.UniqueConstraint("login", name=op.f("uq_person_login")),
    )
    op.create_table(
        "policy_version",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("starts", sa.Date(), nullable=False),
        sa.Column("activated_by", sa.Text(), nullable=False),
        sa.Column("activated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_policy_version")),
    )
    op.create_index(op.f("ix_policy_version_version"), "policy_version", ["version"], unique=False)
    op.create_table(
        "row_history",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("batch_id", sa.Integer(), nullable=False),
        sa.Column("table_name", sa.Text(), nullable=False),
        sa.Column("row_key", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("before", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_row_history")),
    )
    op.create_index("ix_row_history_batch_id", "row_history", ["batch_id"], unique=False)
    op.create_index("ix_row_history_table_name_at", "row_history", ["table_name", "at"], unique=False)
    op.create_table(
        "source",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("feed", sa.Text(), nullable=False),
        sa.Column("exit_inclusive", sa.Boolean(), nullable=False),
        sa.CheckConstraint("feed IN ('exception', 'full')", name=op.f("ck_source_feed")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_source")),
        sa.UniqueConstraint("name", name=op.f("uq_source_name")),
    )
    op.create_table(
        "staged_day",
        sa.Column("batch_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("school_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("students", sa.Integer(), nullable=False),
        sa.Column("absences", sa.Integer(), nullable=False),
        sa.Column("expected", sa.Integer(), nullable=False),
        sa.Column("teaches", sa.Boolean(), nullable=False),
        sa.Column("whole", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("batch_id", "school_id", "day", name=op.f("pk_staged_day")),
        prefixes=["UNLOGGED"],
    )
    op.create_table(
        "staged_mark",
        sa.Column("batch_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("file", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("line", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("school_id", sa.Integer(), nullable=False),
        sa.Column("student_id", sa.Integer(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("period", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("fraction", sa.Integer(), nullable=True),
        sa.Column("minutes", sa.Integer(), nullable=True),
        sa.Column("section_key", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("last_modified", sa.DateTime(timezone=True), nullable=True),
        sa.Column("modified_by", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("batch_id", "file", "line", name=op.f("pk_staged_mark")),
        prefixes=["UNLOGGED"],
    )
    op.create_table(
        "staged_roll",
        sa.Column("batch_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("school_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("file", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("students", postgresql.ARRAY(sa.Integer()), nullable=False),
        sa.Column("lines", postgresql.ARRAY(sa.Integer()), nullable=False),
        sa.Column("modified", postgresql.ARRAY(sa.BigInteger()), nullable=True),
        sa.PrimaryKeyConstraint("batch_id", "school_id", "day", "code", "file", name=op.f("pk_staged_roll")),
        prefixes=["UNLOGGED"],
    )
    op.create_table(
        "student",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("first_name", sa.Text(), nullable=False),
        sa.Column("last_name", sa.Text(), nullable=False),
        sa.Column("birth_date", sa.Date(), nullable=True),
        sa.Column("grade", sa.Text(), nullable=False),
        sa.Column("homeroom", sa.Text(), nullable=False),
        sa.Column("bus_route", sa.Text(), nullable=False),
        sa.Column("household_key", sa.Text(), nullable=False),
        sa.Column("home_language", sa.Text(), nullable=False),
        sa.Column("interpreter", sa.Boolean(), nullable=False),
        sa.Column("race_ethnicity", sa.Text(), nullable=False),
        sa.Column("english_learner", sa.Boolean(), nullable=True),
        sa.Column("low_income", sa.Boolean(), nullable=True),
        sa.Column("batch_id", sa.Integer(), nullable=True),
        sa.Column("line", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_student")),
        sa.UniqueConstraint("key", name=op.f("uq_student_key")),
    )
    op.create_index(op.f("ix_student_household_key"), "student", ["household_key"], unique=False)
    op.create_table(
        "block_student",
        sa.Column("student_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("block", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("student_id", name=op.f("pk_block_student")),
    )
    op.create_index(op.f("ix_block_student_block"), "block_student", ["block"], unique=False)
    op.create_table(
        "year_block",
        sa.Column("block", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("school_year", sa.Date(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("block", "school_year", name=op.f("pk_year_block")),
    )
    op.create_table(
        "touched_block",
        sa.Column("block", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("school_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("since", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("block", "school_id", name=op.f("pk_touched_block")),
    )
    op.create_table(
        "touched_student",
        sa.Column("student_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("since", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("student_id", name=op.f("pk_touched_student")),
    )
    op.create_table(
        "batch",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("source_id", sa.Integer(), nullable=False),
        sa.Column("feed", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("received_by", sa.Text(), nullable=False),
        sa.Column("applied_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("undone_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("accept_held", sa.Boolean(), nullable=False),
        sa.Column("preview", sa.Boolean(), nullable=False),
        sa.Column("options", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("counts", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("effect", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("sentence", sa.Text(), nullable=False),
        sa.Column("percent", sa.Integer(), nullable=False),
        sa.Column("step", sa.Text(), nullable=False),
        sa.CheckConstraint("feed IN ('exception', 'full')", name=op.f("ck_batch_feed")),
        sa.CheckConstraint("kind IN ('roster', 'attendance')", name=op.f("ck_batch_kind")),
        sa.CheckConstraint(
            "status IN ('received', 'staged', 'checked', 'applying', 'applied', 'held', 'refused', 'duplicate', 'previewed', 'undoing', 'undone', 'cancelled')",
            name=op.f("ck_batch_status"),
        ),
        sa.ForeignKeyConstraint(["source_id"], ["source.id"], name=op.f("fk_batch_source_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_batch")),
    )
    op.create_index("ix_batch_sha256_kind", "batch", ["sha256", "kind"], unique=False)
    op.create_index(op.f("ix_batch_source_id"), "batch", ["source_id"], unique=False)
    op.create_index(op.f("ix_batch_status"), "batch", ["status"], unique=False)
    op.create_table(
        "contact",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("student_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("relation", sa.Text(), nullable=False),
        sa.Column("phone", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("may_receive_mail", sa.Boolean(), nullable=True),
        sa.Column("may_pick_up", sa.Boolean(), nullable=True),
        sa.Column("batch_id", sa.Integer(), nullable=True),
        sa.Column("line", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["student_id"], ["student.id"], name=op.f("fk_contact_student_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contact")),
        sa.UniqueConstraint("student_id", "name", "relation", name=op.f("uq_contact_student_id_name_relation")),
    )
    op.create_table(
        "finding",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("student_id", sa.Integer(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("since", sa.Date(), nullable=False),
        sa.Column("until", sa.Date(), nullable=True),
        sa.Column("compartment", sa.Text(), nullable=True),
        sa.Column("numbers", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("sentence", sa.Text(), nullable=False),
        sa.Column("policy_version", sa.Text(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["student_id"], ["student.id"], name=op.f("fk_finding_student_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_finding")),
    )
    op.create_index(
        "uq_finding_live",
        "finding",
        ["student_id", "rule", "since"],
        unique=True,
        postgresql_where=sa.text("withdrawn_at IS NULL"),
    )
    op.create_table(
        "prior_year",
        sa.Column("student_id", sa.Integer(), nullable=False),
        sa.Column("school_year", sa.Text(), nullable=False),
        sa.Column("enrolled", sa.Integer(), nullable=False),
        sa.Column("absent", sa.Integer(), nullable=False),
        sa.Column("unexcused", sa.Integer(), nullable=True),
        sa.Column("batch_id", sa.Integer(), nullable=True),
        sa.Column("line", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["student_id"], ["student.id"], name=op.f("fk_prior_year_student_id")),
        sa.PrimaryKeyConstraint("student_id", "school_year", name=op.f("pk_prior_year")),
    )
    op.create_table(
        "role_grant",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("homeroom", sa.Text(), nullable=False),
        sa.Column("department", sa.Text(), nullable=False),
        sa.Column("deputy_id", sa.Integer(), nullable=True),
        sa.Column("starts", sa.Date(), nullable=False),
        sa.Column("ends", sa.Date(), nullable=True),
        sa.Column("away_from", sa.Date(), nullable=True),
        sa.Column("away_until", sa.Date(), nullable=True),
        sa.CheckConstraint("ends IS NULL OR ends >= starts", name=op.f("ck_role_grant_dates")),
        sa.ForeignKeyConstraint(["deputy_id"], ["person.id"], name=op.f("fk_role_grant_deputy_id")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_role_grant_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_role_grant")),
    )
    op.create_index(op.f("ix_role_grant_person_id"), "role_grant", ["person_id"], unique=False)
    op.create_index("ix_role_grant_role_place", "role_grant", ["role", "place"], unique=False)
    op.create_table(
        "school",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("network_id", sa.Integer(), nullable=False),
        sa.Column("level", sa.Text(), nullable=False),
        sa.Column("day_minutes", sa.Integer(), nullable=False),
        sa.Column("min_full_minutes", sa.Integer(), nullable=False),
        sa.Column("min_half_minutes", sa.Integer(), nullable=False),
        sa.Column("source_id", sa.Integer(), nullable=True),
        sa.Column("batch_id", sa.Integer(), nullable=True),
        sa.Column("line", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["network_id"], ["network.id"], name=op.f("fk_school_network_id")),
        sa.ForeignKeyConstraint(["source_id"], ["source.id"], name=op.f("fk_school_source_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_school")),
        sa.UniqueConstraint("key", name=op.f("uq_school_key")),
    )
    op.create_index(op.f("ix_school_network_id"), "school", ["network_id"], unique=False)
    op.create_table(
        "draft",
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("fields", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("kept_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_draft_person_id")),
        sa.PrimaryKeyConstraint("person_id", name=op.f("pk_draft")),
    )
    op.create_table(
        "sign_in",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("token_hash", sa.Text(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_seen", sa.DateTime(timezone=True), nullable=False),
        sa.Column("proved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ip", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_sign_in_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sign_in")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_sign_in_token_hash")),
    )
    op.create_index(op.f("ix_sign_in_person_id"), "sign_in", ["person_id"], unique=False)
    op.create_table(
        "support_flag",
        sa.Column("student_id", sa.Integer(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("compartment", sa.Text(), nullable=False),
        sa.Column("batch_id", sa.Integer(), nullable=True),
        sa.Column("line", sa.Integer(), nullable=True),
        sa.CheckConstraint(
            "compartment IN ('stls', 'health', 'counseling', 'iep_504', 'protected')",
            name=op.f("ck_support_flag_compartment"),
        ),
        sa.ForeignKeyConstraint(["student_id"], ["student.id"], name=op.f("fk_support_flag_student_id")),
        sa.PrimaryKeyConstraint("student_id", "key", name=op.f("pk_support_flag")),
    )
    op.create_table(
        "tier_change",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("student_id", sa.Integer(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("before", sa.SmallInteger(), nullable=False),
        sa.Column("after", sa.SmallInteger(), nullable=False),
        sa.Column("rules", postgresql.ARRAY(sa.TEXT()), nullable=False),
        sa.Column("sentence", sa.Text(), nullable=False),
        sa.Column("policy_version", sa.Text(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["student_id"], ["student.id"], name=op.f("fk_tier_change_student_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tier_change")),
    )
    op.create_index("ix_tier_change_day", "tier_change", ["day"], unique=False)
    op.create_index(
        "uq_tier_change_live",
        "tier_change",
        ["student_id", "day"],
        unique=True,
        postgresql_where=sa.text("withdrawn_at IS NULL"),
    )
    op.create_table(
        "absence_code",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("school_id", sa.Integer(), nullable=True),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("absent_fraction", sa.Integer(), nullable=False),
        sa.Column("excused", sa.Text(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=True),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("batch_id", sa.Integer(), nullable=True),
        sa.Column("line", sa.Integer(), nullable=True),
        sa.CheckConstraint(
            "excused IN ('excused', 'unexcused', 'exempt', 'unknown')", name=op.f("ck_absence_code_excused")
        ),
        sa.CheckConstraint(
            "kind IN ('present', 'absence', 'tardy', 'early_leave', 'suspension_out', 'suspension_in', 'homebound', 'hospital', 'remote', 'school_function', 'non_membership')",
            name=op.f("ck_absence_code_kind"),
        ),
        sa.ForeignKeyConstraint(["school_id"], ["school.id"], name=op.f("fk_absence_code_school_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_absence_code")),
        sa.UniqueConstraint(
            "school_id",
            "code",
            "valid_from",
            name=op.f("uq_absence_code_school_id_code_valid_from"),
            postgresql_nulls_not_distinct=True,
        ),
    )
    op.create_index(op.f("ix_absence_code_code"), "absence_code", ["code"], unique=False)
    op.create_table(
        "batch_file",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("batch_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("part", sa.Integer(), nullable=False),
        sa.Column("table_name", sa.Text(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["batch_id"], ["batch.id"], name=op.f("fk_batch_file_batch_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_batch_file")),
        sa.UniqueConstraint("batch_id", "name", "part", name=op.f("uq_batch_file_batch_id_name_part")),
    )
    op.create_table(
        "batch_slice",
        sa.Column("batch_id", sa.Integer(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("counts", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.ForeignKeyConstraint(["batch_id"], ["batch.id"], name=op.f("fk_batch_slice_batch_id")),
        sa.PrimaryKeyConstraint("batch_id", "key", name=op.f("pk_batch_slice")),
    )
    op.create_table(
        "calendar_day",
        sa.Column("school_id", sa.Integer(), nullable=False),
        sa.Column("calendar_key", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("day_type", sa.Text(), nullable=False),
        sa.Column("weight", sa.Integer(), nullable=False),
        sa.Column("day_minutes", sa.Integer(), nullable=True),
        sa.Column("batch_id", sa.Integer(), nullable=True),
        sa.Column("line", sa.Integer(), nullable=True),
        sa.CheckConstraint(
            "day_type IN ('instructional', 'make_up', 'holiday', 'weather', 'non_instructional')",
            name=op.f("ck_calendar_day_day_type"),
        ),
        sa.ForeignKeyConstraint(["school_id"], ["school.id"], name=op.f("fk_calendar_day_school_id")),
        sa.PrimaryKeyConstraint("school_id", "calendar_key", "day", name=op.f("pk_calendar_day")),
    )
    op.create_table(
        "problem",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("batch_id", sa.Integer(), nullable=False),
        sa.Column("file", sa.Text(), nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("column", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("rejected", sa.Boolean(), nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["batch_id"], ["batch.id"], name=op.f("fk_problem_batch_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_problem")),
    )
    op.create_index("ix_problem_batch_id_line", "problem", ["batch_id", "line"], unique=False)
    op.create_table(
        "roll",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("batch_id", sa.Integer(), nullable=False),
        sa.Column("source_id", sa.Integer(), nullable=False),
        sa.Column("school_id", sa.Integer(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("file", sa.SmallInteger(), nullable=False),
        sa.Column("students", postgresql.ARRAY(sa.Integer()), nullable=False),
        sa.Column("lines", postgresql.ARRAY(sa.Integer()), nullable=False),
        sa.Column("modified", postgresql.ARRAY(sa.BigInteger()), nullable=True),
        sa.Column("recorded_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("replaced_by", sa.Integer(), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["batch_id"], ["batch.id"], name=op.f("fk_roll_batch_id")),
        sa.ForeignKeyConstraint(["school_id"], ["school.id"], name=op.f("fk_roll_school_id")),
        sa.ForeignKeyConstraint(["source_id"], ["source.id"], name=op.f("fk_roll_source_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_roll")),
    )
    op.create_index(op.f("ix_roll_batch_id"), "roll", ["batch_id"], unique=False)
    op.create_index(op.f("ix_roll_replaced_by"), "roll", ["replaced_by"], unique=False)
    op.create_index("ix_roll_school_id_day", "roll", ["school_id", "day"], unique=False)
    op.create_table(
        "school_day",
        sa.Column("school_id", sa.Integer(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("feed", sa.Text(), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("expected", sa.Integer(), nullable=False),
        sa.Column("absences", sa.Integer(), nullable=False),
        sa.CheckConstraint("feed IN ('exception', 'full')", name=op.f("ck_school_day_feed")),
        sa.CheckConstraint(
            "status IN ('submitted', 'partial', 'not_submitted', 'closed')", name=op.f("ck_school_day_status")
        ),
        sa.ForeignKeyConstraint(["school_id"], ["school.id"], name=op.f("fk_school_day_school_id")),
        sa.PrimaryKeyConstraint("school_id", "day", name=op.f("pk_school_day")),
    )
    op.create_table(
        "standing",
        sa.Column("student_id", sa.Integer(), nullable=False),
        sa.Column("since", sa.Date(), nullable=False),
        sa.Column("until", sa.Date(), nullable=True),
        sa.Column("school_id", sa.Integer(), nullable=False),
        sa.Column("grade", sa.Text(), nullable=False),
        sa.Column("tier", sa.SmallInteger(), nullable=False),
        sa.Column("too_early", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["school_id"], ["school.id"], name=op.f("fk_standing_school_id")),
        sa.ForeignKeyConstraint(["student_id"], ["student.id"], name=op.f("fk_standing_student_id")),
        sa.PrimaryKeyConstraint("student_id", "since", name=op.f("pk_standing")),
    )
    op.create_index("ix_standing_school_id_since", "standing", ["school_id", "since"], unique=False)
    op.create_table(
        "stint",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("student_id", sa.Integer(), nullable=False),
        sa.Column("school_id", sa.Integer(), nullable=False),
        sa.Column("entry_date", sa.Date(), nullable=False),
        sa.Column("exit_date", sa.Date(), nullable=True),
        sa.Column("exit_code", sa.Text(), nullable=False),
        sa.Column("grade", sa.Text(), nullable=False),
        sa.Column("calendar_key", sa.Text(), nullable=False),
        sa.Column("is_primary", sa.Boolean(), nullable=True),
        sa.Column("batch_id", sa.Integer(), nullable=True),
        sa.Column("line", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["school_id"], ["school.id"], name=op.f("fk_stint_school_id")),
        sa.ForeignKeyConstraint(["student_id"], ["student.id"], name=op.f("fk_stint_student_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stint")),
        sa.UniqueConstraint(
            "student_id", "school_id", "entry_date", name=op.f("uq_stint_student_id_school_id_entry_date")
        ),
    )
    op.create_index("ix_stint_school_id_entry_date", "stint", ["school_id", "entry_date"], unique=False)
    op.create_index(op.f("ix_stint_student_id"), "stint", ["student_id"], unique=False)
    op.create_table(
        "student_status",
        sa.Column("student_id", sa.Integer(), nullable=False),
        sa.Column("school_id", sa.Integer(), nullable=False),
        sa.Column("grade", sa.Text(), nullable=False),
        sa.Column("enrolled_now", sa.Boolean(), nullable=False),
        sa.Column("data_through", sa.Date(), nullable=True),
        sa.Column("enrolled", sa.Integer(), nullable=False),
        sa.Column("absent", sa.Integer(), nullable=False),
        sa.Column("excused", sa.Integer(), nullable=False),
        sa.Column("unexcused", sa.Integer(), nullable=False),
        sa.Column("federal_absent", sa.Integer(), nullable=False),
        sa.Column("tardies", sa.Integer(), nullable=False),
        sa.Column("missing_days", sa.Integer(), nullable=False),
        sa.Column("unknown_days", sa.Integer(), nullable=False),
        sa.Column("streak_now", sa.Integer(), nullable=False),
        sa.Column("absent_last_20", sa.Integer(), nullable=False),
        sa.Column("enrolled_last_20", sa.Integer(), nullable=False),
        sa.Column("rate_tier", sa.SmallInteger(), nullable=False),
        sa.Column("too_early", sa.Boolean(), nullable=False),
        sa.Column("tier", sa.SmallInteger(), nullable=False),
        sa.Column("tier_min", sa.SmallInteger(), nullable=False),
        sa.Column("tier_max", sa.SmallInteger(), nullable=False),
        sa.Column("tier_since", sa.Date(), nullable=True),
        sa.Column("rules", postgresql.ARRAY(sa.TEXT()), nullable=False),
        sa.Column("policy_version", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["school_id"], ["school.id"], name=op.f("fk_student_status_school_id")),
        sa.ForeignKeyConstraint(["student_id"], ["student.id"], name=op.f("fk_student_status_student_id")),
        sa.PrimaryKeyConstraint("student_id", name=op.f("pk_student_status")),
    )
    op.create_index("ix_student_status_school_id_tier", "student_status", ["school_id", "tier"], unique=False)
    op.create_table(
        "submission",
        sa.Column("school_id", sa.Integer(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("batch_id", sa.Integer(), nullable=False),
        sa.Column("feed", sa.Text(), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("whole", sa.Boolean(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("feed IN ('exception', 'full')", name=op.f("ck_submission_feed")),
        sa.ForeignKeyConstraint(["batch_id"], ["batch.id"], name=op.f("fk_submission_batch_id")),
        sa.ForeignKeyConstraint(["school_id"], ["school.id"], name=op.f("fk_submission_school_id")),
        sa.PrimaryKeyConstraint("school_id", "day", "batch_id", name=op.f("pk_submission")),
    )
    op.create_index(op.f("ix_submission_batch_id"), "submission", ["batch_id"], unique=False)
    op.create_table(
        "support_case",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("number", sa.Integer(), sa.Identity(always=False, start=1001), nullable=False),
        sa.Column("student_id", sa.Integer(), nullable=False),
        sa.Column("school_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("tier", sa.SmallInteger(), nullable=False),
        sa.Column("episode", sa.Integer(), nullable=False),
        sa.Column("department", sa.Text(), nullable=False),
        sa.Column("owner_role", sa.Text(), nullable=False),
        sa.Column("owner_id", sa.Integer(), nullable=True),
        sa.Column("owner_via", sa.Text(), nullable=False),
        sa.Column("opened", sa.Date(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("contact_due", sa.Date(), nullable=True),
        sa.Column("due", sa.Date(), nullable=True),
        sa.Column("next_step", sa.Text(), nullable=False),
        sa.Column("paused_until", sa.Date(), nullable=True),
        sa.Column("closed_on", sa.Date(), nullable=True),
        sa.Column("close_reason", sa.Text(), nullable=True),
        sa.Column("goals_reviewed", sa.Boolean(), nullable=False),
        sa.Column("family_told", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("kind IN ('attendance', 'did_not_arrive')", name=op.f("ck_support_case_kind")),
        sa.CheckConstraint(
            "status IN ('new', 'assigned', 'contacting', 'planned', 'monitoring', 'paused', 'closed')",
            name=op.f("ck_support_case_status"),
        ),
        sa.ForeignKeyConstraint(["owner_id"], ["person.id"], name=op.f("fk_support_case_owner_id")),
        sa.ForeignKeyConstraint(["school_id"], ["school.id"], name=op.f("fk_support_case_school_id")),
        sa.ForeignKeyConstraint(["student_id"], ["student.id"], name=op.f("fk_support_case_student_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_support_case")),
        sa.UniqueConstraint("number", name=op.f("uq_support_case_number")),
    )
    op.create_index(
        "ix_support_case_owner_id_due",
        "support_case",
        ["owner_id", "due"],
        unique=False,
        postgresql_where=sa.text("closed_on IS NULL"),
    )
    op.create_index("ix_support_case_school_id_status", "support_case", ["school_id", "status"], unique=False)
    op.create_index(op.f("ix_support_case_student_id"), "support_case", ["student_id"], unique=False)
    op.create_index(
        "uq_support_case_open",
        "support_case",
        ["student_id"],
        unique=True,
        postgresql_where=sa.text("closed_on IS NULL"),
    )
    op.create_table(
        "tier_count",
        sa.Column("school_id", sa.Integer(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("grade", sa.Text(), nullable=False),
        sa.Column("tier_1", sa.Integer(), nullable=False),
        sa.Column("watch", sa.Integer(), nullable=False),
        sa.Column("tier_2", sa.Integer(), nullable=False),
        sa.Column("tier_3", sa.Integer(), nullable=False),
        sa.Column("none", sa.Integer(), nullable=False),
        sa.Column("too_early", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["school_id"], ["school.id"], name=op.f("fk_tier_count_school_id")),
        sa.PrimaryKeyConstraint("school_id", "day", "grade", name=op.f("pk_tier_count")),
    )
    op.create_table(
        "case_episode",
        sa.Column("case_id", sa.Integer(), nullable=False),
        sa.Column("episode", sa.Integer(), nullable=False),
        sa.Column("opened", sa.Date(), nullable=False),
        sa.Column("closed_on", sa.Date(), nullable=True),
        sa.Column("close_reason", sa.Text(), nullable=True),
        sa.Column("opened_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["case_id"], ["support_case.id"], name=op.f("fk_case_episode_case_id")),
        sa.PrimaryKeyConstraint("case_id", "episode", name=op.f("pk_case_episode")),
    )
    op.create_table(
        "case_reason",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("case_id", sa.Integer(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("episode", sa.Integer(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("through", sa.Date(), nullable=True),
        sa.Column("sentence", sa.Text(), nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("useful", sa.Text(), nullable=True),
        sa.CheckConstraint("useful IN ('yes', 'no', 'cannot_tell')", name=op.f("ck_case_reason_useful")),
        sa.ForeignKeyConstraint(["case_id"], ["support_case.id"], name=op.f("fk_case_reason_case_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_case_reason")),
        sa.UniqueConstraint("case_id", "rule", "episode", name=op.f("uq_case_reason_case_id_rule_episode")),
    )
    op.create_table(
        "cause",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("case_id", sa.Integer(), nullable=False),
        sa.Column("student_id", sa.Integer(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("compartment", sa.Text(), nullable=True),
        sa.Column("said_by", sa.Text(), nullable=False),
        sa.Column("confidence", sa.Text(), nullable=False),
        sa.Column("is_primary", sa.Boolean(), nullable=False),
        sa.Column("strengths", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("once", sa.Text(), nullable=True),
        sa.Column("author_id", sa.Integer(), nullable=True),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("position", sa.Text(), nullable=False),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "compartment IN ('stls', 'health', 'counseling', 'iep_504', 'protected')",
            name=op.f("ck_cause_compartment"),
        ),
        sa.ForeignKeyConstraint(["case_id"], ["support_case.id"], name=op.f("fk_cause_case_id")),
        sa.ForeignKeyConstraint(["student_id"], ["student.id"], name=op.f("fk_cause_student_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cause")),
        sa.UniqueConstraint("once", name=op.f("uq_cause_once")),
    )
    op.create_index("ix_cause_case_id_code", "cause", ["case_id", "code"], unique=False)
    op.create_index(op.f("ix_cause_student_id"), "cause", ["student_id"], unique=False)
    op.create_table(
        "note",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("case_id", sa.Integer(), nullable=False),
        sa.Column("student_id", sa.Integer(), nullable=False),
        sa.Column("compartment", sa.Text(), nullable=True),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("replaces_id", sa.Integer(), nullable=True),
        sa.Column("once", sa.Text(), nullable=True),
        sa.Column("author_id", sa.Integer(), nullable=True),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("position", sa.Text(), nullable=False),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "compartment IN ('stls', 'health', 'counseling', 'iep_504', 'protected')",
            name=op.f("ck_note_compartment"),
        ),
        sa.ForeignKeyConstraint(["case_id"], ["support_case.id"], name=op.f("fk_note_case_id")),
        sa.ForeignKeyConstraint(["student_id"], ["student.id"], name=op.f("fk_note_student_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_note")),
        sa.UniqueConstraint("once", name=op.f("uq_note_once")),
        sa.UniqueConstraint("replaces_id", name=op.f("uq_note_replaces_id")),
    )
    op.create_index(op.f("ix_note_case_id"), "note", ["case_id"], unique=False)
    op.create_index(op.f("ix_note_student_id"), "note", ["student_id"], unique=False)
    op.create_table(
        "outreach",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("case_id", sa.Integer(), nullable=True),
        sa.Column("student_id", sa.Integer(), nullable=False),
        sa.Column("on_day", sa.Date(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("direction", sa.Text(), nullable=False),
        sa.Column("with_whom", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("interpreter", sa.Boolean(), nullable=False),
        sa.Column("promise", sa.Text(), nullable=False),
        sa.Column("next_date", sa.Date(), nullable=True),
        sa.Column("minutes", sa.Integer(), nullable=True),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("is_contact", sa.Boolean(), nullable=False),
        sa.Column("once", sa.Text(), nullable=True),
        sa.Column("author_id", sa.Integer(), nullable=True),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("position", sa.Text(), nullable=False),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("direction IN ('out', 'in')", name=op.f("ck_outreach_direction")),
        sa.ForeignKeyConstraint(["case_id"], ["support_case.id"], name=op.f("fk_outreach_case_id")),
        sa.ForeignKeyConstraint(["student_id"], ["student.id"], name=op.f("fk_outreach_student_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outreach")),
        sa.UniqueConstraint("once", name=op.f("uq_outreach_once")),
    )
    op.create_index(op.f("ix_outreach_case_id"), "outreach", ["case_id"], unique=False)
    op.create_index("ix_outreach_student_id_on_day", "outreach", ["student_id", "on_day"], unique=False)
    op.create_table(
        "task",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("case_id", sa.Integer(), nullable=True),
        sa.Column("student_id", sa.Integer(), nullable=False),
        sa.Column("school_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("period", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=True),
        sa.Column("compartment", sa.Text(), nullable=True),
        sa.Column("department", sa.Text(), nullable=False),
        sa.Column("owner_role", sa.Text(), nullable=False),
        sa.Column("owner_id", sa.Integer(), nullable=True),
        sa.Column("due", sa.Date(), nullable=True),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("done_by", sa.Text(), nullable=True),
        sa.Column("note", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "compartment IN ('stls', 'health', 'counseling', 'iep_504', 'protected')",
            name=op.f("ck_task_compartment"),
        ),
        sa.CheckConstraint("status IN ('open', 'done', 'withdrawn')", name=op.f("ck_task_status")),
        sa.ForeignKeyConstraint(["case_id"], ["support_case.id"], name=op.f("fk_task_case_id")),
        sa.ForeignKeyConstraint(["owner_id"], ["person.id"], name=op.f("fk_task_owner_id")),
        sa.ForeignKeyConstraint(["school_id"], ["school.id"], name=op.f("fk_task_school_id")),
        sa.ForeignKeyConstraint(["student_id"], ["student.id"], name=op.f("fk_task_student_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_task")),
        sa.UniqueConstraint("student_id", "kind", "period", name="uq_task_once"),
    )
    op.create_index(op.f("ix_task_case_id"), "task", ["case_id"], unique=False)
    op.create_index(
        "ix_task_owner_id_due",
        "task",
        ["owner_id", "due"],
        unique=False,
        postgresql_where=sa.text("status = 'open'"),
    )
    op.create_index("ix_task_school_id_owner_role", "task", ["school_id", "owner_role"], unique=False)
    op.execute(APPEND_ONLY)


def downgrade() -> None:
    op.drop_index("ix_task_school_id_owner_role", table_name="task")
    op.drop_index("ix_task_owner_id_due", table_name="task", postgresql_where=sa.text("status = 'open'"))
    op.drop_index(op.f("ix_task_case_id"), table_name="task")
    op.drop_table("task")
    op.drop_index("ix_outreach_student_id_on_day", table_name="outreach")
    op.drop_index(op.f("ix_outreach_case_id"), table_name="outreach")
    op.drop_table("outreach")
    op.drop_index(op.f("ix_note_student_id"), table_name="note")
    op.drop_index(op.f("ix_note_case_id"), table_name="note")
    op.drop_table("note")
    op.drop_index(op.f("ix_cause_student_id"), table_name="cause")
    op.drop_index("ix_cause_case_id_code", table_name="cause")
    op.drop_table("cause")
    op.drop_table("case_reason")
    op.drop_table("case_episode")
    op.drop_table("tier_count")
    op.drop_index("uq_support_case_open", table_name="support_case", postgresql_where=sa.text("closed_on IS NULL"))
    op.drop_index(op.f("ix_support_case_student_id"), table_name="support_case")
    op.drop_index("ix_support_case_school_id_status", table_name="support_case")
    op.drop_index(
        "ix_support_case_owner_id_due",
        table_name="support_case",
        postgresql_where=sa.text("closed_on IS NULL"),
    )
    op.drop_table("support_case")
    op.drop_index(op.f("ix_submission_batch_id"), table_name="submission")
    op.drop_table("submission")
    op.drop_index("ix_student_status_school_id_tier", table_name="student_status")
    op.drop_table("student_status")
    op.drop_index(op.f("ix_stint_student_id"), table_name="stint")
    op.drop_index("ix_stint_school_id_entry_date", table_name="stint")
    op.drop_table("stint")
    op.drop_index("ix_standing_school_id_since", table_name="standing")
    op.drop_table("standing")
    op.drop_table("school_day")
    op.drop_index("ix_roll_school_id_day", table_name="roll")
    op.drop_index(op.f("ix_roll_replaced_by"), table_name="roll")
    op.drop_index(op.f("ix_roll_batch_id"), table_name="roll")
    op.drop_table("roll")
    op.drop_index("ix_problem_batch_id_line", table_name="problem")
    op.drop_table("problem")
    op.drop_table("calendar_day")
    op.drop_table("batch_slice")
    op.drop_table("batch_file")
    op.drop_index(op.f("ix_absence_code_code"), table_name="absence_code")
    op.drop_table("absence_code")
    op.drop_index("uq_tier_change_live", table_name="tier_change", postgresql_where=sa.text("withdrawn_at IS NULL"))
    op.drop_index("ix_tier_change_day", table_name="tier_change")
    op.drop_table("tier_change")
    op.drop_table("support_flag")
    op.drop_index(op.f("ix_sign_in_person_id"), table_name="sign_in")
    op.drop_table("sign_in")
    op.drop_table("draft")
    op.drop_index(op.f("ix_school_network_id"), table_name="school")
    op.drop_table("school")
    op.drop_index("ix_role_grant_role_place", table_name="role_grant")
    op.drop_index(op.f("ix_role_grant_person_id"), table_name="role_grant")
    op.drop_table("role_grant")
    op.drop_table("prior_year")
    op.drop_index("uq_finding_live", table_name="finding", postgresql_where=sa.text("withdrawn_at IS NULL"))
    op.drop_table("finding")
    op.drop_table("contact")
    op.drop_index(op.f("ix_batch_status"), table_name="batch")
    op.drop_index(op.f("ix_batch_source_id"), table_name="batch")
    op.drop_index("ix_batch_sha256_kind", table_name="batch")
    op.drop_table("batch")
    op.drop_table("touched_student")
    op.drop_table("touched_block")
    op.drop_table("year_block")
    op.drop_index(op.f("ix_block_student_block"), table_name="block_student")
    op.drop_table("block_student")
    op.drop_index(op.f("ix_student_household_key"), table_name="student")
    op.drop_table("student")
    op.drop_table("staged_roll")
    op.drop_table("staged_mark")
    op.drop_table("staged_day")
    op.drop_table("source")
    op.drop_index("ix_row_history_table_name_at", table_name="row_history")
    op.drop_index("ix_row_history_batch_id", table_name="row_history")
    op.drop_table("row_history")
    op.drop_index(op.f("ix_policy_version_version"), table_name="policy_version")
    op.drop_table("policy_version")
    op.drop_table("person")
    op.drop_index(
        "uq_outbox_waiting",
        table_name="outbox",
        postgresql_where=sa.text("claimed_at IS NULL AND done_at IS NULL AND quarantined_at IS NULL"),
    )
    op.drop_index(
        "ix_outbox_open",
        table_name="outbox",
        postgresql_where=sa.text("done_at IS NULL AND quarantined_at IS NULL"),
    )
    op.drop_table("outbox")
    op.drop_table("network")
    op.drop_index("ix_mark_history_student_id_day", table_name="mark_history")
    op.drop_index("ix_mark_history_ended_by", table_name="mark_history")
    op.drop_index("ix_mark_history_batch_id", table_name="mark_history")
    op.drop_table("mark_history")
    op.drop_index("ix_mark_student_id_day", table_name="mark")
    op.drop_index("ix_mark_batch_id", table_name="mark")
    op.drop_table("mark")
    op.drop_table("job_run")
    op.drop_index("ix_event_subject", table_name="event")
    op.drop_index("ix_event_student_id_at", table_name="event")
    op.drop_index("ix_event_case_id_at", table_name="event")
    op.drop_table("event")
    op.drop_table("beat")
    op.drop_table("audit_seal")
    op.drop_index("ix_audit_row_student_id", table_name="audit_row")
    op.drop_index("ix_audit_row_at", table_name="audit_row")
    op.drop_table("audit_row")
    op.execute("DROP FUNCTION refuse_change()")
