"""The rows that a matrix is built from: stints, the day ledger, marks, rolls, and the work on cases.

Every function reads for a set of schools or students at once and returns integer columns; dates are days since
1970. Thresholds and meanings stay outside: this only says what stands in the tables.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date
from typing import Any

import numpy as np
from sqlalchemy import select, text

from models.base import db
from models.bulk import ints, read_columns, read_ints, read_lists
from models.org import AbsenceCode
from models.queries.calendars import NOT_KNOWN
from models.queries.coded import meaning
from models.queries.local_days import local_day

Columns = dict[str, np.ndarray]
EPOCH = date(1970, 1, 1)
OPEN = 2_932_896  # 9999-12-31 as days since 1970: not ended yet


def last_submitted(until: date) -> dict[int, date]:
    """School -> its last submitted or partial day on or before `until`: the data-through day."""
    found = read_ints(
        """
        SELECT s.id, d.day - DATE '1970-01-01' FROM school s CROSS JOIN LATERAL (
            SELECT day FROM school_day WHERE school_id = s.id AND status IN ('submitted', 'partial')
              AND day <= %(until)s ORDER BY day DESC LIMIT 1) d
        """,
        ["school", "day"],
        {"until": until},
    )
    return dict(zip(found["school"].tolist(), found["day"].astype("datetime64[D]").tolist(), strict=True))


def births(students: np.ndarray) -> np.ndarray:
    """The birth date of each of these students, ascending by id, as days since 1970; NOT_KNOWN without one.

    A student whom nobody knows any more has none either.
    """
    found = read_ints(
        """
        SELECT id, birth_date - DATE '1970-01-01' FROM student
        WHERE id = ANY(%(students)s) AND birth_date IS NOT NULL
        """,
        ["student", "born"],
        {"students": ints(students)},
    )
    born = np.full(len(students), NOT_KNOWN, dtype=np.int32)
    born[np.searchsorted(students, found["student"])] = found["born"]
    return born


def last_decided() -> date | None:
    """The last day on which a tier that is stored began or ended."""
    found: date | None = db.session.scalar(text("SELECT max(coalesce(until, since)) FROM standing WHERE tier >= 0"))
    return found


def students_between(start: date, until: date, schools: Collection[int] | None = None) -> np.ndarray:
    """Everyone with a stint (at one of these schools) that meets the days start..until, ascending."""
    where = "entry_date <= %(until)s AND (exit_date IS NULL OR exit_date >= %(start)s)"
    where += " AND school_id = ANY(%(schools)s)" if schools is not None else ""
    asked = {"start": start, "until": until, "schools": sorted(schools or ())}
    return np.sort(read_ints(f"SELECT DISTINCT student_id FROM stint WHERE {where}", ["student"], asked)["student"])


def stints(students: Sequence[int] | np.ndarray, since: date) -> dict[str, Any]:
    """All stints of these students that end on `since` or later, in the order they were first loaded.

    Columns student, school, entry, last (OPEN while it lasts), primary (1, 0, or -1 unsaid), exit_code, calendar,
    grade.
    """
    return read_columns(
        f"""
        SELECT t.student_id, t.school_id, t.entry_date - DATE '1970-01-01',
               coalesce(t.exit_date - DATE '1970-01-01', {OPEN}), coalesce(t.is_primary::int, -1),
               coalesce(t.exit_code, ''), t.calendar_key, coalesce(nullif(t.grade, ''), s.grade)
        FROM stint t JOIN student s ON s.id = t.student_id
        WHERE t.student_id = ANY(%(students)s) AND (t.exit_date IS NULL OR t.exit_date >= %(since)s) ORDER BY t.id
        """,
        ["student", "school", "entry", "last", "primary"],
        ["exit_code", "calendar", "grade"],
        {"students": ints(students), "since": since},
    )


def ledger(schools: Sequence[int], start: date, until: date) -> Columns:
    """Submitted and partial school-days; `full` is 1 where a full feed was delivered."""
    return read_ints(
        """
        SELECT school_id, day - DATE '1970-01-01', (feed = 'full')::int FROM school_day
        WHERE school_id = ANY(%(schools)s) AND day BETWEEN %(start)s AND %(until)s
          AND status IN ('submitted', 'partial')
        """,
        ["school", "day", "full"],
        {"schools": list(schools), "start": start, "until": until},
    )


def codes(schools: Sequence[int]) -> list[AbsenceCode]:
    """What codes mean at these schools or in the whole district."""
    wanted = AbsenceCode.school_id.in_(schools) | AbsenceCode.school_id.is_(None)
    return list(db.session.scalars(select(AbsenceCode).where(wanted)))


# SQL: the school's own source (of school `s`) called the day of mark `m` whole, and whoever it does not name present.
SPEAKS_OF_ALL = """(EXISTS (
    SELECT FROM submission w JOIN batch b ON b.id = w.batch_id WHERE w.school_id = m.school_id AND w.day = m.day
      AND w.whole AND w.feed = 'exception' AND w.taken AND w.ended_at IS NULL AND b.source_id = s.source_id)
  AND NOT EXISTS (
    SELECT FROM submission f WHERE f.school_id = m.school_id AND f.day = m.day AND f.feed = 'full'
      AND f.ended_at IS NULL))"""


def told_first(row: str, student: str) -> str:
    """SQL: the delivery that first told of the period of mark `row`, of those that stand; below zero where one of them
    said something else of it, 0 for a whole day."""
    return f"""CASE WHEN {row}.period = '' THEN 0 ELSE (
        SELECT least(min(h.batch_id), {row}.batch_id) * CASE WHEN bool_or(h.code <> {row}.code) THEN -1 ELSE 1 END
        FROM mark_history h
        WHERE h.student_id = {row}.{student} AND h.day = {row}.day AND h.school_id = {row}.school_id
          AND h.period = {row}.period AND h.source_id = {row}.source_id AND EXISTS (
            SELECT FROM submission c WHERE c.school_id = h.school_id AND c.day = h.day AND c.batch_id = h.batch_id
              AND c.ended_at IS NULL)) END"""


def marks(
    students: Sequence[int] | np.ndarray, start: date, until: date, words: Sequence[str], periods: Sequence[str]
) -> Columns:
    """Every mark of these students: `code` is its place in `words` or -1, absent numbers are -1; `told_first`.

    `period` is -1 for the whole day, else its place in `periods`, counted from 1; 0 for a period that is not there.

    Where two sources speak of one day, the school's own source is heard, also where it says present, and where it
    says so by silence. A whole-day row without a code says nothing where the same source has periods for the day.
    """
    return read_ints(
        f"""
        SELECT m.student_id, m.school_id, m.day - DATE '1970-01-01',
               CASE WHEN m.period = '' THEN -1
                    ELSE coalesce(array_position(%(periods)s::text[], m.period), 0) END,
               coalesce(array_position(%(words)s::text[], m.code) - 1, -1),
               coalesce(m.fraction, -1), coalesce(m.minutes, -1), m.source_id, {told_first("m", "student_id")}
        FROM mark m JOIN school s ON s.id = m.school_id
        WHERE m.student_id = ANY(%(students)s) AND m.day BETWEEN %(start)s AND %(until)s
          AND (m.source_id = s.source_id OR NOT EXISTS (
              SELECT FROM mark own WHERE own.student_id = m.student_id AND own.school_id = m.school_id
                AND own.day = m.day AND own.source_id = s.source_id) AND NOT EXISTS (
              SELECT FROM roll own WHERE own.school_id = m.school_id AND own.day = m.day
                AND own.source_id = s.source_id AND own.replaced_by IS NULL AND m.student_id = ANY(own.students))
            AND NOT {SPEAKS_OF_ALL})
          AND (m.code <> '' OR m.period <> '' OR NOT EXISTS (
              SELECT FROM mark p WHERE p.student_id = m.student_id AND p.school_id = m.school_id
                AND p.day = m.day AND p.source_id = m.source_id AND p.period <> ''))
        """,
        ["student", "school", "day", "period", "code", "fraction", "minutes", "source", "told"],
        {
            **{"students": ints(students), "start": start, "until": until},
            **{"words": list(words), "periods": list(periods)},
        },
    )


def told_by_days(students: Sequence[int] | np.ndarray, start: date, until: date) -> np.ndarray:
    """The students of whom a mark says that they missed something and neither a part, nor minutes, nor periods."""
    found = read_ints(
        f"""
        SELECT DISTINCT m.student_id FROM mark m JOIN LATERAL {meaning("m")} c ON c.absent_fraction > 0
        WHERE m.student_id = ANY(%(students)s) AND m.day BETWEEN %(start)s AND %(until)s
          AND m.fraction IS NULL AND m.minutes IS NULL AND m.period = ''
        """,
        ["student"],
        {"students": ints(students), "start": start, "until": until},
    )
    return found["student"]


def before_unmapped(asked: Columns, words: Sequence[str]) -> Columns:
    """What stood before the whole-day mark of these students, schools and days: the latest first.

    A replaced mark, or presence (code -1) where an earlier delivery claimed it; `arrived` is the day on which the
    mark that stands now was loaded, the same for all rows of a day.
    """
    return read_ints(
        f"""
        WITH now AS (
            SELECT m.id, m.student_id, m.school_id, m.day, m.source_id, m.batch_id,
                   {local_day("m.recorded_at")} - DATE '1970-01-01' AS arrived
            FROM unnest(%(students)s::int[], %(schools)s::int[], %(days)s::int[]) AS a (student_id, school_id, number)
            JOIN mark m ON m.student_id = a.student_id AND m.school_id = a.school_id
                       AND m.day = DATE '1970-01-01' + a.number AND m.period = ''
        )
        SELECT student_id, school_id, day - DATE '1970-01-01', arrived, code, fraction, minutes FROM (
            SELECT n.*, coalesce(array_position(%(words)s::text[], h.code) - 1, -2) AS code,
                   coalesce(h.fraction, -1) AS fraction, coalesce(h.minutes, -1) AS minutes, 0 AS kind, h.id AS nth
            FROM now n JOIN mark_history h ON h.student_id = n.student_id AND h.day = n.day
             AND h.school_id = n.school_id AND h.source_id = n.source_id AND h.period = '' AND h.ended = 'superseded'
             AND h.ended_at > h.recorded_at
            UNION ALL
            SELECT n.*, -1, -1, -1, 1, 0 FROM now n WHERE EXISTS (
                SELECT FROM submission s WHERE s.school_id = n.school_id AND s.day = n.day AND s.feed = 'exception'
                   AND s.batch_id < n.batch_id AND s.ended_at IS NULL AND s.taken)
              OR EXISTS (
                SELECT FROM roll r WHERE r.school_id = n.school_id AND r.day = n.day AND r.batch_id < n.batch_id
                   AND n.student_id = ANY(r.students) AND coalesce(r.replaced_by >= n.batch_id, true))
        ) known ORDER BY student_id, school_id, day, kind, nth DESC
        """,
        ["student", "school", "day", "arrived", "code", "fraction", "minutes"],
        {
            **{f"{name}s": asked[name].tolist() for name in ("student", "school", "day")},
            "words": list(words),
        },
    )


def present(students: np.ndarray, schools: Sequence[int], start: date, until: date, words: Sequence[str]) -> Columns:
    """Who of these a full feed called plainly present, on which day; `code` is its place in `words`, or -1."""
    return read_lists(
        """
        SELECT r.school_id, r.day - DATE '1970-01-01',
               coalesce(array_position(%(words)s::text[], r.code) - 1, -1), array_send(r.students)
        FROM roll r
        WHERE r.school_id = ANY(%(schools)s) AND r.day BETWEEN %(start)s AND %(until)s AND r.replaced_by IS NULL
        """,
        ["school", "day", "code", "student"],
        students,
        {"schools": list(schools), "start": start, "until": until, "words": list(words)},
    )


def contacts(students: Sequence[int] | np.ndarray, start: date) -> Columns:
    """Days on which someone was really reached about these students."""
    return read_ints(
        """
        SELECT DISTINCT student_id, on_day - DATE '1970-01-01' FROM outreach
        WHERE student_id = ANY(%(students)s) AND is_contact AND on_day >= %(start)s
        """,
        ["student", "day"],
        {"students": ints(students), "start": start},
    )


def case_spans(students: Sequence[int] | np.ndarray) -> Columns:
    """When cases were open, once for each owner; and when the barrier had one by name, and a cause that all may see.

    A case that is taken up again has a barrier of its own: a cause that had ended before says nothing of it any more.
    """
    return read_ints(
        f"""
        SELECT c.student_id, e.opened - DATE '1970-01-01', coalesce(e.closed_on - DATE '1970-01-01', {OPEN}),
               CASE WHEN o.id IS NULL THEN {OPEN} ELSE greatest(o.since, k.known) - DATE '1970-01-01' END,
               coalesce(o.until - DATE '1970-01-01', {OPEN})
        FROM support_case c JOIN case_episode e ON e.case_id = c.id
        CROSS JOIN LATERAL (
            SELECT {local_day("min(written_at)")} AS known FROM cause
            WHERE case_id = c.id AND compartment IS NULL
              AND coalesce({local_day("ended_at")} >= e.opened, true)) k
        LEFT JOIN case_owner o ON o.case_id = c.id AND k.known IS NOT NULL
        WHERE c.student_id = ANY(%(students)s) AND c.kind = 'attendance'
          AND coalesce(e.close_reason, '') <> 'taken_back'
        """,
        ["student", "opened", "closed", "owned", "owned_until"],
        {"students": ints(students)},
    )


def prior_year(students: Sequence[int] | np.ndarray, names: Sequence[str]) -> Columns:
    """Totals in mils of the school year that files call by one of these names."""
    return read_ints(
        """
        SELECT DISTINCT ON (student_id) student_id, enrolled, absent FROM prior_year
        WHERE student_id = ANY(%(students)s) AND school_year = ANY(%(names)s) ORDER BY student_id, school_year
        """,
        ["student", "enrolled", "absent"],
        {"students": ints(students), "names": list(names)},
    )


def with_flag(students: Sequence[int] | np.ndarray, key: str) -> np.ndarray:
    """The students who have a restricted flag. For rules only: never for a screen."""
    found = read_ints(
        "SELECT student_id FROM support_flag WHERE student_id = ANY(%(students)s) AND key = %(key)s",
        ["student"],
        {"students": ints(students), "key": key},
    )
    return found["student"]


def feeds_flag(key: str) -> bool:
    """Whether the roster feeds this flag at all; if not, a rule on it is "not fed" and never fires."""
    found = text("SELECT EXISTS (SELECT FROM support_flag WHERE key = :key)")
    return bool(db.session.scalar(found, {"key": key}))
