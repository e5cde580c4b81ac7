"""School years by the number of the school day: the first, the twentieth ... on the calendar most schools share."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from models.queries import risk_years as rows
from rules.stints import school_year_start

IN_TIME = timedelta(days=14)
LIVE = 90  # percent of a year's school-days that came in time


@dataclass(frozen=True, slots=True)
class SchoolYear:
    """A school year with its school days in order. `live`: it was followed as it went; None while it goes on."""

    start: date
    days: Sequence[date]
    live: bool | None = None

    @property
    def until(self) -> date:
        """Its last day, 30 June."""
        return last_day(self.start)

    @property
    def name(self) -> str:
        """Like 2025-26."""
        return f"{self.start.year}-{(self.start.year + 1) % 100:02d}"

    def number(self, day: date) -> int:
        """How many school days there were up to a day."""
        return bisect_right(self.days, day)

    def ahead(self, number: int) -> int:
        """School days after that one."""
        return max(len(self.days) - number, 0)


def last_day(start: date) -> date:
    """30 June of the school year that starts on this 1 July."""
    return date(start.year + 1, start.month, 1) - timedelta(days=1)


def year_of(day: date) -> SchoolYear:
    """The school year of a day."""
    start = school_year_start(day)
    return SchoolYear(start, rows.taught_days(start, last_day(start)))


def completed(before: date) -> list[SchoolYear]:
    """The school years before that of a day of which attendance is known, the earliest first."""
    return [_completed(start) for start in rows.completed_years(school_year_start(before))]


def _completed(start: date) -> SchoolYear:
    until = last_day(start)
    in_time, every = rows.came_in_time(start, until, IN_TIME)
    return SchoolYear(start, rows.taught_days(start, until), in_time * 100 >= every * LIVE)
