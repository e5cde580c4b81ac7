"""Writes an invented district as files, the last day apart as today's delivery."""

from __future__ import annotations

import csv
import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Literal

import numpy as np

from ew_app.demo import roster_files as roster
from ew_app.demo.attendance_files import AttendanceFiles
from ew_app.demo.causes import Code, mark_days
from ew_app.demo.district import build_children, build_schools
from ew_app.demo.people import COLUMNS as PEOPLE_COLUMNS
from ew_app.demo.people import one_login_per_role, people_rows
from ew_app.demo.school_year import SchoolYear, taught_days
from ew_app.demo.ties import USUAL, Ties
from ew_app.demo.years import CHRONIC, FEWEST, MOST, ManyYears, many_years, totals

Feed = Literal["exception", "full"]
MOST_YEARS = 5


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
    chronic: int | None = None,
    ties: Ties = USUAL,
) -> Summary:
    """Write the district into `out_dir` (made if need be); the same arguments give the same bytes.

    years: how many school years of daily attendance, the earlier ones whole; from two on, a district whose children
    come, grow older, change and leave. chronic: with it, how many in 100 are chronically absent in an ordinary year.
    ties: with two years or more, how strongly a child's attendance hangs together.
    feed: what attendance.csv holds.
    by_day: instead of one attendance.csv, a dated file (and dated covers) a day under days/.
    parts: beside it, the same in parts up to each of these school days, under parts/, and under late/ what a school
    that is late has sent by itself.
    ValueError with a sentence if the numbers do not make a district.
    """
    _check(networks, schools, students, years, chronic)
    taught = taught_days(days, last_day)
    rng = np.random.default_rng(seed)
    built = build_schools(rng, networks, schools)
    year = SchoolYear(taught[-1].year if taught[-1].month >= 8 else taught[-1].year - 1)
    past: list[AttendanceFiles] = []
    if years == 1:
        children = build_children(rng, built, students, len(taught))
        files = AttendanceFiles(children, built, taught, mark_days(rng, children, built, taught), feed)
        tables = _one_year(files, year, rng)
    else:
        many = many_years(seed, built, taught, years, students, feed, CHRONIC if chronic is None else chronic, ties)
        *past, files = many.files
        tables = _all_years(many, year, rng)
    out_dir.mkdir(parents=True, exist_ok=True)
    people = people_rows(built, date(year.year, 7, 1))
    rows = {name: write_csv(out_dir / f"{name}.csv", columns, lines) for name, (columns, lines) in tables.items()}
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


def _check(networks: int, schools: int, students: int, years: int, chronic: int | None) -> None:
    if networks < 1 or schools < networks:
        raise ValueError("A district needs at least one network and a school in each.")
    if students < schools * 10:
        raise ValueError(f"{schools} schools need at least {schools * 10} students.")
    if years < 1:
        raise ValueError("A demo covers at least one school year.")
    if years > MOST_YEARS:
        raise ValueError(f"A demo covers at most {MOST_YEARS} school years.")
    if chronic is not None and years == 1:
        raise ValueError("How many are chronically absent can be said for two school years or more: add --years 2.")
    if chronic is not None and not FEWEST <= chronic <= MOST:
        raise ValueError(f"Between {FEWEST} and {MOST} in 100 students can be chronically absent, not {chronic}.")


Tables = dict[str, tuple[Sequence[str], Iterable[Iterable[object]]]]


def _one_year(files: AttendanceFiles, year: SchoolYear, rng: np.random.Generator) -> Tables:
    """The rosters of the running year alone, with last year's totals."""
    children, schools = files.children, files.schools
    return {
        "schools": (roster.SCHOOL_COLUMNS, roster.school_rows(schools)),
        "students": (roster.STUDENT_COLUMNS, roster.student_rows(children, year, rng)),
        "enrollments": (roster.ENROLLMENT_COLUMNS, roster.enrollment_rows(children, schools, files.days)),
        "calendar": (roster.CALENDAR_COLUMNS, roster.calendar_rows(schools, year, files.days[0])),
        "absence_codes": (roster.CODE_COLUMNS, roster.CODES),
        "contacts": (roster.CONTACT_COLUMNS, roster.contact_rows(children, rng)),
        "prior_year": (roster.PRIOR_COLUMNS, roster.prior_rows(children, year, files.shares(), rng)),
    }


def _all_years(many: ManyYears, year: SchoolYear, rng: np.random.Generator) -> Tables:
    """Everyone who was ever on a roll, each stay, the ids that changed, and last year's totals by its days."""
    schools, everyone = many.files[-1].schools, many.everyone
    stays, days = [], []
    for back, (files, (children, exits)) in enumerate(zip(reversed(many.files), reversed(many.stays), strict=True)):
        rows = roster.enrollment_rows(children, schools, files.days)
        stays.append(roster.ended_rows(rows, files.days[-1], exits) if back else rows)
        days.append(roster.calendar_rows(schools, SchoolYear(year.year - back), files.days[0]))
    known = set(many.stays[-1][0].key)
    label = SchoolYear(year.year - 1).label
    prior = (
        (key, label, enrolled, f"{absent:g}", f"{unexcused:g}")
        for key, (enrolled, absent, unexcused) in zip(many.stays[-2][0].key, totals(many.files[-2]), strict=True)
        if key in known
    )
    changed = ((key, former, "record made anew") for key, former in many.changed)
    return {
        "schools": (roster.SCHOOL_COLUMNS, roster.school_rows(schools)),
        "students": (roster.STUDENT_COLUMNS, roster.student_rows(everyone, year, rng, many.starts.tolist())),
        "student_changes": (roster.CHANGE_COLUMNS, changed),
        "enrollments": (roster.ENROLLMENT_COLUMNS, itertools.chain(*reversed(stays))),
        "calendar": (roster.CALENDAR_COLUMNS, itertools.chain(*reversed(days))),
        "absence_codes": (roster.CODE_COLUMNS, roster.CODES),
        "contacts": (roster.CONTACT_COLUMNS, roster.contact_rows(everyone, rng)),
        "prior_year": (roster.PRIOR_COLUMNS, prior),
    }
