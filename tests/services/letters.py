"""School years written in letters, put straight into the tables: what a test says is what stands there.

`P` present, `A` unexcused, `E` excused, `H` half a day unexcused, `T` tardy, `?` a code nobody knows,
`B` homebound, `-` the school did not submit that day. Days are the weekdays from 24 Aug 2026 on.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta

from sqlalchemy import text

from ew_app.kernel import transaction
from models.base import db
from models.bulk import copy_in

FIRST_DAY = date(2026, 8, 24)
CODES = {  # code: kind, fraction, excused
    "A": ("absence", 1000, "unexcused"),
    "E": ("absence", 1000, "excused"),
    "H": ("absence", 500, "unexcused"),
    "T": ("tardy", 0, "unknown"),
    "B": ("homebound", 0, "exempt"),
    "P": ("present", 0, "exempt"),
}


def weekdays(count: int, start: date = FIRST_DAY) -> list[date]:
    """The first `count` weekdays from `start` on."""
    days = (start + timedelta(days=n) for n in range(count * 7 // 5 + 7))
    return [day for day in days if day.weekday() < 5][:count]


def school(key: str, *, network: str = "N1", days: int = 60) -> int:
    """A school with `days` instructional weekdays; nothing is submitted yet."""
    with transaction():
        _district(network)
        number = db.session.scalar(
            text("""
                INSERT INTO school (key, name, network_id, level, day_minutes, min_full_minutes, min_half_minutes,
                                    source_id)
                SELECT :key, initcap(:key), n.id, '', 420, 300, 150, s.id FROM network n, source s
                WHERE n.key = :network RETURNING id
            """),
            {"key": key, "network": network},
        )
        dates = weekdays(days)
        copy_in(
            "calendar_day",
            {
                "school_id": [number] * days,
                "calendar_key": [""] * days,
                "day": dates,
                "day_type": ["instructional"] * days,
                "weight": [1000] * days,
            },
        )
    return int(number)


def _district(network: str) -> None:
    db.session.execute(
        text("INSERT INTO network (key, name) VALUES (:key, :key) ON CONFLICT DO NOTHING"), {"key": network}
    )
    if db.session.scalar(text("SELECT count(*) FROM source")):
        return
    db.session.execute(text("INSERT INTO source (name, feed, exit_inclusive) VALUES ('default', 'exception', true)"))
    db.session.execute(
        text("""
            INSERT INTO batch (kind, source_id, feed, status, name, sha256, received_at, received_by, accept_held,
                               preview, options, counts, effect, sentence, percent, step)
            SELECT 'attendance', id, 'exception', 'applied', 'letters', '', now(), 'test', false, false, '{}', '{}',
                   '{}', '', 100, '' FROM source
        """)
    )
    for code, (kind, fraction, excused) in CODES.items():
        db.session.execute(
            text("""
                INSERT INTO absence_code (code, title, kind, absent_fraction, excused)
                VALUES (:code, :code, :kind, :fraction, :excused)
            """),
            {"code": code, "kind": kind, "fraction": fraction, "excused": excused},
        )


def student(key: str, at: int, *, entry: date = FIRST_DAY, exit: date | None = None, grade: str = "7") -> int:
    """A student with one enrolment; call again with another school for a transfer."""
    with transaction():
        number = db.session.scalar(
            text("""
                INSERT INTO student (key, first_name, last_name, grade, homeroom, bus_route, household_key,
                                     home_language, interpreter, race_ethnicity)
                VALUES (:key, :key, 'Test', :grade, '', '', '', '', false, '')
                ON CONFLICT (key) DO UPDATE SET grade = excluded.grade RETURNING id
            """),
            {"key": key, "grade": grade},
        )
        db.session.execute(
            text("""
                INSERT INTO stint (student_id, school_id, entry_date, exit_date, exit_code, grade, calendar_key)
                VALUES (:student, :school, :entry, :exit, '', :grade, '')
            """),
            {"student": number, "school": at, "entry": entry, "exit": exit, "grade": grade},
        )
    return int(number)


def close(at: int, days: list[date]) -> None:
    """The school has no school on these days."""
    with transaction():
        db.session.execute(
            text("DELETE FROM calendar_day WHERE school_id = :school AND day = ANY(:days)"),
            {"school": at, "days": days},
        )


def submit(at: int, days: list[date], *, feed: str = "exception") -> None:
    """The school submitted these days."""
    with transaction():
        for day in days:
            db.session.execute(
                text("""
                    INSERT INTO school_day (school_id, day, status, feed, rows, expected, absences)
                    VALUES (:school, :day, 'submitted', :feed, 0, 0, 0)
                    ON CONFLICT (school_id, day) DO UPDATE SET status = 'submitted'
                """),
                {"school": at, "day": day, "feed": feed},
            )


def mark(who: int, at: int, day: date, code: str) -> None:
    """Set one whole-day mark; `P` takes it away as a correction would."""
    with transaction():
        db.session.execute(
            text("DELETE FROM mark WHERE student_id = :who AND school_id = :at AND day = :day"),
            {"who": who, "at": at, "day": day},
        )
        if code != "P":
            db.session.execute(
                text("""
                    INSERT INTO mark (school_id, student_id, day, period, source_id, code, batch_id, file, line)
                    SELECT :at, :who, :day, '', s.id, :code, b.id, 0, 2 FROM source s, batch b LIMIT 1
                """),
                {"who": who, "at": at, "day": day, "code": code},
            )


def year(at: int, letters: Mapping[str, str]) -> dict[str, int]:
    """Students of one school from their letters, spaces ignored; a day is submitted unless all say `-`."""
    rows = {key: said.replace(" ", "") for key, said in letters.items()}
    length = max(map(len, rows.values()))
    days = weekdays(length)
    submit(at, [day for n, day in enumerate(days) if any(said[n : n + 1] not in ("", "-") for said in rows.values())])
    students = {}
    for key, said in rows.items():
        students[key] = student(key, at)
        for day, code in zip(days, said, strict=False):
            if code not in "P-":
                mark(students[key], at, day, code)
    return students
