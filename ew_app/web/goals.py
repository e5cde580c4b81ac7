"""What do we want to reach, and what would have to be true for it? Goals, their line, and what is done for them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from functools import reduce
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from ew_app.kernel import NotFound, Refused, day_text, today
from ew_app.services.watching import goal_counts, goal_groups, goals, telling
from ew_app.services.watching.goals import Wanted
from ew_app.web import asked, freshness, goal_words
from ew_app.web.case_words import day_given
from ew_app.web.guard import actor, once, requires
from models.queries import goals as rows
from models.queries import reviews
from models.queries.staff import place_names
from rules import access
from rules.access import Area, Permission, Place
from rules.counting import many
from rules.goals import LABELS
from rules.words import UnfitWords

screen = Blueprint("goals", __name__)

SEE, SET = Permission.SEE_SCHOOL_BOARD, Permission.SET_GOALS
MEASURES = [(str(key), label) for key, label in LABELS.items()]


@screen.get("/goals")
@requires(SEE)
def show() -> str:
    held = goals.of(actor())
    threads = [one.goal.thread for one in held]
    stands = goals.stands([one.goal for one in held])
    waiting = {goal.thread for _, goal, _ in rows.past_their_day(today())}
    lines = [
        goal_words.line(one, *stands[thread], waits=thread in waiting)
        for thread, one in zip(threads, held, strict=True)
    ]
    met = sum(line["met"] for line in lines)
    return render_template(
        "goals.html",
        answer=f"{met} of {many(len(lines), 'goal')} reached" if lines else "No goal is set yet",
        lines=lines, sets=access.can(actor().grants, SET),
        fresh=freshness.of_schools(_area([one.place for one in held])),
    )  # fmt: skip


def _area(places: Sequence[Place]) -> Area:
    return reduce(Area.with_place, places, Area())


@screen.get("/goals/new")
@requires(SET)
def new() -> str:
    return _form({})


@screen.post("/goals/new")
@requires(SET)
def put() -> ResponseReturnValue:
    try:
        if request.form.get("group") and (wait := _wait([_place()])):
            raise Refused(wait)
        thread = goals.put(_place(), _wanted(), once=f"goal/{once()}", by=actor())
    except (Refused, UnfitWords) as refusal:
        return _form({"": str(refusal)}), 422
    flash("The goal is set. How it stands is being counted.", "good")
    return redirect(url_for("goals.one", thread=thread))


def _place() -> Place:
    try:
        return Place.parse(request.form.get("place", ""))
    except ValueError:
        raise Refused("Choose a place.") from None


def _wanted() -> Wanted:
    form = request.form
    return Wanted(
        measure=form.get("measure", ""), target=_tenths(form.get("target", "")),
        by_day=day_given(form.get("by_day", "")), subgroup=form.get("group", ""), why=form.get("why", ""),
    )  # fmt: skip


def _tenths(text: str) -> int | None:
    """A percentage with at most one decimal, in tenths; None for anything else."""
    try:
        tenths = Decimal(text.strip().removesuffix("%").strip().replace(",", ".")) * 10
    except InvalidOperation:
        return None
    return int(tenths) if tenths.is_finite() and tenths == tenths.to_integral_value() else None


def _form(errors: Mapping[str, str]) -> str:
    held = goals.own_places(actor())
    places = [str(place) for place in held]
    names, wait = place_names(places), _wait(held)
    last = goals.last_day(goal_counts.schools_of(places[0])) if places else None
    return render_template(
        "goal_new.html", own=[(place, names[place]) for place in places], measures=MEASURES,
        groups=[] if wait else [(one, goal_words.group_words(one)) for one in goal_groups.groups_of(held)], wait=wait,
        errors=errors, values=request.form,
        last=last.isoformat() if last else "",
    )  # fmt: skip


def _wait(places: Sequence[Place]) -> str:
    """What is said while the groups of large places are still being counted for the month."""
    return telling.too_long([[school.id for school in goal_counts.schools_of(str(place))] for place in places])


@screen.get("/goals/<thread>")
@requires(SEE)
def one(thread: str) -> str:
    return _page(thread)


def _page(thread: str, errors: Mapping[str, str] | None = None) -> str:
    standing = goals.one(thread, actor())
    goal = standing.goal
    held = reviews.held([goal.place]) if standing.own else []
    return render_template(
        "goal.html",
        goal=goal, name=standing.name, own=standing.own and not goal.ended, title=goal_words.title(goal),
        wanted=goal_words.wanted(goal), fresh=freshness.of_schools(_area([standing.place])),
        told=goal_words.told(standing, *goals.stands([goal])[thread]),
        history=[(one, goal_words.wanted(one)) for one in rows.versions(thread)], strategies=rows.strategies(thread),
        people=goals.may_lead(goal.place), errors=errors or {}, values=request.form,
        reviews=[(one, day_text(one.day)) for one in held if one.day >= goal.base_day],
    )  # fmt: skip


def _done(thread: str, act: Callable[[], Any], sentence: str) -> ResponseReturnValue:
    if not goals.one(thread, actor()).own:
        raise NotFound("There is nothing here for you to open.")
    try:
        act()
    except (Refused, UnfitWords) as refusal:
        return _page(thread, {"": str(refusal)}), 422
    flash(sentence, "good")
    return redirect(url_for("goals.one", thread=thread))


@screen.post("/goals/<thread>/change")
@requires(SET)
def change(thread: str) -> ResponseReturnValue:
    def act() -> None:
        version = request.form.get("version", 0, type=int)
        goals.change(thread, _wanted(), version=version, once=f"goal/{once()}", by=actor())

    return _done(thread, act, "The goal is changed. What it was before stays in its history.")


@screen.post("/goals/<thread>/end")
@requires(SET)
def end(thread: str) -> ResponseReturnValue:
    def act() -> None:
        goals.end(thread, request.form.get("why", ""), once=f"goal/{once()}", by=actor())

    return _done(thread, act, "It is no goal any more, and stays on record.")


@screen.post("/goals/<thread>/strategies")
@requires(SET)
def strategy(thread: str) -> ResponseReturnValue:
    def act() -> None:
        form = request.form
        owner, review_on = form.get("owner_id", type=asked.number), day_given(form.get("review_on", ""))
        goals.add_strategy(thread, form.get("words", ""), owner, review_on, once=f"strategy/{once()}", by=actor())

    return _done(thread, act, "It is written down.")


@screen.post("/goals/<thread>/strategies/<int:strategy_id>")
@requires(SET)
def look(thread: str, strategy_id: int) -> ResponseReturnValue:
    """A look at a strategy; the goal in the address must be its own."""
    if strategy_id not in {found.id for found, _, _ in rows.strategies(thread)}:
        raise NotFound("There is nothing here for you to open.")

    def act() -> None:
        form = request.form
        next_on = day_given(form.get("next_on", ""))
        goals.look_at(strategy_id, form.get("found", ""), next_on, once=f"look/{once()}", by=actor())

    return _done(thread, act, "The look is written down.")
