"""What the night looks for in the records, one function a check, set-based over the whole district.

A check is a SELECT of rows (school_id, student, day, words, rows, batch, line): the school's id or NULL where a row
belongs to none, the student's key, and what there is to say in a few words. What Fix data lists already is asked of
its list, so that both count the same.

Parameters of all: those of `models.queries.fixing`, for the whole district; and :most_days (school days a year can
have), :old (days after which an entry date is taken for a mistake).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import text

from models.base import db
from models.queries.fixing import LISTS
from models.queries.lateness import BETWEEN, LACKING

EXAMPLES: Final = 10

Parameters = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Seen:
    """What a check found at one school: how many rows, and the first few of them."""

    school_id: int | None
    count: int
    examples: list[dict[str, Any]]


def seen(rows: str, parameters: Parameters) -> list[Seen]:
    """The rows of a check, counted and with examples by school, the newest day first."""
    query = f"""
        SELECT school_id, sum(rows)::int AS rows, jsonb_agg(example ORDER BY place) FILTER (WHERE place <= {EXAMPLES})
        FROM (
            SELECT school_id, rows, jsonb_strip_nulls(jsonb_build_object(
                       'student', student, 'day', day, 'words', words, 'batch', batch, 'line', line)) AS example,
                   row_number() OVER (PARTITION BY school_id ORDER BY day DESC NULLS LAST, student, words) AS place
            FROM ({rows}) found) placed
        GROUP BY school_id
    """
    used = {name: value for name, value in parameters.items() if f":{name}" in query}
    return [Seen(*row) for row in db.session.execute(text(query), used)]


def _listed(name: str, parameters: Parameters, **columns: str) -> list[Seen]:
    """The rows of a list of Fix data, `l`; columns: what stands for each of ours."""
    words = {"student": "NULL", "day": "NULL::date", "rows": "1", "batch": "NULL::int", "line": "NULL::int", **columns}
    school = words.pop("school", "s.id")
    joined = "LEFT JOIN school s ON s.key = l.school_id" if school == "s.id" else ""
    told = ", ".join(f"{expression} AS {column}" for column, expression in words.items())
    return seen(f"SELECT {school} AS school_id, {told} FROM ({LISTS[name]}) l {joined}", parameters)


# -- what Fix data lists too ---------------------------------------------------------------------------------------


def unknown_codes(of: Parameters) -> list[Seen]:
    return _listed("unknown_codes", of, day="l.last_day", words="l.code", rows="l.rows")


def unread_rows(of: Parameters) -> list[Seen]:
    words = "'a row that cannot be read'"
    return _listed("unread_rows", of, student="l.student_id", day="l.day", words=words, batch="l.batch", line="l.line")


def unmatched(of: Parameters) -> list[Seen]:
    """Rows that belong to no roster row, of attendance and of the newest roster."""
    words = "replace(l.what, '_', ' ') || ' ' || l.value"
    return _listed("unmatched", of, school="NULL::int", words=words, rows="l.rows", batch="l.batch", line="l.line")


def late_schools(of: Parameters) -> list[Seen]:
    """Rows are school days of which nothing came: those since the last that did, and each between days that came."""
    return seen(
        f"""
        SELECT s.id AS school_id, NULL AS student, l.data_through AS day,
               CASE WHEN l.data_through IS NULL THEN 'nothing came yet' ELSE 'came last' END AS words,
               l.school_days_late AS rows, NULL::int AS batch, NULL::int AS line
        FROM ({LACKING}) l JOIN school s ON s.key = l.school_id WHERE l.school_days_late > 0
        UNION ALL
        SELECT b.school_id, NULL, b.day, 'nothing came of this day', 1, NULL, NULL FROM ({BETWEEN}) b
        """,
        of,
    )


def no_calendar(of: Parameters) -> list[Seen]:
    words = "CASE l.calendar_id WHEN '' THEN 'the school''s calendar' ELSE 'calendar ' || l.calendar_id END"
    return _listed("no_calendar", of, words=words, rows="l.students")


def off_calendar(of: Parameters) -> list[Seen]:
    return _marked("off_calendar", of)


def not_enrolled(of: Parameters) -> list[Seen]:
    return _marked("not_enrolled", of)


def _marked(name: str, of: Parameters) -> list[Seen]:
    return _listed(name, of, student="l.student_id", day="l.day", words="l.code", batch="l.batch", line="l.line")


def did_not_arrive(of: Parameters) -> list[Seen]:
    words = "CASE l.exit_code WHEN '' THEN 'left before the first day' ELSE l.exit_code END"
    return _listed("did_not_arrive", of, student="l.student_id", day="l.entry_date", words=words)


def odd_stints(of: Parameters) -> list[Seen]:
    return _listed("odd_stints", of, student="l.student_id", day="l.entry_date", words="l.why")


def two_sources(of: Parameters) -> list[Seen]:
    words = "l.code || ' in ' || l.source || ', ' || l.other_code || ' in ' || l.other_source"
    return _listed("two_sources", of, student="l.student_id", day="l.day", words=words)


def same_child(of: Parameters) -> list[Seen]:
    return _listed("same_child", of, school="NULL::int", words="l.student_ids")


def nowhere(of: Parameters) -> list[Seen]:
    return _listed("nowhere", of, school="NULL::int", student="l.student_id", words="'no enrolment'")
