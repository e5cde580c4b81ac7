"""Whom no rule has reached, and whom the district's own past years say to look at: a person does, or says why not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, render_template, request, url_for

from ew_app.kernel import day_text
from ew_app.services.risk import reading, taking_up
from ew_app.services.risk.lives import Kind
from ew_app.services.risk.reading import Consider
from ew_app.web import asked, consider_parts, guard
from ew_app.web.case_lines import short_school
from ew_app.web.case_words import grade_words
from ew_app.web.guard import actor, requires, scope
from ew_app.web.lists import PAGE, Filters, page_number, pages_of
from models.queries import risk
from rules.access import Area, Permission
from rules.counting import many

screen = Blueprint("consider", __name__)

SEE = Permission.SEE_RISK
COLUMNS = [
    {"label": "Who"},
    {"label": "What stands out on record"},
    {"label": "In earlier years"},
    {"label": "What comes of it"},
]
UNDO_SHOWN = 10  # seconds


@screen.get("/consider")
@requires(SEE)
def show() -> str:
    schools = risk.schools_of(scope(SEE))
    filters = Filters({"school": {key: short_school(name) for key, name in schools}})
    chosen = filters.values["school"]
    found = reading.consider(actor(), Area(schools=frozenset({chosen})) if chosen else None)
    page = min(page_number(), pages_of(len(found.students)))
    answered, looks = reading.answered(actor(), found.state), taking_up.looks_of(actor())
    return render_template(
        "consider.html",
        answer=_answer(len(found.students), len(looks)),
        looks=[_who(student) | {"due": task.due} for task, student in looks],
        works=found.state.kind is Kind.SERVING,
        state=found.state.for_lists,
        day=day_text(found.state.night.day) if found.state.night else "",
        rows=_lines(found.students[(page - 1) * PAGE : page * PAGE]),
        columns=COLUMNS,
        total=len(found.students),
        page=page,
        pages=pages_of(len(found.students)),
        page_url=f"?{urlencode(filters.given())}&page=",
        chips=filters.chips(url_for("consider.show"), {}),
        schools=list(filters.known["school"].items()),  # type: ignore[union-attr]
        values=filters.values,
        answered=[consider_parts.answer(one) | _who(student) for one, student in answered],
        by_caseload=not scope(SEE).whole,
        undo=_undo(answered),
    )


def _answer(brought: int, asked_for: int) -> str:
    if brought or not asked_for:
        return f"{many(brought, 'student')} to consider" if brought else "Nobody to consider"
    return f"You were asked to look at {many(asked_for, 'student')}"


def _lines(found: Sequence[Consider]) -> list[dict[str, Any]]:
    names = risk.school_names({one.student.id for one in found})
    return [
        consider_parts.reasons(one.said)
        | _who(one.student)
        | {
            "about": ", ".join(filter(None, (grade_words(one.student.grade), short_school(names[one.student.id])))),
            "answer_url": url_for("consider_answer.respond", student_id=one.student.id, back=request.full_path),
        }
        for one in found
    ]


def _who(student: Any) -> dict[str, Any]:
    return {"name": student.name, "url": url_for("student.show", key=student.key)}


def _undo(answered: Sequence[tuple[Any, Any]]) -> dict[str, Any] | None:
    """The way back for what this person has just answered."""
    number = request.args.get("undo", type=asked.number)
    one = next((one for one, _ in answered if one.id == number and one.author_id == actor().person_id), None)
    if one is None:
        return None
    action = url_for("consider_answer.take_back", student_id=one.student_id, answer_id=one.id)
    return {"text": "You can still take it back.", "action": action, "once": guard.new_once(), "seconds": UNDO_SHOWN}
