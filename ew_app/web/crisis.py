"""What must I know now? One shut part of one student's record, open for an hour; afterwards: was it right?"""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from ew_app.kernel import SENTENCES, Refused, local, now, today
from ew_app.services.casework import crisis, crisis_answers
from ew_app.services.measuring import why
from ew_app.web import asked, case_page, guard, limits, student_restricted
from ew_app.web.guard import actor, found, requires, scope
from ew_app.web.lists import pages_of
from ew_app.web.page import moment
from models.people import Student
from models.queries import crisis as rows
from models.queries import student_page
from models.queries.crisis import Line
from rules import access
from rules.access import FieldClass, Permission, Place, Right
from rules.counting import are, many
from rules.roles import OPENS
from rules.vocabulary import vocabulary
from rules.words import UnfitWords

screen = Blueprint("crisis", __name__)

OPEN, ANSWER = Permission.OPEN_IN_CRISIS, Permission.ANSWER_OPENINGS
UNNAMED = "A part that is shut to you too"
FOUND = {"right": ("It was right", "good"), "not_right": ("It was not right", "late")}


# -- to open one -----------------------------------------------------------------------------------------------


@screen.route("/students/<key>/crisis", methods=["GET", "POST"])
@requires(OPEN)
@limits.student_page
def ask(key: str) -> ResponseReturnValue:
    """What opening means, whom to ask instead, and the reason."""
    student = found(student_page.student(key, scope(OPEN), actor().person_id, today()))
    found(crisis.choices(student.id, actor()) or None)
    if request.method == "GET":
        return _form(student)
    try:
        opening = crisis.open_record(student.id, once=guard.once(), by=actor(), **_asked())
    except SENTENCES as refusal:
        return _form(student, str(refusal)), 422
    return redirect(url_for("crisis.one", opening_id=opening.id))


def _asked() -> dict[str, str]:
    form = request.form
    if not form.get("compartment"):
        raise Refused("Choose the part that you must read.")
    if not form.get("sure"):
        raise Refused("Tick that you must know this now and have read what opening means.")
    return {"compartment": form["compartment"], "reason": form.get("reason", "")}


def _form(student: Student, error: str = "") -> str:
    may = crisis.choices(student.id, actor())
    asked_first = crisis.instead(student.id, may)
    return render_template(
        "crisis_ask.html",
        subject=case_page.subject(student, ", ".join(one.name for one in student_page.schools_of(student.id, today()))),
        student=student,
        choices=[(str(one), _short(one)) for one in may],
        instead=[(_short(one), "; ".join(names)) for one, names in asked_first.items() if names],
        answerable=crisis.answerable(student.id, actor()),
        running=running(student.id),
        values=request.form,
        error=error,
        longest=crisis.LONGEST,
        minutes=int(crisis.OPEN_FOR.total_seconds() // 60),
        key=guard.new_once(),
    )


def running(student_id: int) -> list[dict[str, str]]:
    """What this person has open of the student: which part, until when, where."""
    return [
        {"label": _short(FieldClass(one.compartment)), "until": f"{local(one.ends_at):%H:%M}",
         "url": url_for("crisis.one", opening_id=one.id)}
        for one in crisis.running(student_id, actor())
    ]  # fmt: skip


# -- one that was opened ---------------------------------------------------------------------------------------


@screen.get("/crisis/<int:opening_id>")
@requires(OPEN, ANSWER, *OPENS.values())
@limits.student_page
def one(opening_id: int) -> ResponseReturnValue:
    """To whoever opened it what is inside, for its time; to those who answer for it what was done, and the question."""
    line = crisis.mine(opening_id, actor())
    if line is None:
        return _to_answer(opening_id)
    if crisis.is_open(line.opening, actor()):
        return _inside(line)
    return render_template("crisis_one.html", line=_line(line, own=True), over=crisis.OVER, may_answer=False)


def _inside(line: Line) -> str:
    student, label = line.student, _label(FieldClass(line.opening.compartment))
    opening, held = crisis.read(line.opening.id, by=actor())
    told = why.explain(student.key, classes=[opening.compartment])
    return render_template(
        "crisis_inside.html",
        student=student,
        label=label,
        opened=f"Open to read until {local(opening.ends_at):%H:%M}. Written down with your name: {moment(now())}.",
        reasons=[one for one in told.reasons if one.restricted == opening.compartment],
        shut_url=url_for("crisis.shut", opening_id=opening.id),
        **student_restricted.lines(held, linked=False),
    )


@screen.post("/crisis/<int:opening_id>/shut")
@requires(OPEN)
def shut(opening_id: int) -> ResponseReturnValue:
    """Enough was read."""
    crisis.shut(opening_id, by=actor())
    flash("Shut again. Thank you.", "good")
    return redirect(url_for("crisis.one", opening_id=opening_id))


def _to_answer(opening_id: int, error: str = "") -> str:
    line = crisis_answers.look_at(opening_id, by=actor())
    return render_template(
        "crisis_one.html",
        line=_line(line),
        over="",
        may_answer=line.opening.answer is None,
        values=request.form,
        error=error,
        longest=crisis_answers.LONGEST,
    )


@screen.post("/crisis/<int:opening_id>/answer")
@requires(ANSWER, *OPENS.values())
def answer(opening_id: int) -> ResponseReturnValue:
    """It was right, or it was not."""
    said, words = request.form.get("answer", ""), request.form.get("words", "")
    try:
        crisis_answers.answer(opening_id, said, by=actor(), words=words)
    except (Refused, UnfitWords) as refusal:
        return _to_answer(opening_id, str(refusal)), 422
    flash("Your answer is kept, and whoever opened it is told.", "good")
    return redirect(url_for("crisis.one", opening_id=opening_id))


# -- all of them -----------------------------------------------------------------------------------------------


@screen.get("/crisis")
@requires(ANSWER, *OPENS.values())
def show() -> str:
    """Every opening that this person answers for; what waits first."""
    seen, page = crisis_answers.seen_by(actor()), asked.page()
    total, waits = rows.counts(seen)
    return render_template(
        "crisis.html",
        answer=_answer(total, waits),
        rows=[_line(one) for one in rows.lines(seen, page=page)],
        total=total,
        page=page,
        pages=pages_of(total),
        page_url=url_for("crisis.show", page=""),
    )


def _answer(total: int, waits: int) -> str:
    if waits:
        return f"{many(waits, 'opening')} {are(waits, 'waits', 'wait')} for your look"
    return "Every opening was looked at" if total else "Nothing was opened in a crisis"


def _line(line: Line, *, own: bool = False) -> dict[str, Any]:
    """An opening in words, as far as this reader may know of the student and of the part."""
    opening, grants = line.opening, actor().grants
    place = Place.of_school(line.school.key, line.school.network.key)
    names = access.right(grants, FieldClass.ROSTER, place, own=True).reaches(Right.READ)
    part = FieldClass(opening.compartment)
    words, kind = FOUND[opening.answer] if opening.answer else ("waits for an answer", "plain")
    return {
        "id": opening.id, "url": url_for("crisis.one", opening_id=opening.id), "school": line.school.name,
        "student": line.student.name if names else f"Student {line.student.key}",
        "part": _label(part) if own or access.may_name(grants, part, place) else UNNAMED,
        "person": line.person, "position": opening.position, "reason": opening.reason,
        "when": moment(opening.opened_at), "until": f"{local(opening.closed_at or opening.ends_at):%H:%M}",
        "state": words, "state_kind": kind, "answer": opening.answer, "words": opening.answer_words,
        "seen": f"{line.seen_by}, {moment(opening.seen_at)}" if line.seen_by else "",
        "answered": f"{line.answered_by}, {moment(opening.answered_at)}" if line.answered_by else "",
    }  # fmt: skip


def _label(part: FieldClass) -> str:
    return vocabulary().label("restricted", str(part))


def _short(part: FieldClass) -> str:
    """Its label without the word that all of them begin with."""
    words = _label(part).rpartition(": ")[2]
    return words[:1].upper() + words[1:]
