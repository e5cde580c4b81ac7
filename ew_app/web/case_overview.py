"""S08, overview and plan: what comes next, why the case is there, what gets in the way, who may see it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from flask import url_for

from ew_app.kernel import today
from ew_app.services.measuring.why import Glance, Reason
from ew_app.web import case_moves, case_page, corrections, strips
from ew_app.web.case_page import Page
from ew_app.web.case_words import cause_line, entry_of_note
from ew_app.web.case_work import note_places
from ew_app.web.guard import actor
from models.queries import case_page as rows
from rules import access, roles
from rules.access import FieldClass, Permission, Right
from rules.roles import Reach
from rules.routing import visible_rules
from rules.vocabulary import vocabulary


def next_step(page: Page) -> dict[str, Any]:
    """The one thing to do next stands in the frame's values; here what else is said above all."""
    return {
        "arrived": case_moves.can_be_closed_as_arrived(page.at_hand),
        "flag": vocabulary().label("restricted", "flag") if page.another_support else "",
    }


def reasons(page: Page) -> dict[str, Any]:
    """Why the case is there: sentences, what was taken back, the strip of days."""
    standing, gone = rows.rules(page.at_hand.case)
    plain, others = _reasons(page.told, standing)
    return {
        "reasons": plain,
        "others": others,
        "taken_back": corrections.taken_back(page, gone),
        "strip": {"weeks": strips.weeks(page.told.days), "summary": strips.summary(page.told)},
    }


def _reasons(told: Glance, of_case: set[str]) -> tuple[list[Reason], list[Reason]]:
    """The reasons that speak for the case, each sentence of numbers once, and the other rules that are met."""
    shown = [one for one in told.reasons if one.rule in visible_rules([one.rule])]
    first: list[Reason] = []
    for one in shown:
        said = one.sentence.partition(". ")[0]
        if one.rule in of_case and said not in {other.sentence.partition(". ")[0] for other in first}:
            first.append(one)
    return first, [one for one in shown if one not in first]


def causes(page: Page) -> dict[str, Any]:
    """What gets in the way now, as far as it lies in no compartment."""
    at_hand = page.at_hand
    return {
        "causes": [cause_line(one) for one in page.causes if one.ended_at is None],
        "may_add": at_hand.case.closed_on is None and case_page.writes_case(at_hand),
        "more_elsewhere": bool(case_page.compartments(at_hand)),
    }


def notes(page: Page) -> dict[str, Any] | None:
    at_hand = page.at_hand
    if not case_page.right(at_hand, FieldClass.NOTES).reaches(Right.READ):
        return None
    may_write = bool(note_places(at_hand)) and case_page.may(at_hand, Permission.LOG_OUTREACH)
    return {"notes": [entry_of_note(one) for one in page.notes], "may_write": may_write}


def about(page: Page) -> dict[str, Any]:
    """The facts of the case and what this reader can do with it."""
    return {"moves": case_moves.moves(page.at_hand), "doors": case_page.compartments(page.at_hand)}


def doors(page: Page) -> dict[str, Any]:
    """The compartments this reader may open, whether or not they hold anything."""
    return {"doors": case_page.compartments(page.at_hand)}


def seers(page: Page) -> dict[str, Any]:
    """Who may open the case, and where somebody who must know now opens a part that is shut to them."""
    at_hand, key = page.at_hand, page.at_hand.case.student.key
    crisis = access.in_crisis(actor().grants, at_hand.place, own=at_hand.own)
    return {"seers": list(_seers(page)), "crisis_url": url_for("crisis.ask", key=key) if crisis else ""}


def _seers(page: Page) -> Iterable[dict[str, str]]:
    """Who may open this case without asking, role by role. Work inside compartments names nobody here."""
    at_hand, on_it = page.at_hand, {task.owner_id for task in page.tasks if task.status == "open"}
    on_it.add(at_hand.case.owner_id)
    by_role: dict[str, list[str]] = {}
    for row in rows.people_at([str(one) for one in at_hand.place.upwards()], today()):
        role = roles.role(row.role)
        whole = role.reach is Reach.PLACE and role.right(FieldClass.CASE).reaches(Right.READ)
        if Permission.SEE_CASE in role.permissions and (whole or row.person_id in on_it):
            by_role.setdefault(row.role, []).append(row.name)
    for key, names in by_role.items():
        role = roles.role(key)
        reads_notes = role.right(FieldClass.NOTES).reaches(Right.READ)
        yield {
            "role": role.label,
            "names": ", ".join(names),
            "what": "case and notes" if reads_notes else "case, no notes",
        }
