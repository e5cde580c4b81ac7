"""The watch over the record: what is far from usual, asked as a question, answered by the network, kept as history."""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from ew_app.kernel import SENTENCES
from ew_app.services.watching import integrity
from ew_app.services.watching.integrity import LONGEST, MILLION, SEE, Line, Watch
from ew_app.web import guard
from ew_app.web.guard import actor, requires
from models.integrity import IntegrityQuestion
from models.queries import integrity as rows
from rules.counting import many
from rules.integrity import asking, told

screen = Blueprint("integrity", __name__)

STATES = {"asked": ("Waits for an answer", "late"), "answered": ("Answered", "waiting"), "closed": ("Ended", "done")}
STEPS = {"asked": "Asked", "answered": "Answered", "closed": "Ended"}


@screen.get("/integrity")
@requires(SEE)
def show() -> str:
    return _page()


def _page(error: str = "") -> str:
    found = integrity.watch(actor(), request.values.get("days", 0, type=int))
    return render_template(
        "integrity.html",
        watch=found,
        answer=_answer(found),
        windows=[(str(days), f"Last {days} school days") for days in asking().windows],
        out=[(told.measure, line, _question(line, told.measure.key)) for told in found.measures for line in told.out],
        labels={key: measure.label for key, measure in asking().kinds.items()},
        states=STATES,
        percent=_percent,
        told=told,
        longest=LONGEST,
        error=error,
    )


def _percent(share: float) -> str:
    """Whole percents, because finer ones beside the counts of a school would tell how many it has."""
    return "under 1%" if share < 0.005 else f"{100 * share:.0f}%"


def _answer(found: Watch) -> str:
    out = sum(len(told.out) for told in found.measures)
    if found.first is None:
        return "No school day has come in yet"
    if out:
        said = ("is", "it") if out == 1 else ("are", "them")
        return f"{many(out, 'number')} {said[0]} far from usual: what is behind {said[1]}?"
    waits = len(found.waiting)
    return (
        f"{many(waits, 'question')} {'waits' if waits == 1 else 'wait'}"
        if waits
        else "The record is as usual everywhere"
    )


def _question(line: Line, measure: str) -> str:
    where = f"{line.school.name} (entries of {line.who})" if line.who else line.school.name
    return asking().kinds[measure].question(where, line.x, line.n, line.usual)


def told_of(question: IntegrityQuestion, school: str) -> str:
    """The question in words, with the numbers it was asked with."""
    where = f"{school} (entries of {question.who})" if question.who else school
    return asking().kinds[question.measure].question(where, question.x, question.n, question.usual / MILLION)


@screen.post("/integrity/ask")
@requires(SEE)
def ask() -> ResponseReturnValue:
    """Ask the network about something that stands out."""
    once, form = guard.once(), request.form
    said = form.get("measure", ""), form.get("school", ""), form.get("who", ""), form.get("days", 0, type=int)
    try:
        number = integrity.ask(*said, form.get("words", ""), by=actor(), once=once)
    except SENTENCES as refusal:
        return _page(str(refusal)), 422
    flash("The question is asked, with the numbers of today.", "good")
    return redirect(url_for("integrity.one", question_id=number))


@screen.get("/integrity/<int:question_id>")
@requires(SEE)
def one(question_id: int) -> str:
    return _one(question_id)


def _one(question_id: int, error: str = "") -> str:
    asked = integrity.one(question_id, actor())
    question = asked.question
    return render_template(
        "integrity_one.html",
        asked=asked,
        question=question,
        measure=asking().kinds[question.measure],
        sentence=told_of(question, asked.school),
        state=STATES[question.state],
        notes=[(STEPS[note.step], note) for note in rows.notes_of(question.id)],
        may_close=integrity.may_close(actor()),
        longest=LONGEST,
        values=request.form,
        error=error,
    )


@screen.post("/integrity/<int:question_id>/answer")
@requires(SEE)
def answer(question_id: int) -> ResponseReturnValue:
    """Say what is behind it."""
    integrity.one(question_id, actor())
    once, words = guard.once(), request.form.get("words", "")
    return _done(
        question_id, lambda: integrity.answer(question_id, words, by=actor(), once=once), "Your answer is kept."
    )


@screen.post("/integrity/<int:question_id>/close")
@requires(SEE)
def close(question_id: int) -> ResponseReturnValue:
    """End the question."""
    integrity.one(question_id, actor())
    once, words = guard.once(), request.form.get("why", "")
    return _done(
        question_id, lambda: integrity.close(question_id, words, by=actor(), once=once), "The question is ended."
    )


def _done(question_id: int, act: Callable[[], None], said: str) -> ResponseReturnValue:
    try:
        act()
    except SENTENCES as refusal:
        return _one(question_id, str(refusal)), 422
    flash(said, "good")
    return redirect(url_for("integrity.one", question_id=question_id))
