"""What was delivered of students on days on which they are not enrolled at the school: marks, and presence on rolls.

Parameters as in `models.queries.fixing`.
"""

from __future__ import annotations

NAMES = (
    "s.key AS school_id, s.name AS school, p.key AS student_id, concat_ws(' ', p.first_name, p.last_name) AS student"
)
COVERS = """t.student_id = coalesce(p.same_as, m.student_id) AND t.school_id = m.school_id AND t.entry_date <= m.day
    AND (t.exit_date IS NULL OR t.exit_date >= m.day)"""

_MARKS = f"""
    SELECT {NAMES}, m.day, m.code, m.batch_id AS batch, m.line
    FROM mark m JOIN school s ON s.id = m.school_id AND s.id = ANY(:schools) JOIN student p ON p.id = m.student_id
    WHERE m.day >= :start AND NOT EXISTS (SELECT FROM stint t WHERE {COVERS})
"""
# Presence on a roll that no mark of the same source lies over.
_ROLLS = f"""
    SELECT {NAMES}, c.day, c.code, c.batch_id AS batch, c.line
    FROM called c JOIN school s ON s.id = c.school_id JOIN student p ON p.id = c.student_id
    WHERE NOT EXISTS (
        SELECT FROM mark m WHERE m.school_id = c.school_id AND m.day = c.day AND m.student_id = c.student_id
          AND m.source_id = c.source_id)
"""
# `away`: of the days that rolls speak of those before, between and after the enrolments of whoever has one there; few
# have any. A roll names hundreds of students, so it is opened (`called`) only where one of them is away that day
# (`gone`).
NOT_ENROLLED = f"""
    WITH spoken AS MATERIALIZED (
        SELECT school_id, daterange(min(day), max(day), '[]') AS days FROM roll
        WHERE school_id = ANY(:schools) AND day >= :start AND replaced_by IS NULL GROUP BY 1
    ), away AS MATERIALIZED (
        SELECT e.school_id, p.id AS student_id, unnest(e.days) AS days
        FROM (
            SELECT school_id, student_id, datemultirange(s.days) - range_agg(
                       daterange(entry_date, exit_date, '[]')) AS days
            FROM stint JOIN spoken s USING (school_id)
            WHERE entry_date <= coalesce(exit_date, entry_date) GROUP BY 1, 2, s.days
        ) e JOIN student p ON coalesce(p.same_as, p.id) = e.student_id WHERE NOT isempty(e.days)
    ), gone AS MATERIALIZED (
        SELECT r.id, array_agg(a.student_id) AS students
        FROM roll r JOIN away a ON a.school_id = r.school_id AND a.days @> r.day
        WHERE r.day >= :start AND r.replaced_by IS NULL GROUP BY r.id
    ), called AS MATERIALIZED (
        SELECT r.school_id, r.day, r.source_id, r.code, r.batch_id, one.student_id, one.line
        FROM gone g JOIN roll r ON r.id = g.id AND r.students && g.students,
        unnest(r.students, r.lines) AS one (student_id, line) WHERE one.student_id = ANY(g.students)
    )
    {_MARKS} UNION ALL {_ROLLS} ORDER BY day DESC, school, student
"""
