"""S08: What is going on with this student, and what is the plan? Overview, timeline, tasks, contacts of one case."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from operator import itemgetter
from typing import Any

from flask import Blueprint, render_template, request, url_for

from ew_app.kernel import now, today
from ew_app.services.casework.reaching import CaseAtHand
from ew_app.services.casework.tasks import UNDO_WITHIN
from ew_app.services.measuring import why
from ew_app.services.measuring.why import Explanation, Reason
from ew_app.web import asked, case_moves, case_page, corrections, letters, strips
from ew_app.web.case_page import Page
from ew_app.web.case_words import (
    Entry,
    cause_line,
    entry_of_cause,
    entry_of_contact,
    entry_of_note,
    language_words,
    lower_first,
)
from ew_app.web.case_work import note_places
from ew_app.web.guard import actor, new_once, requires
from models.cases import Case, Task
from models.queries import case_page as rows
from rules import access, roles
from rules.access import FieldClass, Permission, Right
from rules.roles import OPENS, Reach
from rules.routing import visible_rules
from rules.vocabulary import vocabulary

screen = Blueprint("case", __name__)

SEE = Permission.SEE_CASE
PAGE = 25
UNDO_SHOWN = 10  # seconds
KINDS = (("", "Everything"), ("contact", "Contacts"), ("note", "Notes"), ("step", "Steps"))


@screen.get("/cases/<int:number>")
@requires(SEE)
def show(number: int) -> str:
    at_hand = case_page.held(number, SEE)
    page, case = Page(at_hand), at_hand.case
    told = why.explain(case.student.key)
    plain, others = _reasons(told, rows.rules(case))
    return render_template(
        "case.html",
        **case_page.frame(at_hand, "overview", page),
        reasons=plain,
        other_reasons=others,
        taken_back=corrections.taken_back(page),
        strip={"weeks": strips.weeks(told.days), "summary": strips.summary(told)},
        flag=vocabulary().label("restricted", "flag") if page.another_support else "",
        causes=[cause_line(one) for one in page.causes if one.ended_at is None],
        notes=[entry_of_note(one) for one in page.notes],
        reads_notes=case_page.right(at_hand, FieldClass.NOTES).reaches(Right.READ),
        may_note=bool(note_places(at_hand)) and case_page.may(at_hand, Permission.LOG_OUTREACH),
        may_cause=case.closed_on is None and case_page.writes_case(at_hand),
        moves=case_moves.moves(at_hand),
        compartments=compartments(at_hand),
        arrived=case_moves.can_be_closed_as_arrived(at_hand),
        seers=list(_seers(at_hand, page)),
    )


def _reasons(told: Explanation, of_case: set[str]) -> tuple[list[Reason], list[Reason]]:
    """The reasons that speak for the case, each sentence of numbers once, and the other rules that are met."""
    shown = [one for one in told.reasons if one.rule in visible_rules([one.rule])]
    first: list[Reason] = []
    for one in shown:
        said = one.sentence.partition(". ")[0]
        if one.rule in of_case and said not in {other.sentence.partition(". ")[0] for other in first}:
            first.append(one)
    return first, [one for one in shown if one not in first]


def compartments(at_hand: CaseAtHand) -> list[dict[str, str]]:
    """The compartments this reader may open, whether or not they hold anything."""
    open_here = [
        str(one)
        for one, permission in OPENS.items()
        if one in at_hand.readable and access.can(actor().grants, permission, at_hand.place)
    ]
    number, words = at_hand.case.number, vocabulary().labels["restricted"]
    return [
        {"label": words[one], "url": url_for("case_restricted.show", number=number, compartment=one)}
        for one in open_here
    ]


def _seers(at_hand: CaseAtHand, page: Page) -> Iterable[dict[str, str]]:
    """Who may open this case without asking, role by role. Work inside compartments names nobody here."""
    case, on_it = at_hand.case, {task.owner_id for task in page.tasks if task.status == "open"}
    on_it.add(case.owner_id)
    by_role: dict[str, list[str]] = {}
    for row in rows.people_at(case_moves.places_above(at_hand.place), today()):
        role = roles.role(row.role)
        whole = role.reach is Reach.PLACE and role.right(FieldClass.CASE).reaches(Right.READ)
        if SEE in role.permissions and (whole or row.person_id in on_it):
            by_role.setdefault(row.role, []).append(row.name)
    for key, names in by_role.items():
        role = roles.role(key)
        notes = role.right(FieldClass.NOTES).reaches(Right.READ)
        yield {"role": role.label, "names": ", ".join(names), "what": "case and notes" if notes else "case, no notes"}


# -- the other parts -----------------------------------------------------------------------------------------------


@screen.get("/cases/<int:number>/timeline")
@requires(SEE)
def timeline(number: int) -> str:
    at_hand = case_page.held(number, SEE)
    page, kind = Page(at_hand), request.args.get("kind", "")
    entries = sorted(_entries(page, kind), key=itemgetter("at"), reverse=True)
    shown = asked.page()
    here = url_for("case.timeline", number=number)
    return render_template(
        "case_timeline.html",
        **case_page.frame(at_hand, "timeline", page),
        entries=entries[(shown - 1) * PAGE : shown * PAGE],
        kinds=[(words, f"{here}?kind={key}" if key else here, key == kind) for key, words in KINDS],
        page=shown,
        pages=-(-len(entries) // PAGE),
        page_url=f"{here}?kind={kind}&page=",
    )


def _entries(page: Page, kind: str) -> Iterable[Entry]:
    """What happened, of one kind or of every kind."""
    if kind in ("", "contact"):
        yield from map(entry_of_contact, page.contacts_made)
    if kind in ("", "note"):
        yield from map(entry_of_note, page.notes)
    if kind in ("", "step"):
        yield from map(entry_of_cause, page.causes)
        yield from corrections.entries(page)


@screen.get("/cases/<int:number>/tasks")
@requires(SEE)
def tasks(number: int) -> str:
    at_hand = case_page.held(number, SEE)
    page = Page(at_hand)
    names = rows.names({task.owner_id for task in page.tasks if task.owner_id})
    by_login = rows.names_by_login({task.done_by for task in page.tasks if task.done_by})
    lines = [
        case_page.task_line(page, task, names) | {"done_by": by_login.get(task.done_by or "", "")}
        for task in page.tasks
    ]
    return render_template(
        "case_tasks.html",
        **case_page.frame(at_hand, "tasks", page),
        open=[line for line in lines if line["open"]],
        done=[line for line in lines if not line["open"]],
        letters=letters.of_case(at_hand.case) if letters.may_read(at_hand) else [],
        undo=_undo(at_hand.case, page.tasks),
    )


def _undo(case: Case, found: Sequence[Task]) -> dict[str, Any] | None:
    """The way back for a task that this person has just marked as done."""
    number = request.args.get("undo", type=asked.number)
    done = next((task for task in found if task.id == number and task.done_by == actor().login), None)
    if done is None or done.status != "done" or done.done_at is None or now() - done.done_at > UNDO_WITHIN:
        return None
    action = url_for("case_work.undo", number=case.number, task_id=done.id)
    return {"text": f"Done: {done.title}", "action": action, "once": new_once(), "seconds": UNDO_SHOWN}


@screen.get("/cases/<int:number>/contacts")
@requires(SEE)
def contacts(number: int) -> str:
    at_hand = case_page.held(number, SEE)
    page = Page(at_hand)
    language = language_words(at_hand.case.student)
    return render_template(
        "case_contacts.html",
        **case_page.frame(at_hand, "contacts", page),
        people=case_page.people(at_hand.case.student_id, at_hand.place, own=at_hand.own),
        language_hint=f"The family {lower_first(language)}." if language.startswith("speaks") else language,
        made=[entry_of_contact(one) for one in page.contacts_made],
    )
