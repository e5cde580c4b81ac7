"""What a training will do, written down before it begins: its years, and its pieces of work in their order."""

from __future__ import annotations

from typing import Any

from ew_app.kernel import today
from ew_app.services.risk import calendar, parts
from ew_app.services.risk.calendar import SchoolYear
from models.queries import risk_years as rows
from rules.risk.backtest import FOLDS
from rules.risk.cohort import GRID, LEAST_AHEAD

AT_ONCE = 5_000  # students: every fact of every day lies in memory
FEWEST_DAYS = GRID[0] + LEAST_AHEAD
TOLD, READ, END, SCORE, FIT = "told", "read", "end", "score", "fit"


def years() -> list[SchoolYear]:
    """The completed years that are long enough."""
    return [year for year in calendar.completed(today()) if len(year.days) >= FEWEST_DAYS]


def plan(years: list[SchoolYear]) -> dict[str, Any]:
    """Of these years, with the stamp of the form in which this release keeps what it finds."""
    return {"years": [_told(year) for year in years], "slices": _slices(years), "stamp": parts.stamp()}


def _told(year: SchoolYear) -> dict[str, Any]:
    in_time, every = rows.came_in_time(year.start, year.until, calendar.IN_TIME)
    days = {str(number): year.days[number - 1].isoformat() for number in GRID if _has(year, number)}
    told = {"start": year.start.isoformat(), "name": year.name, "live": year.live, "taught": len(year.days)}
    return {**told, "days": days, "school_days": every, "in_time": in_time}


def _has(year: SchoolYear, number: int) -> bool:
    """Whether a year has that school day, with enough to go."""
    return number <= len(year.days) and year.ahead(number) >= LEAST_AHEAD


def _slices(years: list[SchoolYear]) -> list[list[Any]]:
    """[kind, year, schools]: the years in their order, because each needs how those before it ended.

    Then [kind, grid day, which test year]: each test year of a day by itself, then the day.
    """
    if not years:
        return []
    first = years[0].start.year
    found: list[list[Any]] = [[TOLD, year, []] for year in (first - 2, first - 1)]
    for year in years:
        found += [[READ, year.start.year, schools] for schools in _together(rows.sizes(year.start, year.until))]
        found.append([END, year.start.year, []])
    for day in GRID:
        found += [*([SCORE, day, [nth]] for nth in range(FOLDS)), [FIT, day, []]]
    return [*found, [FIT, 0, []]]


def _together(sizes: list[tuple[int, int]]) -> list[list[int]]:
    """Schools in their order, as many at once as have so many students."""
    found: list[list[int]] = []
    room = 0
    for school, students in sizes:
        if not found or students > room:
            found.append([])
            room = AT_ONCE
        found[-1].append(school)
        room -= students
    return found
