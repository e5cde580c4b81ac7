"""Offer documented views to tools that read the database: counts, the day ledger, the tables by grade; no student"""

from __future__ import annotations

from alembic import op

revision = "0059"
down_revision = "0052"
branch_labels = None
depends_on = None

# view -> (what a row is, {column -> what it holds}, its query)
VIEWS: dict[str, tuple[str, dict[str, str], str]] = {
    "tier_counts": (
        "One school on one counted day: how many of its students stood in each tier. Exact, of the whole school.",
        {
            "network_id": "The district's id of the network; text.",
            "network": "The network's name.",
            "school_id": "The district's id of the school; text, leading zeros kept.",
            "school": "The school's name.",
            "day": "The school day.",
            "students": "Students of the school that day: tier_1 + watch + tier_2 + tier_3 + none.",
            "tier_1": "In Tier 1.",
            "watch": "On watch.",
            "tier_2": "In Tier 2.",
            "tier_3": "In Tier 3.",
            "none": "Without an enrolled day yet.",
            "too_early": "Of them, with too few enrolled days for rules of rates; they stand in a tier as well.",
        },
        """
        SELECT n.key, n.name, s.key, s.name, c.day,
               sum(c.tier_1 + c.watch + c.tier_2 + c.tier_3 + c."none")::int, sum(c.tier_1)::int, sum(c.watch)::int,
               sum(c.tier_2)::int, sum(c.tier_3)::int, sum(c."none")::int, sum(c.too_early)::int
        FROM public.tier_count c JOIN public.school s ON s.id = c.school_id
        JOIN public.network n ON n.id = s.network_id
        GROUP BY n.key, n.name, s.key, s.name, c.day
        """,
    ),
    "ledger": (
        "One school on one date up to the last day that any school submitted: whether attendance came in.",
        {
            "network_id": "The district's id of the network; text.",
            "school_id": "The district's id of the school; text, leading zeros kept.",
            "date": "The date.",
            "status": "submitted, partial (rows for too few of a full feed), not_submitted or closed (no school).",
            "rows": "How many rows of attendance came.",
        },
        """
        WITH bounds AS (SELECT max(day) AS until FROM public.school_day WHERE status IN ('submitted', 'partial')),
        dates AS (
            SELECT c.school_id, c.day, bool_or(c.day_type IN ('instructional', 'make_up')) AS teaches
            FROM public.calendar_day c, bounds b WHERE c.day <= b.until GROUP BY 1, 2
        ), stored AS (SELECT l.* FROM public.school_day l, bounds b WHERE l.day <= b.until)
        SELECT n.key, s.key, day,
               coalesce(stored.status, CASE WHEN dates.teaches THEN 'not_submitted' ELSE 'closed' END),
               coalesce(stored.rows, 0)
        FROM dates FULL JOIN stored USING (school_id, day) JOIN public.school s ON s.id = school_id
        JOIN public.network n ON n.id = s.network_id
        """,
    ),
    "tables_by_grade": (
        "One grade of a school in the table told for a month. Null: kept back, as fewer than 10 or beside such a number.",
        {
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
        },
        """
        SELECT n.key, s.key, t.day, t.told_at, g.grade, (r.shown ->> 0)::int, (r.shown ->> 1)::int,
               (r.shown ->> 2)::int, (r.shown ->> 3)::int, (r.shown ->> 4)::int
        FROM public.told_cut t JOIN public.school s ON s.id = t.school_id JOIN public.network n ON n.id = s.network_id
        CROSS JOIN LATERAL jsonb_array_elements_text(t.grades) WITH ORDINALITY AS g (grade, place)
        JOIN LATERAL jsonb_array_elements(t.shown) WITH ORDINALITY AS r (shown, place) ON r.place = g.place
        """,
    ),
}


def upgrade() -> None:
    op.execute("CREATE SCHEMA IF NOT EXISTS bi")
    op.execute("COMMENT ON SCHEMA bi IS 'For tools that read: counts and the day ledger, no student.'")
    for name, (about, columns, query) in VIEWS.items():
        named = ", ".join(f'"{column}"' for column in columns)
        op.execute(f"CREATE VIEW bi.{name} ({named}) WITH (security_barrier) AS {query}")
        op.execute(f"COMMENT ON VIEW bi.{name} IS {_quoted(about)}")
        for column, words in columns.items():
            op.execute(f'COMMENT ON COLUMN bi.{name}."{column}" IS {_quoted(words)}')


def _quoted(words: str) -> str:
    return "'" + words.replace("'", "''").replace(":", r"\:") + "'"


def downgrade() -> None:
    op.execute("DROP SCHEMA bi CASCADE")
