"""What was I told? The news of whoever is signed in, and how they want it by e-mail."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from ew_app.kernel import SENTENCES
from ew_app.services.notices import choosing, news, post
from ew_app.services.notices.choosing import HOURS, Choice
from ew_app.services.notices.news import News
from ew_app.web.guard import actor, requires
from ew_app.web.page import moment
from rules import access
from rules.access import Permission
from rules.counting import many
from rules.notices import notices
from rules.roles import OPENS

screen = Blueprint("news", __name__)

SEE = Permission.SEE_TODAY
CASES = frozenset({"cases_opened", "cases_given"})  # counted notices, by the list they lead to
ASKED = frozenset({"nudge_asked", "nudge_answered"})
STRATEGIES = frozenset({"strategy_due"})
REVIEWS = frozenset({"review_due", "reviews_late"})
CLUSTERS = frozenset({"cluster_given"})
WAITING = frozenset({"risen", "risen_above"})
INSIDE = frozenset({"risen_inside"})
HOW_OFTEN = (("daily", "Monday to Friday"), ("weekly", "Once a week"), ("never", "Never"))
WEEKDAYS = tuple(enumerate(("Monday", "Tuesday", "Wednesday", "Thursday", "Friday")))


@screen.get("/news")
@requires(SEE)
def show() -> str:
    """Everything that was told, as far as it may still be seen; what is new first."""
    found = news.read(actor())
    new = [one for one in found if not one.read]
    return render_template(
        "news.html",
        answer=f"{many(len(new), 'thing')} you have not read yet" if new else "You have read all your news",
        new=[_line(one) for one in new],
        earlier=[_line(one) for one in found if one.read],
    )


@screen.post("/news/<int:notice_id>")
@requires(SEE)
def go(notice_id: int) -> ResponseReturnValue:
    """Mark one as read and go to what it is about."""
    one = news.mark_read(actor(), one=notice_id)
    return redirect(_address(one) if one else url_for("news.show"))


@screen.post("/news/read")
@requires(SEE)
def all_read() -> ResponseReturnValue:
    news.mark_read(actor())
    flash("Everything is marked as read.", "good")
    return redirect(url_for("news.show"))


@screen.route("/news/choices", methods=["GET", "POST"])
@requires(SEE)
def choices() -> ResponseReturnValue:
    """Where e-mails go, how often, and what they leave out."""
    if request.method == "GET":
        return _form(choosing.choice_of(actor().person_id or 0), {})
    chosen = _chosen()
    try:
        choosing.choose(chosen, by=actor())
    except SENTENCES as refusal:
        return _form(chosen, {"": str(refusal)}), 422
    flash("Your choice is kept.", "good")
    return redirect(url_for("news.show"))


def _chosen() -> Choice:
    """What the form says: it asks what to mail, we keep what not."""
    form = request.form
    wanted = form.getlist("mailed")
    return Choice(
        address=form.get("address", "").strip(),
        how_often=form.get("how_often", ""),
        hour=form.get("hour", -1, type=int),
        weekday=form.get("weekday", -1, type=int),
        left_out=tuple(key for key, _ in notices().choices() if key not in wanted),
    )


def _form(chosen: Choice, errors: dict[str, str]) -> str:
    groups = notices().choices()
    return render_template(
        "news_choices.html",
        chosen=chosen,
        errors=errors,
        groups=groups,
        mailed=[key for key, _ in groups if key not in chosen.left_out],
        always=[group.label for group in notices().groups.values() if group.always],
        how_often=HOW_OFTEN,
        weekdays=WEEKDAYS,
        hours=[(hour, f"{hour}:00") for hour in HOURS],
        set_up=post.is_set_up(),
    )


def _line(one: News) -> dict[str, object]:
    """A notice as a row: whom it is about first, where the reader may know that."""
    return {
        "id": one.id, "name": one.student, "sentence": one.sentence, "title": one.title, "when": moment(one.at),
        "over": one.over,
    }  # fmt: skip


def _address(one: News) -> str:
    """Where a notice leads: the question, the opening, a visit, a case, a student, a list, a school, or the day."""
    if one.hand_over is not None:
        return url_for("hand_overs.one", number=one.hand_over)
    if one.opening is not None:
        return url_for("crisis.one", opening_id=one.opening)
    if one.kind in WAITING and access.can(actor().grants, Permission.SEE_WAITING):
        return url_for("waiting.show")
    if one.kind in INSIDE and any(access.can(actor().grants, opens) for opens in OPENS.values()):
        return url_for("supports.show")
    if one.kind in ASKED:
        return url_for("nudges.show")
    if one.kind in REVIEWS and access.can(actor().grants, Permission.RUN_REVIEW):
        return url_for("reviews.show")
    if one.kind in STRATEGIES and access.can(actor().grants, Permission.SEE_SCHOOL_BOARD):
        return url_for("goals.show")
    if one.kind in CASES and access.can(actor().grants, Permission.SEE_CASELOAD):
        return url_for("caseload.show", view="mine", sort="-opened")
    if one.kind in CLUSTERS and access.can(actor().grants, Permission.SEE_DEPARTMENTS):
        return url_for("departments.show")
    if one.visit is not None:
        return url_for("visits.one", visit_id=one.visit)
    if one.case is not None:
        return url_for("case.show", number=one.case)
    if one.student_key is not None and access.can(actor().grants, Permission.SEE_STUDENT):
        return url_for("student.show", key=one.student_key)
    if one.school_key is not None and access.can(actor().grants, Permission.SEE_SCHOOL_BOARD):
        return url_for("boards.school", key=one.school_key)
    return url_for("today.show")
