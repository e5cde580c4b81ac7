"""The days of an invented school year: Monday of the last full week of August to the middle of June."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property

ONE_DAY = timedelta(days=1)
ONE_WEEK = timedelta(days=7)


@dataclass(frozen=True)
class SchoolYear:
    """The year that starts in August of `year`: 184 school days in 2026-27, of which 60 end on 20 November."""

    year: int

    @property
    def label(self) -> str:
        """'2026-27', as prior_year.csv writes it."""
        return f"{self.year}-{(self.year + 1) % 100:02d}"

    @property
    def first(self) -> date:
        """24 August 2026; each other year the Monday from the 21st on."""
        return _nth(date(self.year, 8, 21), 0, 1)

    @property
    def last(self) -> date:
        return date(self.year + 1, 6, 15)

    @cached_property
    def closed(self) -> dict[date, str]:
        """Weekdays without school -> day_type."""
        year, after = self.year, self.year + 1
        thanksgiving = _nth(date(year, 11, 1), 3, 4)
        spring = _nth(date(after, 3, 1), 0, 4)
        winter = _nth(date(year, 12, 19), 0, 1)
        days = {
            _nth(date(year, 9, 1), 0, 1): "holiday",  # Labor Day
            _nth(date(year, 10, 1), 0, 2): "holiday",  # Indigenous Peoples' Day
            _nth(date(year, 10, 1), 0, 2) - 3 * ONE_DAY: "non_instructional",  # the staff's day before it
            _nth(date(year, 11, 1), 0, 1) + ONE_DAY: "non_instructional",  # Election Day
            date(year, 11, 11): "holiday",  # Veterans Day
            _nth(date(after, 1, 1), 0, 3): "holiday",  # Martin Luther King Day
            _nth(date(after, 2, 1), 0, 3): "holiday",  # Presidents' Day
            _nth(date(after, 5, 25), 0, 1): "holiday",  # Memorial Day
        }
        for start, length in ((thanksgiving - 3 * ONE_DAY, 5), (winter, 12), (spring, 5)):
            days |= {start + n * ONE_DAY: "holiday" for n in range(length)}
        return {day: kind for day, kind in days.items() if day.weekday() < 5}

    @cached_property
    def weekdays(self) -> list[date]:
        """Every Monday to Friday from the first day to the last."""
        span = (self.last - self.first).days + 1
        return [day for n in range(span) if (day := self.first + n * ONE_DAY).weekday() < 5]

    @cached_property
    def school_days(self) -> list[date]:
        return [day for day in self.weekdays if day not in self.closed]


def taught_days(days: int, last_day: date | None) -> list[date]:
    """The school days that the demo covers: the first `days` of 2026-27, or up to `days` that end by `last_day`."""
    if days < 2:
        raise ValueError("A demo needs at least 2 school days: the last one is kept apart as today's file.")
    if last_day is None:
        year = SchoolYear(2026)
        if days > len(year.school_days):
            raise ValueError(f"The school year has {len(year.school_days)} days; ask for at most that many.")
        return year.school_days[:days]
    year = SchoolYear(last_day.year if last_day >= SchoolYear(last_day.year).first else last_day.year - 1)
    until = [day for day in year.school_days if day <= last_day][-days:]
    if len(until) < 2:
        raise ValueError(f"There are fewer than 2 school days up to {last_day}; choose a later last day.")
    return until


def _nth(start: date, weekday: int, count: int) -> date:
    """The count-th Monday (0) .. Friday (4) on or after `start`."""
    return start + ((weekday - start.weekday()) % 7) * ONE_DAY + (count - 1) * ONE_WEEK
