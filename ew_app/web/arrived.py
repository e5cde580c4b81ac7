"""The days that came in, in words and as a strip: one school at a glance, or many in a table."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from ew_app.kernel import day_text
from ew_app.web import beginning
from models.queries import boards
from models.queries.imports import Day, SchoolStrip
from rules.counting import are, many

WEEKS = 4
STATES = {"submitted": "present", "partial": "half", "not_submitted": "missing", "closed": "closed"}


def first_day(today: date) -> date:
    """The Monday with which the strips begin."""
    return today - timedelta(days=today.weekday() + 7 * (WEEKS - 1))


def answer(strips: Sequence[SchoolStrip], today: date) -> str:
    """The sentence that answers the page's question."""
    due = [day for strip in strips if (day := strip.on(today)) and day.status != "closed"]
    sent = sum(day.waits for day in due)
    waiting = sum(day.status == "not_submitted" for day in due) - sent
    partly = sum(day.status == "partial" for day in due)
    if not strips:
        return "No school is yours to bring attendance in for" if boards.any_school() else "No school is known here yet"
    if not due:
        return "No school today, so nothing is due"
    if sent:
        return _beside_files(len(due), waiting, sent)
    if not waiting and not partly:
        return "Today's attendance is in" + (f" at all {len(due):,} schools" if len(due) > 1 else "")
    if len(due) == 1:
        return "Today's attendance has not come in yet" if waiting else "Today's attendance came in only in part"
    if not waiting:
        return f"Today's attendance came in only in part at {partly:,} of {len(due):,} schools"
    return f"{waiting:,} of {len(due):,} schools {'has' if waiting == 1 else 'have'} not sent today's attendance"


def _beside_files(due: int, waiting: int, sent: int) -> str:
    """The same where today's attendance of some schools came in files that wait."""
    if due == 1:
        return "Today's attendance came, and its file waits for somebody to look at it"
    waits = f"that of {many(sent, 'school')} waits in a file"
    if not waiting:
        return f"Today's attendance came, and {waits}"
    return f"{waiting:,} of {due:,} schools {are(waiting, 'has', 'have')} not sent today's attendance, and {waits}"


def freshness(strips: Sequence[SchoolStrip], today: date) -> list[Any]:
    """Through which day attendance is in, at how many schools, and who is behind."""
    known = [strip.through for strip in strips if strip.through]
    if not known:
        return ["Nothing has come in yet"] if strips else []
    through = max(known)
    if beginning.is_old(through):
        return [(f"As of {day_text(through)}: nothing of this school year has come in", "late")]
    behind = [strip for strip in strips if _days_late(strip, today)]
    parts: list[Any] = [f"Through {day_text(through)}"]
    if len(strips) > 1:
        parts.append(f"{len(strips) - len(behind):,} of {len(strips):,} schools complete")
    parts += [(f"{strip.school.name}: {_missing(strip, today)}", "late") for strip in behind[:2]]
    return parts + ([(f"and {many(len(behind) - 2, 'school')} more", "late")] if len(behind) > 2 else [])


def line(strip: SchoolStrip, today: date) -> dict[str, Any]:
    """One school: its weeks for the strip, and the sentence that says the same."""
    now = strip.on(today)
    return {
        "school": strip.school,
        "through": strip.through,
        "weeks": _weeks(strip),
        "text": f"{strip.school.name}: {_missing(strip, today)}",
        "missing": _missing(strip, today),
        "late": bool(_days_late(strip, today)),
        "today": _said(now) if now else "no calendar for today",
        "is_in": now is not None and now.is_in,
    }


def _days_late(strip: SchoolStrip, today: date) -> list[date]:
    return [day.day for day in strip.late if day.day < today]


def _missing(strip: SchoolStrip, today: date) -> str:
    late = _days_late(strip, today)
    sent = [day.day for day in strip.late if day.waits and day.day < today]
    told = [
        _days(days, what) for days, what in ((sorted({*late} - {*sent}), "missing"), (sent, "waits in a file")) if days
    ]
    return ", ".join(told) or "every day before today is in"


def _days(days: Sequence[date], what: str) -> str:
    if len(days) <= 3:
        return f"{', '.join(map(day_text, days))} {what}"
    return f"{many(len(days), 'school day')} {what} since {day_text(days[0])}"


def _weeks(strip: SchoolStrip) -> list[dict[str, Any]]:
    """Days by week, Monday to Friday and whatever else the school has."""
    weeks: list[dict[str, Any]] = []
    by_week: dict[date, list[Day]] = {}
    for day in strip.days:
        by_week.setdefault(day.day - timedelta(days=day.day.weekday()), []).append(day)
    month = ""
    for monday, days in sorted(by_week.items()):
        shown = f"{monday:%b}" if f"{monday:%b}" != month else ""
        month = f"{monday:%b}"
        cells = [{"state": STATES[day.status], "text": f"{day_text(day.day)}: {_said(day)}"} for day in days]
        weeks.append({"month": shown, "days": cells})
    return weeks


def _said(day: Day) -> str:
    if day.status == "submitted":
        return f"in, {many(day.absences, 'student')} absent"
    if day.status == "partial":
        return f"in part, {many(day.rows, 'row')}"
    if day.waits:
        return "in a file that waits"
    return "not in yet" if day.status == "not_submitted" else "no school"
