"""Windows of laws, each at, below and above its edge, on a handful of days that can be counted by hand."""

from __future__ import annotations

from datetime import date, timedelta
from fractions import Fraction

import numpy as np
import pytest

from rules import cells
from rules.cells import Excuse, Status
from rules.matrix import Matrix
from rules.scopes import Scope
from rules.windows import Span, Unit, Window, count, incomplete, met

LETTERS = {
    "P": (0, Status.MEMBER, Excuse.OTHER),
    "A": (1000, Status.MEMBER, Excuse.UNEXCUSED),
    "a": (500, Status.MEMBER, Excuse.UNEXCUSED),
    "E": (1000, Status.MEMBER, Excuse.EXCUSED),
    "N": (1000, Status.MEMBER, Excuse.UNKNOWN),
    "H": (0, Status.HELD_OUT, Excuse.OTHER),
}
MONDAY = date(2026, 8, 17)


def weekdays(first: date, number: int) -> list[date]:
    days = (first + timedelta(days=n) for n in range(2 * number + 7))
    return [day for day in days if day.weekday() < 5][:number]


def matrix(letters: str, first: date = MONDAY, before: int = 0) -> Matrix:
    """One student; `before`: how many of the days belong to the school year before."""
    days = weekdays(first, len(letters))
    row = cells.pack(*(np.array([[LETTERS[letter][n] for letter in letters]]) for n in (0, 1, 2)))
    weights = np.full(row.shape, 1000, dtype=np.int32)
    return Matrix(np.array([1]), np.array(days, dtype="datetime64[D]"), weights, row, before)


def amounts(
    letters: str, window: Window, unit: Unit = Unit.DAYS, excuses: tuple[str, ...] = ("unexcused",), **more: int
) -> list[int]:
    found = matrix(letters, before=more.pop("before", 0))
    minutes = np.full(found.cells.shape, more.pop("minutes", 390), dtype=np.int64)
    return count(found, unit, window, excuses, minutes, **more).amount[0].tolist()


def test_calendar_days_are_dates_and_not_days_of_school() -> None:
    """Friday to Monday are four dates; of ten days back from the second Monday the first Friday is the first."""
    assert amounts("AAAAA AAAAA".replace(" ", ""), Window(Span.CALENDAR_DAYS, 4))[5] == 2000
    assert amounts("AAAAAAAAAA", Window(Span.CALENDAR_DAYS, 3))[5] == 1000
    assert amounts("AAAAAAAAAA", Window(Span.ATTENDANCE_DAYS, 4))[5] == 4000


def test_weeks_are_seven_dates_each() -> None:
    assert amounts("A" * 25, Window(Span.WEEKS, 4))[-1] == 20_000


def test_months_go_back_to_the_same_day() -> None:
    found = matrix("A" * 70)
    total = count(found, Unit.DAYS, Window(Span.MONTHS, 1), ("unexcused",)).amount[0]
    column = found.column(date(2026, 10, 15))
    assert total[column] == 1000 * np.busday_count("2026-09-16", "2026-10-16")
    last = found.column(date(2026, 10, 30))
    assert total[last] == 1000 * np.busday_count("2026-10-01", "2026-10-31")


def test_a_calendar_month_begins_anew() -> None:
    found = matrix("A" * 30)
    total = count(found, Unit.DAYS, Window(Span.CALENDAR_MONTH), ("unexcused",)).amount[0]
    assert total[found.column(date(2026, 8, 31))] == 11_000
    assert total[found.column(date(2026, 9, 1))] == 1000


def test_a_school_month_is_four_weeks_of_school() -> None:
    total = amounts("A" * 45, Window(Span.SCHOOL_MONTH))
    assert (total[19], total[20], total[39], total[40]) == (20_000, 1000, 20_000, 1000)


def test_attendance_days_are_the_students_own_and_held_out_days_are_none() -> None:
    assert amounts("AHHHAP", Window(Span.ATTENDANCE_DAYS, 3))[-1] == 2000
    assert amounts("AHHHAPP", Window(Span.ATTENDANCE_DAYS, 3))[-1] == 1000


def test_only_a_window_that_reaches_back_looks_into_last_year() -> None:
    assert amounts("AAPPA", Window(Span.ATTENDANCE_DAYS, 180), before=3)[-1] == 1000
    assert amounts("AAPPA", Window(Span.ATTENDANCE_DAYS, 180, reaches_back=True), before=3) == [0, 0, 0, 2000, 3000]
    assert amounts("AAPPA", Window(Span.SCHOOL_YEAR), before=3)[-1] == 1000


def test_units() -> None:
    year = Window(Span.SCHOOL_YEAR)
    assert amounts("AaE", year)[-1] == 1500
    assert amounts("AaE", year, Unit.DAY_PARTS)[-1] == 2000
    assert amounts("AaE", year, Unit.WHOLE_DAYS)[-1] == 1000
    assert amounts("AaE", year, Unit.HOURS)[-1] == 390 + 195
    assert amounts("AaE", year, Unit.OCCASIONS, longer_than=195)[-1] == 1000
    assert amounts("AaE", year, Unit.OCCASIONS, longer_than=194)[-1] == 2000


def test_which_excuses_count() -> None:
    year = Window(Span.SCHOOL_YEAR)
    assert amounts("ANE", year)[-1] == 1000
    assert amounts("ANE", year, excuses=("unexcused", "unknown"))[-1] == 2000
    assert amounts("ANE", year, excuses=("unexcused", "unknown", "excused", "other"))[-1] == 3000


def test_in_a_row_ends_with_any_day_that_was_not_missed_whole() -> None:
    row = Window(Span.IN_A_ROW)
    assert amounts("AAHA", row)[-1] == 3000
    assert [amounts(letters, row)[-1] for letters in ("AAPA", "AAaA", "AAEA")] == [1000, 1000, 1000]


@pytest.mark.parametrize(("days", "share"), [("A" + "P" * 9, True), ("A" + "P" * 10, False)])
def test_a_share_is_of_the_windows_days_and_exact(days: str, share: bool) -> None:
    found = count(matrix(days), Unit.SHARE, Window(Span.SCHOOL_YEAR), ("unexcused",))
    assert met(found, Unit.SHARE, at_least=Fraction(1, 10))[0, -1] == share


def test_bounds_and_the_least_days() -> None:
    found = count(matrix("AAPPP"), Unit.DAYS, Window(Span.SCHOOL_YEAR), ("unexcused",))
    assert met(found, Unit.DAYS, at_least=Fraction(2))[0].tolist() == [False, True, True, True, True]
    assert not met(found, Unit.DAYS, more_than=Fraction(2)).any()
    assert met(found, Unit.DAYS, at_least=Fraction(1), below=Fraction(2))[0].tolist() == [True] + [False] * 4
    assert met(found, Unit.DAYS, at_least=Fraction(2), least_days=4000)[0].tolist() == [False] * 3 + [True] * 2


def test_hours_need_the_length_of_the_day() -> None:
    with pytest.raises(ValueError, match="length of the school day"):
        count(matrix("A"), Unit.HOURS, Window(Span.SCHOOL_YEAR), ("unexcused",))


@pytest.mark.parametrize(
    ("born", "inside"),
    [("2020-09-01", True), ("2020-09-02", False), ("2009-08-18", True), ("2009-08-17", False), ("NaT", True)],
)
def test_compulsory_age(born: str, inside: bool) -> None:
    scope = Scope(from_age=6, reached_by=(9, 1), below_age=17)
    days = np.array(["2026-08-17"], dtype="datetime64[D]")
    found = scope.covers(np.array([born], dtype="datetime64[D]"), ["K"], np.array([[0]]), days)
    assert bool(found[0, 0]) == inside


def test_a_grade_may_be_left_out_and_a_birthday_may_begin_it() -> None:
    days = np.array(["2026-10-01", "2026-10-02"], dtype="datetime64[D]")
    born = np.array(["2020-10-02"] * 2, dtype="datetime64[D]")
    grades = np.array([[0, 0], [1, 1]])
    found = Scope(from_age=6, not_grades=("PK",)).covers(born, ["1", "PK"], grades, days)
    assert found.tolist() == [[False, True], [False, False]]


@pytest.mark.parametrize(
    ("window", "before", "short"),
    [
        (Window(Span.ATTENDANCE_DAYS, 11, reaches_back=True), 5, True),
        (Window(Span.ATTENDANCE_DAYS, 10, reaches_back=True), 5, False),
        (Window(Span.CALENDAR_DAYS, 13, reaches_back=True), 5, True),
        (Window(Span.CALENDAR_DAYS, 12, reaches_back=True), 5, False),
        (Window(Span.CALENDAR_DAYS, 90), 5, False),
        (Window(Span.SCHOOL_YEAR), 0, False),
    ],
)
def test_a_window_that_reaches_back_further_than_is_known_is_incomplete(
    window: Window, before: int, short: bool
) -> None:
    assert bool(incomplete(matrix("PPPPPPPPPP", before=before), window, 9)[0]) == short
