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
# A mark that was changed later gives way to the last version of it that was not; what was said of a day for the first
# time only later leaves it unread, unless a roll called the student present. Without a moment it holds from its day.
_STOOD = f"""
    SELECT id, {_KEY}, {_SAID} FROM mark WHERE {_THESE} AND coalesce(last_modified <= :moment, true)
    UNION ALL
    SELECT m.id, {", ".join(f"m.{name}" for name in _KEY.split(", "))},
           CASE WHEN h.id IS NULL THEN '{UNREAD}' ELSE h.code END, h.fraction, h.minutes,
           coalesce(h.section_key, m.section_key), h.reason, h.last_modified, h.modified_by, m.batch_id, m.file, m.line,
           m.recorded_at
    FROM mark m LEFT JOIN LATERAL (
        SELECT h.* FROM mark_history h
        WHERE {" AND ".join(f"h.{name} = m.{name}" for name in _KEY.split(", "))} AND h.ended = 'superseded'
          AND coalesce(h.last_modified <= :moment, true)
        ORDER BY h.recorded_at DESC, h.id DESC LIMIT 1) h ON true
    WHERE m.student_id = ANY(:students) AND m.day BETWEEN :start AND :until AND m.last_modified > :moment
      AND (h.id IS NOT NULL OR m.period <> '' OR NOT EXISTS (
        SELECT FROM pg_temp.roll r WHERE r.school_id = m.school_id AND r.day = m.day AND r.source_id = m.source_id
           AND m.student_id = ANY(r.students)))
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
    run("SET LOCAL default_statistics_target = 10")  # a rough idea of them is enough, and each look at them is new
    for table in tables:
        if table in INDEXES:
            run(f"CREATE INDEX ON pg_temp.{table} ({INDEXES[table]})")
        run(f"ANALYZE pg_temp.{table}")
    run("DISCARD PLANS")
    run("SET TRANSACTION READ ONLY")
