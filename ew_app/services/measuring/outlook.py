"""What the rest of the school year still allows one student: days that can be missed, and the last of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction

import numpy as np

from ew_app.services.measuring.judging import Judged, judge
from models.queries import calendars
from rules.daily import HALF_DAY
from rules.outlook import last_day_under, still_to_miss
from rules.tiers import days_text

TIER_2 = "R07"

Taught = dict[int, dict[date, int]]  # school -> its school days of the year, with the weight of each


@dataclass(frozen=True, slots=True)
class Outlook:
    """`left`: thousandths that may still be missed of the days `ahead`, so that the year ends under `line` percent.

    `last_day`: whoever stays away up to it and comes on every later day ends under the line; None: too late for that.
    """

    left: int
    ahead: int
    line: str
    last_day: date | None

    @property
    def sentence(self) -> str:
        """What a family can be told."""
        left, ahead = days_text(self.left), days_text(self.ahead)
        if self.left < 0:
            return f"The year will end at {self.line}% or more, also if all {ahead} days ahead are attended."
        away = f"; away beyond {self.last_day}, it is not" if self.last_day and self.left < self.ahead else ""
        return f"Of the {ahead} school days ahead {left} can be missed with the year under {self.line}%{away}."


def of_several(students: Sequence[int]) -> dict[int, str]:
    """Student -> what a family can be told, as far as anything is known; a constant number of statements."""
    judged = judge(students) if students else None
    if judged is None:
        return {}
    taught = _taught(judged)
    told = {int(number): outlook(judged, row, taught) for row, number in enumerate(judged.students)}
    return {number: one.sentence for number, one in told.items() if one}


def outlook(judged: Judged, row: int = 0, taught: Taught | None = None) -> Outlook | None:
    """Of one student judged; None where nothing is ahead, or the policy has no line for chronic absence."""
    year = judged.year
    line = next((line for line in judged.policy.lines if line.key == TIER_2), None)
    through = year.frame.data_through(int(year.school[row]))
    if line is None or through is None or not year.enrolled_now[row]:
        return None
    days = (taught or _taught(judged)).get(int(year.school[row]), {})
    ahead = sorted((day, weight) for day, weight in days.items() if through < day)
    weights = [weight for _, weight in ahead]
    if not weights:
        return None
    enrolled, absent = (int(part[row, judged.last]) for part in (judged.facts.enrolled, judged.facts.absent))
    left = int(still_to_miss(enrolled, absent, sum(weights), Fraction(line.bound)))
    left = left // HALF_DAY * HALF_DAY
    last = last_day_under(left, weights)
    percent = days_text(int(line.bound * 100_000))
    return Outlook(left, sum(weights), percent, ahead[last][0] if last >= 0 else None)


def _taught(judged: Judged) -> Taught:
    start = judged.year.frame.start
    ends = date(start.year + 1, start.month, start.day) - timedelta(days=1)
    found: Taught = {}
    for row in calendars.calendar(np.unique(judged.year.school).tolist(), start, ends):
        found.setdefault(row.school_id, {})[row.day] = row.weight
    return found
