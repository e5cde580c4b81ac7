"""The year beside the one before, and its parts: school days by number, weeks that were not counted, tens."""

from __future__ import annotations

import random
from datetime import date, timedelta

import pytest
from sqlalchemy import text

from ew_app.kernel import transaction
from ew_app.services.watching import groups, over_year, parts
from ew_app.services.watching.movement import Unit
from models.base import db
from models.bulk import copy_in
from models.queries.boards import schools_in
from rules.access import Area
from rules.suppression import LEAST
from tests.services import letters

TODAY = date(2026, 10, 2)  # a Friday
LAST_YEAR = letters.weekdays(40, date(2025, 8, 18))  # the year before began a week sooner

pytestmark = pytest.mark.usefixtures("app")


def counted(school: int, days: dict[date, tuple[int, int, int]]) -> None:
    """What a school counted: day -> students in Tier 1, 2 and 3."""
    with transaction():
        for day, (one, two, three) in days.items():
            db.session.execute(
                text("INSERT INTO tier_count VALUES (:school, :day, '7', :one, 0, :two, :three, 0, 0)"),
                {"school": school, "day": day, "one": one, "two": two, "three": three},
            )


def taught(school: int, days: list[date]) -> None:
    with transaction():
        many = len(days)
        columns = {"school_id": [school] * many, "calendar_key": [""] * many, "day": days}
        copy_in("calendar_day", columns | {"day_type": ["instructional"] * many, "weight": [1000] * many})


def year() -> over_year.OverYear:
    schools = tuple(schools_in(Area(district=True)))
    found = over_year.over_year([Unit(one.key, one.name, (one,)) for one in schools], TODAY)
    assert found
    return found


def test_last_year_stands_on_the_same_school_day_and_not_on_the_same_date() -> None:
    lincoln = letters.school("lincoln")
    this = letters.weekdays(30)
    taught(lincoln, LAST_YEAR)
    counted(lincoln, {this[4]: (90, 10, 0), this[9]: (80, 10, 10)})
    counted(lincoln, {day: (100 - n, n, 0) for n, day in enumerate(LAST_YEAR, start=1)})
    weeks = year().weeks
    assert [(week.then.number, week.then.counts.tier_2) for week in weeks if week.then] == [(5, 5), (10, 10)]


def test_a_school_that_was_not_there_last_year_is_left_out_of_it_and_counted() -> None:
    lincoln, carver = letters.school("lincoln"), letters.school("carver")
    for school in (lincoln, carver):
        counted(school, {letters.weekdays(5)[4]: (90, 10, 0)})
    taught(lincoln, LAST_YEAR)
    counted(lincoln, {LAST_YEAR[4]: (70, 30, 0)})
    week = year().weeks[0]
    assert week.then and (week.schools, week.then.schools, week.then.counts.tier_2) == (2, 1, 30)


def test_a_week_in_which_a_school_was_not_counted_is_empty_and_in_the_sum_as_last_counted() -> None:
    lincoln, carver = letters.school("lincoln"), letters.school("carver")
    days = letters.weekdays(15)
    counted(lincoln, {days[4]: (90, 10, 0), days[9]: (89, 11, 0), days[14]: (88, 12, 0)})
    counted(carver, {days[4]: (50, 5, 0), days[14]: (44, 6, 0)})
    found = year()
    assert [[week and week.tier_2 for week in line.weeks] for line in found.lines] == [[5, None, 6], [10, 11, 12]]
    assert [(week.counts.tier_2, week.fresh) for week in found.weeks] == [(15, 2), (16, 1), (18, 2)]


def test_a_week_without_school_anywhere_is_no_week() -> None:
    lincoln = letters.school("lincoln")
    days = letters.weekdays(15)
    counted(lincoln, {days[0]: (90, 10, 0), days[14]: (88, 12, 0)})
    assert [week.monday for week in year().weeks] == [days[0], days[14] - timedelta(days=4)]


def test_parts_are_told_once_a_month() -> None:
    lincoln = letters.school("lincoln")
    days = letters.weekdays(20)
    counted(lincoln, {day: (90, 10, 0) for day in days})
    assert {parts.told_on([lincoln], day) for day in days} == {days[0], date(2026, 9, 1)}


@pytest.mark.parametrize("seed", range(60))
def test_what_is_told_of_a_part_is_in_tens_and_never_small(seed: int) -> None:
    chance = random.Random(seed)
    rows = [[chance.choice((0, 3, 9, 10, 14, 40, 300)) for _ in range(4)] for _ in range(chance.randrange(1, 9))]
    told = parts.told("Grade", [str(n) for n in range(len(rows))], list("abcd"), rows)
    for row, shown in zip(rows, told.rows, strict=True):
        assert all(
            count is None or (number >= LEAST and count % 10 == 0) for number, count in zip(row, shown, strict=True)
        )


def test_a_child_more_looks_like_none() -> None:
    """Two tables that differ by one child are the same, but where a ten begins."""
    one = parts.told("Grade", ["7"], ["a", "b"], [[31, 22]])
    other = parts.told("Grade", ["7"], ["a", "b"], [[30, 22]])
    assert (one.rows, one.totals) == (other.rows, other.totals)


def test_groups_are_counted_where_their_students_stood_and_restricted_ones_for_readers_alone() -> None:
    lincoln = letters.school("lincoln")
    days = letters.weekdays(10)
    for number in range(90):
        student = letters.student(f"s{number}", lincoln, grade="7" if number < 40 else "8")
        with transaction():
            stood = {"student": student, "since": days[0], "school": lincoln, "grade": "7" if number < 40 else "8"}
            db.session.execute(
                text("INSERT INTO standing VALUES (:student, :since, NULL, :school, :grade, :tier, false)"),
                stood | {"tier": number % 3},
            )
            if number < 30:
                db.session.execute(
                    text("INSERT INTO support_flag (student_id, key, compartment) VALUES (:id, 'stls', 'stls')"),
                    {"id": student},
                )
    counted(lincoln, {days[9]: (30, 30, 30)})
    schools = tuple(schools_in(Area(district=True)))
    plain = groups.groups(schools, TODAY)
    assert plain and not plain.tables, "a school's own grades stand on its board, and nothing else is known"
    for_liaison = groups.groups(schools, TODAY, compartments=("stls",))
    assert for_liaison and [(table.by, table.names, table.totals) for table in for_liaison.tables] == [
        ("Temporary living situation", ("No", "Yes"), (60, 30))
    ]
