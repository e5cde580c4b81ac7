"""How do grades and groups stand, and what stands in the way? Suppressed, in tens, once a month."""

from __future__ import annotations

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from ew_app.kernel import day_text, today
from ew_app.services.watching import groups
from ew_app.services.watching.groups import Groups
from ew_app.web.board_places import SEES, Spot, spot
from ew_app.web.guard import actor, requires
from rules import access
from rules.access import FieldClass

screen = Blueprint("groups", __name__)

RESTRICTED = (FieldClass.STLS, FieldClass.IEP_504)  # facts of the roster that a compartment keeps


@screen.get("/schools/<key>/groups", defaults={"kind": "school"})
@screen.get("/networks/<key>/groups", defaults={"kind": "network"})
@screen.get("/district/groups", defaults={"kind": "district", "key": ""})
@requires(*SEES)
def show(kind: str, key: str) -> ResponseReturnValue:
    where = spot(kind, key)
    readable = access.readable_classes(actor().grants, where.place)
    told = groups.groups(
        where.schools,
        today(),
        compartments=[one.value for one in RESTRICTED if one in readable],
    )
    return render_template("groups.html", where=where, told=told, answer=_answer(told, where), bars=_bars(told))


def _answer(told: Groups | None, where: Spot) -> str:
    if told is None:
        return "Groups can be told after the first school day was counted"
    named = "the district" if where.kind == "district" else where.name
    if not told.causes:
        return f"How grades and groups of {named} stood on {day_text(told.asked)}"
    return f"Most often recorded in {named}: {told.causes[0].label[0].lower()}{told.causes[0].label[1:]}"


def _bars(told: Groups | None) -> list[tuple[str, int, str]]:
    """(cause, number, what is said)."""
    return [(one.label, one.students, f"about {one.students:,}") for one in (told.causes if told else ())]
