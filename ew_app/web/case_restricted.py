"""S13 on a case: protected information behind a lock. Every opening is written down; from outside it needs a reason."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from ew_app.kernel import Refused, now, today
from ew_app.services.casework import notes
from ew_app.services.casework.notes import Compartment
from ew_app.services.casework.reaching import CaseAtHand
from ew_app.services.measuring import why
from ew_app.web import case_page, duty_parts, plan_parts, promises
from ew_app.web.case_page import Page
from ew_app.web.case_words import cause_line, entry_of_note
from ew_app.web.case_work import note_places
from ew_app.web.guard import actor, found, must_reach, requires
from ew_app.web.page import moment
from models.queries import case_page as rows
from rules.access import FieldClass, Permission
from rules.roles import OPENS
from rules.vocabulary import vocabulary

screen = Blueprint("case_restricted", __name__)


def _at_hand(number: int, compartment: str) -> CaseAtHand:
    """The case, for somebody who may open this compartment of it; to all others there is none."""
    at_hand = case_page.held(number, Permission.SEE_CASE)
    wanted = found(next((one for one in OPENS if str(one) == compartment), None))
    must_reach(OPENS[wanted], at_hand.place)
    found(wanted in at_hand.readable or None)
    return at_hand


@screen.get("/cases/<int:number>/restricted/<compartment>")
@requires(*OPENS.values())
def show(number: int, compartment: str) -> ResponseReturnValue:
    """Open it for whoever works on the case; ask everybody else why."""
    at_hand = _at_hand(number, compartment)
    return _opened(at_hand, compartment, "") if at_hand.own else _ask(at_hand, compartment)


@screen.post("/cases/<int:number>/restricted/<compartment>")
@requires(*OPENS.values())
def open(number: int, compartment: str) -> ResponseReturnValue:
    at_hand = _at_hand(number, compartment)
    try:
        return _opened(at_hand, compartment, request.form.get("reason", ""))
    except Refused as refusal:
        return _ask(at_hand, compartment, str(refusal)), 422


def _ask(at_hand: CaseAtHand, compartment: str, error: str = "") -> str:
    return _page(at_hand, compartment, ask=True, error=error, reason=request.form.get("reason", ""))


def _opened(at_hand: CaseAtHand, compartment: str, reason: str) -> str:
    inside = notes.read_compartment(at_hand.case.number, compartment, by=actor(), reason=reason)
    told = why.glance(at_hand.case.student.key, classes=[compartment])
    return _page(
        at_hand,
        compartment,
        ask=False,
        opened=f"Open for you. Written down with your name: {moment(now())}.",
        reasons=[one for one in told.reasons if one.restricted == compartment],
        may_write=compartment in dict(note_places(at_hand)),
        caused=duty_parts.inside(told, compartment),
        **_lines(at_hand, inside),
    )


def _lines(at_hand: CaseAtHand, inside: Compartment) -> dict[str, Any]:
    page = Page(at_hand)
    names = rows.names({task.owner_id for task in inside.tasks if task.owner_id}, today())
    return {
        "tasks": [case_page.task_line(page, task, names) for task in inside.tasks],
        "causes": [cause_line(cause) for cause in inside.causes if cause.ended_at is None],
        "notes": [entry_of_note(note) for note in inside.notes],
        "supports": plan_parts.inside(inside.supports, may=at_hand.case.closed_on is None),
        "promises": promises.lines(inside.promises, linked=True),
        "readers": promises.readers(at_hand.case.student_id, inside.key),
    }


def _page(at_hand: CaseAtHand, compartment: str, **shown: Any) -> str:
    return render_template(
        "case_restricted.html",
        **case_page.frame(at_hand, "restricted"),
        compartment=compartment,
        label=vocabulary().label("restricted", str(FieldClass(compartment))),
        **shown,
    )
