"""The frame around every part of a case: who it is about, where it stands, which parts this reader may open."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from flask import current_app, request, url_for

from ew_app.kernel import day_text, today
from ew_app.services.casework import laddering, reaching
from ew_app.services.casework.reaching import CaseAtHand
from ew_app.services.measuring import why
from ew_app.services.measuring.why import Glance
from ew_app.web.case_words import (
    grade_words,
    language_words,
    leave_words,
    lower_first,
    status_words,
    task_state,
    tier_range,
    tier_text,
)
from ew_app.web.guard import actor
from ew_app.web.page import days, rate
from models.cases import Cause, Note, Outreach, Task
from models.people import Contact, Student
from models.queries import case_page as rows
from models.queries import following
from models.tiers import StudentStatus
from rules import access, roles
from rules.access import FieldClass, Permission, Right, Scope
from rules.counting import many
from rules.places import Place
from rules.roles import OPENS
from rules.school_days import school_days_late
from rules.vocabulary import vocabulary

NTH = {1: "", 2: ", second time", 3: ", third time"}
# key, words, screen: the tabs of a case in the order of the work
TABS = (
    ("overview", "Overview", "case.show"),
    ("timeline", "Timeline", "case.timeline"),
    ("plan", "Plan", "case.plan"),
    ("tasks", "Tasks", "case.tasks"),
    ("attendance", "Attendance", "case.attendance"),
    ("contacts", "Contacts", "case.contacts"),
    ("restricted", "Restricted", "case.restricted"),
)


def held(number: int, *permissions: Permission) -> CaseAtHand:
    """A case for one of these permissions; out of reach it is not there. Raises NotFound, NotAllowed."""
    return reaching.case_at_hand(number, actor(), *permissions, lock=False)


def right(case: CaseAtHand, field_class: FieldClass) -> Right:
    """What this reader may do with a class of information on this case."""
    return access.right(actor().grants, field_class, case.place, own=case.own)


def writes_case(case: CaseAtHand) -> bool:
    return right(case, FieldClass.CASE) is Right.WRITE


def may(case: CaseAtHand, permission: Permission) -> bool:
    """Whether the permission reaches this very case."""
    scope: Scope = access.scope_of(actor().grants, permission)
    return scope.whole.covers(case.place) or (case.own and (scope.caseload or scope.own).covers(case.place))


@dataclass(frozen=True)
class Page:
    """One case and everything on its page that lies in no compartment; those are opened one by one, and logged."""

    at_hand: CaseAtHand

    @cached_property
    def standing(self) -> StudentStatus | None:
        return rows.standing(self.at_hand.case.student_id)

    @cached_property
    def told(self) -> Glance:
        """Why the student stands where they stand, outside compartments."""
        return why.glance(self.at_hand.case.student.key)

    @cached_property
    def contacts_made(self) -> Sequence[Outreach]:
        """Newest first."""
        return rows.outreach(self.at_hand.case.student_id)

    @cached_property
    def made_since_begun(self) -> list[Outreach]:
        begun = laddering.begun(self.at_hand.case)
        return [one for one in self.contacts_made if one.on_day >= begun]

    @cached_property
    def tasks(self) -> Sequence[Task]:
        """Open ones first."""
        return rows.tasks(self.at_hand.case)

    @cached_property
    def owner(self) -> str:
        owner_id = self.at_hand.case.owner_id
        return rows.names([owner_id], today()).get(owner_id, "") if owner_id else ""

    @cached_property
    def owner_leave(self) -> str:
        """That the owner is on leave today, until when and who stands in; empty while they are there."""
        case, places = self.at_hand.case, [str(one) for one in self.at_hand.place.upwards()]
        away = rows.away(case.owner_id, case.owner_role, places, today()) if case.owner_id else None
        return leave_words(*away) if away else ""

    @cached_property
    def notes(self) -> Sequence[Note]:
        """All of them for those who read notes on every case; else those that the reader wrote."""
        if access.right(actor().grants, FieldClass.NOTES, self.at_hand.place).reaches(Right.READ):
            return rows.notes(self.at_hand.case)
        return rows.notes(self.at_hand.case, author_id=actor().person_id or 0)

    @cached_property
    def causes(self) -> list[Cause]:
        """Current and ended ones; limited ones only for those who read the notes."""
        shown = {one.code for one in vocabulary().causes_shown(self.at_hand.readable)}
        return [cause for cause in rows.causes(self.at_hand.case) if cause.code in shown]

    @property
    def another_support(self) -> bool:
        """Whether the reader may learn that a compartment holds something, and no more."""
        flagged = access.flagged_classes(actor().grants, self.at_hand.place, own=self.at_hand.own)
        return rows.holds_anything(self.at_hand.case, [str(one) for one in flagged])

    def late(self, due: Any) -> int:
        """School days past a due date at the case's school."""
        if due is None or due >= today():
            return 0
        return school_days_late(due, today(), self._school_days)

    @cached_property
    def _school_days(self) -> list[Any]:
        case = self.at_hand.case
        earliest = min((due for due in (case.due, *(t.due for t in self.tasks)) if due), default=today())
        return following.school_days([case.school_id], earliest).get(case.school_id, [])


def frame(at_hand: CaseAtHand, tab: str, page: Page | None = None) -> dict[str, Any]:
    """The values of case_frame.html."""
    page = page or Page(at_hand)
    return {"case": _case(page), "tabs": list(_tabs(page)), "tab": tab, "here": request.path}


def _tabs(page: Page) -> Iterator[tuple[Any, ...]]:
    """(words, address, key, count) of the parts of a case; compartments only for whoever may open one."""
    number = page.at_hand.case.number
    open_tasks = sum(task.status == "open" for task in page.tasks)
    counts = {"tasks": open_tasks or None, "contacts": len(page.contacts_made) or None}
    for key, words, endpoint in TABS:
        if key != "restricted" or compartments(page.at_hand):
            yield words, url_for(endpoint, number=number), key, counts.get(key)


def compartments(at_hand: CaseAtHand) -> list[dict[str, str]]:
    """The compartments this reader may open, whether or not they hold anything."""
    number, words = at_hand.case.number, vocabulary().labels["restricted"]
    return [
        {"label": words[one], "url": url_for("case_restricted.show", number=number, compartment=one)}
        for one, permission in OPENS.items()
        if one in at_hand.readable and access.can(actor().grants, permission, at_hand.place)
    ]


def subject(student: Student, school: str) -> dict[str, Any]:
    """Who a form is about, for pages that are about nothing else."""
    return {
        "name": student.name,
        "facts": [grade_words(student.grade), school, language_words(student)],
    }


def _case(page: Page) -> dict[str, Any]:
    at_hand, case = page.at_hand, page.at_hand.case
    student, standing = case.student, page.standing
    status, kind = status_words(case.status)
    closed = case.closed_on is not None
    owner = page.owner or "nobody yet"
    who = f"owner {owner}" + page.owner_leave
    linked = "student.show" in current_app.view_functions and access.can(actor().grants, Permission.SEE_STUDENT)
    return {
        "number": case.number, "version": case.version, "name": student.name, "student_key": student.key,
        "student_url": url_for("student.show", key=student.key) if linked else None,
        "facts": [grade_words(student.grade), case.school.name, language_words(student), who],
        "school": case.school.name, "tier": tier_text(case.tier), "status_words": status, "status_kind": kind,
        "answer": _answer(page), "freshness": _freshness(standing), "closed": closed, "owner": owner,
        "next_step": case.next_step, "due": case.due, "late": page.late(case.due), "about": _about(page),
        "may_log": not closed and may(at_hand, Permission.LOG_OUTREACH),
        "may_work": may(at_hand, Permission.WORK_CASE), **_range(case.tier, standing),
    }  # fmt: skip


def _range(tier: int, standing: StudentStatus | None) -> dict[str, Any]:
    """The tiers between which the student can stand while days are missing or not understood."""
    if standing is None:
        return tier_range(tier, None, None, 0)
    open_days = (standing.missing_days or 0) + (standing.unknown_days or 0)
    return tier_range(tier, standing.tier_min, standing.tier_max, open_days)


def _answer(page: Page) -> str:
    """The first thing to know: how it ended, or the days missed and whether anybody was reached."""
    case, standing = page.at_hand.case, page.standing
    if case.closed_on is not None:
        why = lower_first(vocabulary().label("close_reason", case.close_reason)) if case.close_reason else "closed"
        return f"Closed on {day_text(case.closed_on)}: {why}"
    if standing is None or not standing.enrolled or standing.absent is None:
        missed = "No school day has been counted yet"
    else:
        share = rate(standing.absent, standing.enrolled)
        missed = f"Absent {days(standing.absent)} of {days(standing.enrolled)} days ({share})"
    return f"{missed}. {_reached(page)}"


def _reached(page: Page) -> str:
    """What came of the contacts since the case was opened."""
    made = page.made_since_begun
    if last := next((one for one in made if one.is_contact), None):
        return f"Last reached {day_text(last.on_day)}"
    return f"Nobody reached yet in {many(len(made), 'try', 'tries')}" if made else "Nobody has tried to reach them yet"


def _freshness(standing: StudentStatus | None) -> list[Any]:
    if standing is None or standing.data_through is None:
        return []
    parts: list[Any] = [f"Through {day_text(standing.data_through)}"]
    if standing.missing_days:
        parts.append((f"{many(standing.missing_days, 'day')} not sent by the school", "late"))
    if standing.unknown_days:
        parts.append((f"{many(standing.unknown_days, 'mark')} not understood yet", "late"))
    return parts


def _about(page: Page) -> list[tuple[str, ...]]:
    """The facts of the case itself."""
    case = page.at_hand.case
    paused = [("Rests until", day_text(case.paused_until))] if case.paused_until else []
    return [
        ("Opened", day_text(case.opened) + NTH.get(case.episode, f", {case.episode}th time")),
        ("Owner", page.owner or "nobody yet", roles.role(case.owner_role).label),
        ("First contact", f"due {day_text(case.contact_due)}" if case.contact_due else "no date"),
        *paused,
    ]


# -- people ------------------------------------------------------------------------------------------------------


def people(student_id: int, place: Place, *, own: bool) -> list[dict[str, Any]] | None:
    """Contacts in the fields this reader may see; None for somebody who may see none."""
    shown = access.fields_shown(actor().grants, FieldClass.CONTACTS, place, own=own)
    if shown is not None and not shown:
        return None
    return [_person(contact, shown) for contact in rows.contacts(student_id)]


def _person(contact: Contact, shown: frozenset[str] | None) -> dict[str, Any]:
    names = ("name", "relation", "phone", "email", "address", "language")
    fields = {name: getattr(contact, name) if shown is None or name in shown else "" for name in names}
    said = [
        f"Speaks {contact.language}." if fields["language"] else "",
        "Gets no mail from school." if contact.may_receive_mail is False else "",
        "May not pick up the student." if contact.may_pick_up is False else "",
    ]
    return {**fields, "words": " ".join(words for words in said if words)}


def task_line(page: Page, task: Task, names: dict[int, str]) -> dict[str, Any]:
    """A task as a row."""
    state, kind = task_state(task)
    role = roles.role(task.owner_role).label if task.owner_role in roles.all_roles() else task.owner_role
    return {
        "id": task.id, "title": task.title, "due": task.due, "late": page.late(task.due), "state": state,
        "state_kind": kind, "owner": names.get(task.owner_id or 0, role), "done_at": task.done_at, "note": task.note,
        "kind": "", "open": task.status == "open", "may_finish": _may_finish(page.at_hand, task),
    }  # fmt: skip


def _may_finish(at_hand: CaseAtHand, task: Task) -> bool:
    """Their own, of a role of theirs there, of a case they work on, or of somebody for whom they stand in."""
    me = actor()
    if not access.can(me.grants, Permission.DO_TASKS):
        return False
    holds = any(grant.role == task.owner_role for grant, _ in me.grants.at(at_hand.place))
    worked = task.compartment is None and may(at_hand, Permission.WORK_CASE)
    lent = any(
        (one.person_id, one.role) == (task.owner_id, task.owner_role) and one.area.covers(at_hand.place)
        for one in me.grants.standing_in
    )
    return task.owner_id == me.person_id or holds or worked or lent
