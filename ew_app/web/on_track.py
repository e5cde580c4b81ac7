"""A counselor's own students at a glance: days missed, days still recoverable, the last and the next conference."""

from __future__ import annotations

from typing import Any

from flask import url_for

from ew_app.kernel import day_text, today
from ew_app.services.measuring import outlook
from ew_app.web.case_lines import days_of, name
from ew_app.web.guard import actor, scope
from models.queries import caseload
from models.queries import on_track as rows
from rules.access import Permission

SHOWN = 25
CONFERENCE = "conference"


def lines() -> list[dict[str, Any]]:
    """The open cases that this person owns, what is due first."""
    me, on = actor().person_id or 0, today()
    found = caseload.caseload(scope(Permission.SEE_CASELOAD), me, on, mine=True, size=SHOWN).rows
    held = rows.conferences([one.student_id for one in found], CONFERENCE)
    ahead = outlook.of_several([one.student_id for one in found])
    return [
        {
            "name": name(one), "about": one.school, "url": url_for("case.show", number=one.number),
            "days": days_of(one.absent, one.enrolled), "outlook": ahead.get(one.student_id, ""),
            "last": _held(held.get(one.student_id)),
            "log": url_for("outreach.show", number=one.number, method=CONFERENCE, back="/supports/counseling"),
        }
        for one in found
    ]  # fmt: skip


def _held(last: Any) -> str:
    if last is None:
        return "none yet"
    return f"{day_text(last.on_day)}{f', next {day_text(last.next_date)}' if last.next_date else ''}"
