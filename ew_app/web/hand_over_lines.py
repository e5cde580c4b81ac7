"""Hand-overs in the words people read: as lines of a list, as one page, and as a part of Today."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from flask import url_for

from ew_app.kernel import SENTENCES, day_text, today
from ew_app.services.casework import handing_over, reaching
from ew_app.services.casework.handing_over import Receiver
from ew_app.services.casework.reaching import CaseAtHand
from ew_app.web import case_page, guard
from ew_app.web.case_lines import short_school
from ew_app.web.case_page import Page
from ew_app.web.case_words import grade_words, leave_words, lower_first
from ew_app.web.guard import actor
from ew_app.web.today_parts import SHOWN, Part
from models.queries import case_page as people
from models.queries import hand_overs as rows
from models.queries.hand_overs import Line
from rules import access, roles
from rules.access import Permission
from rules.counting import many
from rules.handing_over import MOVES_THE_OWNER, Kind, State, may_own, would_see
from rules.routing_table import routing_table
from rules.vocabulary import vocabulary

SEE = Permission.SEE_CASE
KIND_OF_STATE = {
    State.TO_WRITE: "wait",
    State.SENT: "new",
    State.ACCEPTED: "good",
    State.DECLINED: "late",
    State.DONE: "good",
    State.TAKEN_BACK: "plain",
}
WAITS = (State.TO_WRITE, State.SENT, State.ACCEPTED)
DONE = {
    "accept": "You said yes. It stands with what you have to do.",
    "decline": "You said no. Whoever asked sees why.",
    "finish": "Whoever asked reads what you did.",
    "take_back": "It is taken back.",
    "write": "It is written. The new school can read it and say yes.",
}


def receiver_words(one: Receiver, away: Mapping[tuple[int, str], tuple[date | None, str]]) -> str:
    """A choice of whom to ask: name, role, department, whether the routing table names the role, and leave."""
    label = roles.role(one.role.key).label
    department = routing_table().departments.get(one.department)
    first = f"{one.name}, {lower_first(label)}" + (f", {department.label}" if department else "")
    leave = away.get((one.person_id, one.role.key))
    return first + (" (fits this case)" if one.suggested else "") + (leave_words(*leave) if leave else "")


def lines(found: Sequence[Line], me: int | None, *, answers: bool) -> list[dict[str, Any]]:
    """Rows: what is asked, of whom or by whom, and how it stands. `answers`: of those who are to answer."""
    asked_of = {line.to_id for line in found if line.to_id and State(line.state) in WAITS}
    names = people.names(asked_of, today()) if found else {}
    return [
        {
            "id": line.id, "url": url_for("hand_overs.one", number=line.id), "student": line.student,
            "about": ", ".join(part for part in (grade_words(line.grade), short_school(line.school)) if part),
            "kind": vocabulary().label("hand_over_kind", line.kind), "asked": line.asked or _unwritten(line),
            "from": line.sender or "the system", "to": receiver(line, names), "case": line.case_number,
            "due": line.due, "asked_on": line.asked_on, "state": vocabulary().label("hand_over_state", line.state),
            "state_kind": KIND_OF_STATE[State(line.state)], "mine": answers or line.to_id == me,
        }
        for line in found
    ]  # fmt: skip


def _unwritten(line: Line) -> str:
    if line.kind == Kind.SCHOOL_CHANGE:
        return "The hand-over is not written yet"
    return "Please lead this case" if line.kind == Kind.ASSIGN else ""


def receiver(line: Line, names: Mapping[int, str]) -> str:
    """Who is asked, with the role; while something waits for them also that they have left."""
    role = roles.all_roles().get(line.to_role)
    label = role.label if role else line.to_role
    if line.kind == Kind.SCHOOL_CHANGE and line.receiver is None:
        return f"whoever leads cases at {short_school(line.school)}"
    name = names.get(line.to_id or 0, line.receiver)
    return f"{name}, {lower_first(label)}" if name else f"any {lower_first(label)}"


def answer(waiting: Sequence[Line]) -> str:
    """The first thing to know."""
    asked = sum(line.state == State.SENT for line in waiting)
    if asked:
        return f"{many(asked, 'question')} {'waits' if asked == 1 else 'wait'} for your answer"
    if waiting:
        return f"{many(len(waiting), 'thing')} you promised or have to write"
    return "Nobody waits for an answer from you"


def whole(row: Line, me: int, *, mine: bool) -> dict[str, Any]:
    """Everything of the page of one hand-over."""
    state, kind = State(row.state), Kind(row.kind)
    mover = kind in MOVES_THE_OWNER
    role = roles.all_roles().get(row.to_role)
    steps = rows.steps([row.id]).get(row.id, [])
    return {
        "line": lines([row], me, answers=mine)[0],
        "may_answer": mine and state is State.SENT and row.from_id != me,
        "may_finish": handing_over.stands_for(actor(), row.to_id) and state is State.ACCEPTED and not mover,
        "may_take_back": row.from_id == me and state in (State.SENT, State.ACCEPTED) and not (
            mover and state is State.ACCEPTED) and kind is not Kind.SCHOOL_CHANGE,
        "may_write": kind is Kind.SCHOOL_CHANGE and state in (State.TO_WRITE, State.SENT) and (
            handing_over.stands_for(actor(), row.from_id)),
        "sees": would_see(role, accepted=True)[2:] if role and mine and not mover else (),
        "moves": mover, "changes_school": kind is Kind.SCHOOL_CHANGE,
        "case_url": url_for("case.show", number=row.case_number) if _reaches(row.case_number) else "",
        "steps": [
            {"state": vocabulary().label("hand_over_state", step.state), "words": step.words, "author": step.author,
             "position": step.position, "at": step.written_at}
            for step in steps
        ],
    }  # fmt: skip


def _reaches(number: int) -> bool:
    """Whether this reader may open the case; who is only asked may not yet."""
    try:
        return reaching.case_at_hand(number, actor(), Permission.SEE_CASE, lock=False) is not None
    except SENTENCES:
        return False


# -- for the case, and for Today ----------------------------------------------------------------------------


def of_case(page: Page) -> dict[str, Any]:
    """For the tasks of a case: whom others were asked, what waits, and the way to ask."""
    at_hand = page.at_hand
    open_case = at_hand.case.closed_on is None
    asks = open_case and case_page.writes_case(at_hand) and case_page.may(at_hand, Permission.LOG_OUTREACH)
    wants = open_case and not at_hand.own and at_hand.case.owner_id is not None and case_page.may(at_hand, SEE)
    return {
        "lines": lines(rows.of_case(at_hand.case.id), actor().person_id, answers=False),
        "ask_url": url_for("hand_overs.ask", number=at_hand.case.number) if asks else "",
        "want_url": url_for("hand_overs.ask_for_case", number=at_hand.case.number) if wants and _owns(at_hand) else "",
        "key": guard.new_once(),
    }


def _owns(at_hand: CaseAtHand) -> bool:
    return any(may_own(role) for _, role in actor().grants.at(at_hand.place))


def part() -> tuple[Part, ...]:
    """For Today: what others ask of this person, before what they do anyhow; no part when nobody asks."""
    me = actor()
    if me.person_id is None or not _may_answer():
        return ()
    waiting = handing_over.asked_of(me)
    shown = [
        {"name": line.student, "url": url_for("hand_overs.one", number=line.id), "tier": None, "late": 0,
         "about": ", ".join(part for part in (grade_words(line.grade), short_school(line.school)) if part),
         "reason": _reason(line), "due": line.due if line.due and line.due >= today() else None}
        for line in waiting
    ]  # fmt: skip
    if not shown:
        return ()
    more = ("Everything asked of you and by you", url_for("hand_overs.inbox"))
    return (Part("Asked of you", shown[:SHOWN], "", len(shown), more=more, tiers=False),)


def _reason(line: Line) -> str:
    if line.state == State.ACCEPTED:
        return f"You promised: {lower_first(line.asked)}"
    if line.state == State.TO_WRITE:
        return f"Goes to {short_school(line.school)} now: write what they should know"
    kind = vocabulary().label("hand_over_kind", line.kind)
    asked = f": {lower_first(line.asked)}" if line.asked and line.kind != Kind.SCHOOL_CHANGE else ""
    return f"{kind}{asked} ({line.sender or 'the system'}, {day_text(line.asked_on)})"


def _may_answer() -> bool:
    return any(access.can(actor().grants, one) for one in (Permission.DO_TASKS, Permission.WORK_CASE))
