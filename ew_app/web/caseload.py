"""S07: Which of my cases needs me next? Open cases within reach, what is due first."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlencode

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from ew_app.kernel import SENTENCES, today
from ew_app.services.casework import closing
from ew_app.web import asked, case_lines, freshness
from ew_app.web.guard import actor, requires, scope
from ew_app.web.lists import Filters, page_number, pages_of
from models.queries import today as heads
from models.queries import worklists
from rules import access
from rules.access import Permission
from rules.counting import are, many
from rules.tiers import Tier
from rules.vocabulary import vocabulary

screen = Blueprint("caseload", __name__)

SEE = Permission.SEE_CASELOAD
COLUMNS = [
    {"label": "Who", "key": "name"},
    {"label": "Next step"},
    {"label": "Due", "key": "due"},
    {"label": "Last contact", "key": "contact"},
    {"label": "Days absent", "key": "absent", "number": True},
    {"label": "Tier", "key": "tier"},
    {"label": "Status", "key": "status"},
]
TIERS = [(str(int(tier)), tier.words) for tier in (Tier.THREE, Tier.TWO, Tier.WATCH, Tier.ONE)]
YES = "1"
NAMED = 3  # students by name in a sentence
VIEWS: tuple[tuple[str, str, dict[str, str]], ...] = (
    ("mine", "Mine", {}),
    ("mine", "Mine, overdue", {"overdue": YES}),
    ("mine", "Mine, no first contact yet", {"first": YES}),
    ("all", "Everyone's in my schools", {}),
)


@screen.post("/caseload/arrived")
@requires(Permission.LOG_OUTREACH)
def close_of_arrived() -> ResponseReturnValue:
    """One press for all students who were looked for and have come."""
    return _closed(closing.close_of_arrived)


@screen.post("/caseload/held-by-nothing")
@requires(Permission.WORK_CASE)
def close_held_by_nothing() -> ResponseReturnValue:
    """One press for all cases that opened on what was corrected since."""
    return _closed(closing.close_held_by_nothing)


def _closed(close: Callable[..., int]) -> ResponseReturnValue:
    """Close the cases that the form names, and back to the list."""
    numbers = [number for text in request.form.get("numbers", "").split() if (number := asked.row_number(text))]
    try:
        closed = close(numbers, by=actor())
        flash(f"{many(closed, 'case')} {are(closed)} closed.", "good")
    except SENTENCES as refusal:
        flash(str(refusal), "error")
    return redirect(url_for("caseload.show"))


@screen.get("/caseload")
@requires(SEE)
def show() -> str:
    reach, person, on = scope(SEE), actor().person_id, today()
    counts = heads.counts(reach, person, on, since=on, owner=person)
    view = _view(bool(counts.open))
    schools = [(str(number), case_lines.short_school(name)) for number, name in heads.schools_of(reach, person, on)]
    filters = _filters(schools)
    values, page = filters.values, page_number()
    sort = request.args.get("sort", "due")
    found = worklists.caseload(
        reach,
        person,
        on,
        mine=view == "mine",
        school=int(values["school"]) if values["school"] else None,
        tier=int(values["tier"]) if values["tier"] else None,
        status=values["status"],
        overdue=bool(values["overdue"]),
        first_contact=bool(values["first"]),
        text=values["q"],
        sort=sort.removeprefix("-"),
        descending=sort.startswith("-"),
        page=page,
    )
    keep = {"view": view, "sort": sort}
    return render_template(
        "caseload.html",
        answer=_answer(counts),
        workload=_workload(counts),
        freshness=freshness.of_schools(scope(Permission.SEE_SCHOOL_BOARD).whole),
        rows=case_lines.case_lines(found.rows),
        total=found.total,
        page=page,
        pages=pages_of(found.total),
        page_url=f"?{urlencode(keep | filters.given())}&page=",
        columns=COLUMNS,
        sort=sort,
        view=view,
        views=_views(view, filters.given()),
        chips=filters.chips(url_for("caseload.show"), keep),
        values=values,
        schools=schools,
        tiers=TIERS,
        statuses=vocabulary().choices("status"),
        here=request.full_path.rstrip("?"),
        arrived=_arrived(),
        idle=_held_by_nothing(),
        may_log=access.can(actor().grants, Permission.LOG_OUTREACH),
        empty=_empty(view, bool(filters.given())),
    )


def _arrived() -> dict[str, str] | None:
    """Whose cases can be closed because they have come: the sentence, and the numbers for the one press."""
    found = worklists.arrived(actor().person_id or 0, today())
    if not found:
        return None
    names = [case_lines.name(line) for line in found]
    shown = ", ".join(names[:NAMED]) + (f" and {len(names) - NAMED} more" if len(names) > NAMED else "")
    one = len(found) == 1
    return {
        "sentence": f"Nobody has to look for {shown} any more. The {'case' if one else 'cases'} can be closed.",
        "words": "Close the case" if one else f"Close all {len(found)}",
        "numbers": " ".join(str(line.number) for line in found),
    }


def _held_by_nothing() -> dict[str, str] | None:
    """The cases that opened on what was corrected since: the sentence, and the numbers for the one press."""
    found = worklists.held_by_nothing(scope(Permission.WORK_CASE), actor().person_id, today())
    if not found:
        return None
    count = len(found)
    opened = f"{many(count, 'case')} opened on records that were corrected since"
    return {
        "sentence": f"{opened}, and nobody has worked on {are(count, 'it', 'them')}.",
        "words": "Close the case" if count == 1 else f"Close all {count}",
        "numbers": " ".join(str(line.number) for line in found),
    }


def _view(has_own: bool) -> str:
    """The view asked for; without one, one's own cases, or those of the schools for whoever owns none."""
    asked = request.args.get("view", "")
    return asked if asked in ("mine", "all") else ("mine" if has_own else "all")


def _views(view: str, given: dict[str, str]) -> list[tuple[str, str, bool]]:
    """The saved views: (words, address, whether the page shows just that)."""
    address = url_for("caseload.show")
    return [
        (words, f"{address}?{urlencode({'view': key, **more})}", (key, more) == (view, given))
        for key, words, more in VIEWS
    ]


def _filters(schools: list[tuple[str, str]]) -> Filters:
    return Filters(
        {
            "q": None,
            "school": dict(schools),
            "tier": dict(TIERS),
            "status": dict(vocabulary().choices("status")),
            "overdue": {YES: "overdue"},
            "first": {YES: "no first contact yet"},
        }
    )


def _answer(counts: heads.Counts) -> str:
    """What needs this person first."""
    if not counts.open:
        return "No open case is yours"
    if counts.overdue:
        return f"{counts.overdue} of your {many(counts.open, 'case')} {'is' if counts.overdue == 1 else 'are'} overdue"
    if counts.due:
        return f"{many(counts.due, 'case')} of yours {'is' if counts.due == 1 else 'are'} due today"
    return f"None of your {many(counts.open, 'case')} is late"


def _workload(counts: heads.Counts) -> str:
    """How much one carries, in a line."""
    if not counts.open:
        return ""
    parts = [f"{many(counts.open, 'open case')}, {counts.tier_3} in Tier 3"]
    if counts.first_due:
        parts.append(f"{many(counts.first_due, 'first contact')} due by today")
    return "; ".join(parts) + "."


def _empty(view: str, filtered: bool) -> tuple[str, ...]:
    """Why nothing is shown, and where to go, as far as this person may go there."""
    everything = "Show every open case", url_for("caseload.show", view="all")
    if filtered:
        return "No case fits all of these filters.", "Take the filters off", url_for("caseload.show", view=view)
    if view == "mine":
        return "No open case is yours. New ones come with the nightly check or from a colleague.", *everything
    words = "No case is open here."
    if not access.can(actor().grants, Permission.SEE_FLAGGED):
        return (words,)
    return words, "See who is flagged", url_for("flagged.show")
