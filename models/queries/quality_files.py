"""The looks of the night at files: rows that came twice, and files of which nothing could be let in."""

from __future__ import annotations

from models.queries.quality import Parameters, Seen, seen


def repeated_rows(of: Parameters) -> list[Seen]:
    """Rows of the last two weeks that came more than once for a student and day in one file."""
    return seen(
        """
        SELECT alone.school_id, NULL AS student, NULL::date AS day, b.name AS words,
               (b.counts->>'duplicate')::int AS rows, b.id AS batch, NULL::int AS line
        FROM batch b LEFT JOIN LATERAL (
            SELECT min(school_id) AS school_id FROM submission WHERE batch_id = b.id
            HAVING min(school_id) = max(school_id)) alone ON true
        WHERE b.kind = 'attendance' AND b.status = 'applied' AND (b.counts->>'duplicate')::int > 0
          AND b.received_at >= CAST(:today AS date) - 14
        """,
        of,
    )


def refused_files(of: Parameters) -> list[Seen]:
    """Files that could not be read at all (nothing but a byte order mark, broken quotation marks ...), and no better
    one came after."""
    return _refused("IS DISTINCT FROM", of)


def ambiguous_dates(of: Parameters) -> list[Seen]:
    """Files refused because nothing tells how their dates are meant, and no better one came after."""
    return _refused("=", of)


# Whether a later delivery `l` is the refused one `b`, mended: it has the same name and nothing shows that it is about
# other schools; or it is a roster with the same tables.
_MENDED = """
    l.source_id = b.source_id AND l.kind = b.kind AND l.id > b.id AND l.status IN ('applied', 'duplicate')
    AND (l.name = b.name AND (NOT EXISTS (SELECT FROM named n WHERE n.batch_id = b.id) OR EXISTS (
             SELECT FROM named n JOIN submission u ON u.school_id = n.school_id
             WHERE n.batch_id = b.id AND u.batch_id = l.id))
         OR b.kind = 'roster' AND EXISTS (SELECT FROM batch_file WHERE batch_id = b.id) AND NOT EXISTS (
             SELECT table_name FROM batch_file WHERE batch_id = b.id
             EXCEPT SELECT table_name FROM batch_file WHERE batch_id = l.id))
"""
# What a refused file says is a day need not be one: there is no 31 September.
_IS_A_DAY = "jsonb_path_exists(to_jsonb(n.value), '$.datetime()', silent => true)"
# Of a school and the last day for which a refused file named it: whether that day, where one was read, came later.
_CAME_SINCE = """
    SELECT FROM submission u JOIN batch l ON l.id = u.batch_id
    WHERE u.school_id = n.school_id AND l.id > b.id AND l.status = 'applied' AND (n.day IS NULL OR u.day = n.day)
"""


def _refused(how: str, of: Parameters) -> list[Seen]:
    return seen(
        f"""
        WITH refused AS MATERIALIZED (
            SELECT * FROM batch b WHERE b.status = 'refused' AND NOT b.preview
              AND b.received_at >= CAST(:today AS date) - 14 AND b.counts ->> 'why' {how} 'two_way_dates'
        ), said AS MATERIALIZED (
            SELECT b.id AS batch_id, s.id AS school_id, CASE WHEN {_IS_A_DAY} THEN CAST(n.value AS date) END AS day
            FROM refused b JOIN LATERAL jsonb_each_text(b.counts -> 'named') n ON true JOIN school s ON s.key = n.key
        ), named AS MATERIALIZED (
            SELECT * FROM said UNION ALL
            SELECT b.id, s.id, NULL FROM refused b JOIN school s ON s.source_id = b.source_id
            WHERE b.kind = 'attendance' AND NOT EXISTS (SELECT FROM said n WHERE n.batch_id = b.id)
        )
        SELECT NULL::int AS school_id, NULL AS student, NULL::date AS day, b.name AS words, 1 AS rows,
               b.id AS batch, NULL::int AS line
        FROM refused b WHERE NOT EXISTS (SELECT FROM batch l WHERE {_MENDED})
          AND NOT (EXISTS (SELECT FROM named n WHERE n.batch_id = b.id) AND NOT EXISTS (
              SELECT FROM named n WHERE n.batch_id = b.id AND NOT EXISTS ({_CAME_SINCE})))
        """,
        of,
    )
