"""What a goal asks: how it stands against its target, what would have to be true by its day, how it went.

Pure and exact: whole numbers, targets in tenths of a percent. Where too little is known it says so instead.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from rules.suppression import LEAST, tens

ENOUGH_DAYS = 20  # school days before a rate of one student says something
PACE_WEEKS = 4  # so far back is looked to say how it went
WHOLE = 1000  # all of it, in tenths of a percent


class Measure(StrEnum):
    """What can be a goal. All but IN_TIME can be of a subgroup."""

    CHRONIC = "chronic"
    TIERS = "tiers"
    ATTENDANCE = "attendance"
    IN_TIME = "in_time"

    @property
    def at_most(self) -> bool:
        """Whether less is better."""
        return self in (Measure.CHRONIC, Measure.TIERS)


LABELS = {
    Measure.CHRONIC: "Students absent 10% or more of their days",
    Measure.TIERS: "Students in Tier 2 or 3",
    Measure.ATTENDANCE: "School days attended",
    Measure.IN_TIME: "Families reached by the day set",
}


@dataclass(frozen=True, slots=True)
class Point:
    """How it stood on a day: part of whole."""

    day: date
    part: int
    whole: int

    @property
    def tenths(self) -> int | None:
        """The share in tenths of a percent, floored; None of nothing."""
        return WHOLE * self.part // self.whole if self.whole else None


def met(measure: Measure, point: Point, target: int) -> bool:
    """Whether the target is reached: at most, or at least, so many tenths of a percent; compared without division."""
    share, line = WHOLE * point.part, target * point.whole
    return share <= line if measure.at_most else share >= line


def has_to_change(measure: Measure, point: Point, target: int) -> int:
    """How many fewer there may be, or more there must be, with the whole as it is; 0 where the target is met."""
    if measure.at_most:
        return max(0, point.part - target * point.whole // WHOLE)
    return max(0, -(-target * point.whole // WHOLE) - point.part)


def may_miss(point: Point, ahead: int, target: int) -> int:
    """Of so many student days ahead (thousandths) how many may be missed for the year to end at the target.

    Below 0: the target is out of reach. `point`: days attended of days enrolled.
    """
    most = (WHOLE - target) * (point.whole + ahead) // WHOLE
    return most - (point.whole - point.part)


def before(points: Sequence[Point]) -> Point | None:
    """The newest known point at least four weeks before the last one; None with too little behind it.

    What was is told, and not where it leads: four weeks say nothing about June, and two points in tens even less.
    """
    known = [point for point in points if point.whole]
    earlier = [point for point in known if (known[-1].day - point.day).days >= 7 * PACE_WEEKS]
    return earlier[-1] if earlier else None


def percent(tenths: int) -> str:
    """`12.5%`, `20%`."""
    whole, rest = divmod(tenths, 10)
    return f"{whole}.{rest}%" if rest else f"{whole}%"


def sentence(measure: Measure, point: Point | None, target: int, by: str, ahead: int, *, in_tens: bool) -> str:
    """What would have to be true by the day, for whoever may see counts. in_tens: of a subgroup, no exact count."""
    if point is None or point.whole == 0:
        return _cannot_tell(measure)
    if in_tens and min(point.part, point.whole - point.part) < LEAST and measure is not Measure.ATTENDANCE:
        return "Too few students for a count that would not tell of one of them."
    if measure is Measure.ATTENDANCE:
        return _days(point, target, by, ahead)
    if met(measure, point, target):
        word = "or less" if measure.at_most else "or more"
        return f"It stands at {percent(target)} {word} now. It has to be so on {by} too."
    change = has_to_change(measure, point, target)
    if measure is Measure.IN_TIME:
        more = f"{change:,} more {'family' if change == 1 else 'families'}"
        return f"For {percent(target)} {more} had to be reached in time: now {point.part:,} of {point.whole:,}."
    count = f"{change:,}" if not in_tens else f"about {tens(change):,}" if tens(change) else "a few"
    what = "be absent 10% or more of their days" if measure is Measure.CHRONIC else "be in Tier 2 or 3"
    now = f"about {tens(point.part):,}" if in_tens else f"{point.part:,} of {point.whole:,}"
    noun = "student" if change == 1 and not in_tens else "students"
    return f"To end at {percent(target)} or less, {count} fewer {noun} may {what} by {by}; now it is {now}."


def _days(point: Point, target: int, by: str, ahead: int) -> str:
    left = may_miss(point, ahead, target)
    if ahead <= 0:
        return f"No school day is ahead until {by}."
    if left < 0:
        return f"Also if every day until {by} is attended the year ends under {percent(target)}."
    share = WHOLE * left // ahead
    so_far = WHOLE - (point.tenths or 0)
    return (
        f"To end at {percent(target)} or more, at most {percent(min(share, WHOLE))} of the days ahead until {by} may "
        f"be missed; so far {percent(so_far)} were."
    )


def _cannot_tell(measure: Measure) -> str:
    if measure is Measure.CHRONIC:
        return f"Cannot tell yet: a student's rate says something after {ENOUGH_DAYS} school days."
    return "Cannot tell yet: nothing has been counted so far."
