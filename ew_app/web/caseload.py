"""S07: Which of my cases needs me next? Open cases within reach, what is due first; several given away at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from functools import partial
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from ew_app.kernel import SENTENCES, day_text, today
from ew_app.services.casework import closing, taking_along
from ew_app.web import asked, case_lines, consider_parts, freshness, giving, own_views
from ew_app.web.guard import actor, requires, scope
from ew_app.web.lists import Filters, page_number, pages_of
from models.queries import caseload as rows
from models.queries import own_views as kept
from models.queries import today as heads
from models.queries import worklists
from rules import access
from rules.access import Permission
from rules.counting import are, many
from rules.roles import assignable_roles
from rules.room import hours_of, new_cases_a_week
from rules.tiers import Tier
from rules.vocabulary import vocabulary

screen = Blueprint("caseload", __name__)

SEE = Permission.SEE_CASELOAD
COLUMNS = [
    {"label": "Who", "key": "name"},
    {"label": "Next step"},
    {"label": "Due", "key": "due"},
    {"label": "Last contact", "key": "contact"},
    {"label": "Days absent", "key": "absent"},
    {"label": "Tier", "key": "tier"},
    {"label": "Status", "key": "status"},
]
TIERS = [(str(int(tier)), tier.words) for tier in (Tier.THREE, Tier.TWO, Tier.WATCH, Tier.ONE)]
YES = "1"
NAMED = 3  # students by name in a sentence
WEEKEND = 4  # the weekday that ends a week of work
VIEWS: tuple[tuple[str, str, dict[str, str]], ...] = (
    ("mine", "Mine", {}),
    ("mine", "Mine, overdue", {"overdue": YES}),
    ("mine", "Mine, no first contact yet", {"first": YES}),
    ("all", "Everyone's in my schools", {}),
    ("all", "Nobody has them", {"unowned": YES}),
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
def show() -> ResponseReturnValue:
    if address := own_views.first("caseload"):
        return redirect(address)
    return _page()


@screen.post("/caseload")
@requires(Permission.WORK_CASE)
def give() -> ResponseReturnValue:
    """Give the cases that are ticked to a person: all of them, or none."""
    return giving.give(_page)


def _page(error: str = "", ticked: Sequence[str] = ()) -> str:
    person, on = actor().person_id, today()
    count = partial(heads.counts, scope(SEE), person, on, since=on - timedelta(days=on.weekday()), owner=person)
    own, lent = count(), actor().grants.standing_in
    counts = count(stand_ins=lent) if lent else own
    view = _view(bool(counts.open))
    schools = schools_within()
    filters, page = filters_of(schools), page_number()
    order = consider_parts.order(request.args.get("sort"), "due", of_case=True)
    found = found_by(filters.values, view, order.sort, page, model=order.place)
    keep = {"view": view, "sort": order.sort}
    asks = keep | filters.given()
    here = f"{url_for('caseload.show')}?{urlencode(asks | ({'page': str(page)} if page > 1 else {}))}"
    may_give = access.can(actor().grants, Permission.WORK_CASE)
    return render_template(
        "caseload.html",
        answer=_answer(counts),
        workload=_workload(own, lent=counts.open - own.open),
        freshness=freshness.of_schools(scope(Permission.SEE_SCHOOL_BOARD).whole),
        rows=_rows(found.rows),
        total=found.total,
        page=page,
        pages=pages_of(found.total),
        page_url=f"?{urlencode(asks)}&page=",
        columns=COLUMNS,
        sort=order.sort,
        order=order,
        view=view,
        views=_views(view, filters.given()),
        own=own_views.shown("caseload", asks),
        asks=urlencode(asks),
        keys=own_views.has_keys(),
        chips=filters.chips(url_for("caseload.show"), keep),
        values=filters.values,
        schools=schools,
        tiers=TIERS,
        statuses=vocabulary().choices("status"),
        here=here,
        arrived=_arrived(),
        idle=_held_by_nothing(),
        may_log=access.can(actor().grants, Permission.LOG_OUTREACH),
        file_url=f"{url_for('caseload_file.take')}?{urlencode(asks)}" if taking_along.may(actor()) else "",
        may_give=may_give,
        people=giving.people(sorted({line.school_id for line in found.rows})) if may_give else [],
        error=error,
        ticked=set(ticked),
        chosen=request.form.get("to", ""),
        undo=giving.undo(here),
        empty=_empty(view, bool(filters.given())),
    )


def schools_within() -> list[tuple[str, str]]:
    """(number, name) of the schools at which this person has cases within reach."""
    found = heads.schools_of(scope(SEE), actor().person_id, today())
    return [(str(number), case_lines.short_school(name)) for number, name in found]


def found_by(
    values: Mapping[str, str], view: str, sort: str, page: int, size: int = 25, model: Any = None
) -> worklists.Page:
    """What the filters of an address find. model: the order within a tier, for the screen and never for a file."""
    on = today()
    return rows.caseload(
        scope(SEE),
        actor().person_id,
        on,
        mine=view == "mine",
        school=int(values["school"]) if values["school"] else None,
        tier=int(values["tier"]) if values["tier"] else None,
        status=values["status"],
        overdue=bool(values["overdue"]),
        until=_end_of_week(on) if values["soon"] else None,
        unowned=bool(values["unowned"]),
        first_contact=bool(values["first"]),
        role=values["role"],
        since=on - timedelta(days=on.weekday()) if values["new"] else None,
        text=values["q"],
        sort=sort.removeprefix("-"),
        descending=sort.startswith("-"),
        page=page,
        size=size,
        stand_ins=actor().grants.standing_in,
        model=model,
    )


def _rows(found: Sequence[worklists.CaseLine]) -> list[case_lines.Line]:
    """Cases as rows, each with how many of its tasks are late: its own day may lie ahead all the same."""
    late = rows.late_tasks([line.number for line in found], today())
    return [
        line | {"for_whom": case_lines.for_whom(one).removesuffix(": "), "late_tasks": late.get(one.number, 0)}
        for line, one in zip(case_lines.with_trends(found), found, strict=True)
    ]


def _end_of_week(on: date) -> date:
    return on + timedelta(days=(WEEKEND - on.weekday()) % 7)


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
        "numbers": " ".join(map(str, found)),
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


def filters_of(schools: list[tuple[str, str]]) -> Filters:
    """The filters of a caseload with the values they take."""
    return Filters(
        {
            "q": None,
            "school": dict(schools),
            "tier": dict(TIERS),
            "status": dict(vocabulary().choices("status")),
            "overdue": {YES: "overdue"},
            "soon": {YES: "due this week"},
            "first": {YES: "no first contact yet"},
            "unowned": {YES: "nobody has it"},
            "new": {YES: "new this week"},
            "role": {one.key: f"asked of: {one.label}" for one in assignable_roles()},
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


def _workload(counts: heads.Counts, lent: int) -> dict[str, Any] | None:
    """How much one carries, and how much of what a week of theirs has room for is new; `lent`: not theirs to carry."""
    if not counts.open:
        return None
    stated = kept.hours_of(actor().person_id, today())
    room = new_cases_a_week(stated)
    parts = [f"{many(counts.open, 'open case')}, {counts.tier_3} in Tier 3"]
    if counts.soon:
        parts.append(f"{counts.soon} due by {day_text(_end_of_week(today()))}")
    if counts.first_due:
        parts.append(f"{many(counts.first_due, 'first contact')} due by today")
    if lent:
        parts.append(f"{lent} more of colleagues on leave")
    week = f"{counts.opened} new this week; {hours_of(stated)} hours have room for {room}"
    return {"words": "; ".join(parts) + ".", "new": counts.opened, "room": room, "week": week}


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
