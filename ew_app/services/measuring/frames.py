"""Which days are looked at: a school year, as far as each school has submitted."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np

from ew_app.kernel import today
from models.queries import measuring as rows
from rules.stints import school_year_start


@dataclass(frozen=True, slots=True)
class Frame:
    """Which days are looked at: a school year up to `day`, and last year's days for windows that reach back."""

    as_of: date | None  # as asked; None is each school's data-through day
    day: date  # the last day looked at
    start: date  # July 1 of the school year
    since: date  # July 1 of the year before
    through: dict[int, date]  # school -> the last day it has sent; a day before it without a file is missing
    shown: dict[int, date]  # the same within `day`

    @property
    def school_year(self) -> str:
        """Like 2026-27."""
        return f"{self.start.year}-{(self.start.year + 1) % 100:02d}"

    def data_through(self, school: int) -> date | None:
        """The school's last submitted day of this school year, within the days looked at."""
        last = self.shown.get(school)
        return last if last and last >= self.start else None

    def weekdays_after(self, day: np.datetime64) -> int:
        """How many weekdays of the school year come after a day, up to the last one looked at."""
        return int(np.busday_count(max(day, np.datetime64(self.start)), np.datetime64(self.day)))


def frame(as_of: date | None = None) -> Frame:
    """The days to look at, as of a date or as far as the schools have submitted."""
    now = today()
    through = rows.last_submitted(max(as_of or now, now))
    # Where every delivery was taken back, the year that was decided last is still to be emptied.
    last = as_of or max(through.values(), default=None) or rows.last_decided() or now
    start = school_year_start(last)
    shown = rows.last_submitted(last) if as_of else through
    return Frame(as_of, last, start, date(start.year - 1, start.month, start.day), through, shown)
