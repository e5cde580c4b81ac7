"""What came before a support and what since, in days of one student: read from the same days as every other page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from ew_app.services.measuring import why
from ew_app.services.measuring.why_days import Day
from models.plans import Plan
from rules import before_after
from rules.before_after import Compared, SchoolDay, Window

UNKNOWN = frozenset({"missing", "unknown"})
NOT_A_DAY = frozenset({"out", "homebound", "closed"})


@dataclass(frozen=True, slots=True)
class Days:
    """The school days of a student in this school year as far as they are told."""

    told: tuple[Day, ...]

    @classmethod
    def of(cls, student: str) -> Days:
        """Of the student with this key of the district."""
        return cls(why.glance(student).days)

    def around(self, began: date) -> Compared:
        """Days away before and since a day."""
        return before_after.around(_school_days(self.told), began)

    def shown(self, window: Window) -> list[Day]:
        """The days of a window, for the picture of it."""
        return [day for day in self.told if window.first <= day.day <= window.last]

    def toward(self, plan: Plan, agreed: date) -> Window | None:
        """The days so far that a plan's goal in numbers speaks of; None without such a goal, or before its first."""
        since = [day for day in _school_days(self.told) if day.day > agreed][: plan.of_days or 0]
        return Window.of(since) if since else None


def _school_days(days: Sequence[Day]) -> list[SchoolDay]:
    """Days of membership; a day at home for the doctor's reasons is on neither side."""
    counted = [day for day in days if day.state not in NOT_A_DAY]
    return [SchoolDay(day.day, day.state not in UNKNOWN, day.absent) for day in counted]
