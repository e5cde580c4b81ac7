"""Does help arrive? How far cases have come, for a school, a network or the district. Counts only."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue

from ew_app.kernel import today
from ew_app.services.watching import following_through
from ew_app.services.watching.following_through import USUAL, WEEKS, FollowThrough
from ew_app.web import freshness, taking
from ew_app.web.board_places import Spot, spot
from ew_app.web.guard import requires
from rules.access import Area, Permission
from rules.counting import are, many
from rules.follow_through import LABELS, MEANINGS, Better, State, Step

screen = Blueprint("follow_through", __name__)

PERIODS = (*((str(weeks), f"{weeks} weeks") for weeks in WEEKS), ("year", "this school year"))


@screen.get("/schools/<key>/follow-through")
@requires(Permission.SEE_SCHOOL_BOARD)
def school(key: str) -> ResponseReturnValue:
    return _page(spot("school", key), Area(schools=frozenset({key})))


@screen.get("/networks/<key>/follow-through")
@requires(Permission.SEE_NETWORK_BOARD)
def network(key: str) -> ResponseReturnValue:
    return _page(spot("network", key), Area(networks=frozenset({key})))


@screen.get("/district/follow-through")
@requires(Permission.SEE_DISTRICT_BOARD)
def district() -> ResponseReturnValue:
    return _page(spot("district"), Area(district=True))


def _page(where: Spot, area: Area) -> ResponseReturnValue:
    if taking.wanted():
        return taking.answer("follow-through", str(where.place), where.schools)
    asked = request.args.get("weeks", "")
    period = asked if asked in dict(PERIODS) else str(USUAL)
    by_network = where.kind == "district"
    told = following_through.of(
        where.schools, following_through.since_of(None if period == "year" else int(period)), by_network=by_network
    )
    noun = where.noun.lower()
    return render_template(
        "follow_through.html",
        take=taking.links(
            {"steps": "of steps", f"{noun}s": f"by {noun}", "roles": "by role"}, as_of=today(), weeks=period
        ),
        where=where, told=told, answer=_answer(told), fresh=freshness.of_schools(area), steps=_steps(told),
        periods=PERIODS, period=period, first=where.noun, alone=len(where.schools) == 1,
        place_url=_network if by_network else _school, Step=Step, State=State, Better=Better,
        by_role=following_through.by_role(told, exact=where.sees_students, network=where.kind == "network"),
        exact=where.sees_students,
    )  # fmt: skip


def _school(line: following_through.Line) -> str:
    return url_for("follow_through.school", key=line.key)


def _network(line: following_through.Line) -> str:
    return url_for("follow_through.network", key=line.key)


def _answer(told: FollowThrough) -> str:
    """How many families are spoken with, and how many have a plan."""
    funnel = told.total.funnel
    if not funnel.cases:
        return "No case has begun in this time"
    reached, planned = funnel.reached(Step.CONTACTED), funnel.reached(Step.PLANNED)
    return (
        f"Of {many(funnel.cases, 'case')}, {reached:,} {are(reached)} past a first contact and {planned:,} past a plan"
    )


def _steps(told: FollowThrough) -> list[dict[str, Any]]:
    funnel = told.total.funnel
    return [
        {
            "label": LABELS[step], "meaning": MEANINGS[step], "reached": funnel.reached(step),
            "stay": funnel.standing(step), "gap": funnel.not_on_record[step],
            "states": [funnel.standing(step, state) for state in State],
        }
        for step in Step
    ]  # fmt: skip
