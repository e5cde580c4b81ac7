"""The attendance of some students as it was known on an evening of the past, laid over the tables as `rewound` does it.

Two ways, for two kinds of school years. Where a year was followed as it went, a row counts from the moment it was
received. Where it was loaded afterwards everything was received at once, and a mark counts from the moment its own
system says it was changed last; a day of which something was said only later is unknown then, and never present.

Which ids are one child is read as it is known now: it says of whom a row speaks, and not what happened.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from models.attendance import UNREAD
from models.marks import MARK
from models.rewound import (
    CLAIMS,
    ENDED_MARKS,
    INDEXES,
    LEDGER,
    MARKS,
    OWN_SOURCES,
    ROLLS,
    SET_OWN_SOURCES,
    as_it_was,
    lay,
    run,
)

_ROSTER = ("student", "stint", "school", "calendar_day", "absence_code", "class_period")
_DAYS = "day BETWEEN :start AND :until"
_THESE = f"student_id = ANY(:students) AND {_DAYS}"
_ROLL_DAYS = f"{_DAYS} AND students && CAST(:students AS int[])"
# Whose an enrolment is follows from the id it was sent under, and from whom that id is read as now.
_ONE_CHILD = (
    "UPDATE pg_temp.student t SET same_as = n.same_as FROM public.student n WHERE n.id = t.id",
    """
    UPDATE pg_temp.stint t SET student_id = coalesce(n.same_as, n.id),
           former_id = CASE WHEN n.same_as IS NULL THEN 0 ELSE n.id END
    FROM public.student n WHERE n.id = CASE t.former_id WHEN 0 THEN t.student_id ELSE t.former_id END
    """,
)

_KEY = "student_id, school_id, day, period, source_id"
_SAID = "code, fraction, minutes, section_key, reason, last_modified, modified_by, batch_id, file, line, recorded_at"
# Each version of a mark that stands now, in the order in which they were received; it holds from the latest moment
# that it or an earlier one names, and from its day on where none names any.
_VERSIONS = f"""
    SELECT v.*, max(coalesce(last_modified, '-infinity')) OVER (
        PARTITION BY {_KEY} ORDER BY stands, recorded_at, id ROWS UNBOUNDED PRECEDING) AS holds
    FROM (
        SELECT id, {MARK}, 1 AS stands FROM mark WHERE {_THESE}
        UNION ALL
        SELECT h.id, {", ".join(f"h.{name}" for name in MARK.split(", "))}, 0 FROM mark_history h
        WHERE h.student_id = ANY(:students) AND h.day BETWEEN :start AND :until AND h.ended = 'superseded'
          AND EXISTS (SELECT FROM mark m WHERE {" AND ".join(f"m.{name} = h.{name}" for name in _KEY.split(", "))})
    ) v
"""
# Who was called present by then; a roll tells of each student when the row was changed.
_CALLED = """
    SELECT r.id, r.batch_id, r.source_id, r.school_id, r.day, r.code, r.file, k.students, k.lines,
           NULL::bigint[] AS modified, r.recorded_at, r.replaced_by, r.ended_at
    FROM roll r CROSS JOIN LATERAL (
        SELECT array_agg(one.student) AS students, array_agg(one.line) AS lines
        FROM unnest(r.students, r.lines, r.modified) AS one (student, line, modified)
        WHERE one.student = ANY(:students)
          AND (coalesce(one.modified, 0) = 0 OR to_timestamp(one.modified / 1e6) <= :moment)
    ) k
    WHERE {days} AND r.replaced_by IS NULL AND k.students IS NOT NULL
"""
# What was said of a day for the first time only later leaves it unread, unless a roll called the student present.
_STOOD = f"""
    WITH version AS ({_VERSIONS}), stood AS (
        SELECT DISTINCT ON ({_KEY}) id, {MARK} FROM version WHERE holds <= :moment
        ORDER BY {_KEY}, stands DESC, recorded_at DESC, id DESC
    ), unread AS (
        SELECT v.* FROM version v WHERE v.stands = 1 AND NOT EXISTS (
            SELECT FROM stood s WHERE {" AND ".join(f"s.{name} = v.{name}" for name in _KEY.split(", "))})
          AND NOT (v.period = '' AND EXISTS (
            SELECT FROM pg_temp.roll r WHERE r.school_id = v.school_id AND r.day = v.day AND r.source_id = v.source_id
               AND v.student_id = ANY(r.students)))
    )
    SELECT id, {_KEY}, {_SAID} FROM stood
    UNION ALL
    SELECT id, {_KEY}, '{UNREAD}', NULL, NULL, section_key, NULL, NULL, NULL, batch_id, file, line, recorded_at
    FROM unread
"""
_ENDED = f"SELECT * FROM mark_history WHERE {_THESE} AND coalesce(last_modified <= :moment, true)"


def as_received(moment: datetime, students: Sequence[int], start: date, until: date) -> None:
    """Lay what had been received by then of these ids' days over the tables until the open transaction ends."""
    asked = {"moment": moment, "students": list(students), "start": start, "until": until}
    run("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
    lay("own_source", OWN_SOURCES, asked)
    for table in _ROSTER:
        days = {"calendar_day": f"r.{_DAYS}"}.get(table, "true")
        lay(table, as_it_was(table, some=True, only=days), asked)
    run(SET_OWN_SOURCES)
    for statement in _ONE_CHILD:
        run(statement)
    lay("mark", MARKS.format(these=_THESE), asked)
    lay("mark_history", ENDED_MARKS.format(these=_THESE), asked)
    lay("roll", ROLLS.format(rolls=_ROLL_DAYS), asked)
    lay("submission", f"{CLAIMS} AND {_DAYS}", asked)
    lay("school_day", LEDGER, asked)
    _end("own_source", *_ROSTER, "mark", "mark_history", "roll", "submission", "school_day")


def as_modified(moment: datetime, students: Sequence[int], start: date, until: date) -> None:
    """The same for a year that was loaded afterwards: each mark as its own system had it then."""
    asked = {"moment": moment, "students": list(students), "start": start, "until": until}
    run("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
    lay("roll", _CALLED.format(days=f"r.{_DAYS}"), asked)
    lay("mark", _STOOD, asked)
    lay("mark_history", _ENDED, asked)
    _end("mark", "mark_history", "roll")


def _end(*tables: str) -> None:
    for table in tables:
        if table in INDEXES:
            run(f"CREATE INDEX ON pg_temp.{table} ({INDEXES[table]})")
        run(f"ANALYZE pg_temp.{table}")
    run("DISCARD PLANS")
    run("SET TRANSACTION READ ONLY")
