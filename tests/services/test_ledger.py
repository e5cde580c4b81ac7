"""The day ledger: what each school's days look like from the rows that came."""

from __future__ import annotations

from datetime import date

import pytest
from flask import Flask

from ew_app.kernel import transaction
from ew_app.services.deliveries import ledger
from models.base import db
from models.org import CalendarDay, Network, School
from models.people import Stint
from tests.services.lincoln_and_carver import (
    CARVER,
    LABOR_DAY,
    LINCOLN,
    build,
    enrol,
    load,
    query,
    school_named,
)


@pytest.fixture(autouse=True)
def world(app: Flask) -> None:
    build()


def lines(school: str = "lincoln", **bounds: date) -> list[tuple[str, str, int, int]]:
    """(date, status, rows, expected) of one school."""
    return [(f"{row.date:%m-%d}", row.status, row.rows, row.expected) for row in ledger.days(school=school, **bounds)]


def test_submitted_not_submitted_and_closed() -> None:
    load("ana lincoln 08-17 A", "ben lincoln 08-19 A", "ben lincoln 08-19 A")
    assert lines() == [
        ("08-17", "submitted", 1, 5),
        ("08-18", "not_submitted", 0, 5),
        ("08-19", "submitted", 1, 5),
    ]
    assert lines("carver") == [(day, "not_submitted", 0, 3) for day in ("08-17", "08-18", "08-19")]
    assert lines(start=LABOR_DAY, until=LABOR_DAY) == [("09-07", "closed", 0, 0)]


def test_rows_are_counted_alike_when_a_day_is_first_heard_of_and_when_it_is_derived_again() -> None:
    header = "student_id,school_id,date,code,period,minutes_absent"
    rows = ("ana lincoln 08-17 P _ _", "ana lincoln 08-17 A 2 _", "ben lincoln 08-17 A _ _", "eli lincoln 08-17 A _ x")
    load(*rows, header=header, accept_held=True)
    (first,) = lines()
    with transaction():
        ledger.derive([(school_named("lincoln").id, date(2026, 8, 17))])
    assert lines() == [first] == [("08-17", "submitted", 3, 5)]
    load("ana lincoln 08-17 T")
    assert lines() == [first], "a row about the whole day stands over the one on the roll"


def test_nothing_is_listed_before_anything_was_sent() -> None:
    assert ledger.days() == []


def test_a_full_day_with_too_few_rows_is_partial_until_the_rest_comes() -> None:
    three = [f"{name} lincoln 08-17 P" for name in LINCOLN[:3]]
    load(*three, feed="full")
    assert lines() == [("08-17", "partial", 3, 5)]
    load(f"{LINCOLN[3]} lincoln 08-17 A", feed="full", accept_held=True)
    assert lines() == [("08-17", "submitted", 4, 5)]


def test_a_day_sent_by_both_kinds_of_feed_stays_full() -> None:
    load(*(f"{name} carver 08-17 P" for name in CARVER), feed="full")
    load("fay carver 08-17 A")
    assert query("SELECT feed, rows, absences FROM school_day") == [("full", 3, 1)]


def test_a_day_without_school_is_closed_even_with_rows() -> None:
    load("ana lincoln 09-07 A", accept_held=True)
    assert query("SELECT status, rows FROM school_day") == [("closed", 1)]


def test_only_those_due_that_day_are_expected() -> None:
    with transaction():
        lincoln = school_named("lincoln")
        enrol("late", lincoln, since=date(2026, 8, 18))
        enrol("gone", lincoln, until=date(2026, 8, 17))
        enrol("again", lincoln)
        db.session.flush()
        again = query("SELECT id FROM student WHERE key = 'again'")[0][0]
        db.session.add(Stint(student_id=again, school_id=lincoln.id, entry_date=date(2026, 8, 10)))
    load("ana lincoln 08-17 A", "ana lincoln 08-18 A")
    assert [expected for _, _, _, expected in lines()] == [7, 7]


def test_a_student_on_a_calendar_of_their_own_is_due_on_its_days() -> None:
    with transaction():
        lincoln = school_named("lincoln")
        db.session.add(
            CalendarDay(
                school_id=lincoln.id, calendar_key="K", day=date(2026, 8, 18), day_type="instructional", weight=1000
            )
        )
        enrol("kim", lincoln, calendar="K")
    told = load("kim lincoln 08-17 A", "kim lincoln 08-18 A", accept_held=True)
    assert told["off_calendar"] == 1
    assert [expected for _, _, _, expected in lines()] == [5, 6]


def test_a_school_without_a_calendar_is_told_so() -> None:
    with transaction():
        school = School(key="new", name="New School", network=db.session.query(Network).one())
        db.session.add(school)
        enrol("nia", school)
    told = load("nia new 08-17 A")
    assert told["off_calendar"] == 0
    assert told["notes"] == ["New School has no calendar yet, so nothing can be measured there."]


def test_a_changed_calendar_closes_days_and_opens_them_again() -> None:
    load("ana lincoln 08-17 A")
    lincoln = school_named("lincoln").id
    _day_type(lincoln, "weather")
    assert lines() == []
    _day_type(lincoln, "make_up")
    assert lines() == [("08-17", "submitted", 1, 5)]


def _day_type(school: int, kind: str) -> None:
    with transaction():
        day = date(2026, 8, 17)
        db.session.get_one(CalendarDay, (school, "", day)).day_type = kind
        db.session.flush()
        ledger.rebuild({school: day})


def test_rows_of_students_who_are_not_enrolled_do_not_make_a_full_day_whole() -> None:
    """Also not when the day is derived again, as after a change of the roster."""
    rows = [*(f"{name} lincoln 08-17 P" for name in LINCOLN[:3]), *(f"{name} lincoln 08-17 P" for name in CARVER)]
    load(*rows, feed="full", accept_held=True)
    assert lines() == [("08-17", "partial", 6, 5)]
    with transaction():
        school = school_named("lincoln")
        ledger.derive([(school.id, date(2026, 8, 17))])
    assert lines() == [("08-17", "partial", 6, 5)]
