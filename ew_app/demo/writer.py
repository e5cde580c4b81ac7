"""Writes an invented district as files, the last day apart as today's delivery."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Literal

import numpy as np

from ew_app.demo import roster_files as roster
from ew_app.demo.attendance_files import AttendanceFiles
from ew_app.demo.causes import Code, mark_days
from ew_app.demo.district import Children, School, build_children, build_schools
from ew_app.demo.people import COLUMNS as PEOPLE_COLUMNS
from ew_app.demo.people import one_login_per_role, people_rows
from ew_app.demo.school_year import SchoolYear, taught_days

Feed = Literal["exception", "full"]


@dataclass(frozen=True, slots=True)
class Summary:
    """What was written. Shares are of enrolled days, as known at the end of the last day."""

    folder: Path
    first_day: date
    last_day: date
    days: int
    students: int
    rows: dict[str, int]
    absence_rate: float
    chronic_by_school: dict[str, float]
    logins: dict[str, str]
    not_submitted: dict[str, list[date]]
    unknown_code_rows: int


def write_district(
    out_dir: Path,
    *,
    networks: int = 3,
    schools: int = 12,
    students: int = 6000,
    days: int = 60,
    years: int = 1,
    last_day: date | None = None,
    seed: int = 2026,
    feed: Feed = "exception",
    by_day: bool = False,
    parts: Sequence[date] = (),
) -> Summary:
    """Write the district into `out_dir` (made if need be); the same arguments give the same bytes.

    years: how many school years of daily attendance, the earlier ones whole. feed: what attendance.csv holds.
    by_day: instead of one attendance.csv, a dated file (and dated covers) a day under days/.
    parts: beside it, the same in parts up to each of these school days, under parts/, and under late/ what a school
    that is late has sent by itself.
    ValueError with a sentence if the numbers do not make a district.
    """
    _check(networks, schools, students, years)
    taught = taught_days(days, last_day)
    rng = np.random.default_rng(seed)
    built = build_schools(rng, networks, schools)
    children = build_children(rng, built, students, len(taught))
    marks = mark_days(rng, children, built, taught)
    files = AttendanceFiles(children, built, taught, marks, feed)
    year = SchoolYear(taught[-1].year if taught[-1].month >= 8 else taught[-1].year - 1)
    past = _earlier_years(rng, children, built, year, years, feed)
    out_dir.mkdir(parents=True, exist_ok=True)
    people = people_rows(built, date(year.year, 7, 1))
    rows = _write_roster(out_dir, children, built, taught, year, past, files.shares(), rng)
    rows["people"] = write_csv(out_dir / "people.csv", PEOPLE_COLUMNS, people)
    rows |= files.write_by_day(out_dir, past) if by_day else files.write(out_dir, past)
    if parts:
        files.write_parts(out_dir, parts)
        files.write_late(out_dir)
    return Summary(
        folder=out_dir,
        first_day=taught[0],
        last_day=taught[-1],
        days=len(taught),
        students=students,
        rows=rows,
        absence_rate=files.absence_rate(),
        chronic_by_school=files.chronic_by_school(),
        logins=one_login_per_role(people),
        not_submitted=files.not_submitted(),
        unknown_code_rows=int(np.count_nonzero(files.marks.first == Code.UNKNOWN)),
    )


def write_csv(path: Path, columns: Sequence[str], rows: Iterable[Iterable[object]]) -> int:
    """Write a file with this header; how many rows it has."""
    count = 0

    def counted() -> Iterator[Iterable[object]]:
        nonlocal count
        for row in rows:
            count += 1
            yield row

    with path.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(counted())
    return count


def _check(networks: int, schools: int, students: int, years: int) -> None:
    if networks < 1 or schools < networks:
        raise ValueError("A district needs at least one network and a school in each.")
    if students < schools * 10:
        raise ValueError(f"{schools} schools need at least {schools * 10} students.")
    if years < 1:
        raise ValueError("A demo covers at least one school year.")
    if years > 4:
        raise ValueError("A demo covers at most four school years.")


def _earlier_years(
    rng: np.random.Generator,
    children: Children,
    schools: list[School],
    year: SchoolYear,
    years: int,
    feed: Feed,
) -> list[AttendanceFiles]:
    """Whole earlier school years of the same children, oldest first; those who were too young are left out."""
    found = []
    for back in range(years - 1, 0, -1):
        days = SchoolYear(year.year - back).school_days
        earlier = children.earlier(back, schools)
        found.append(AttendanceFiles(earlier, schools, days, mark_days(rng, earlier, schools, days), feed))
    return found


def _write_roster(
    folder: Path,
    children: Children,
    schools: list[School],
    taught: list[date],
    year: SchoolYear,
    past: list[AttendanceFiles],
    shares: Sequence[float],
    rng: np.random.Generator,
) -> dict[str, int]:
    earlier = [SchoolYear(year.year - back) for back in range(len(past), 0, -1)]
    enrolled = [roster.enrollment_rows(files.children, schools, files.days) for files in past]
    calendars = [roster.calendar_rows(schools, before, before.first) for before in earlier]
    tables = {
        "schools": (roster.SCHOOL_COLUMNS, roster.school_rows(schools)),
        "students": (roster.STUDENT_COLUMNS, roster.student_rows(children, year, rng)),
        "enrollments": (
            roster.ENROLLMENT_COLUMNS,
            _one_after_another(*enrolled, roster.enrollment_rows(children, schools, taught)),
        ),
        "calendar": (
            roster.CALENDAR_COLUMNS,
            _one_after_another(*calendars, roster.calendar_rows(schools, year, taught[0])),
        ),
        "absence_codes": (roster.CODE_COLUMNS, roster.CODES),
        "contacts": (roster.CONTACT_COLUMNS, roster.contact_rows(children, rng)),
        "prior_year": (roster.PRIOR_COLUMNS, roster.prior_rows(children, year, shares, rng)),
    }
    return {name: write_csv(folder / f"{name}.csv", columns, rows) for name, (columns, rows) in tables.items()}


def _one_after_another(*parts: Iterable[Iterable[object]]) -> Iterator[Iterable[object]]:
    for part in parts:
        yield from part
