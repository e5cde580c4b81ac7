"""S06: Who is newly flagged, and why? Each may be taken or given to someone, one by one or several at once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from ew_app.kernel import SENTENCES, Refused, day_text, today
from ew_app.services.casework import flags
from ew_app.services.measuring import trends
from ew_app.web import case_lines, consider_parts, freshness, giving, guard, own_views
from ew_app.web.guard import actor, found, requires, scope
from ew_app.web.lists import Filters, page_number, pages_of
from models.queries import flagged as rows
from models.queries.flagged import FlaggedLine
from rules import access
from rules.access import Permission
from rules.counting import many
from rules.routing_table import routing_table
from rules.stints import school_year_start
from rules.tiers import Tier
from rules.vocabulary import vocabulary

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
ASIDE = {"1": "set aside"}


@screen.get("/flagged")
@requires(SEE)
def show() -> ResponseReturnValue:
    if address := own_views.first("flagged"):
        return redirect(address)
    return _page()


def _page(error: str = "", ticked: Sequence[str] = ()) -> str:
    schools = {str(number): case_lines.short_school(name) for number, name in rows.schools_of(scope(SEE))}
    filters = Filters({"school": schools, "tier": TIERS, "since": SPANS, "owner": OWNERS, "aside": ASIDE})
    since, page = _since(filters.values["since"]), page_number()
    order = consider_parts.order(request.args.get("sort"), "rule", begins=True)
    sort = order.sort
    listed = _listed(filters.values, since, order, page)
    lines = case_lines.flagged_lines(
        listed.rows, trends.weekly_absence([line.student_id for line in listed.rows]), actor().person_id
    )
    asks = {"sort": sort} | filters.given()
    here = f"{url_for('flagged.show')}?{urlencode(asks | ({'page': str(page)} if page > 1 else {}))}"
    return render_template(
        "flagged.html",
        answer=_answer(listed.total, since),
        freshness=freshness.of_schools(scope(Permission.SEE_SCHOOL_BOARD).whole),
        rows=lines,
        total=listed.total,
        page=page,
        pages=pages_of(listed.total),
        page_url=f"?{urlencode(asks)}&page=",
        columns=COLUMNS,
        sort=sort,
        order=order,
        chips=filters.chips(url_for("flagged.show"), {"sort": sort}),
        values=filters.values,
        choices={"school": schools, "tier": TIERS, "since": SPANS, "owner": OWNERS},
        own=own_views.shown("flagged", asks),
        asks=urlencode(asks),
        keys=own_views.has_keys(),
        span=SPANS[SPAN],
        may_assign=access.can(actor().grants, WORK),
        people=giving.people(sorted({line.school_id for line in listed.rows})),
        here=here,
        undo=giving.undo(here),
        error=error,
        ticked=set(ticked),
        chosen=request.form.get("to", ""),
        filtered=bool(filters.given()),
    )


def _listed(values: dict[str, str], since: date, order: consider_parts.Order, page: int) -> Any:
    return rows.flagged(
        scope(SEE),
        actor().person_id,
        today(),
        since=since,
        school=int(values["school"]) if values["school"] else None,
        tier=int(values["tier"]) if values["tier"] else None,
        without_case=values["owner"] == "without",
        unowned=values["owner"] == "nobody",
        set_aside=bool(values["aside"]),
        urgent=_urgent(),
        sort=order.sort.removeprefix("-"),
        descending=order.sort.startswith("-"),
        page=page,
        model=order.place,
    )


def _urgent() -> list[str]:
    """The rules, the one that asks for somebody soonest first."""
    table = routing_table()
    soonest = [(route.due.contact, key) for key, route in table.rules.items() if route.due.contact is not None]
    return [key for _, key in sorted(soonest)]


def _since(span: str) -> date:
    span = span or SPAN
    return school_year_start(today()) if span == "year" else today() - timedelta(days=int(span))


def _answer(total: int, since: date) -> str:
    if not total:
        return f"Nobody was newly flagged since {day_text(since)}"
    return f"{many(total, 'student')} newly flagged since {day_text(since)}"


@screen.post("/flagged")
@requires(WORK)
def give() -> ResponseReturnValue:
    """Take one case, or give all that are ticked to a person: all of them, or none."""
    return giving.give(_page)


# -- set aside -------------------------------------------------------------------------------------------------------


@screen.route("/flagged/<int:student_id>/set-aside", methods=["GET", "POST"])
@requires(WORK)
def set_aside(student_id: int) -> ResponseReturnValue:
    """Say why nothing follows now; an open case is closed by it."""
    line = found(rows.one(scope(SEE), actor().person_id, today(), student_id))
    if request.method == "GET":
        return _ask(line, "")
    form = request.form
    try:
        closed = flags.set_aside(
            student_id, reason=form.get("reason", ""), useful=form.get("useful", ""), note=form.get("note", ""),
            by=actor(),
        )  # fmt: skip
    except SENTENCES as refusal:
        return _ask(line, str(refusal)), 422
    what = "The case is closed" if closed else "The flag is set aside"
    flash(f"{what}: {case_lines.name(line)}. A new step up is told again.", "good")
    return redirect(guard.local_path(form.get("back")))


@screen.post("/flagged/<int:student_id>/take-up")
@requires(WORK)
def take_up(student_id: int) -> ResponseReturnValue:
    """Put a flag back on the list."""
    try:
        flags.take_up(student_id, by=actor())
        flash("The flag stands on the list again.", "good")
    except Refused as refusal:
        flash(str(refusal), "error")
    return redirect(guard.local_path(request.form.get("back")))


def _ask(line: FlaggedLine, error: str) -> str:
    return render_template(
        "flag_aside.html",
        line=case_lines.flagged_lines([line], {}, actor().person_id)[0],
        reasons=[one for one in vocabulary().choices("close_reason") if one[0] in flags.REASONS],
        useful=vocabulary().choices("useful"),
        error=error,
        values=request.values,
        back=guard.local_path(request.values.get("back") or url_for("flagged.show")),
    )
