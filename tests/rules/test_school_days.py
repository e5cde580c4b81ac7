"""Due dates: school days while the calendar lasts, weekdays after it."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from rules.school_days import add_school_days, due_text, school_days_late

# Mon 16 Nov to Fri 20 Nov, the week of Thanksgiving off, Mon 30 Nov to Fri 4 Dec
DAYS = [date(2026, 11, d) for d in range(16, 21)] + [date(2026, 11, 30) + timedelta(days=n) for n in range(5)]
THURSDAY, FRIDAY, LAST = date(2026, 11, 19), date(2026, 11, 20), date(2026, 12, 4)


@pytest.mark.parametrize(
    ("start", "n", "due"),
    [
        (THURSDAY, 0, THURSDAY),
        (THURSDAY, 1, FRIDAY),
        (THURSDAY, 2, date(2026, 11, 30)),
        (date(2026, 11, 22), 1, date(2026, 11, 30)),
        (date(2026, 12, 3), 2, date(2026, 12, 7)),
        (LAST, 6, date(2026, 12, 14)),
        (date(2026, 8, 1), 1, date(2026, 11, 16)),
    ],
)
def test_the_due_day(start: date, n: int, due: date):
    assert add_school_days(start, n, DAYS) == due


def test_a_school_without_a_calendar_counts_weekdays():
    assert add_school_days(FRIDAY, 2, []) == date(2026, 11, 24)


def test_due_lies_ahead():
    with pytest.raises(ValueError, match="lies ahead"):
        add_school_days(FRIDAY, -1, DAYS)


@pytest.mark.parametrize(
    ("due", "today", "late"),
    [
        (FRIDAY, FRIDAY, 0),
        (FRIDAY, THURSDAY, 0),
        (THURSDAY, FRIDAY, 1),
        (FRIDAY, date(2026, 11, 26), 0),
        (FRIDAY, date(2026, 11, 30), 1),
        (LAST, date(2026, 12, 6), 0),
        (LAST, date(2026, 12, 8), 2),
        (date(2026, 12, 3), date(2026, 12, 7), 2),
        (date(2026, 12, 9), date(2026, 12, 10), 1),
    ],
)
def test_how_late(due: date, today: date, late: int):
    assert school_days_late(due, today, DAYS) == late


def test_nobody_is_late_in_the_summer_after_the_calendar_has_ended():
    year = [date(2027, 6, 9), date(2027, 6, 10), date(2027, 6, 11)]
    assert school_days_late(date(2027, 6, 10), date(2027, 8, 20), year) == 1
    assert school_days_late(date(2027, 6, 18), date(2027, 9, 3), year) == 3, "and from September weekdays count"
    assert school_days_late(date(2027, 6, 10), date(2027, 6, 14), []) == 2, "where there is no calendar they always do"


@pytest.mark.parametrize("start", [date(2026, 11, 10) + timedelta(days=n) for n in range(40)])
@pytest.mark.parametrize("n", [1, 3, 12])
def test_late_by_as_many_days_as_were_added(start: date, n: int):
    assert school_days_late(start, add_school_days(start, n, DAYS), DAYS) == n


def test_the_words():
    assert due_text(date(2026, 11, 24), date(2026, 11, 20), DAYS) == "Tue 24 Nov"
    assert due_text(FRIDAY, FRIDAY, DAYS) == "Fri 20 Nov · today"
    assert due_text(FRIDAY, date(2026, 11, 30), DAYS) == "Fri 20 Nov · 1 school day late"
    assert due_text(THURSDAY, date(2026, 11, 30), DAYS) == "Thu 19 Nov · 2 school days late"
    assert due_text(None, FRIDAY, DAYS) == "no due date"
