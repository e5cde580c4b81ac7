"""In which order does this school try to reach a family? The district's ladder, or one of its own."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from ew_app.kernel import SENTENCES, day_text, local
from ew_app.services.casework import laddering
from ew_app.services.casework.laddering import MAY_CHANGE
from ew_app.services.casework.staffing import place_of
from ew_app.web import asked, guard, outreach_form
from ew_app.web.guard import actor, requires
from models.org import School
from models.queries import boards, household
from rules.ladder import LONGEST_HINT, MOST_RUNGS, TIERS, district_ladder, manners

screen = Blueprint("ladder", __name__)

EMPTY = {"day": "", "method": "", "hint": ""}


@screen.get("/schools/<key>/ladder")
@requires(MAY_CHANGE)
def show(key: str) -> str:
    school = _school(key)
    rungs = laddering.of_school(school.id).plain()
    return _page(school, {tier: [*rungs[tier], EMPTY][:MOST_RUNGS] for tier in TIERS})


@screen.post("/schools/<key>/ladder")
@requires(MAY_CHANGE)
def save(key: str) -> ResponseReturnValue:
    """The ladder as the form says it, or the district's again."""
    school = _school(key)
    guard.once()
    back = "district" in request.form
    typed = {tier: _typed(tier) for tier in TIERS}
    try:
        laddering.change(school.id, None if back else _filled(typed), by=actor())
    except SENTENCES as refusal:
        return _page(school, typed, {"": str(refusal)}), 422
    flash(
        "The district's order holds here again." if back else "Saved. It holds for every open case from now on.", "good"
    )
    return redirect(url_for("ladder.show", key=key))


def _school(key: str) -> School:
    """A school whose order this person sets; any other is not there."""
    school = guard.found(boards.school(key))
    guard.must_reach(MAY_CHANGE, place_of(school))
    return school


def _page(school: School, rungs: dict[str, list[dict[str, Any]]], errors: dict[str, str] | None = None) -> str:
    own = household.own_ladder(school.id)
    return render_template(
        "ladder.html",
        school=school.name,
        rungs=rungs,
        errors=errors or {},
        methods=[(way.key, way.label) for way in outreach_form.methods()],
        since=f"{own.changed_by}, {day_text(local(own.changed_at).date())}" if own else "",
        district=[rung.words for rung in district_ladder().of(2)],
        manners=manners(),
        hint_length=LONGEST_HINT,
        key=guard.new_once(),
        action=url_for("ladder.save", key=school.key),
    )


def _typed(tier: str) -> list[dict[str, Any]]:
    form = request.form
    return [
        {name: form.get(f"{name}_{tier}_{number}", "").strip()[:100] for name in EMPTY} for number in range(MOST_RUNGS)
    ]


def _filled(typed: dict[str, list[dict[str, Any]]]) -> dict[str, list[dict[str, Any]]]:
    """Lines with a way; a day that is no number is left for the sentence that says so."""
    return {
        tier: [line | {"day": asked.row_number(line["day"])} for line in lines if line["method"]]
        for tier, lines in typed.items()
    }
