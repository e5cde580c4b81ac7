"""Days that cannot be meant: a year typed wrongly would put a child out of sight for decades."""

from __future__ import annotations

from datetime import date, timedelta

from ew_app.kernel import Refused, day_text, today

FARTHEST = timedelta(days=366)


def check_ahead(*days: date | None) -> None:
    """Refused for a planned day more than a year ahead: whatever waits for it would be forgotten."""
    for day in days:
        if day is not None and day > today() + FARTHEST:
            raise Refused(f"{_full(day)} is more than a year ahead. Check the year, or choose a day that is nearer.")


def check_back(*days: date | None) -> None:
    """Refused for something that is said to have happened more than a year ago."""
    for day in days:
        if day is not None and day < today() - FARTHEST:
            raise Refused(f"{_full(day)} is more than a year ago. Check the year.")


def _full(day: date) -> str:
    """A day with its year, which is what is wrong with it."""
    return f"{day_text(day).removesuffix(f' {day.year}')} {day.year}"
