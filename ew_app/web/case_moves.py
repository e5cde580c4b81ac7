"""What can be done with a case by this reader, and who could own it."""

from __future__ import annotations

from typing import Any

from flask import url_for

from ew_app.kernel import today
from ew_app.services.casework.reaching import CaseAtHand
from ew_app.web import case_page
from ew_app.web.case_words import leave_words, lower_first
from ew_app.web.guard import actor
from models.cases import Case
from models.queries import case_page as rows
from models.queries import staffing
from models.queries.following import looked_for
from rules import handing_over, roles
from rules.access import Permission
from rules.case_flow import Action, Status, actions
from rules.places import Place

WORDS = {
    Action.PLAN: "Write the plan",
    Action.MONITOR: "Follow the plan",
    Action.PAUSE: "Pause",
    Action.RESUME: "Take it up again",
    Action.CLOSE: "Close",
    Action.REOPEN: "Reopen",
}
AT_ONCE = {Action.MONITOR, Action.RESUME}


def moves(at_hand: CaseAtHand) -> list[dict[str, Any]]:
    """What the case's status allows and this reader may do, as buttons and links."""
    if not case_page.may(at_hand, Permission.WORK_CASE):
        return []
    case = at_hand.case
    allowed = actions(Status(case.status))
    made = []
    if Action.ASSIGN in allowed:
        if case.owner_id != actor().person_id and _could_own(at_hand.place):
            made.append(_taking(case))
        made.append({"words": "Give to someone", "url": url_for("case_work.assign", number=case.number)})
    for action in allowed:
        if action in WORDS:
            url = url_for("plans.write" if action is Action.PLAN else f"case_work.{action}", number=case.number)
            made.append({"action": str(action), "words": WORDS[action], "url": url, "post": action in AT_ONCE})
    return made


def _taking(case: Case) -> dict[str, Any]:
    """At once where nobody has it; a colleague's case is asked about first."""
    if case.owner_id is None:
        return {"words": "Take it", "url": url_for("case_work.take", number=case.number), "post": True}
    return {"words": "Take it over", "url": url_for("case_work.assign", number=case.number, to=actor().person_id)}


def can_be_closed_as_arrived(at_hand: CaseAtHand) -> bool:
    """Whether this reader may close the case with one press, because the student it looked for has come."""
    case = at_hand.case
    if case.kind != "did_not_arrive" or case.closed_on is not None:
        return False
    theirs = case.owner_id == actor().person_id or case_page.may(at_hand, Permission.WORK_CASE)
    return theirs and not looked_for([case.student_id])


def _could_own(place: Place) -> bool:
    return any(handing_over.may_own(role) for _, role in actor().grants.at(place))


def may_own(*places: Place) -> list[tuple[int, str]]:
    """(person, "name, role, what they carry") of who can own a case there; those who lead cases first."""
    found: dict[int, tuple[bool, str]] = {}
    levels = {str(one) for place in places for one in place.upwards()}
    here, away = list(rows.people_at(levels, today())), rows.on_leave(levels, today())
    loads = staffing.open_work({row.person_id for row in here})
    for row in here:
        role = roles.role(row.role)
        leads = Permission.WORK_CASE in role.permissions
        if handing_over.may_own(role) and (row.person_id not in found or leads > found[row.person_id][0]):
            carries = f"{loads.get(row.person_id, 0)} open"
            leave = leave_words(*away[row.person_id, row.role]) if (row.person_id, row.role) in away else ""
            found[row.person_id] = (leads, f"{row.name}, {lower_first(role.label)}, {carries}{leave}")
    ordered = sorted(found.items(), key=lambda item: (not item[1][0], item[1][1]))
    return [(person, words) for person, (_, words) in ordered]


def person_name(person_id: int) -> str:
    return rows.names([person_id]).get(person_id, "")
