"""Who moved between two days? For a school, a network or the district; it adds up, and nobody is named."""

from __future__ import annotations

from datetime import date, timedelta

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue

from ew_app.kernel import day_text, today
from ew_app.services.watching import movement, pages, transfers
from ew_app.services.watching.movement import GROUPS, Movement
from ew_app.web import taking
from ew_app.web.board_places import SEES, Spot, spot
from ew_app.web.guard import actor, requires
from rules import access
from rules.access import Permission
from rules.counting import are, many
from rules.stints import school_year_start

screen = Blueprint("movement", __name__)

WORDS = pages.TIERS
SPANS = (7, 14, 30)  # days for which the list of flagged students has a filter


@screen.get("/schools/<key>/movement", defaults={"kind": "school"})
@screen.get("/networks/<key>/movement", defaults={"kind": "network"})
@screen.get("/district/movement", defaults={"kind": "district", "key": ""})
@requires(*SEES)
def show(kind: str, key: str) -> ResponseReturnValue:
    where = spot(kind, key)
    if taking.wanted():
        return taking.answer("movement", str(where.place), where.schools)
    known = movement.span(where.schools, today())
    if known is None:
        return render_template("movement.html", where=where, told=None, errors={}, values={})
    first, last = known
    values = {"from": request.args.get("from", "").strip(), "to": request.args.get("to", "").strip()}
    group = request.args.get("tier", "") if request.args.get("tier", "") in GROUPS else "support"
    errors, days = _days(values, first, last)
    told = movement.between(where.units, *days, GROUPS[group])
    both = transfers.two_truths(where.schools[0], exact=where.sees_students) if kind == "school" else None
    what = {"from": str(told.before), "to": str(told.now), "tier": group}
    return render_template(
        "movement.html",
        where=where,
        told=told,
        errors=errors,
        values=values if errors else {"from": str(told.before), "to": str(told.now)},
        answer=_answer(told, where, group),
        group=group,
        words=WORDS[group],
        first=first,
        last=last,
        presets=_presets(where, told, first, last, group),
        groups=[(words, _url(where, told, name), name == group) for name, words in WORDS.items()],
        both=both,
        take=taking.links(_tables(where, told), **what),
        lists=_lists(where, told, last),
    )


def _days(values: dict[str, str], first: date, last: date) -> tuple[dict[str, str], tuple[date, date]]:
    """What is wrong with the two days asked for, by field, and the days to show; the last week where any is."""
    usual = max(first, last - timedelta(days=7)), last
    if not any(values.values()):
        return {}, usual
    errors: dict[str, str] = {}
    days: list[date] = []
    for name, text in values.items():
        try:
            days.append(date.fromisoformat(text) if text else usual[len(days)])
        except ValueError:
            errors[name] = "Choose a day, or write it like 2026-10-09."
            days.append(usual[len(days)])
    for name, day in zip(values, days, strict=True):
        if name not in errors and not first <= day <= last:
            errors[name] = f"Counted days of this school year are {day_text(first)} to {day_text(last)}."
    before, now = sorted(days)
    return (errors, usual) if errors else ({}, (before, now))


def _tables(where: Spot, told: Movement) -> dict[str, str]:
    noun = where.noun.lower()
    return {"tiers": "by tier"} | ({f"{noun}s": f"by {noun}"} if len(told.lines) > 1 else {})


def _answer(told: Movement, where: Spot, group: str) -> str:
    cell = told.total
    into, out = cell.came + cell.moved_in + cell.new, cell.went + cell.moved_out + cell.left
    since = f"since {day_text(told.before)}"
    if group == "all":
        return f"{many(into, 'student')} came to {_named(where)} {since}, {f'{out:,}' if out else 'nobody'} left"
    if not into and not out:
        return f"Nobody came into or left {WORDS[group]} {since}"
    return f"{many(into, 'student')} came into {WORDS[group]} {since}, {f'{out:,}' if out else 'nobody'} went out"


def _named(where: Spot) -> str:
    return "the district" if where.kind == "district" else where.name


def _url(where: Spot, told: Movement, group: str) -> str:
    return where.url("movement.show", **{"from": told.before, "to": told.now, "tier": group})


def _presets(where: Spot, told: Movement, first: date, last: date, group: str) -> list[tuple[str, str, bool]]:
    """(words, address, whether it is what is shown) of the days people compare with."""
    met = transfers.last_meeting(where.schools[0], last) if where.kind == "school" else None
    days = [
        ("A week", last - timedelta(days=7)),
        ("Four weeks", last - timedelta(days=28)),
        *([("Since the last team meeting", met)] if met else []),
        ("Since the year began", first),
    ]
    shown = (told.before, told.now)
    return [
        (words, where.url("movement.show", **{"from": day, "to": last, "tier": group}), shown == (day, last))
        for words, day in days
        if first <= day < last
    ]


def _lists(where: Spot, told: Movement, last: date) -> list[tuple[str, str]]:
    """(words, address) of the lists of students behind the figures, as far as this person may open them."""
    grants = actor().grants
    found = []
    if told.now == last and access.scope_of(grants, Permission.SEE_FLAGGED).whole.covers(where.place):
        since = next((str(days) for days in SPANS if told.before >= today() - timedelta(days=days)), "year")
        school = where.schools[0].id if where.kind == "school" else None
        found = [
            (f"Who newly came into {words}", url_for("flagged.show", tier=tier, since=since, school=school))
            for words, tier in (("Tier 3", "3"), ("Tier 2", "2"))
            if school_year_start(told.before) == school_year_start(today())
        ]
    if access.scope_of(grants, Permission.SEE_CASELOAD).whole.covers(where.place):
        found.append(("The open cases", url_for("caseload.show", view="all")))
    return found


@screen.app_template_global("movement_exceptions")
def exceptions(told: Movement) -> list[str]:
    """Which schools are compared between other days than the others, or not at all, as sentences."""
    found = told.exceptions
    return [
        *([f"Not counted yet: {_names([(name, '') for name in found.uncounted])}."] if found.uncounted else []),
        *([f"Counted only up to an earlier day: {_names(_dated(found.behind))}."] if found.behind else []),
        *([f"Compared from their first counted day: {_names(_dated(found.later))}."] if found.later else []),
    ]


def _dated(schools: tuple[tuple[str, date], ...]) -> list[tuple[str, str]]:
    return [(name, day_text(day)) for name, day in schools]


def _names(schools: list[tuple[str, str]], most: int = 5) -> str:
    """Names with their days; what is too long to read ends in a number."""
    named = [f"{name} ({day})" if day else name for name, day in schools[:most]]
    rest = len(schools) - most
    return ", ".join(named) + (f" and {rest} more" if rest > 0 else "")


@screen.app_template_global("movement_sums")
def sums(told: Movement, noun: str) -> str:
    """Why lines add up to the sum, and where they do not."""
    if told.between:
        some, verb = many(told.between, "student"), are(told.between, "stands", "stand")
        return (
            f"{some} changed from one {noun.lower()} of this table to another and {verb} on two lines, under Moved out "
            "and under Moved in. For all together they did not move, so these two columns add up to more than their "
            "sum. Every other line and column adds up."
        )
    return "Every line adds up from left to right, and every column to the last line."
