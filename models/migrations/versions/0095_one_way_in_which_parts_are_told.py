"""Tell every cut in tens and keep it in one table

What was told this school year stands: readers remember it, so the next tables are set beside it. Tables of groups were
read in tens and are kept so from here on; a school's own by grade were read as counts and stay marked as such until the
next month's takes their place. Goals of groups are read out of these tables, so what was counted for them goes.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0095"
down_revision = "0090"
branch_labels = None
depends_on = None

ABOUT = (
    "One grade of a school in the table told for a month, in tens. Null: under 15, or kept back beside such a number; "
    "counts where it was told before tables were in tens."
)
COLUMNS = {
    "network_id": "The district's id of the network; text.",
    "school_id": "The district's id of the school; text, leading zeros kept.",
    "day": "The day that the table tells of.",
    "told_at": "When it was told; it has not changed since.",
    "grade": "The grade; empty for students whose grade the roster does not give.",
    "tier_1": "In Tier 1.",
    "watch": "On watch.",
    "tier_2_or_3": "In Tier 2 or 3.",
    "none": "Without an enrolled day yet.",
    "students": "Students of the grade.",
}
NAMED = ", ".join(f'"{column}"' for column in COLUMNS)
OWN = "t.by = 'grade' AND (SELECT count(*) FROM jsonb_object_keys(t.leaves)) = 1"
SHOWN = ", ".join(f"CASE WHEN t.exact OR (r.shown ->> {n})::int > 0 THEN (r.shown ->> {n})::int END" for n in range(5))
VIEW = f"""
    CREATE VIEW bi.tables_by_grade ({NAMED}) WITH (security_barrier) AS
    SELECT n.key, s.key, t.day, t.told_at, g.name, {SHOWN}
    FROM public.told_part t
    JOIN public.school s ON {OWN} AND s.id = (SELECT min(key)::int FROM jsonb_object_keys(t.leaves) AS k (key))
    JOIN public.network n ON n.id = s.network_id
    CROSS JOIN LATERAL jsonb_array_elements_text(t.names) WITH ORDINALITY AS g (name, place)
    JOIN LATERAL jsonb_array_elements(t.shown) WITH ORDINALITY AS r (shown, place) ON r.place = g.place
"""
BEFORE = f"""
    CREATE VIEW bi.tables_by_grade ({NAMED}) WITH (security_barrier) AS
    SELECT n.key, s.key, t.day, t.told_at, g.grade, (r.shown ->> 0)::int, (r.shown ->> 1)::int,
           (r.shown ->> 2)::int, (r.shown ->> 3)::int, (r.shown ->> 4)::int
    FROM public.told_cut t JOIN public.school s ON s.id = t.school_id JOIN public.network n ON n.id = s.network_id
    CROSS JOIN LATERAL jsonb_array_elements_text(t.grades) WITH ORDINALITY AS g (grade, place)
    JOIN LATERAL jsonb_array_elements(t.shown) WITH ORDINALITY AS r (shown, place) ON r.place = g.place
"""
BEFORE_ABOUT = "One grade of a school in the table told for a month. Null: kept back."


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '10s'")
    op.add_column("told_part", sa.Column("exact", sa.Boolean(), server_default="false", nullable=False))
    op.execute("""
        UPDATE told_part SET shown = (
            SELECT jsonb_agg((SELECT jsonb_agg(CASE WHEN v.n = 'null' THEN v.n ELSE to_jsonb((v.n::int + 5) / 10 * 10) END
                                               ORDER BY v.at)
                              FROM jsonb_array_elements(r.row) WITH ORDINALITY AS v (n, at)) ORDER BY r.at)
            FROM jsonb_array_elements(shown) WITH ORDINALITY AS r (row, at))
        WHERE shown <> '[]'
    """)
    op.execute("""
        INSERT INTO told_part (schools, leaves, by, day, told_at, names, columns, counts, shown, exact)
        SELECT left(encode(sha256(school_id::text::bytea), 'hex'), 32),
               jsonb_build_object(school_id::text, (
                   SELECT coalesce(jsonb_object_agg(g.name, c.row), '{}')
                   FROM jsonb_array_elements_text(grades) WITH ORDINALITY AS g (name, at)
                   JOIN jsonb_array_elements(counts) WITH ORDINALITY AS c (row, at) USING (at))),
               'grade', day, told_at, grades, '["Tier 1", "Watch", "Tier 2 and 3", "No tier yet"]', counts, shown, true
        FROM told_cut ON CONFLICT DO NOTHING
    """)
    op.execute("DELETE FROM goal_part USING goal WHERE goal.thread = goal_part.thread AND goal.subgroup <> ''")
    _view(VIEW, ABOUT)
    op.drop_table("told_cut")


def _view(query: str, about: str) -> None:
    op.execute("DROP VIEW bi.tables_by_grade")
    op.execute(query)
    op.execute(f"COMMENT ON VIEW bi.tables_by_grade IS {_quoted(about)}")
    for column, words in COLUMNS.items():
        op.execute(f'COMMENT ON COLUMN bi.tables_by_grade."{column}" IS {_quoted(words)}')


def _quoted(words: str) -> str:
    return "'" + words.replace("'", "''").replace(":", r"\:") + "'"


def downgrade() -> None:
    op.create_table(
        "told_cut",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("school_id", sa.Integer(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("grades", JSONB(), nullable=False),
        sa.Column("counts", JSONB(), nullable=False),
        sa.Column("shown", JSONB(), nullable=False),
        sa.ForeignKeyConstraint(["school_id"], ["school.id"], name=op.f("fk_told_cut_school_id_school")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_told_cut")),
        sa.UniqueConstraint("school_id", "day", name=op.f("uq_told_cut_school_id_day")),
    )
    _view(BEFORE, BEFORE_ABOUT)
    op.drop_column("told_part", "exact")
