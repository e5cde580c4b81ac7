"""Add the counts of a school's grades up day by day, for the boards; the database does so itself"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0060"
down_revision = "0059"
branch_labels = None
depends_on = None

COUNTS = ("tier_1", "watch", "tier_2", "tier_3", '"none"', "too_early")
SUMS = ", ".join(f"sum(t.{name})" for name in COUNTS)
# Written by the database itself, so that no way of changing a count can leave the sum behind. A statement's school-days
# are added up anew from what stands after it, whether it put rows in, changed or took them out.
ADDED_UP = f"""
CREATE FUNCTION add_up_tier_counts() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM school_count s USING (SELECT DISTINCT school_id, day FROM changed) c
    WHERE s.school_id = c.school_id AND s.day = c.day;
    INSERT INTO school_count
    SELECT t.school_id, t.day, {SUMS} FROM (SELECT DISTINCT school_id, day FROM changed) c
    JOIN tier_count t ON t.school_id = c.school_id AND t.day = c.day
    GROUP BY t.school_id, t.day ORDER BY t.day, t.school_id;
    RETURN NULL;
END $$;
CREATE TRIGGER put_in_is_added_up AFTER INSERT ON tier_count REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION add_up_tier_counts();
CREATE TRIGGER taken_out_is_added_up AFTER DELETE ON tier_count REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION add_up_tier_counts();
CREATE TRIGGER changed_from_is_added_up AFTER UPDATE ON tier_count REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION add_up_tier_counts();
CREATE TRIGGER changed_to_is_added_up AFTER UPDATE ON tier_count REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION add_up_tier_counts();
"""
SO_FAR = f"INSERT INTO school_count SELECT school_id, day, {SUMS} FROM tier_count t GROUP BY 1, 2 ORDER BY 2, 1"


def upgrade() -> None:
    op.create_table(
        "school_count",
        sa.Column("school_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        *(sa.Column(name.strip('"'), sa.Integer(), nullable=False) for name in COUNTS),
        sa.PrimaryKeyConstraint("school_id", "day", name=op.f("pk_school_count")),
    )
    op.execute(SO_FAR)
    op.create_index("ix_school_count_day", "school_count", ["day"])
    op.execute(ADDED_UP)


def downgrade() -> None:
    for name in ("put_in", "taken_out", "changed_from", "changed_to"):
        op.execute(f"DROP TRIGGER {name}_is_added_up ON tier_count")
    op.execute("DROP FUNCTION add_up_tier_counts()")
    op.drop_table("school_count")
