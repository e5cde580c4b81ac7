"""Rows of the roster files of an invented district."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta

import numpy as np

from ew_app.demo.district import GRADES, Children, School
from ew_app.demo.names import COMMUNITIES, STREETS
from ew_app.demo.school_year import SchoolYear

Row = Iterable[object]

SCHOOL_COLUMNS = (
    *("school_id", "name", "network_id", "network_name", "level"),
    *("day_minutes", "min_full_minutes", "min_half_minutes"),
)
STUDENT_COLUMNS = (
    *(
        "student_id",
        "first_name",
        "last_name",
        "birth_date",
        "grade",
        "homeroom",
        "bus_route",
        "household_id",
    ),
    *(
        "home_language",
        "interpreter",
        "race_ethnicity",
        "english_learner",
        "iep",
        "section_504",
        "stls",
        "low_income",
    ),
)
ENROLLMENT_COLUMNS = (
    *("student_id", "school_id", "entry_date", "exit_date", "exit_code", "grade", "calendar_id", "primary"),
)
CALENDAR_COLUMNS = ("school_id", "calendar_id", "date", "day_type", "day_value", "day_minutes")
CODE_COLUMNS = ("school_id", "code", "title", "kind", "absent_fraction", "excused", "valid_from", "valid_to")
CONTACT_COLUMNS = (
    *("student_id", "name", "relation", "phone", "email", "address", "language"),
    *("may_receive_mail", "may_pick_up"),
)
CHANGE_COLUMNS = ("student_id", "former_student_id", "reason")
PRIOR_COLUMNS = ("student_id", "school_year", "enrolled_days", "absent_days", "unexcused_days")

CODES = (
    ("", "P", "Present", "present", "0", "exempt", "", ""),
    ("", "A", "Absent, no valid cause known", "absence", "1", "unexcused", "", ""),
    ("", "AE", "Absent, excused", "absence", "1", "excused", "", ""),
    ("", "AUHD", "Absent half a day, no valid cause known", "absence", "0.5", "unexcused", "", ""),
    ("", "AEHD", "Absent half a day, excused", "absence", "0.5", "excused", "", ""),
    ("", "T", "Tardy", "tardy", "0", "unknown", "", ""),
    ("", "SF", "School function", "school_function", "0", "exempt", "", ""),
    ("", "OSS", "Suspended out of school", "suspension_out", "1", "exempt", "", ""),
    ("", "ISS", "Suspended in school", "suspension_in", "0", "exempt", "", ""),
    ("", "HB", "Homebound instruction", "homebound", "0", "exempt", "", ""),
)


def school_rows(schools: Sequence[School]) -> Iterator[Row]:
    for s in schools:
        yield s.key, s.name, s.network, s.network_name, s.level, 420, 300, 150


def student_rows(
    children: Children, year: SchoolYear, rng: np.random.Generator, starts: Sequence[int] | None = None
) -> Iterator[Row]:
    """starts: the calendar year of each child's kindergarten, where its grade does not say it. Room 0 = none."""
    birthdays = rng.integers(0, 365, len(children))
    begins = [year.year - int(grade) for grade in children.grade] if starts is None else starts
    for at, key in enumerate(children.key):
        community = COMMUNITIES[children.community[at]]
        grade = GRADES[children.grade[at]]
        yield (
            *(key, children.first[at], children.last[at]),
            date(int(begins[at]) - 6, 9, 2) + timedelta(days=int(birthdays[at])),
            *(grade, f"{grade}-{children.room[at]}" if children.room[at] else ""),
            f"R{children.route[at]}" if children.route[at] else "",
            f"H{children.household[at]:06d}",
            community.language if children.speaks_home[at] else "English",
            _yes(children.interpreter[at]),
            community.group,
            *(_yes(flags[at]) for flags in (children.english_learner, children.iep, children.section_504)),
            *(_yes(flags[at]) for flags in (children.stls, children.low_income)),
        )


def enrollment_rows(children: Children, schools: Sequence[School], days: Sequence[date]) -> Iterator[Row]:
    """One row a stay; a child who moves leaves on the school day before it enters elsewhere."""
    for at, key in enumerate(children.key):
        grade = GRADES[children.grade[at]]
        school, entry = schools[children.school[at]].key, days[children.enters[at]]
        leaves, moves = children.leaves[at], children.moves[at]
        if moves >= 0:
            yield key, school, entry, days[moves - 1], "Transferred", grade, "", "true"
            yield key, schools[children.next_school[at]].key, days[moves], "", "", grade, "", "true"
        elif leaves >= 0:
            code = "No show" if children.no_show[at] else "Left district"
            yield key, school, entry, days[leaves], code, grade, "", "true"
        else:
            yield key, school, entry, "", "", grade, "", "true"


def ended_rows(stays: Iterable[Row], last_day: date, exits: Mapping[str, str]) -> Iterator[Row]:
    """The stays of a year that is over, each ended with it at the latest. exits: student -> why, if it stayed on."""
    for student, school, entry, left, why, grade, calendar, primary in stays:
        yield student, school, entry, left or last_day, why or exits[str(student)], grade, calendar, primary


def calendar_rows(schools: Sequence[School], year: SchoolYear, first: date) -> Iterator[Row]:
    """The weekdays of the year from the first taught day on, school by school."""
    days = [(day, year.closed.get(day, "instructional")) for day in year.weekdays if day >= first]
    for school in schools:
        for day, kind in days:
            yield school.key, "", day, kind, "1" if kind == "instructional" else "", ""


def contact_rows(children: Children, rng: np.random.Generator) -> Iterator[Row]:
    """One or two people a child, the same for brothers and sisters; numbers and addresses that lead nowhere."""
    homes = int(children.household.max()) + 1
    relations = rng.choice(["grandmother", "aunt", "foster parent", "father"], size=homes, p=[0.4, 0.2, 0.05, 0.35])
    alone, mail = rng.random(homes) < 0.35, rng.random(homes) < 0.94
    numbers = rng.integers(0, 1 << 30, (homes, 4))
    for at, key in enumerate(children.key):
        home = children.household[at]
        community = COMMUNITIES[children.community[at]]
        language = community.language if children.speaks_home[at] else "English"
        one, two, street, house = (int(number) for number in numbers[home])
        place = "" if children.stls[at] else f"{house % 8900 + 100} {STREETS[street % len(STREETS)]}"
        name = f"{community.first[one % len(community.first)]} {children.last[at]}"
        relation = "foster parent" if relations[home] == "foster parent" else "mother"
        yield (
            *(key, name, relation, _phone(one), _email(name, home), place),
            language,
            _yes(mail[home]),
            "true",
        )
        if not alone[home] and relation == "mother":
            name = f"{community.first[two % len(community.first)]} {children.last[at]}"
            yield (*(key, name, relations[home], _phone(two), "", ""), language, "false", "true")


def prior_rows(
    children: Children, year: SchoolYear, shares: Sequence[float], rng: np.random.Generator
) -> Iterator[Row]:
    """Last year's totals of children who were here: near this year's habit, with chance."""
    known = rng.random(len(children)) < 0.9
    chance = rng.gamma(4.0, 0.25, len(children))
    for at, key in enumerate(children.key):
        if not known[at] or children.grade[at] == 0:
            continue
        absent = min(round(176 * (0.55 * shares[at] + 0.02) * chance[at] * 2) / 2, 176)
        unexcused = round(absent * 0.55 * 2) / 2
        yield key, SchoolYear(year.year - 1).label, 176, f"{absent:g}", f"{unexcused:g}"


def _yes(flag: object) -> str:
    return "true" if flag else "false"


def _phone(number: int) -> str:
    """A number of the range that is kept free for invented people."""
    return f"312-555-01{number % 100:02d}"


def _email(name: str, home: int) -> str:
    first, last = name.lower().split(" ", 1)
    return f"{first}.{last}{home}@family.example"
