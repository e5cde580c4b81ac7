"""Days away before and since a support began, counted over equal windows of school days. Counts, never a proof."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from rules.counting import are, many

WINDOW = 20  # school days on each side at most
LEAST_KNOWN = 10  # days of which attendance is known, on each side
WHOLE_DAY = 1000
UNKNOWN_OF = 5  # at most every fifth day of a window may be unknown


@dataclass(frozen=True, slots=True)
class SchoolDay:
    """One school day of a student: whether attendance is known, and how much was missed, in thousandths of the day."""

    day: date
    known: bool
    absent: int = 0


@dataclass(frozen=True, slots=True)
class Window:
    """School days beside each other: how many, of how many attendance is known, how much was missed (thousandths)."""

    first: date
    last: date
    days: int
    known: int
    absent: int

    @classmethod
    def of(cls, days: Sequence[SchoolDay]) -> Window:
        """The window of these days, of which there is at least one."""
        known = [day for day in days if day.known]
        return cls(days[0].day, days[-1].day, len(days), len(known), sum(day.absent for day in known))

    @property
    def tells(self) -> bool:
        """Whether enough of it is known to be counted."""
        return self.known >= LEAST_KNOWN and (self.days - self.known) * UNKNOWN_OF <= self.days


@dataclass(frozen=True, slots=True)
class Compared:
    """What came before a day and since. Without windows it cannot be told yet, and `why_not` says why."""

    before: Window | None
    since: Window | None
    why_not: str = ""

    @property
    def better(self) -> bool:
        """Fewer days away since, compared as counts of the days that are known."""
        if self.before is None or self.since is None:
            return False
        return self.since.absent * self.before.known < self.before.absent * self.since.known


def around(days: Sequence[SchoolDay], began: date) -> Compared:
    """Compare as many school days since `began` with as many before it, up to WINDOW. `days` ascending."""
    earlier, later = [day for day in days if day.day < began], [day for day in days if day.day >= began]
    size = min(len(earlier), len(later), WINDOW)
    if len(later) < LEAST_KNOWN:
        return _too_few(len(later), "since it began")
    if len(earlier) < LEAST_KNOWN:
        return _too_few(len(earlier), "before it began")
    before, since = Window.of(earlier[-size:]), Window.of(later[:size])
    if not (before.tells and since.tells):
        return Compared(None, None, "Attendance of too many of these days is not known.")
    return Compared(before, since)


def _too_few(count: int, when: str) -> Compared:
    there = f"There {are(count)} {many(count, 'school day') if count else 'no school days'} {when}"
    return Compared(None, None, f"{there}; {LEAST_KNOWN} are needed on each side.")
