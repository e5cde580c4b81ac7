"""Rows that do not fit together: what S05 lists, one SELECT a list.

Parameters of all: :schools (ids the reader may see), :whole (the reader sees the district), :login (of the
reader), :start (July 1 of the school year), :today, :no_show (exit codes of students who never came, lower case),
:failed (outcomes of a contact that speak against the number or address used), :tells_no_lateness (exports whose codes
do not say what is late), :said (sources of which somebody has told how class periods add up).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import text

from models.attendance import UNREAD
from models.base import db
from models.org import TEACHES
from models.queries import coded, periods
from models.queries.lateness import LACKING
from models.queries.measuring import SPEAKS_OF_ALL
from models.queries.outside import COVERS, NAMES, NOT_ENROLLED

_AT = "JOIN school s ON s.id = {row}.school_id AND s.id = ANY(:schools)"
_WHO = "JOIN student p ON p.id = {row}.student_id"
# The calendar that stint `t` follows: its own where that has rows, else the school's.
_FOLLOWED = """CASE WHEN EXISTS (SELECT FROM calendar_day k WHERE k.school_id = t.school_id
    AND k.calendar_key = t.calendar_key AND k.day >= :start) THEN t.calendar_key ELSE '' END"""
_THIS_YEAR = "(t.exit_date IS NULL OR t.exit_date >= :start)"

_UNKNOWN_CODES = f"""
    SELECT s.key AS school_id, s.name AS school, m.code, count(*) AS rows,
           count(DISTINCT m.student_id) AS students, min(m.day) AS first_day, max(m.day) AS last_day
    FROM mark m {_AT.format(row="m")}
    WHERE m.code <> '{UNREAD}' AND NOT EXISTS (
        SELECT FROM absence_code c
        WHERE c.code = m.code AND (c.school_id IS NULL OR c.school_id = m.school_id)
          AND (c.valid_from IS NULL OR c.valid_from <= m.day) AND (c.valid_to IS NULL OR c.valid_to >= m.day))
    GROUP BY s.key, s.name, m.code ORDER BY rows DESC, s.name, m.code
"""
# What an export could not say of a code it explained, until somebody says it for the school or for the whole district.
_UNSAID_CODES = """
    SELECT s.key AS school_id, s.name AS school, c.code, c.title,
           CASE c.kind WHEN 'absence' THEN 'whether it is excused' ELSE 'whether it is late' END AS unsaid,
           count(m.id) AS rows, count(DISTINCT m.student_id) AS students
    FROM absence_code c JOIN school s ON s.id = c.school_id AND s.id = ANY(:schools)
    JOIN batch b ON b.id = c.batch_id
    LEFT JOIN mark m ON m.school_id = c.school_id AND m.code = c.code AND m.day >= :start
    WHERE c.code <> '' AND c.excused = 'unknown' AND coalesce(c.valid_to >= :start, true) AND (
        c.kind = 'absence' AND b.options ->> 'format' <> 'csv'
        OR c.kind = 'present' AND b.options ->> 'format' = ANY(:tells_no_lateness) AND c.title !~* '^present$')
      AND NOT EXISTS (
        SELECT FROM absence_code d WHERE d.code = c.code AND d.batch_id IS NULL
          AND (d.school_id IS NULL OR d.school_id = c.school_id))
    GROUP BY s.key, s.name, c.code, c.title, c.kind ORDER BY rows DESC, s.name, c.code
"""
_UNREAD_ROWS = f"""
    SELECT {NAMES}, m.day, b.received_at AS last_seen, m.batch_id AS batch, m.line
    FROM mark m {_AT.format(row="m")} {_WHO.format(row="m")} LEFT JOIN batch b ON b.id = m.batch_id
    WHERE m.code = '{UNREAD}' AND m.day >= :start ORDER BY m.day DESC, s.name, student
"""
_UNMATCHED = """
    SELECT r."column" AS what, r.value, count(*) AS rows, max(b.received_at) AS last_seen,
           (array_agg(r.batch_id ORDER BY r.id DESC))[1] AS batch, (array_agg(r.file ORDER BY r.id DESC))[1] AS file,
           (array_agg(r.line ORDER BY r.id DESC))[1] AS line, (array_agg(r.reason ORDER BY r.id DESC))[1] AS reason
    FROM problem r JOIN batch b ON b.id = r.batch_id
    WHERE r.rejected AND r.settled_at IS NULL AND b.status = 'applied' AND (:whole OR b.received_by = :login)
      AND (r.cause IN ('unknown_student', 'unknown_school') OR r."column" IN ('student_id', 'school_id')
           AND b.id = (SELECT max(n.id) FROM batch n WHERE n.kind = 'roster' AND n.source_id = b.source_id
                       AND n.status = 'applied'))
    GROUP BY 1, 2 ORDER BY rows DESC, what, value
"""
# School-days on which every calendar teaches that anybody there follows need no look at single marks.
_OFF_CALENDAR = f"""
    WITH kept AS MATERIALIZED (
        SELECT DISTINCT school_id, calendar_key FROM calendar_day WHERE school_id = ANY(:schools) AND day >= :start
    ), followed AS MATERIALIZED (
        SELECT DISTINCT t.school_id, coalesce(k.calendar_key, '') AS calendar_key
        FROM stint t LEFT JOIN kept k ON k.school_id = t.school_id AND k.calendar_key = t.calendar_key
        WHERE t.school_id = ANY(:schools)
    ), taught AS MATERIALIZED (
        SELECT f.school_id, c.day FROM followed f JOIN calendar_day c USING (school_id, calendar_key)
        WHERE c.{TEACHES} AND c.day >= :start GROUP BY 1, 2
        HAVING count(DISTINCT f.calendar_key) = (SELECT count(*) FROM followed a WHERE a.school_id = f.school_id)
    ), odd AS MATERIALIZED (
        SELECT m.* FROM mark m LEFT JOIN taught d ON d.school_id = m.school_id AND d.day = m.day
        WHERE m.school_id = ANY(:schools) AND m.day >= :start AND d.day IS NULL
    )
    SELECT {NAMES}, m.day, m.code, m.batch_id AS batch, m.line
    FROM odd m {_AT.format(row="m")} {_WHO.format(row="m")}
    WHERE EXISTS (SELECT FROM stint t WHERE {COVERS}) AND NOT EXISTS (
        SELECT FROM stint t JOIN calendar_day c ON c.school_id = t.school_id AND c.day = m.day AND c.{TEACHES}
          AND c.calendar_key = {_FOLLOWED}
        WHERE {COVERS})
    ORDER BY m.day DESC, s.name, student
"""
_DID_NOT_ARRIVE = f"""
    SELECT {NAMES}, t.entry_date, t.exit_date, t.exit_code
    FROM stint t {_AT.format(row="t")} {_WHO.format(row="t")}
    LEFT JOIN LATERAL (
        SELECT min(c.day) AS day FROM calendar_day c
        WHERE c.school_id = t.school_id AND c.{TEACHES} AND c.day >= :start AND c.calendar_key = {_FOLLOWED}
    ) opens ON true
    WHERE t.exit_date >= :start AND t.exit_date >= t.entry_date
      AND (lower(t.exit_code) = ANY(:no_show) OR t.exit_date < opens.day)
    ORDER BY s.name, student
"""
# Mended when somebody was reached since, or the task to mend it was done.
_CONTACT_FAILURES = f"""
    SELECT {NAMES}, o.on_day AS day, o.method, o.outcome, o.author
    FROM (
        SELECT DISTINCT ON (student_id) * FROM outreach WHERE outcome = ANY(:failed) AND on_day >= :start
        ORDER BY student_id, at DESC, id DESC
    ) o
    JOIN student_status now ON now.student_id = o.student_id AND now.enrolled_now
    {_AT.format(row="now")} {_WHO.format(row="o")}
    WHERE NOT EXISTS (
        SELECT FROM outreach l WHERE l.student_id = o.student_id AND l.is_contact AND l.at > o.at)
      AND NOT EXISTS (
        SELECT FROM task t WHERE t.student_id = o.student_id AND t.kind = 'contact_repair' AND t.status = 'done'
          AND t.done_at > o.at)
    ORDER BY day DESC, s.name, student
"""
_ODD_STINTS = f"""
    SELECT {NAMES}, t.entry_date, t.exit_date, odd.why
    FROM stint t {_AT.format(row="t")} {_WHO.format(row="t")} CROSS JOIN LATERAL (
        SELECT 'ends before it begins' AS why WHERE t.exit_date < t.entry_date
        UNION ALL
        SELECT 'begins more than a year from now' WHERE t.entry_date > CAST(:today AS date) + 366
        UNION ALL
        SELECT CASE WHEN o.school_id = t.school_id THEN 'overlaps another enrolment at this school'
               ELSE 'enrolled at two schools at once, and neither is marked primary' END
        FROM stint o
        WHERE o.student_id = t.student_id AND o.id <> t.id AND t.exit_date IS DISTINCT FROM o.entry_date
          AND o.exit_date IS DISTINCT FROM t.entry_date AND t.entry_date <= coalesce(t.exit_date, t.entry_date)
          AND o.entry_date <= coalesce(o.exit_date, o.entry_date)
          AND t.entry_date <= coalesce(o.exit_date, 'infinity') AND o.entry_date <= coalesce(t.exit_date, 'infinity')
          AND (o.school_id = t.school_id OR NOT (coalesce(t.is_primary, false) OR coalesce(o.is_primary, false)))
        LIMIT 1
    ) odd
    WHERE {_THIS_YEAR} OR t.exit_date < t.entry_date AND t.entry_date >= :start
    ORDER BY s.name, student, t.entry_date
"""
_NO_CALENDAR = f"""
    SELECT s.key AS school_id, s.name AS school, f.calendar_key AS calendar_id, f.students
    FROM (
        SELECT t.school_id, t.calendar_key, count(DISTINCT t.student_id) AS students FROM stint t
        WHERE t.school_id = ANY(:schools) AND {_THIS_YEAR} AND t.entry_date <= :today GROUP BY 1, 2
    ) f JOIN school s ON s.id = f.school_id
    WHERE NOT EXISTS (
        SELECT FROM calendar_day c WHERE c.school_id = f.school_id AND c.{TEACHES} AND c.day >= :start
          AND c.calendar_key IN (f.calendar_key, ''))
    ORDER BY students DESC, school
"""
_PERIODS = f"""
    SELECT s.key AS school_id, s.name AS school, count(DISTINCT (m.student_id, m.day)) AS days,
           count(DISTINCT m.student_id) AS students, min(m.day) AS first_day, max(m.day) AS last_day
    FROM mark m {_AT.format(row="m")} WHERE m.day >= :start AND {periods.STORED}
    GROUP BY s.key, s.name ORDER BY days DESC, s.name
"""
# Presence on a roll, or by the silence of the school's own system on a day it called whole, is something said; against
# a mark that means present it is no difference. For these only days on which two systems spoke are looked at.
_ABSENT_ELSEWHERE = f"NOT EXISTS (SELECT FROM {coded.meaning('m')} c WHERE c.kind = 'present')"
_TWO_SOURCES = f"""
    WITH spoken AS MATERIALIZED (
        SELECT m.* FROM mark m JOIN (
            SELECT s.school_id, s.day FROM submission s JOIN batch b ON b.id = s.batch_id
            WHERE s.school_id = ANY(:schools) AND s.day >= :start AND s.ended_at IS NULL
            GROUP BY 1, 2 HAVING count(DISTINCT b.source_id) > 1
        ) d USING (school_id, day)
    ), differing AS (
        SELECT m.student_id, m.school_id, m.day, m.period, m.code, m.source_id, o.code AS other_code,
               o.source_id AS other_id
        FROM mark m JOIN mark o ON o.school_id = m.school_id AND o.day = m.day AND o.student_id = m.student_id
          AND o.period = m.period AND o.source_id > m.source_id
          AND (o.code, o.fraction, o.minutes) IS DISTINCT FROM (m.code, m.fraction, m.minutes)
        WHERE m.day >= :start AND m.source_id < (SELECT max(id) FROM source)
        UNION ALL
        SELECT m.student_id, m.school_id, m.day, m.period, m.code, m.source_id, r.code, r.source_id
        FROM spoken m JOIN roll r ON r.school_id = m.school_id AND r.day = m.day AND r.source_id <> m.source_id
          AND r.replaced_by IS NULL AND m.student_id = ANY(r.students)
        WHERE {_ABSENT_ELSEWHERE} AND NOT EXISTS (
            SELECT FROM spoken o WHERE o.school_id = m.school_id AND o.day = m.day AND o.student_id = m.student_id
              AND o.source_id = r.source_id)
        UNION ALL
        SELECT m.student_id, m.school_id, m.day, m.period, m.code, m.source_id, 'no row', s.source_id
        FROM spoken m JOIN school s ON s.id = m.school_id AND s.source_id <> m.source_id
        WHERE {_ABSENT_ELSEWHERE} AND {SPEAKS_OF_ALL} AND NOT EXISTS (
            SELECT FROM spoken o WHERE o.school_id = m.school_id AND o.day = m.day AND o.student_id = m.student_id
              AND o.source_id = s.source_id)
    )
    SELECT {NAMES}, m.day, m.period, m.code, a.name AS source, m.other_code, b.name AS other_source
    FROM differing m {_AT.format(row="m")} {_WHO.format(row="m")}
    JOIN source a ON a.id = m.source_id JOIN source b ON b.id = m.other_id ORDER BY m.day DESC, school, student
"""
_SAME_CHILD = """
    SELECT concat_ws(' ', p.first_name, p.last_name) AS student, p.birth_date,
           string_agg(p.key, ', ' ORDER BY p.key) AS student_ids
    FROM student p
    WHERE p.birth_date IS NOT NULL AND p.last_name <> '' AND p.same_as IS NULL
    GROUP BY p.first_name, p.last_name, p.birth_date
    HAVING count(*) > 1 AND (:whole OR bool_or(EXISTS (
        SELECT FROM stint t WHERE t.student_id = p.id AND t.school_id = ANY(:schools))))
    ORDER BY student
"""
_NOWHERE = """
    SELECT p.key AS student_id, concat_ws(' ', p.first_name, p.last_name) AS student, p.grade
    FROM student p WHERE :whole AND p.same_as IS NULL AND NOT EXISTS (SELECT FROM stint t WHERE t.student_id = p.id)
    ORDER BY student, p.key
"""

_WRONG_LETTERS = f"""
    SELECT {NAMES}, l.sent_at, coalesce(w.name, l.sent_by) AS author, l.corrected_at
    FROM letter l {_AT.format(row="l")} {_WHO.format(row="l")} LEFT JOIN person w ON w.login = l.sent_by
    WHERE l.corrected_at IS NOT NULL AND l.settled_at IS NULL ORDER BY l.corrected_at, school, student
"""

LISTS: Mapping[str, str] = {
    "unknown_codes": _UNKNOWN_CODES,
    "unsaid_codes": _UNSAID_CODES,
    "unread_rows": _UNREAD_ROWS,
    "unmatched": _UNMATCHED,
    "late_schools": LACKING,
    "no_calendar": _NO_CALENDAR,
    "class_periods": _PERIODS,
    "off_calendar": _OFF_CALENDAR,
    "not_enrolled": NOT_ENROLLED,
    "did_not_arrive": _DID_NOT_ARRIVE,
    "contact_failures": _CONTACT_FAILURES,
    "wrong_letters": _WRONG_LETTERS,
    "odd_stints": _ODD_STINTS,
    "two_sources": _TWO_SOURCES,
    "same_child": _SAME_CHILD,
    "nowhere": _NOWHERE,
}


def count(name: str, parameters: Mapping[str, Any]) -> int:
    """How many rows the list has."""
    query = text(f"SELECT count(*) FROM ({LISTS[name]}) listed")
    return int(db.session.scalar(query, _used(LISTS[name], parameters)) or 0)


def rows(name: str, parameters: Mapping[str, Any], limit: int, offset: int = 0) -> list[dict[str, Any]]:
    """A page of the list, as columns by name."""
    query = text(f"{LISTS[name]} LIMIT :limit OFFSET :offset")
    page = {"limit": limit, "offset": offset}
    found = db.session.execute(query, {**_used(LISTS[name], parameters), **page})
    return [dict(row) for row in found.mappings()]


def _used(query: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    every = {"clock": None, **parameters}
    return {name: value for name, value in every.items() if f":{name}" in query}
