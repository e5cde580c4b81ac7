"""What other screens show of the optional risk model: a sentence over a list, a part of a student's and a case's page.

Nothing of it is there for who does not read scores, nor in a district that never asked for a model. Lists show an order
and no number; chances are ranges, and facts come first.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask import url_for

from ew_app.kernel import day_text, local
from ew_app.services.casework import reaching
from ew_app.services.risk import answers, one_student, reading, taking_up
from ew_app.services.risk.lives import Kind
from ew_app.services.risk.one_student import OneStudent
from ew_app.services.risk.telling import Said
from ew_app.web.case_page import Page
from ew_app.web.guard import actor
from models.people import Student
from models.queries import student_page
from models.risk import RiskAnswer
from rules import access
from rules.access import Permission
from rules.risk.reasons import NOT_USED, UNKNOWN, Reason

SORT = "model"
DECIDE = "Rules alone decide who is in which tier."
Part = dict[str, Any]


# -- over a list -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Order:
    """How a list may be ordered: the sort to use, the place of a row within its tier, the sentence to show, if any."""

    sort: str
    place: Any  # for models.queries: of a Student or of a Case
    sentence: str = ""
    offer: bool = False  # the list is in another order, and can be put in this one
    about: str = ""  # where the model itself is told of, for who may read that

    @property
    def works(self) -> bool:
        """Whether the list can be put in the model's order now."""
        return self.place is not None


def _about() -> str:
    return url_for("risk_model.show") if access.can(actor().grants, Permission.SEE_RISK_MODEL) else ""


def order(asked: str | None, otherwise: str, *, of_case: bool = False, begins: bool = False) -> Order:
    """The order of a list whose address asks for `asked`. begins: without a wish the list begins with the model's.

    A list that is kept in the model's order falls back to its own while no model works.
    """
    found = reading.ordering(actor())
    if found is None:
        return Order(otherwise if asked in (None, SORT) else asked, None)
    place = found.of_case if of_case else found.of_student
    if place is None:
        return Order(otherwise if asked in (None, SORT) else asked, None, found.state.for_lists, about=_about())
    sort = asked or (SORT if begins else otherwise)
    if sort == SORT:
        return Order(sort, place, f"{found.state.sentence} {DECIDE}", about=_about())
    day = day_text(found.state.night.day) if found.state.night else "tonight"
    return Order(sort, place, f"A model can order this list within each tier, as of {day}.", offer=True, about=_about())


# -- on the page of one student --------------------------------------------------------------------------------------


def of_student(student: Student) -> Part | None:
    """The part of a student's page; None where nothing is for this reader."""
    found = one_student.told(student.id, actor())
    return None if found is None else part(found, student)


def of_case(page: Page) -> Part | None:
    """The same on the overview of a case."""
    found = of_student(page.at_hand.case.student) if page.at_hand.case.closed_on is None else None
    return found if found and (found["said"] or found["left_out"]) else None


def part(found: OneStudent, student: Student) -> Part | None:
    """What a template needs to say it. Without anything said only that the student is, or may be, left out."""
    if found.said is None and found.left_out is None and not found.may_leave_out:
        return None
    serves = found.state.kind is Kind.SERVING
    knows = found.said is not None and found.said.logit is not None
    return {
        "name": student.first_name or student.name,
        "said": reasons(found.said) if found.said else None,
        "state": found.state.for_lists,
        "serves": serves,
        "left_out": _left_out(found),
        "answers": [answer(one) for one in found.answers] if serves else [],
        "answer_url": url_for("consider_answer.respond", student_id=student.id) if knows else "",
        "out_url": url_for("consider_answer.leave_out", student_id=student.id) if found.may_leave_out else "",
        "in_url": url_for("consider_answer.take_in", student_id=student.id) if found.may_leave_out else "",
    }


def reasons(said: Said) -> Part:
    """Facts first: what raises and what lowers, each with the middle student's; then the range; then how it came."""
    return {
        "day": day_text(said.day),
        "raises": [_fact(one) for one in said.reasons if one.weight > 0 and one.known],
        "lowers": [_fact(one) for one in said.reasons if one.weight < 0 and one.known],
        "unknown": "" if all(one.known for one in said.reasons) else UNKNOWN,
        "range": said.range,
        "sentence": said.sentence,
        "stale": said.stale,
        "knows": said.logit is not None,
        "not_used": NOT_USED,
    }


def _fact(one: Reason) -> tuple[str, str]:
    beside = one.beside.removeprefix("the middle student of the grade: ")
    return one.sentence[:1].upper() + one.sentence[1:], f"middle of the grade: {beside}" if beside else ""


def _left_out(found: OneStudent) -> Mapping[str, str] | None:
    out = found.left_out
    if out is None:
        return None
    return {"since": day_text(local(out.written_at).date()), "by": f"{out.author}, {out.position}", "why": out.reason}


def answer(one: RiskAnswer) -> Part:
    """An answer as a line; `back`: where its author takes it back."""
    own = one.author_id is not None and one.author_id == actor().person_id
    address = url_for("consider_answer.take_back", student_id=one.student_id, answer_id=one.id)
    return {
        "what": answers.ANSWERS[one.answer], "why": one.reason, "by": f"{one.author}, {one.position}",
        "on": day_text(local(one.written_at).date()), "back": address if own else "",
    }  # fmt: skip


# -- what was asked about a student without a case -------------------------------------------------------------------


def asked_of(student: Student) -> list[Part]:
    """Looks at a student and checks of the record that this reader was asked for, to be marked as done."""
    found = student_page.open_tasks(student.id, (taking_up.LOOK, taking_up.CHECK))
    mine = reaching.theirs(found, actor())
    return [
        {
            "title": task.title, "due": task.due,
            "url": url_for("student_tasks.finish", student_id=student.id, task_id=task.id),
        }
        for task in found
        if task.id in mine
    ]  # fmt: skip
