"""What am I asked, and what was answered? Questions to schools out of their numbers, each with a name and a day."""

from __future__ import annotations

from collections.abc import Mapping

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from ew_app.kernel import SENTENCES, today
from ew_app.services.watching import boards, nudging
from ew_app.services.watching.nudging import Wanted
from ew_app.web import asked, review_words
from ew_app.web.case_words import day_given
from ew_app.web.guard import actor, once, requires
from models.queries.staff import place_names
from rules.access import Permission
from rules.counting import are, many

screen = Blueprint("nudges", __name__)


@screen.get("/nudges")
@requires(Permission.SEE_TODAY)
def show() -> str:
    return _page()


def _page(errors: Mapping[str, str] | None = None, at: int = 0) -> str:
    mine, asked_by_me, answered = nudging.of_me(actor()), nudging.by_me(actor()), nudging.answered_by_me(actor())
    names = place_names({one.nudge.place for one in (*mine, *asked_by_me, *answered)})
    return render_template(
        "nudges.html",
        answer=f"{many(len(mine), 'question')} {are(len(mine), 'waits', 'wait')} for your answer"
        if mine
        else "Nobody waits for an answer of yours",
        mine=review_words.asked_lines(mine, names),
        sent=review_words.asked_lines(asked_by_me, names),
        answered=review_words.asked_lines(answered, names),
        errors=errors or {},
        at=at,
        values=request.form,
    )


@screen.post("/nudges/<int:number>/answer")
@requires(Permission.SEE_TODAY)
def answer(number: int) -> ResponseReturnValue:
    try:
        nudging.answer(number, request.form.get("answer", ""), by=actor())
    except SENTENCES as refusal:
        if type(refusal).__name__ == "NotFound":
            raise
        return _page({f"answer-{number}": str(refusal)}, number), 422
    flash("Your answer is sent.", "good")
    return redirect(url_for("nudges.show"))


@screen.route("/schools/<key>/nudge", methods=["GET", "POST"])
@requires(Permission.NUDGE)
def ask(key: str) -> ResponseReturnValue:
    """Ask a school, with a reason out of its board."""
    if request.method == "GET":
        return _form(key)
    form = request.form
    school = nudging.school_to_ask(key, actor())
    reasons = _reasons(key)
    chosen = form.get("reason", "")
    try:
        wanted = Wanted(
            words=form.get("words", ""), owner_id=form.get("owner_id", type=asked.number),
            due=day_given(form.get("due", "")), reason=chosen if chosen in reasons else "",
        )  # fmt: skip
        nudging.ask(key, wanted, once=f"board/{once()}", by=actor())
    except SENTENCES as refusal:
        return _form(key, {"": str(refusal)}), 422
    flash(f"{school.name} is asked. You are told when the answer comes.", "good")
    return redirect(url_for("nudges.show"))


def _reasons(key: str) -> list[str]:
    """What the board says of the school today: what it waits for, or how it stands."""
    school = nudging.school_to_ask(key, actor())
    line = boards.board([school], today()).lines[0]
    return boards.needs(line) or [boards.answer(line)]


def _form(key: str, errors: Mapping[str, str] | None = None) -> str:
    school = nudging.school_to_ask(key, actor())
    reasons = list(dict.fromkeys(_reasons(key)))
    return render_template(
        "nudge.html",
        school=school, reasons=[(one, one) for one in reasons], people=nudging.may_be_asked(school),
        errors=errors or {},
        values=request.form or {"reason": reasons[0], "due": nudging.answer_day(school).isoformat()},
    )  # fmt: skip
