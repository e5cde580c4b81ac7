"""S21: which supports were given, and what followed? Counts of the reader's schools; no student stands here."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from ew_app.kernel import today
from ew_app.services.watching import what_works
from ew_app.services.watching.following_through import since_of
from ew_app.services.watching.what_works import MOST, Line, WhatWorks
from ew_app.web import freshness, taking
from ew_app.web.guard import requires, scope
from models.queries import boards
from rules.access import Permission
from rules.counting import are, many
from rules.suppression import HIDDEN, LEAST, tens_words
from rules.what_works import Spread, Verdict

screen = Blueprint("what_works", __name__)

PERIODS = (("year", "this school year"), ("16", "16 weeks"))
WIDEST = 10.0  # days a month that the picture reaches on each side
VERDICTS = {
    Verdict.FEWER: "Fewer days away",
    Verdict.MORE: "More days away",
    Verdict.CANNOT_TELL: "Cannot tell",
}


@screen.get("/what-works")
@requires(Permission.SEE_WHAT_WORKS)
def show() -> ResponseReturnValue:
    asked = request.args.get("weeks", "")
    period = asked if asked in dict(PERIODS) else PERIODS[0][0]
    area = scope(Permission.SEE_WHAT_WORKS).whole
    schools = boards.schools_in(area)
    if taking.wanted():
        return taking.answer("what-works", area.words, schools)
    told = what_works.of(schools, since_of(None if period == "year" else int(period)))
    tiers = sorted({one.support.tier for one in told.shown}, reverse=True)
    return render_template(
        "what_works.html",
        answer=_answer(told), told=told, fresh=freshness.of_schools(area), schools=many(len(schools), "school"),
        tiers=[(tier.words, [_row(one) for one in told.shown if one.support.tier is tier]) for tier in tiers],
        few=[one.support.label for one in told.lines if not one.shown],
        take=taking.links({"supports": ""}, as_of=today(), weeks=period),
        reach=_reach(told), periods=PERIODS, period=period, least=LEAST, most=MOST,
    )  # fmt: skip


def _answer(told: WhatWorks) -> str:
    if not told.lines:
        return "No support has begun in this time"
    if not told.shown:
        return f"No support has begun for {LEAST} students or more yet, so nothing can be told"
    verdicts = [one.difference.verdict for one in told.shown]
    clear = len(verdicts) - verdicts.count(Verdict.CANNOT_TELL)
    supports = many(len(verdicts), "support")
    if not clear:
        return f"Of {supports}, none can be told apart from what happens without"
    fewer = verdicts.count(Verdict.FEWER)
    return (
        f"Of {supports}, {fewer} {are(fewer)} followed by fewer days away than without"
        + (f", {clear - fewer} by more" if clear > fewer else "")
        + (f"; of {verdicts.count(Verdict.CANNOT_TELL)} it cannot be told" if clear < len(verdicts) else "")
    )


def _reach(told: WhatWorks) -> float:
    """Days a month from the middle of the picture to its edge: as far as the widest range goes."""
    ends = [abs(end) for one in told.shown for end in (one.difference.low, one.difference.high) if end is not None]
    return min(max([2.0, *ends]), WIDEST)


def _row(line: Line) -> dict[str, Any]:
    told = line.difference
    return {
        "label": line.support.label,
        "what": line.support.what,
        "students": tens_words(line.students),
        "given": "not over yet, or too few" if line.given is None else f"about {line.given}%",
        "dose": line.support.dose.words,
        "before": _spread(line.before),
        "since": _spread(line.since),
        "verdict": VERDICTS[told.verdict],
        "clear": told.verdict is not Verdict.CANNOT_TELL,
        "words": _difference(line),
        "numbers": None if told.days is None else (told.low, told.days, told.high),
        "compared": "" if told.days is None else f"{tens_words(told.served)} beside {tens_words(told.others)}",
    }


def _spread(found: Spread | None) -> str:
    return HIDDEN if found is None else f"{found.middle:.1f} ({found.low:.1f} to {found.high:.1f})"


def _difference(line: Line) -> str:
    told = line.difference
    if told.days is None or told.low is None or told.high is None:
        return f"fewer than {LEAST} students on one side"
    return f"{_signed(told.days)} days a month (range {_signed(told.low)} to {_signed(told.high)})"


def _signed(days: float) -> str:
    return f"{days:+.1f}".replace("-", "\u2212") if abs(days) >= 0.05 else "0.0"
