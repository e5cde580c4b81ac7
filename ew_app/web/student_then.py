"""The student page's look back: a day as it was known when it ended beside the same day as it is known now."""

from __future__ import annotations

from datetime import date
from typing import Any

from ew_app import kernel
from ew_app.kernel import day_text
from ew_app.services.measuring.then_and_now import Arrival, ThenAndNow, then_and_now

NUMBERS = {
    "absent_days": "Days absent",
    "enrolled_days": "Days counted",
    "absence_rate": "Share absent",
    "excused_days": "Excused",
    "unexcused_days": "Unexcused",
    "tardies": "Times late",
    "federal_absent_days": "Missed half or more",
    "missing_days": "Days the school did not send",
    "unknown_days": "Marks not understood",
    "data_through": "Attendance was in through",
}
DECIDED = {"tier": "Tier"}
_KINDS = {
    "marks": ("mark", "marks"),
    "ended": ("mark taken away", "marks taken away"),
    "days": ("day sent by the school", "days sent by the school"),
    "days_ended": ("day of the school taken back", "days of the school taken back"),
    "enrolments": ("enrolment", "enrolments"),
    "calendar": ("day of the calendar", "days of the calendar"),
    "lengths": ("change to the length of a school day", "changes to the length of a school day"),
    "codes": ("code explained", "codes explained"),
}


def looked_back(key: str, asked: str, today: date, *, judged: bool) -> dict[str, Any]:
    """What the section shows: the day asked for, an error, or both truths. `judged`: tiers may be shown."""
    shown: dict[str, Any] = {"asked": asked, "error": None, "both": None}
    if not asked:
        return shown
    try:
        day = date.fromisoformat(asked)
    except ValueError:
        return shown | {"error": "Choose a date, such as 2026-10-09."}
    if day > today:
        return shown | {"error": "Choose a day that has come already."}
    return shown | {"both": _both(then_and_now(key, day), judged)}


def _both(found: ThenAndNow, judged: bool) -> dict[str, Any]:
    then = found.then.measures if found.then else {}
    names = NUMBERS | (DECIDED if judged else {})
    return {
        "day": found.day,
        "numbers": [
            (words, _shown(name, then.get(name)), _shown(name, found.now.measures[name]))
            for name, words in names.items()
            if name in found.differ
        ],
        "days": found.days,
        "arrivals": [(_from(one), day_text(kernel.local(one.at).date()), _what(one)) for one in found.arrivals],
    }


def _shown(name: str, value: str | None) -> str:
    if value is None or value == "":
        return "–"
    if name == "data_through":
        return day_text(date.fromisoformat(value))
    if name == "absence_rate":
        return f"{value}%"
    return {"watch": "Watch", "none": "–"}.get(value, value) if name == "tier" else value


def _from(one: Arrival) -> str:
    return f"{one.name} (batch {one.batch})" if one.batch else "Explained by a person"


def _what(one: Arrival) -> str:
    return ", ".join(f"{rows} {_KINDS[kind][rows != 1]}" for kind, rows in one.what)
