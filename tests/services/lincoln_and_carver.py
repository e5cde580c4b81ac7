"""Two schools in their first weeks, and attendance files as people write them by hand."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from sqlalchemy import text

from ew_app.kernel import OPERATOR, transaction
from ew_app.services.deliveries import ingest
from models.base import db
from models.org import AbsenceCode, CalendarDay, Network, School
from models.people import Stint, Student

FIRST_DAY = date(2026, 8, 17)  # a Monday
LABOR_DAY = date(2026, 9, 7)
LINCOLN = ("ana", "ben", "cleo", "dev", "eli")
CARVER = ("fay", "gus", "hana")
CODES = {
    "P": ("present", 0, "unknown"),
    "A": ("absence", 1000, "unexcused"),
    "E": ("absence", 1000, "excused"),
    "T": ("tardy", 0, "unknown"),
}
HEADER = "student_id,school_id,date,code"


def build() -> None:
    """Lincoln with five students, Carver with three, weekdays until Christmas, four codes."""
    with transaction():
        network = Network(key="N", name="North")
        for key, names in (("lincoln", LINCOLN), ("carver", CARVER)):
            school = School(key=key, name=key.capitalize(), network=network)
            db.session.add(school)
            for name in names:
                enrol(name, school)
            db.session.flush()
            db.session.add_all(_calendar(school.id))
        for code, (kind, fraction, excused) in CODES.items():
            db.session.add(AbsenceCode(code=code, kind=kind, absent_fraction=fraction, excused=excused))


def enrol(name: str, school: School, since: date = FIRST_DAY, until: date | None = None, calendar: str = "") -> None:
    """A new student at a school."""
    student = Student(key=name, first_name=name.capitalize(), last_name="Reyes")
    db.session.add(Stint(student=student, school=school, entry_date=since, exit_date=until, calendar_key=calendar))


def school_named(key: str) -> School:
    return db.session.query(School).filter_by(key=key).one()


def _calendar(school_id: int) -> list[CalendarDay]:
    days = [FIRST_DAY + timedelta(days=n) for n in range(126)]
    return [
        CalendarDay(
            school_id=school_id,
            calendar_key="",
            day=day,
            day_type="holiday" if day == LABOR_DAY else "instructional",
            weight=1000,
        )
        for day in days
        if day.weekday() < 5
    ]


def csv(*rows: str, header: str = HEADER) -> bytes:
    """A file of these rows; `ana lincoln 08-17 A` stands for ana,lincoln,2026-08-17,A."""
    lines = [",".join(_long(cell) for cell in row.split()) for row in rows]
    return "\n".join([header, *lines, ""]).encode()


def _long(cell: str) -> str:
    short_date = len(cell) == 5 and cell[2] == "-" and cell[:2].isdigit()
    return f"2026-{cell}" if short_date else cell.replace("_", "")


def everyone(day: str, **said: str) -> list[str]:
    """A full day: P for all but those who are named with another code."""
    lincoln = [f"{name} lincoln {day} {said.get(name, 'P')}" for name in LINCOLN]
    return lincoln + [f"{name} carver {day} {said.get(name, 'P')}" for name in CARVER]


def covers(*rows: str) -> bytes:
    """covers.csv or submitted.csv of rows like `lincoln 08-17`."""
    return csv(*rows, header="school_id,date")


def load(*rows: str, header: str = HEADER, **more: Any) -> dict[str, Any]:
    """Load an attendance file of these rows and tell what became of it."""
    return load_files({"attendance.csv": csv(*rows, header=header)}, **more)


def load_files(files: dict[str, bytes], **more: Any) -> dict[str, Any]:
    """Load these files as one delivery; claims by their names."""
    batch = ingest.receive(kind="attendance", files=files, by=OPERATOR, **{"name": "attendance"} | more)
    ingest.load(batch)
    told = ingest.describe(batch)
    assert_identity(told)
    return told


def assert_identity(told: dict[str, Any]) -> None:
    """rows_in = applied + unchanged + superseded + rejected + duplicate."""
    buckets = ("applied", "unchanged", "superseded", "rejected", "duplicate")
    if told["status"] != "refused":
        assert told["rows_in"] == sum(told[bucket] for bucket in buckets), told


def counts(told: dict[str, Any], *names: str) -> tuple[Any, ...]:
    """Some counts of a batch."""
    return tuple(told[name] for name in names)


def standing() -> dict[str, str]:
    """What stands: `ana 08-17` -> code, a period behind the day; roll presence as its code."""
    with transaction():
        rows = db.session.execute(
            text("""
                SELECT s.key, r.day, '' AS period, r.code, 0 AS rank FROM roll r, unnest(r.students) AS one (id)
                JOIN student s ON s.id = one.id WHERE r.replaced_by IS NULL
                UNION ALL
                SELECT s.key, m.day, m.period, m.code, 1 FROM mark m JOIN student s ON s.id = m.student_id
                ORDER BY rank
            """)
        )
        return {f"{key} {day:%m-%d} {period}".strip(): code for key, day, period, code, _ in rows}


def query(statement: str, **parameters: Any) -> list[tuple[Any, ...]]:
    """The rows of a query as tuples."""
    with transaction():
        return [tuple(row) for row in db.session.execute(text(statement), parameters)]
