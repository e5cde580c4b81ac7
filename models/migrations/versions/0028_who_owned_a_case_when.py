"""Keep who owned a case, and when: a past day asks who owned it then, not who owns it now"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
# Noted by the database itself, so that no way of changing an owner can forget it. The district's day and a moment that
# is only told (`kernel.told_as_of`) come with the session.
NOTED = """
CREATE FUNCTION note_case_owner() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    told timestamptz := nullif(current_setting('ew.moment', true), '');
    moment timestamptz := coalesce(told, now());
    fixed date := CASE WHEN told IS NULL THEN nullif(current_setting('ew.today', true), '') END;
    clock text := coalesce(nullif(current_setting('ew.timezone', true), ''), 'UTC');
    today date := coalesce(fixed, (moment AT TIME ZONE clock)::date);
BEGIN
    UPDATE case_owner SET until = today, until_at = moment WHERE case_id = NEW.id AND until_at IS NULL;
    IF NEW.owner_id IS NOT NULL THEN
        INSERT INTO case_owner (case_id, person_id, since, since_at) VALUES (NEW.id, NEW.owner_id, today, moment);
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER first_owner_is_noted AFTER INSERT ON support_case
    FOR EACH ROW WHEN (NEW.owner_id IS NOT NULL) EXECUTE FUNCTION note_case_owner();
CREATE TRIGGER owner_is_noted AFTER UPDATE OF owner_id ON support_case
    FOR EACH ROW WHEN (OLD.owner_id IS DISTINCT FROM NEW.owner_id) EXECUTE FUNCTION note_case_owner();
"""
# Of cases from before nobody wrote down more than who owns them.
SO_FAR = """
INSERT INTO case_owner (case_id, person_id, since, since_at)
SELECT id, owner_id, opened, opened_at FROM support_case WHERE owner_id IS NOT NULL
"""


def upgrade() -> None:
    op.create_table(
        "case_owner",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("case_id", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("since", sa.Date(), nullable=False),
        sa.Column("since_at", MOMENT, nullable=False),
        sa.Column("until", sa.Date(), nullable=True),
        sa.Column("until_at", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(["case_id"], ["support_case.id"], name=op.f("fk_case_owner_case_id")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_case_owner_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_case_owner")),
    )
    op.create_index(op.f("ix_case_owner_case_id"), "case_owner", ["case_id"])
    op.execute(SO_FAR)
    op.execute(NOTED)


def downgrade() -> None:
    op.execute("DROP TRIGGER first_owner_is_noted ON support_case; DROP TRIGGER owner_is_noted ON support_case")
    op.execute("DROP FUNCTION note_case_owner()")
    op.drop_table("case_owner")
