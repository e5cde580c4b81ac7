"""A small district of several school years for tests of the optional risk model, put straight into the tables.

Who was often absent is often absent again, and who is often late is a little more so. Years were followed as they went
(every row received on its evening) unless said otherwise. The running year is 2026-27.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import numpy as np
from sqlalchemy import text

from ew_app.kernel import transaction
from models.base import db
from models.bulk import copy_in
from tests.services import letters

CHICAGO = ZoneInfo("America/Chicago")
TAUGHT = 170  # school days a year
RUNNING = 2026


def school_days(year: int, count: int = TAUGHT) -> list[date]:
    """The school days of the year that begins in the August of `year`."""
    return letters.weekdays(count, date(year, 8, 24))


def evening_of(day: date) -> datetime:
    """Six o'clock that day."""
    return datetime.combine(day, time(18), CHICAGO)


@dataclass
class District:
    """Its schools and students, by number."""

    schools: list[int] = field(default_factory=list)
    students: list[int] = field(default_factory=list)
    school_of: dict[int, int] = field(default_factory=dict)


def build(
    *,
    years: tuple[int, ...] = (2023, 2024, 2025),
    schools: int = 2,
    each: int = 40,
    today: date | None = None,
    afterwards: tuple[int, ...] = (),
    seed: int = 7,
) -> District:
    """The district with `each` students a school through all these years and the running one, up to `today`."""
    rng, made = np.random.default_rng(seed), District()
    for nth in range(schools):
        made.schools.append(letters.school(f"school{nth}", days=1))
    letters.close(made.schools[0], letters.weekdays(1))
    for school in made.schools[1:]:
        letters.close(school, letters.weekdays(1))
    for number in range(schools * each):
        school = made.schools[number % schools]
        student = letters.student(f"s{number:04}", school, entry=date(min(years), 8, 1), grade=str(3 + number % 6))
        made.students.append(student)
        made.school_of[student] = school
    habit = rng.beta(0.9, 8.0, len(made.students))
    for year in (*years, *([RUNNING] if today else [])):
        days = school_days(year)
        put_calendar(made, days)
        told = [day for day in days if today is None or day <= today]
        put_year(made, told, np.clip(habit + rng.normal(0, 0.02, len(habit)), 0, 0.9), rng, year in afterwards)
    return made


def put_calendar(made: District, days: list[date]) -> None:
    """These days are taught at every school."""
    with transaction():
        for school in made.schools:
            copy_in("calendar_day", {
                "school_id": [school] * len(days), "calendar_key": [""] * len(days), "day": days,
                "day_type": ["instructional"] * len(days), "weight": [1000] * len(days),
            })  # fmt: skip


def put_year(made: District, days: list[date], share: np.ndarray, rng: np.random.Generator, afterwards: bool) -> None:
    """Each student absent with their own share of the days and late a little more often."""
    drawn = rng.random((len(made.students), len(days)))
    late = rng.random(drawn.shape) < share[:, None] * 0.6
    codes = np.where(drawn < share[:, None] * 0.6, "A", np.where(drawn < share[:, None], "E", np.where(late, "T", "")))
    row, column = np.nonzero(codes != "")
    with transaction():
        source, batch = db.session.execute(text("SELECT s.id, b.id FROM source s, batch b LIMIT 1")).one()
        received = {day: evening_of(date(day.year + 3, 7, 15) if afterwards else day) for day in days}
        copy_in("mark", {
            "school_id": [made.school_of[made.students[n]] for n in row], "student_id": [made.students[n] for n in row],
            "day": [days[n] for n in column], "period": [""] * len(row), "source_id": [source] * len(row),
            "code": codes[row, column].tolist(), "last_modified": [evening_of(days[n]) for n in column],
            "batch_id": [batch] * len(row), "file": [0] * len(row), "line": [2] * len(row),
            "recorded_at": [received[days[n]] for n in column],
        })  # fmt: skip
        every = [(school, day) for school in made.schools for day in days]
        copy_in("school_day", {
            "school_id": [school for school, _ in every], "day": [day for _, day in every],
            "status": ["submitted"] * len(every), "feed": ["exception"] * len(every), "rows": [0] * len(every),
            "expected": [0] * len(every), "absences": [0] * len(every),
        })  # fmt: skip
        copy_in("submission", {
            "school_id": [school for school, _ in every], "day": [day for _, day in every],
            "batch_id": [batch] * len(every), "feed": ["exception"] * len(every), "rows": [0] * len(every),
            "whole": [False] * len(every), "taken": [True] * len(every),
            "recorded_at": [received[day] for _, day in every],
        })  # fmt: skip
        db.session.execute(text("UPDATE school SET source_id = :source"), {"source": source})


def run(statement: str, **parameters: object) -> None:
    """Change a table behind the program's back."""
    with transaction():
        db.session.execute(text(statement), parameters)


def next_day(day: date, days: int = 1) -> date:
    return day + timedelta(days=days)
