"""S12: Where do I go, and am I safe? Visits of today, the page of one on the phone, its sheet and card on paper."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import time
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from ew_app.kernel import SENTENCES, Refused, day_text, local, now, today
from ew_app.services.casework import visit_ends, visits
from ew_app.services.casework.outreach import Attempt
from ew_app.services.casework.reaching import CaseAtHand
from ew_app.services.casework.visit_people import clock_of, may_help
from ew_app.services.casework.visits import VisitAtHand, Wanted
from ew_app.web import asked, case_page, guard
from ew_app.web.case_page import Page
from ew_app.web.case_words import day_given, lower_first
from ew_app.web.guard import actor, requires, scope
from models.queries import case_page as people_rows
from models.queries import visits as rows
from models.visits import Visit
from rules import roles
from rules.access import FieldClass, Permission, Right
from rules.counting import are, many
from rules.vocabulary import Way, vocabulary

screen = Blueprint("visits", __name__)

LOG = Permission.LOG_OUTREACH
TODAY = Permission.SEE_TODAY
MINUTES = tuple((minutes, f"{minutes} minutes") for minutes in (20, 30, 45, 60, 90, 120))
STATES = {
    "planned": ("planned", "wait"),
    "out": ("out now", "new"),
    "back": ("back", "good"),
    "called_off": ("called off", "plain"),
}
FIRST = ("visited_spoke", "visited_card_left", "visited_left_unsafe")
Act = Callable[[], str]


@screen.get("/visits")
@requires(LOG)
def show() -> str:
    """Visits one has a part in, or that are planned from cases within reach."""
    found = rows.ahead(scope(Permission.SEE_CASE), actor().person_id, today())
    lines = [_line(*row) for row in found]
    now_on = [one for one in lines if one["day"] <= today()]
    answer = f"{many(len(now_on), 'visit')} {are(len(now_on))} for today" if now_on else "No visit is planned for today"
    return render_template(
        "visits.html", answer=answer, today_lines=now_on, later=[x for x in lines if x not in now_on]
    )


@screen.route("/cases/<int:number>/visit", methods=["GET", "POST"])
@requires(LOG)
def plan(number: int) -> ResponseReturnValue:
    """Plan a visit from a case."""
    held = case_page.held(number, LOG)
    if request.method == "GET":
        return _form(number, held, {})
    try:
        visit = visits.plan(number, _wanted(), by=actor(), once=guard.once())
    except SENTENCES as refusal:
        return _form(number, held, {"": str(refusal)}), 422
    flash(f"The visit is planned for {day_text(visit.day)}.", "good")
    return redirect(url_for("visits.one", visit_id=visit.id))


def _wanted() -> Wanted:
    form = request.form
    day = day_given(form.get("day", ""))
    if day is None:
        raise Refused("Choose the day of the visit.")
    return Wanted(
        day=day,
        at=_clock(form.get("at", "")),
        second_id=form.get("second_id", type=asked.number),
        second_name=form.get("second_name", ""),
        watcher_id=form.get("watcher_id", 0, type=asked.number),
        minutes=form.get("minutes", 0, type=asked.number),
        address=form.get("address", ""),
        phone=form.get("phone", ""),
    )


def _clock(text: str) -> time | None:
    try:
        return time.fromisoformat(text) if text else None
    except ValueError as error:
        raise Refused("Write the hour like 15:30.") from error


def _form(number: int, held: CaseAtHand, errors: Mapping[str, str]) -> str:
    me = actor().person_id
    staff = {row.person_id: f"{row.name}, {lower_first(roles.role(row.role).label)}" for row in may_help(held.place)}
    staff.pop(me or 0, None)
    known = case_page.people(held.case.student_id, held.place, own=held.own) or []
    return render_template(
        "visit_plan.html", errors=errors, values=request.form, key=guard.new_once(), minutes=MINUTES,
        staff=list(staff.items()), addresses=list(dict.fromkeys(one["address"] for one in known if one["address"])),
        **case_page.frame(held, "contacts", Page(held)),
    )  # fmt: skip


# -- one visit ---------------------------------------------------------------------------------------------------


@screen.get("/visits/<int:visit_id>")
@requires(TODAY)
def one(visit_id: int) -> str:
    return _page(visits.visit_at_hand(visit_id, actor()))


def _page(at_hand: VisitAtHand, errors: Mapping[str, str] | None = None) -> str:
    visit = at_hand.visit
    missing = visits.missing_before_going(visit) if visit.status == "planned" and at_hand.goes else ""
    return render_template(
        "visit.html", visit=visit, about=_about(at_hand), goes=at_hand.goes, watches=at_hand.watches, **_words(at_hand),
        missing=missing, errors=errors or {}, values=request.form, minutes=MINUTES, key=guard.new_once(),
        outcomes=_outcomes(), number=at_hand.case.number if at_hand.case else None,
        overdue=visit.status == "out" and visit.back_by is not None and visit.back_by < now(),
        address=visits.address_for(at_hand, actor()), told=at_hand.told,
        may_call_off=visit.status == "planned" and visit_ends.may_call_off(visit, actor()),
    )  # fmt: skip


def _words(at_hand: VisitAtHand) -> dict[str, Any]:
    """The state of a visit and its people in words."""
    visit = at_hand.visit
    ids = [number for number in (visit.visitor_id, visit.second_id, visit.watcher_id) if number]
    names = people_rows.names(ids)
    return {
        "answer": _answer(visit),
        "goers": [names[visit.visitor_id], names.get(visit.second_id or 0, "") or visit.second_name],
        "watcher": names[visit.watcher_id],
        "state": STATES[visit.status],
        "clock": clock_of(visit),
        "when": f"{day_text(visit.day)}{f', {visit.at:%H:%M}' if visit.at else ''}",
        "checked": local(visit.address_checked_at) if visit.address_checked_at else None,
    }


def _answer(visit: Visit) -> str:
    clock = clock_of(visit)
    if visit.status == "out":
        late = visit.back_by is not None and visit.back_by < now()
        return f"They wanted to be back by {clock}. Please call them" if late else f"Out now, back by {clock}"
    if visit.status == "back":
        return "Back and well. What happened?" if visit.outreach_id is None else "Back and well"
    if visit.status == "called_off":
        return "This visit was called off"
    return "A visit for today" if visit.day == today() else f"A visit for {day_text(visit.day)}"


def _about(at_hand: VisitAtHand) -> dict[str, Any] | None:
    """Whom the visit is about, for those who reach the case; what two people at a door need, and no more."""
    case = at_hand.case
    if case is None:
        return None
    held = case_page.held(case.number, Permission.SEE_CASE)
    known = case_page.people(case.student_id, held.place, own=held.own) or []
    return case_page.subject(case.student, case.school.name) | {
        "number": case.number,
        "people": [one for one in known if one["phone"]] if FieldClass.CONTACTS in held.readable else [],
    }


def _outcomes() -> list[tuple[str, str]]:
    """What can come of a visit, the common ones first."""
    fitting = [one for one in vocabulary().outcomes.values() if Way.VISIT in one.ways]
    fitting.sort(key=lambda one: FIRST.index(one.key) if one.key in FIRST else len(FIRST))
    return [(one.key, one.label) for one in fitting]


def _done(visit_id: int, act: Act) -> ResponseReturnValue:
    """Do it and show the page again, with what is wrong or with what was done."""
    try:
        sentence = act()
    except SENTENCES as refusal:
        return _page(visits.visit_at_hand(visit_id, actor()), {"": str(refusal)}), 422
    flash(sentence, "good")
    return redirect(url_for("visits.one", visit_id=visit_id))


@screen.post("/visits/<int:visit_id>/address")
@requires(TODAY)
def address(visit_id: int) -> ResponseReturnValue:
    def act() -> str:
        visits.check_address(visit_id, request.form.get("address", ""), by=actor())
        return "The address is checked for today."

    return _done(visit_id, act)


@screen.post("/visits/<int:visit_id>/go")
@requires(TODAY)
def go(visit_id: int) -> ResponseReturnValue:
    def act() -> str:
        visit = visits.go(visit_id, by=actor(), no_call_why=request.form.get("no_call_why", ""))
        return f"Go well. You want to be back by {clock_of(visit)}. If it does not feel safe, leave at once."

    return _done(visit_id, act)


@screen.post("/visits/<int:visit_id>/longer")
@requires(TODAY)
def longer(visit_id: int) -> ResponseReturnValue:
    def act() -> str:
        visit = visits.stay_longer(visit_id, request.form.get("minutes", 0, type=asked.number), by=actor())
        return f"You want to be back by {clock_of(visit)} now."

    return _done(visit_id, act)


@screen.post("/visits/<int:visit_id>/back")
@requires(TODAY)
def back(visit_id: int) -> ResponseReturnValue:
    def act() -> str:
        visits.back(visit_id, by=actor())
        return "Good that you are back. Nobody is alarmed any more."

    return _done(visit_id, act)


@screen.post("/visits/<int:visit_id>/outcome")
@requires(LOG)
def outcome(visit_id: int) -> ResponseReturnValue:
    def act() -> str:
        form = request.form
        if not form.get("outcome"):
            raise Refused("Choose what happened.")
        attempt = Attempt(
            method="visit", outcome=form["outcome"], note=form.get("note", ""), promise=form.get("promise", ""),
            next_date=day_given(form.get("next_date", "")),
        )  # fmt: skip
        visits.say_what_happened(visit_id, attempt, by=actor(), once=guard.once())
        return "The visit stands on the case as a contact."

    return _done(visit_id, act)


@screen.post("/visits/<int:visit_id>/call-off")
@requires(TODAY)
def call_off(visit_id: int) -> ResponseReturnValue:
    def act() -> str:
        visits.call_off(visit_id, request.form.get("why", ""), by=actor())
        return "The visit is called off."

    return _done(visit_id, act)


@screen.get("/visits/<int:visit_id>/sheet")
@requires(LOG)
def sheet(visit_id: int) -> str:
    """On paper, for where there is no signal: only for those who reach the case."""
    at_hand = visits.visit_at_hand(visit_id, actor())
    about = guard.found(_about(at_hand))
    return render_template(
        "visit_sheet.html", visit=at_hand.visit, about=about, outcomes=_outcomes(), **_words(at_hand)
    )


@screen.get("/visits/<int:visit_id>/card")
@requires(LOG)
def card(visit_id: int) -> str:
    """A card to leave at the door. It says who was there and asks for a call; it gives no reason and no school."""
    at_hand = visits.visit_at_hand(visit_id, actor())
    return render_template("visit_card.html", visit=at_hand.visit, goers=_words(at_hand)["goers"])


def of_case(page: Page) -> Mapping[str, Any] | None:
    """A part of the case's page: its visits, and the way to plan one."""
    if not case_page.may(page.at_hand, LOG):
        return None
    found = rows.of_case(page.at_hand.case.id)
    under_way = any(one.status in ("planned", "out") for one in found)
    return {
        "number": page.at_hand.case.number,
        "visits": [{"id": one.id, "when": day_text(one.day), "state": STATES[one.status]} for one in found],
        "may_plan": not under_way and page.at_hand.case.closed_on is None
        and case_page.right(page.at_hand, FieldClass.CONTACTS).reaches(Right.READ),
    }  # fmt: skip


def _line(visit: Visit, number: int, student: Any, school: str, reached: bool) -> dict[str, Any]:
    """A visit as a row; who does not reach the case reads no name."""
    part = "A visit you watch" if visit.watcher_id == actor().person_id else "A visit you go along on"
    return {
        "id": visit.id, "name": student.name if reached else part, "school": school, "day": visit.day,
        "state": STATES[visit.status], "when": f"{visit.at:%H:%M}" if visit.at else "",
        "clock": clock_of(visit) if visit.status == "out" else "", "unsaid": visit.status == "back",
        "number": number if reached else None,
    }  # fmt: skip
