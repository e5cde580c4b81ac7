"""Plain rows as the CSV files a district would send, in the many ways such files are written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from random import Random

from tests.oracle.rows import CalendarDay, Code, Row, School, SchoolDay, Session, Stint

DAYS = 1000


def _text(value: object) -> str:
    return "" if value is None else str(value)


def _days(mils: int | None) -> str:
    return "" if mils is None else f"{mils / DAYS:.3f}".rstrip("0").rstrip(".")


def csv(header: str, lines: Iterable[Sequence[object]], chance: Random | None = None) -> bytes:
    """Comma separated; with a `chance` also a byte order mark, Windows line ends, or no last newline."""
    rows = [header, *(",".join(_text(cell) for cell in line) for line in lines)]
    if chance is None:
        return ("\n".join(rows) + "\n").encode()
    end = chance.choice(["\n", "\n", "\r\n"])
    last = chance.choice([end, ""])
    mark = chance.choice([b"", b"\xef\xbb\xbf"])
    return mark + (end.join(rows) + last).encode()


def schools(rows: Iterable[School]) -> bytes:
    header = "school_id,name,network_id,network_name,day_minutes,min_full_minutes,min_half_minutes"
    return csv(header, ((s.key, f"School {s.key}", "1", "N", s.day_minutes, s.min_full, s.min_half) for s in rows))


def schedule(rows: Iterable[School]) -> bytes:
    lines = ((s.key, period, minutes or 30, "yes" if minutes else "no") for s in rows for period, minutes in s.periods)
    return csv("school_id,period,minutes,counts", lines)


def students(keys: Iterable[str], people: Mapping[str, tuple[str, date | None]]) -> bytes:
    """Two and two share the state's id and the name; what tells them apart is the id of the district alone."""
    header = "student_id,first_name,last_name,grade,birth_date,state_id"
    numbers = ((key, int(key.lstrip("n")) // 2) for key in keys)
    return csv(header, ((key, f"Ann {two}", "Reyes", *people.get(key, ("", None)), two) for key, two in numbers))


def sessions(rows: Iterable[Session]) -> bytes:
    header = "school_id,session,begin_date,end_date,instructional_days"
    return csv(header, ((s.school, s.name, s.begin, s.end, s.days) for s in rows))


def enrollments(rows: Iterable[Stint]) -> bytes:
    header = "student_id,school_id,entry_date,exit_date,exit_code,calendar_id"
    return csv(header, ((s.student, s.school, s.entry, s.exit, s.exit_code, s.calendar) for s in rows))


def calendar(rows: Iterable[CalendarDay]) -> bytes:
    header = "school_id,calendar_id,date,day_type,day_value,day_minutes"
    return csv(header, ((d.school, d.calendar, d.date, d.day_type, _days(d.value), d.minutes) for d in rows))


def codes(rows: Iterable[Code]) -> bytes:
    header = "school_id,code,title,kind,absent_fraction,excused,valid_from,valid_to"
    return csv(
        header,
        (
            (c.school, c.code, f"Code {c.code}", c.kind, _days(c.fraction), c.excused, c.valid_from, c.valid_to)
            for c in rows
        ),
    )


def attendance(rows: Iterable[Row], chance: Random) -> bytes:
    header = "student_id,school_id,date,code,fraction_absent,minutes_absent,period,last_modified"
    return csv(
        header,
        (
            (
                row.student,
                row.school,
                f"{row.date.year:04d}-{row.date:%m-%d}{row.clock}",
                row.code,
                _days(row.fraction),
                row.minutes,
                row.period,
                row.last_modified.isoformat() if row.last_modified else chance.choice(["", "", "NULL", "\\N"]),
            )
            for row in rows
        ),
        chance,
    )


def school_days(days: Iterable[SchoolDay]) -> bytes:
    return csv("school_id,date", sorted(days))
