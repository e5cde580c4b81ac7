"""S06: Who is newly flagged, and why? Each may be taken or given to someone, one by one or several at once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from ew_app.kernel import SENTENCES, Refused, day_text, today, transaction
from ew_app.services.casework import moves as casework
from ew_app.services.measuring import trends
from ew_app.web import asked, case_lines, case_moves, freshness, guard
from ew_app.web.guard import actor, requires, scope
from ew_app.web.lists import Filters, page_number, pages_of
from models.queries import flagged as rows
from models.queries import naming
from models.queries.flagged import FlaggedLine
from rules import access
from rules.access import Permission, Place
from rules.counting import many
from rules.stints import school_year_start
from rules.tiers import Tier

screen = Blueprint("flagged", __name__)

SEE, WORK = Permission.SEE_FLAGGED, Permission.WORK_CASE
COLUMNS = [
    {"label": "Who", "key": "name"},
    {"label": "Why"},
    {"label": "Last six weeks", "key": "absent"},
    {"label": "Contacts so far", "key": "contact"},
    {"label": "Tier", "key": "tier"},
    {"label": "Owner"},
]
SPANS = {
    "7": "in the last week",
    "14": "in the last two weeks",
    "30": "in the last 30 days",
    "year": "this school year",
}
SPAN = "14"
TIERS = {str(int(tier)): tier.words for tier in (Tier.THREE, Tier.TWO, Tier.WATCH)}
OWNERS = {"nobody": "nobody has them", "without": "no case is open"}


@screen.get("/flagged")
@requires(SEE)
def show() -> str:
    return _page()


def _page(error: str = "", ticked: Sequence[str] = ()) -> str:
    schools = {str(number): case_lines.short_school(name) for number, name in rows.schools_of(scope(SEE))}
    filters = Filters({"school": schools, "tier": TIERS, "since": SPANS, "owner": OWNERS})
    since, sort, page = _since(filters.values["since"]), request.args.get("sort", "-tier"), page_number()
    found = _found(filters.values, since, sort, page)
    lines = case_lines.flagged_lines(
        found.rows, trends.weekly_absence([line.student_id for line in found.rows]), actor().person_id
    )
    return render_template(
        "flagged.html",
        answer=_answer(found.total, since),
        freshness=freshness.of_schools(scope(Permission.SEE_SCHOOL_BOARD).whole),
        rows=lines,
        total=found.total,
        page=page,
        pages=pages_of(found.total),
        page_url=f"?{urlencode({'sort': sort} | filters.given())}&page=",
        columns=COLUMNS,
        sort=sort,
        chips=filters.chips(url_for("flagged.show"), {"sort": sort}),
        values=filters.values,
        choices={"school": schools, "tier": TIERS, "since": SPANS, "owner": OWNERS},
        span=SPANS[SPAN],
        may_assign=access.can(actor().grants, WORK),
        people=_people(found.rows),
        here=request.full_path.rstrip("?") if request.method == "GET" else url_for("flagged.show"),
        error=error,
        ticked=set(ticked),
        chosen=request.form.get("to", ""),
        filtered=bool(filters.given()),
    )


def _found(values: dict[str, str], since: date, sort: str, page: int) -> Any:
    return rows.flagged(
        scope(SEE),
        actor().person_id,
        today(),
        since=since,
        school=int(values["school"]) if values["school"] else None,
        tier=int(values["tier"]) if values["tier"] else None,
        without_case=values["owner"] == "without",
        unowned=values["owner"] == "nobody",
        sort=sort.removeprefix("-"),
        descending=sort.startswith("-"),
        page=page,
    )


def _since(span: str) -> date:
    span = span or SPAN
    return school_year_start(today()) if span == "year" else today() - timedelta(days=int(span))


def _answer(total: int, since: date) -> str:
    if not total:
        return f"Nobody was newly flagged since {day_text(since)}"
    return f"{many(total, 'student')} newly flagged since {day_text(since)}"


def _people(found: Sequence[FlaggedLine]) -> list[tuple[int, str]]:
    """Who could own a case at the schools on the page; for those who may give one."""
    if not access.can(actor().grants, WORK):
        return []
    places = naming.places()
    here = {places[line.school_id] for line in found}
    return case_moves.may_own(*(Place.of_school(school, network) for network, school in sorted(here)))


@screen.post("/flagged")
@requires(SEE)
def give() -> ResponseReturnValue:
    """Take one case, or give all that are ticked to a person: all of them, or none."""
    taken = request.form.get("take", type=asked.number)
    numbers = [taken] if taken else request.form.getlist("case", type=asked.number)
    try:
        sentence = _give(numbers, actor().person_id if taken else request.form.get("to", type=asked.number))
    except SENTENCES as refusal:
        return _page(str(refusal), request.form.getlist("case")), 422
    flash(sentence, "good")
    return redirect(guard.local_path(request.form.get("back")))


def _give(numbers: Sequence[int], to: int | None) -> str:
    if not numbers:
        raise Refused("Tick the students whose cases you want to give away.")
    if to is None:
        raise Refused("Choose the person who takes them on.")
    with transaction():
        for number in numbers:
            casework.assign(number, to=to, by=actor())
    if to == actor().person_id:
        return "This case is yours now." if len(numbers) == 1 else f"{many(len(numbers), 'case')} are yours now."
    return f"{many(len(numbers), 'case')} given to {case_moves.person_name(to)}."
