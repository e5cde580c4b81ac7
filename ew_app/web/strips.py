"""The day strip of a student: an explanation's days put into the weeks that the picture shows."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from ew_app.kernel import day_text
from ew_app.services.measuring.why import Glance
from ew_app.services.measuring.why_days import Day
from rules.school_days import MONTHS

WEEKDAYS = 5
Week = dict[str, Any]


def weeks(days: Sequence[Day]) -> list[Week]:
    """Monday to Friday from the first school day to the last; a weekday without one is closed."""
    if not days:
        return []
    known = {day.day: day for day in days}
    first, last = days[0].day, days[-1].day
    monday = first - timedelta(days=first.weekday())
    made: list[Week] = []
    month = 0
    while monday <= last:
        shown = [_cell(known.get(day), day, first, last) for day in _school_week(monday, known)]
        begins = next((d.month for d in _school_week(monday, known) if d.month != month and first <= d <= last), 0)
        made.append({"month": MONTHS[begins - 1] if begins else "", "days": shown})
        month = begins or month
        monday += timedelta(days=7)
    return made


def _school_week(monday: date, known: dict[date, Day]) -> list[date]:
    """Five days, and the days of the weekend on which school was held."""
    week = [monday + timedelta(days=n) for n in range(7)]
    return [day for n, day in enumerate(week) if n < WEEKDAYS or day in known]


def _cell(day: Day | None, on: date, first: date, last: date) -> dict[str, object]:
    if day is None:
        return {"state": "closed" if first <= on <= last else "out", "text": ""}
    return {"state": day.state, "text": day.text, "used": bool(day.used_by), "corrected": bool(day.earlier)}


def summary(found: Glance) -> str:
    """The strip in a sentence: days absent of days enrolled, what is missing, through which day."""
    measures = found.measures
    if not measures or not found.days:
        return "No school day has been counted yet."
    sentence = f"Absent {measures['absent_days']} of {measures['enrolled_days']} school days so far"
    if measures["absent_days"] != "0":
        sentence += f", {measures['unexcused_days']} of them without an excuse"
    parts = [f"{sentence}."]
    if (missing := int(measures["missing_days"])) > 0:
        parts.append(f"The school has not sent {missing} {'day' if missing == 1 else 'days'}.")
    if (unknown := int(measures["unknown_days"])) > 0:
        parts.append(f"{unknown} {'mark is' if unknown == 1 else 'marks are'} not understood yet.")
    return f"{' '.join(parts)} Through {day_text(found.days[-1].day)}."
