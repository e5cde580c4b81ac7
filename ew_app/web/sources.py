"""S03, where files come from by themselves: how each source stands, what its looks found, look now, try out, pause."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from ew_app.kernel import SENTENCES, Actor
from ew_app.services.sources import clearing, keeping, refusals, starting, telling, trying
from ew_app.services.sources.telling import State
from ew_app.web import asked, class_periods, guard
from ew_app.web.guard import actor, requires
from models.org import Source
from models.queries import imports, pulls
from rules import access
from rules.access import Permission, Place
from rules.counting import many

screen = Blueprint("sources", __name__, url_prefix="/sources")

PAGE = 20
CHIPS = {
    State.LATE: ("late", "late"),
    State.FAILED: ("failed", "late"),
    State.REFUSED: ("files refused", "late"),
    State.NOT_CLEARED: ("not put away", "late"),
    State.LOOKING: ("looking", "wait"),
    State.PAUSED: ("paused", "plain"),
    State.NEW: ("new", "new"),
    State.WELL: ("well", "good"),
}
ENDS = {
    "": ("under way", "wait"),
    "nothing": ("nothing new", "plain"),
    "took": ("took", "good"),
    "waits": ("waits", "wait"),
    "failed": ("failed", "late"),
}

keeps = requires(Permission.KEEP_SOURCES)


@screen.get("")
@keeps
def show() -> str:
    """Every source and how it stands."""
    _district()
    found = telling.all_standings()
    looking = any(one.state is State.LOOKING for one in found)
    poll = url_for("sources.show") if looking else None
    return render_template("sources.html", answer=_answer(found), found=found, chips=CHIPS, poll=poll)


@screen.get("/<int:source_id>")
@keeps
def one(source_id: int) -> str:
    """One source: how it stands, where and when, and what its looks found."""
    return _page(source_of(source_id))


@screen.post("/<int:source_id>/test")
@keeps
def test(source_id: int) -> ResponseReturnValue:
    """Connect now, and say what would be taken."""
    source = source_of(source_id)
    try:
        return _page(source, said=trying.test(source.name, by=actor()))
    except SENTENCES as refusal:
        return _page(source, error=str(refusal)), 422


@screen.post("/<int:source_id>/look")
@keeps
def look(source_id: int) -> ResponseReturnValue:
    """Look now; the worker does it."""
    return _do(source_id, starting.ask, "It is being looked at. What came of it stands here in a moment.")


@screen.post("/<int:source_id>/pause")
@keeps
def pause(source_id: int) -> ResponseReturnValue:
    """Fetch nothing by the timetable."""
    return _do(source_id, keeping.pause, "It is paused: nothing is fetched and nothing is expected.")


@screen.post("/<int:source_id>/resume")
@keeps
def resume(source_id: int) -> ResponseReturnValue:
    """Go on with the timetable."""
    return _do(source_id, keeping.resume, "It goes on with its next time. Fetch now if you miss something.")


@screen.post("/<int:source_id>/refused/<int:refusal_id>")
@keeps
def set_aside(source_id: int, refusal_id: int) -> ResponseReturnValue:
    """Nothing more is expected of a refused file."""

    def verb(name: str, *, by: Actor) -> None:
        refusals.set_aside(name, refusal_id, by=by)

    return _do(source_id, verb, "It is set aside. What was refused lies where it was put.")


def source_of(source_id: int) -> Source:
    """The source of an address. NotFound: out of reach, or not fetched from."""
    _district()
    return guard.found(next((one for one in pulls.fetched_from() if one.id == source_id), None))


def _district() -> None:
    guard.must_reach(Permission.KEEP_SOURCES, Place.district())


def _do(source_id: int, verb: Callable[..., Any], words: str) -> ResponseReturnValue:
    source = source_of(source_id)
    by: Actor = actor()
    try:
        verb(source.name, by=by)
    except SENTENCES as refusal:
        return _page(source, error=str(refusal)), 422
    flash(words, "good")
    return redirect(url_for("sources.one", source_id=source_id))


def _page(source: Source, *, said: list[str] | None = None, error: str = "") -> str:
    page = asked.page()
    looks = pulls.history(source.id, PAGE, PAGE * (page - 1))
    total = pulls.history_count(source.id)
    standing, came = telling.standing(source.name), telling.deliveries_of(looks)
    moving = standing.state is State.LOOKING or any(status in pulls.UNDER_WAY for status, _ in came.values())
    told = said is not None or bool(error)  # what was just asked for stays on the page
    return render_template(
        "source.html",
        one=standing,
        not_cleared=clearing.trouble_of(source) if standing.state is not State.NOT_CLEARED else "",
        refused=refusals.open_refusals(source.id),
        poll=url_for("sources.one", source_id=source.id, page=page) if moving and not told else None,
        brings=telling.BRINGS_WORDS[source.brings],
        class_periods=class_periods.of_source(source),
        looks=looks,
        came=came,
        names=imports.names_of({look.asked_by for look in looks}) | {starting.BY_SCHEDULE: "the timetable"},
        chips=CHIPS,
        ends=ENDS,
        said=said,
        error=error,
        total=total,
        page=page,
        pages=-(-total // PAGE),
        may_open=access.can(actor().grants, Permission.IMPORT_ATTENDANCE),
    )


def _answer(found: list[telling.Standing]) -> str:
    late = sum(one.state in (State.LATE, State.FAILED, State.REFUSED, State.NOT_CLEARED) for one in found)
    if not found:
        return "Nothing is fetched by itself yet"
    if late:
        return f"{late} of {many(len(found), 'source')} {'needs' if late == 1 else 'need'} a look"
    return "Everything that is expected has come" if any(one.expected for one in found) else "Every source is well"
