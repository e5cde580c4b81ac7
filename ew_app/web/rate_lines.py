"""How a student's share of days absent went through the year, as the picture of a line takes it."""

from __future__ import annotations

from itertools import groupby

from ew_app.services.measuring.why import Glance
from rules.school_days import MONTHS

SETTLES = 10_000  # thousandths: before ten days one absence moves the line too far to read


def points(told: Glance) -> list[tuple[str, float]]:
    """The running rate at the end of each week, from the tenth counted day on."""
    settled = [one for one in told.rates if one[2] >= SETTLES] or [one for one in told.rates if one[2]]
    weekly = [list(week)[-1] for _, week in groupby(settled, key=lambda one: one[0].isocalendar()[:2])]
    return [(f"{day.day} {MONTHS[day.month - 1]}", 1000 * absent // enrolled / 10) for day, absent, enrolled in weekly]


def thresholds(told: Glance) -> list[tuple[float | int, str, str]]:
    """(share in percent, words, tier) of the lines at which a tier starts."""
    return [(_plain(share), f"{tier_words(tier)} starts", tier) for tier, share in told.lines]


def tier_words(tier: str) -> str:
    return {"watch": "Watch", "none": "no tier"}.get(tier, f"Tier {tier}")


def _plain(number: str) -> float | int:
    """10 rather than 10.0, as people write a percentage."""
    value = float(number)
    return int(value) if value.is_integer() else value
