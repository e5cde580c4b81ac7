"""S08, attendance: the student's days and the way of the rate, without leaving the case."""

from __future__ import annotations

from typing import Any

from ew_app.web import rate_lines, strips
from ew_app.web.case_page import Page


def days(page: Page) -> dict[str, Any]:
    """The strip of days with its sentence."""
    return {"weeks": strips.weeks(page.told.days), "summary": strips.summary(page.told)}


def rate(page: Page) -> dict[str, Any] | None:
    """The running share of days absent; None before a day was counted."""
    told = page.told
    found = rate_lines.points(told)
    if not found:
        return None
    student = page.at_hand.case.student
    who = student.first_name or student.name
    share = told.measures["absence_rate"]
    summary = f"{who} has been absent {share}% of the days counted so far. The line begins at the tenth day."
    return {
        "points": found,
        "lines": rate_lines.thresholds(told),
        "summary": summary,
        "numbers": _numbers(told.measures),
    }


def _numbers(said: dict[str, Any]) -> list[tuple[str, str]]:
    """Term and value, as the student's own page has them."""
    return [
        ("Absent", f"{said['absent_days']} of {said['enrolled_days']} days"),
        ("Excused", said["excused_days"]),
        ("Unexcused", said["unexcused_days"]),
        ("Late", said["tardies"]),
        ("Missed half the day or more", said["federal_absent_days"]),
        ("Full days in a row now", said["streak_now"]),
    ]
