"""S08, contacts: what was tried on the school's ladder since the case was opened, and what comes next."""

from __future__ import annotations

from typing import Any

from flask import url_for

from ew_app.kernel import day_text
from ew_app.services.casework import laddering
from ew_app.services.casework.laddering import MAY_CHANGE, Climb
from ew_app.web.case_page import Page
from ew_app.web.guard import actor
from rules import access
from rules.counting import are, many
from rules.ladder import Step, manners


def ladder(page: Page) -> dict[str, Any] | None:
    """The rungs with what was tried; nothing of a case that is closed."""
    at_hand = page.at_hand
    if at_hand.case.closed_on is not None:
        return None
    way = laddering.climb(at_hand.case)
    may_change = access.can(actor().grants, MAY_CHANGE, at_hand.place)
    return {
        "answer": _answer(way),
        "steps": [_step(step, way) for step in way.steps],
        "change": url_for("ladder.show", key=at_hand.case.school.key) if may_change else None,
    }


def _answer(way: Climb) -> str:
    """Whether somebody was reached, else how many tries stand and whether they are enough to say so."""
    if way.reached is not None:
        again = f" A word with them again by {day_text(way.touch)}." if way.touch else ""
        return f"The family was reached on {day_text(way.reached)}, so the ladder rests.{again}"
    if not way.tries:
        return "Nobody has tried to reach the family since this case was opened."
    said = f"{many(way.tries, 'try', 'tries')} by {many(way.ways, 'way')}, and nobody reached."
    if way.enough:
        return f"{said} That is enough to say that the family cannot be reached."
    return f"{said} {_lacking(way)}"


def _lacking(way: Climb) -> str:
    """What is missing before anybody may say that a family cannot be reached."""
    tries, ways = max(0, manners().tries - way.tries), max(0, manners().ways - way.ways)
    parts = [
        f"{many(tries, 'more try', 'more tries')}" if tries else "",
        f"{many(ways, 'other way')}" if ways else "",
    ]
    needed = " and ".join(part for part in parts if part)
    return f"{needed[:1].upper()}{needed[1:]} {are(max(tries, ways))} needed before that may be said."


def _step(step: Step, way: Climb) -> dict[str, Any]:
    if step.tried is not None:
        note = f"tried {day_text(step.tried)}"
    elif step.left_out:
        note = "left out: the family asked us not to"
    elif way.reached is not None:
        note = "not needed now"
    else:
        note = f"from {day_text(step.due)}" + (", next" if step is way.next else "")
    return {"text": step.rung.words, "done": step.tried is not None, "note": note}
