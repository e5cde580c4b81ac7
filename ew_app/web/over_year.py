"""How does the year go? Lines, stacks, a map of weeks and small multiples, each with its table and a sentence."""

from __future__ import annotations

from itertools import pairwise

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from ew_app.kernel import day_text
from ew_app.services.watching import over_year, pages
from ew_app.services.watching.over_year import OverYear, needing, share
from ew_app.web import taking
from ew_app.web.board_places import SEES, Spot, spot
from ew_app.web.guard import requires
from models.queries.boards import Counts
from rules.counting import many

screen = Blueprint("over_year", __name__)

STEPS = (5, 10, 15, 20, 30)  # percent: where the map's next darker shade begins, on every page the same
MANY = 20  # fewer students on watch jump by themselves
STACKED = (("tier_3", "Tier 3", "3"), ("tier_2", "Tier 2", "2"), ("watch", "Watch", "watch"))


@screen.get("/schools/<key>/year", defaults={"kind": "school"})
@screen.get("/networks/<key>/year", defaults={"kind": "network"})
@screen.get("/district/year", defaults={"kind": "district", "key": ""})
@requires(*SEES)
def show(kind: str, key: str) -> ResponseReturnValue:
    where = spot(kind, key)
    if taking.wanted():
        return taking.answer("year", str(where.place), where.schools)
    year = over_year.over_year(where.units, pages.day_asked(request.args)) if where.schools else None
    if year is None:
        return render_template("over_year.html", where=where, year=None)
    noun = where.noun.lower()
    now = [needing(week.counts) for week in year.weeks]
    then = [needing(week.then.counts) if week.then else None for week in year.weeks]
    return render_template(
        "over_year.html",
        where=where,
        year=year,
        answer=_answer(year, where),
        now=now,
        then=then,
        top=_top([*now, *(value for value in then if value is not None)]),
        against=_against(year),
        stacks=[[share(week.counts, name) for name, _, _ in STACKED] for week in year.weeks],
        stacked=STACKED,
        cliff=_cliff(year),
        stack_top=_top([share(week.counts, *(name for name, _, _ in STACKED)) for week in year.weeks]),
        lines=[(line.name, where.line_url(line.key, "over_year.show"), shares(line.weeks)) for line in year.lines],
        lines_top=_top([value for line in year.lines for value in shares(line.weeks) if value is not None]),
        steps=STEPS,
        take=taking.links({"weeks": "by week", f"{noun}s": f"by {noun} and week"}, as_of=year.last),
        behind=[line.name for line in year.lines if line.weeks[-1] is None],
    )


def shares(weeks: tuple[Counts | None, ...]) -> list[float | None]:
    """Percent in Tier 2 or 3 at the end of each week; None where the week was not counted."""
    return [None if counts is None else needing(counts) for counts in weeks]


def _top(values: list[float]) -> int:
    """Where an axis that begins at nothing ends: the next ten above the highest value."""
    return int(max(values, default=0) // 10 + 1) * 10


def _answer(year: OverYear, where: Spot) -> str:
    last = year.weeks[-1].counts
    named = {"district": "in the district", "network": f"in {where.name}"}.get(where.kind, f"at {where.name}")
    return f"{percent(needing(last))} of students {named} are in Tier 2 or 3"


def _against(year: OverYear) -> str:
    """This year beside the last one on the same school day, as a sentence."""
    last = year.weeks[-1]
    here = percent(needing(last.counts))
    if last.then is None:
        why = "The year before ended earlier" if year.has_before else "Nothing of the year before was counted here"
        return f"{here} at the end of {day_text(year.last)}. {why}, so there is no line for it."
    then = percent(needing(last.then.counts))
    some = f", at the {many(last.then.schools, 'school')} counted then" if last.then.schools < year.schools else ""
    return f"{here} after {many(last.then.number, 'school day')}; {then} after as many school days last year{some}."


def _cliff(year: OverYear) -> str:
    """Why Watch falls at once early in the year, in a sentence; nothing where it does not."""
    counts = [week.counts.watch for week in year.weeks]
    falls = [(now - then, at) for at, (then, now) in enumerate(pairwise(counts), 1) if then >= MANY and 2 * now <= then]
    if not falls:
        return ""
    at = min(falls)[1]
    week = day_text(year.weeks[at].monday)
    return (
        f"Watch falls from {counts[at - 1]:,} to {counts[at]:,} in the week of {week}. Early in"
        " the year a few absences are enough for it; after the first school days rates speak. Most of the fall is the"
        " rules and no change of attendance."
    )


@screen.app_template_filter()
def percent(value: float | None) -> str:
    """A share in whole percent; under one, but not nobody, as such."""
    if value is None:
        return "not counted"
    return "under 1%" if 0 < value < 0.5 else f"{int(value + 0.5)}%"


@screen.app_template_global()
def shade(value: float | None) -> str:
    """Which shade a cell of the map has, by the number that stands in it."""
    return "none" if value is None else str(sum(int(value + 0.5) >= step for step in STEPS))
