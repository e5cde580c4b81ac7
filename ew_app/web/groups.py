"""How do grades and groups stand, and what stands in the way? Suppressed, in tens, once a month."""

from __future__ import annotations

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from ew_app.kernel import Conflict, day_text
from ew_app.services.watching import groups, pages, telling
from ew_app.services.watching.groups import Groups
from ew_app.web import taking
from ew_app.web.board_places import SEES, Spot, spot
from ew_app.web.guard import actor, requires

screen = Blueprint("groups", __name__)


@screen.get("/schools/<key>/groups", defaults={"kind": "school"})
@screen.get("/networks/<key>/groups", defaults={"kind": "network"})
@screen.get("/district/groups", defaults={"kind": "district", "key": ""})
@requires(*SEES)
def show(kind: str, key: str) -> ResponseReturnValue:
    where = spot(kind, key)
    day = pages.day_asked(request.args)
    wait = telling.too_long([[one.id for one in where.schools]], day)
    if taking.wanted():
        if wait:
            raise Conflict(wait)
        return taking.answer("groups", str(where.place), where.schools)
    compartments = pages.compartments_of(actor(), where.place)
    told = None if wait else groups.groups(where.schools, day, compartments=compartments)
    take = taking.links({"groups": "of groups", "causes": "of causes"}, as_of=told.asked if told else None)
    return render_template(
        "groups.html", where=where, told=told, answer=_answer(told, where, wait), bars=_bars(told), take=take, wait=wait
    )


def _answer(told: Groups | None, where: Spot, wait: str) -> str:
    if wait:
        return "The tables of this month are being counted"
    if told is None:
        return "Groups can be told after the first school day was counted"
    named = "the district" if where.kind == "district" else where.name
    if not told.causes:
        return f"How grades and groups of {named} stood on {day_text(told.asked)}"
    return f"Most often recorded in {named}: {told.causes[0].label[0].lower()}{told.causes[0].label[1:]}"


def _bars(told: Groups | None) -> list[tuple[str, int, str]]:
    """(cause, number, what is said)."""
    return [(one.label, one.students, f"about {one.students:,}") for one in (told.causes if told else ())]
