"""Who is asked for what at a school today, and what an empty role would do: the routing table beside its people."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, render_template, request

from ew_app.services.casework import seats
from ew_app.services.casework.seats import Asked, roles_asked, seat_words
from ew_app.web.guard import found, requires, scope
from rules.access import Permission
from rules.counting import many
from rules.routing import Via
from rules.routing_table import routing_table
from rules.vocabulary import vocabulary

__all__ = ["roles_asked", "screen"]

screen = Blueprint("seats", __name__)


@screen.get("/people/seats")
@requires(Permission.SEE_PEOPLE)
def show() -> str:
    """One school of those whose people the reader may see; `without` tries out an empty role."""
    schools = seats.schools_of(scope(Permission.SEE_PEOPLE).whole)
    key = request.args.get("school", "") or (schools[0].key if schools else "")
    school = found(next((one for one in schools if one.key == key), None))
    without = request.args.get("without", "")
    without = without if without in dict(roles_asked()) else ""
    lines = seats.asked_at(school, without=without)
    return render_template(
        "seats.html",
        answer=_answer(school.name, lines, dict(roles_asked()).get(without, "")),
        lines=[_line(one) for one in lines],
        school=school.key,
        schools=[(one.key, one.name) for one in schools],
        without=without,
        roles=roles_asked(),
    )


def _answer(school: str, lines: list[Asked], without: str) -> str:
    alone = sum(one.alone for one in lines)
    first = f"Without a {without}, " if without else ""
    said = "every kind of work finds somebody" if not alone else f"{many(alone, 'kind')} of work would find nobody"
    sentence = f"{first}{said} at {school}"
    return sentence[0].upper() + sentence[1:]


def _line(one: Asked) -> dict[str, Any]:
    entry = one.entry
    due = entry.due.contact if not entry.tasks else entry.tasks[0].due
    departments = routing_table().departments
    return {
        "when": entry.when, "department": one.department, "role": seat_words(entry.seat),
        "person": one.person, "how": _how(one), "kind": "late" if one.alone else "plain", "alone": one.alone,
        "due": "the same day" if not due else many(due, "school day"),
        "helpers": ", ".join(seat_words(seat) for seat in entry.helpers),
        "told": ", ".join(departments[key].label for key in entry.told), "first": entry.first_step,
        "restricted": vocabulary().label("restricted", str(entry.restricted)) if entry.restricted else "",
    }  # fmt: skip


def _how(one: Asked) -> str:
    """In a few words, how this person is found; for nobody, who learns of it."""
    if one.alone:
        return "Waits; the principal sees it at once, the network after a school day"
    words = vocabulary().label("via", str(one.via))
    return words if one.via in (Via.HOLDER, Via.DEPUTY) else f"{words}: {one.found_as}"
