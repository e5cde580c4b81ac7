"""Was it looked at? Reviews every two weeks: which are due, holding one, its minutes as proof. Counts, never a name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from ew_app.kernel import SENTENCES, Conflict, Refused, day_text, today
from ew_app.services.meetings.holding import Changed
from ew_app.services.watching import goal_counts, goals, nudging, reviewing, rhythm, telling
from ew_app.services.watching.nudging import Wanted
from ew_app.services.watching.rhythm import Standing
from ew_app.web import asked, goal_words, review_words
from ew_app.web.board_places import sees_students
from ew_app.web.case_words import day_given
from ew_app.web.guard import actor, found, once, requires
from ew_app.web.today_parts import SHOWN, Part
from models.queries import reviews as rows
from models.queries.staff import place_names
from rules import access
from rules.access import Permission, Place, PlaceKind
from rules.counting import are, many

screen = Blueprint("reviews", __name__)

RUN = Permission.RUN_REVIEW
KINDS = {"schools": Place.of_school, "networks": Place.of_network}


@screen.get("/reviews")
@requires(RUN)
def show() -> str:
    """Which places were looked at when, and which are due: the proof, and the way to begin."""
    standing = rhythm.of(actor())
    own = [one for one in standing if one.own]
    late = [one for one in standing if one.is_due]
    names = place_names({f"network:{key}" for key, _, _ in rhythm.completion(standing)})
    held = rows.held([str(one.place) for one in own]) if own else []
    return render_template(
        "reviews.html",
        answer=f"{many(len(late), 'review')} {are(len(late))} due" if late else "No review is due",
        own=[_turn(one) for one in own], begin_url=begin_url,
        completion=[(names[f"network:{key}"], fresh, schools) for key, fresh, schools in rhythm.completion(standing)],
        networks=[_turn(one) for one in rhythm.of_places(standing, PlaceKind.NETWORK) if not one.own],
        schools=[_turn(one) for one in rhythm.of_places(standing, PlaceKind.SCHOOL) if not one.own],
        held=[(one, day_text(one.day)) for one in held], running={one.place for one in held if one.day == today()},
    )  # fmt: skip


def begin_url(place: Place) -> str:
    """Where the review of a place is begun."""
    if place.kind is PlaceKind.DISTRICT:
        return url_for("reviews.begin_district")
    return url_for("reviews.begin", kind=f"{place.kind}s", key=place.key)


def _turn(one: Standing) -> dict[str, Any]:
    turn = one.turn
    return {
        "place": one.place, "name": one.name, "last": turn.last, "as": turn.held_as, "due": turn.due, "late": turn.late,
        "is_due": one.is_due,
    }  # fmt: skip


@screen.post("/reviews/<any(schools, networks):kind>/<key>/begin")
@requires(RUN)
def begin(kind: str, key: str) -> ResponseReturnValue:
    return _begin(KINDS[kind](key))


@screen.post("/reviews/district/begin")
@requires(RUN)
def begin_district() -> ResponseReturnValue:
    return _begin(Place.district())


def _begin(place: Place) -> ResponseReturnValue:
    """A review tells the month's tables of its place: of a large one they are waited for first."""
    if wait := telling.too_long([[one.id for one in goal_counts.schools_of(str(place))]]):
        raise Conflict(wait)
    return redirect(url_for("reviews.one", review_id=reviewing.begin(place, by=actor())))


@screen.get("/reviews/<int:review_id>")
@requires(RUN)
def one(review_id: int) -> str:
    return _page(review_id)


def _page(review_id: int, errors: Mapping[str, str] | None = None, theirs: str = "") -> str:
    """The numbers as they were, the lines, what was agreed, the minutes: while it lasts, afterwards, and on paper."""
    sitting = reviewing.at_hand(review_id, actor())
    review, lines, agreed = sitting.review, rows.lines(review_id), rows.agreed_in(review_id)
    earlier, exact = rows.agreed_before(review.place, review_id), sees_students(sitting.place)
    names = place_names({item.nudge.place for item in (*earlier, *(one for _, one in agreed))})
    return render_template(
        "review.html",
        review=review, name=sitting.name, open=sitting.holds and not review.ended_at, day=day_text(review.day),
        answer=review_words.answer(review, lines, len(agreed)), told=review_words.told(review.numbers),
        lines=[review_words.line(item, exact=exact) for item in lines],
        errors=errors or {}, theirs=theirs, values=request.form,
        agreed=review_words.asked_lines([item for _, item in agreed], names),
        earlier=review_words.asked_lines(earlier, names),
    )  # fmt: skip


@screen.get("/reviews/<int:review_id>/lines/<int:position>")
@requires(RUN)
def line(review_id: int, position: int) -> str:
    return _line(review_id, position)


@screen.post("/reviews/<int:review_id>/lines/<int:position>")
@requires(RUN)
def look(review_id: int, position: int) -> ResponseReturnValue:
    """One line: look at it, note, agree on something with a name and a day, and go on to the next."""
    form = request.form
    try:
        sitting = reviewing.at_hand(review_id, actor())
        here = found(next((one for one in rows.lines(review_id) if one.position == position), None))
        wanted = _wanted(review_words.reason(here))
        key = once() if wanted else ""
        reviewing.look(
            sitting.review.id, position, form.get("note", ""), version=form.get("version", 0, type=int), by=actor(),
            wanted=wanted, once=key,
        )  # fmt: skip
    except Changed as changed:
        return _line(review_id, position, {"note": str(changed)}, changed.theirs), 409
    except SENTENCES as refusal:
        if isinstance(refusal, Refused):
            return _line(review_id, position, {"": str(refusal)}), 422
        raise
    later = [one.position for one in rows.lines(review_id) if one.position > position]
    if later:
        return redirect(url_for("reviews.line", review_id=review_id, position=later[0]))
    return redirect(url_for("reviews.one", review_id=review_id))


def _wanted(reason: str) -> Wanted | None:
    """What the form asks of somebody; None where it asks nothing."""
    form = request.form
    if not form.get("words", "").strip() and not form.get("owner_id"):
        return None
    return Wanted(
        words=form.get("words", ""), owner_id=form.get("owner_id", type=asked.number),
        due=day_given(form.get("due", "")), reason=reason,
    )  # fmt: skip


def _line(review_id: int, position: int, errors: Mapping[str, str] | None = None, theirs: str = "") -> str:
    sitting = reviewing.at_hand(review_id, actor())
    lines = rows.lines(review_id)
    here = found(next((one for one in lines if one.position == position), None))
    agreed = [item for number, item in rows.agreed_in(review_id) if number == here.id]
    names = place_names({item.nudge.place for item in agreed})
    said = review_words.line(here, exact=sees_students(sitting.place))
    key = here.subject.partition(":")[2] if here.subject.startswith("school:") else ""
    return render_template(
        "review_line.html",
        review=sitting.review, name=sitting.name, line=said, version=here.version, of=len(lines),
        open=sitting.holds and not sitting.review.ended_at, people=reviewing.may_do(sitting, here),
        agreed=review_words.asked_lines(agreed, names), board=url_for("boards.school", key=key) if key else "",
        errors=errors or {}, theirs=theirs, values=request.form,
    )  # fmt: skip


@screen.post("/reviews/<int:review_id>/minutes")
@requires(RUN)
def minutes(review_id: int) -> ResponseReturnValue:
    form = request.form
    try:
        version = form.get("version", 0, type=int)
        reviewing.write_minutes(review_id, form.get("there", ""), form.get("minutes", ""), version=version, by=actor())
    except Changed as changed:
        return _page(review_id, {"minutes": str(changed)}, changed.theirs), 409
    except Refused as refusal:
        return _page(review_id, {"": str(refusal)}), 422
    flash("The minutes are saved.", "good")
    return redirect(url_for("reviews.one", review_id=review_id))


@screen.post("/reviews/<int:review_id>/end")
@requires(RUN)
def end(review_id: int) -> ResponseReturnValue:
    try:
        reviewing.end(review_id, by=actor())
    except Refused as refusal:
        return _page(review_id, {"": str(refusal)}), 422
    flash("The review is closed. Its numbers and minutes stay as they are.", "good")
    return redirect(url_for("reviews.one", review_id=review_id))


# -- for Today -----------------------------------------------------------------------------------------------


def part(*, known: bool) -> tuple[Part, ...]:
    """For Today: questions that wait for this person's answer, and reviews that are due; no part without any.

    known: there are numbers of this school year; without them nothing can be reviewed yet.
    """
    asked_of_me = nudging.of_me(actor())
    names = place_names({one.nudge.place for one in asked_of_me}) if asked_of_me else {}
    questions: list[dict[str, Any]] = [
        {"name": names[one.nudge.place], "url": f"{url_for('nudges.show')}#question-{one.nudge.id}",
         "about": one.nudge.asked_by, "tier": None, "reason": one.nudge.words, "due": one.nudge.due, "late": 0}
        for one in asked_of_me[:SHOWN]
    ]  # fmt: skip
    due = rhythm.waiting_for(actor()) if known and access.can(actor().grants, RUN) else []
    reviews: list[dict[str, Any]] = [
        {"name": one.name, "url": url_for("reviews.show"), "about": "", "tier": None, "due": one.turn.due,
         "reason": f"last one {day_text(one.turn.last)}" if one.turn.last else "none this school year",
         "late": one.turn.late}
        for one in due[:SHOWN]
    ]  # fmt: skip
    waits = goals.due_for(actor())
    places = place_names({strategy.place for strategy, _, _ in waits}) if waits else {}
    looks: list[dict[str, Any]] = [
        {"name": strategy.words, "url": url_for("goals.one", thread=goal.thread), "about": places[strategy.place],
         "tier": None, "reason": f"for the goal: {goal_words.title(goal)}", "due": on, "late": 0}
        for strategy, goal, on in waits[:SHOWN]
    ]  # fmt: skip
    every = ("Every review", url_for("reviews.show"))
    return tuple(
        part
        for part in (
            Part("You are asked", questions, "", len(asked_of_me), tiers=False),
            Part("Reviews that are due", reviews, "", len(due), more=every, tiers=False),
            Part("What you lead for a goal", looks, "", len(waits), hint="Its day for a look has passed.", tiers=False),
        )
        if part.lines
    )
