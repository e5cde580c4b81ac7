"""Stints over calendars: who was a member on which day."""

from __future__ import annotations

import datetime as dt

import numpy as np

from rules.stints import Calendars, Stints, counted, membership, school_year_start, share_boundary_days
from tests.rules.year import weekdays

DAYS = weekdays(5)  # 2025-08-18 .. 2025-08-22
Row = tuple[int, int, int, str, str]


def stints(*rows: Row) -> Stints:
    """(matrix row, student, school, entry, last day or '')."""
    row, student, school, entry, last = zip(*rows, strict=True)
    number = np.array
    dates = [np.array([day or "NaT" for day in days], dtype="datetime64[D]") for days in (entry, last)]
    return Stints(number(row), number(student), number(school), np.zeros(len(rows), np.intp), *dates)


def enrolled(given: Stints, closed: tuple[int, ...] = (), rows: int = 1) -> list[str]:
    instructional = np.ones((1, 5), bool)
    instructional[0, list(closed)] = False
    calendars = Calendars(instructional, np.full((1, 5), 1000, np.int32))
    days, weights = membership(given, calendars, DAYS, rows)
    assert ((weights > 0) == days).all()
    return ["".join("x" if day else "." for day in row) for row in days]


def test_both_ends_count() -> None:
    assert enrolled(stints((0, 1, 1, "2025-08-19", "2025-08-20"))) == [".xx.."]


def test_an_open_stint_goes_on_and_an_old_entry_starts_with_the_year() -> None:
    assert enrolled(stints((0, 1, 1, "2014-08-01", ""))) == ["xxxxx"]


def test_closed_days_are_nobodys() -> None:
    assert enrolled(stints((0, 1, 1, "2025-08-18", "")), closed=(2,)) == ["xx.xx"]


def test_overlapping_stints_are_united_and_gaps_stay() -> None:
    given = stints(
        (0, 1, 1, "2025-08-18", "2025-08-19"),
        (0, 1, 1, "2025-08-19", "2025-08-20"),
        (0, 1, 1, "2025-08-22", ""),
    )
    assert enrolled(given) == ["xxx.x"]


def test_one_single_day() -> None:
    assert enrolled(stints((0, 1, 1, "2025-08-20", "2025-08-20"))) == ["..x.."]


def test_a_shared_boundary_day_belongs_to_the_arriving_school() -> None:
    given = stints((0, 1, 1, "2025-08-18", "2025-08-20"), (1, 1, 2, "2025-08-20", ""))
    assert enrolled(share_boundary_days(given), rows=2) == ["xx...", "..xxx"]


def test_a_stint_of_that_one_day_keeps_it() -> None:
    given = stints((0, 1, 1, "2025-08-20", "2025-08-20"), (1, 1, 2, "2025-08-20", ""))
    assert enrolled(share_boundary_days(given), rows=2) == ["..x..", "..xxx"]


def test_another_student_or_the_same_school_shares_nothing() -> None:
    given = stints(
        (0, 1, 1, "2025-08-18", "2025-08-20"),
        (1, 2, 2, "2025-08-20", ""),
        (0, 1, 1, "2025-08-20", "2025-08-21"),
    )
    assert enrolled(share_boundary_days(given), rows=2) == ["xxxx.", "..xxx"]


def test_what_never_was_a_stint() -> None:
    given = stints(
        (0, 1, 1, "2025-08-18", ""),
        (0, 2, 1, "2025-08-18", "2025-08-22"),
        (0, 3, 1, "2025-08-21", "2025-08-20"),
        (0, 4, 1, "2025-07-15", "2025-08-15"),
        (0, 5, 1, "2025-07-15", "2025-08-18"),
    )
    first = np.full(5, np.datetime64("2025-08-18"))
    codes = [None, " no show ", "W1", "W1", "W1"]
    kept = counted(given, codes, ["No show", "Invalid enrollment", "99"], first)
    assert kept.tolist() == [True, False, False, False, True]
    assert len(given.only(kept).row) == 2


def test_a_school_year_starts_on_july_1() -> None:
    assert school_year_start(dt.date(2025, 6, 30)) == dt.date(2024, 7, 1)
    assert school_year_start(dt.date(2025, 7, 1)) == dt.date(2025, 7, 1)
