"""S08, the first three steps of a case: reached, understood, agreed. Done by what is on record, never by a tick."""

from __future__ import annotations

from typing import Any

from flask import url_for

from ew_app.kernel import day_text
from ew_app.web.case_page import Page
from rules.case_flow import Status
from rules.counting import many

AGREED = {str(Status.PLANNED), str(Status.MONITORING)}


def steps(page: Page) -> dict[str, Any] | None:
    """What of the three is done, and what is on record of each; None once the case is over."""
    if page.at_hand.case.closed_on is not None:
        return None
    return {"steps": [_reached(page), _understood(page), _agreed(page)]}


def _reached(page: Page) -> dict[str, Any]:
    """Somebody of the family, or the student, was really reached since the case was opened."""
    made = page.made_since_begun
    reached = next((one for one in made if one.is_contact), None)
    note = f"{day_text(reached.on_day)}, by {reached.author}" if reached else ""
    if not reached:
        note = f"{many(len(made), 'try', 'tries')} so far" if made else "nobody was tried yet"
    url = url_for("case.contacts", number=page.at_hand.case.number)
    return {"text": "The family or the student is reached", "done": reached is not None, "note": note, "url": url}


def _understood(page: Page) -> dict[str, Any]:
    """A cause that this reader may see; what lies in a compartment does not count for those who may not know."""
    current = [cause for cause in page.causes if cause.ended_at is None]
    note = f"{current[0].author}, {current[0].position}" if current else "ask the student and the family"
    url = url_for("case_work.cause", number=page.at_hand.case.number) if not current else None
    return {"text": "What gets in the way is written down", "done": bool(current), "note": note, "url": url}


def _agreed(page: Page) -> dict[str, Any]:
    case = page.at_hand.case
    done = case.status in AGREED
    note = f"next: {case.next_step}" if done else "one small step, agreed with the family"
    return {"text": "A plan is agreed", "done": done, "note": note, "url": url_for("case.plan", number=case.number)}
