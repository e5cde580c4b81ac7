"""S19, one assignment: when its holder is away, who stands in, for how many hours a week; and what that does."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from ew_app.kernel import SENTENCES, Refused, day_text, today
from ew_app.services.casework import staffing
from ew_app.services.people import terms
from ew_app.services.people.terms import Terms
from ew_app.web import asked, seats
from ew_app.web.case_words import day_given, lower_first
from ew_app.web.guard import actor, found, requires, scope
from models.queries import staff
from models.queries import staffing as held
from models.staff import Grant, Person
from rules import roles, room
from rules.access import Permission
from rules.counting import many
from rules.routing_table import routing_table

screen = Blueprint("people_terms", __name__)

MANAGE = Permission.MANAGE_PEOPLE


@screen.route("/people/<int:person_id>/roles/<int:grant_id>/terms", methods=["GET", "POST"])
@requires(MANAGE)
def state(person_id: int, grant_id: int) -> ResponseReturnValue:
    person = found(staff.person(person_id, scope(MANAGE).whole))
    grant = found(next((one for one in person.grants if one.id == grant_id and _holds(one)), None))
    if request.method == "GET":
        return _page(person, grant, _typed(terms.stated(grant)))
    try:
        terms.state(grant_id=grant_id, terms=_asked(), by=actor())
    except SENTENCES as refusal:
        return _page(person, grant, request.form, str(refusal)), 422
    flash("It is written down. Work that waits is asked of people anew.", "good")
    return redirect(url_for("people_terms.state", person_id=person_id, grant_id=grant_id))


def _holds(grant: Grant) -> bool:
    return grant.ends is None or grant.ends >= today()


def _asked() -> Terms:
    """What the form says. Refused for hours that are no number."""
    form = request.form
    hours = form.get("hours", "").strip()
    if hours and not hours.isdecimal():
        raise Refused("Write the hours a week as a number, such as 20, or leave it empty for the whole week.")
    return Terms(
        away_from=day_given(form.get("away_from")),
        away_until=day_given(form.get("away_until")),
        deputy_id=asked.row_number(form.get("deputy", "")),
        hours=int(hours[:4]) if hours else None,
        department=form.get("department", ""),
    )


def _typed(now: Terms) -> dict[str, Any]:
    """What stands in the form before anybody types."""
    return {
        "away_from": now.away_from.isoformat() if now.away_from else "",
        "away_until": now.away_until.isoformat() if now.away_until else "",
        "deputy": now.deputy_id or "",
        "hours": "" if now.hours is None else now.hours,
        "department": now.department,
    }


def _page(person: Person, grant: Grant, values: Any, error: str = "") -> str:
    table = routing_table()
    return render_template(
        "people_terms.html",
        person=person,
        grant=grant,
        role=roles.role(grant.role).label,
        place=staff.place_names({grant.place})[grant.place],
        values=values,
        error=error,
        action=request.path,
        deputies=terms.possible_deputies(grant),
        departments=[(one.key, one.label) for one in table.departments.values()] if _is_contact(grant) else [],
        room=room.new_cases_a_week(grant.hours),
        full_week=table.full_week,
        effect=list(_effect(person, grant)),
        seats_url=_seats_url(grant),
    )


def _is_contact(grant: Grant) -> bool:
    return grant.role == terms.CONTACT


def _effect(person: Person, grant: Grant) -> Any:
    """What this assignment carries, and who gets its new work while its holder is away."""
    cases, tasks = held.held_by(person.id, grant.role, staffing.school_places(grant.place))
    yield f"{person.name} has {many(cases, 'open case')} and {many(tasks, 'open task')} in this role now."
    while_away = f"While {person.name} is away, new work goes to"
    deputy = terms.deputies_name(grant)
    if deputy:
        yield f"{while_away} {deputy}, as far as {deputy}'s own roles allow."
        yield f"What is due meanwhile of the work there is stands on {deputy}'s list, and stays {person.name}'s."
    else:
        yield f"{while_away} whoever the routing table names instead, because no deputy is stated."
        yield "What is due meanwhile of the work there is comes up to the principal on its day."
    if grant.away_from and (grant.away_until is None or grant.away_until >= today()):
        until = f" until {day_text(grant.away_until)}" if grant.away_until else " until you say otherwise"
        begins = "Away since" if grant.away_from <= today() else "Will be away from"
        yield f"{begins} {day_text(grant.away_from)}{until}. Their cases stay theirs; what is overdue is shown above."


def _seats_url(grant: Grant) -> str:
    """Where one sees what an empty role would do, for a role at a school."""
    kind, _, key = grant.place.partition(":")
    if kind != "school" or grant.role not in dict(seats.roles_asked()):
        return ""
    return url_for("seats.show", school=key, without=grant.role)


def lines(person: Person) -> dict[int, str]:
    """Grant -> what is stated about it, in a line for the person's page; nothing for one without."""
    names = held.names({grant.deputy_id for grant in person.grants if grant.deputy_id})
    return {grant.id: ", ".join(_said(grant, names)) for grant in person.grants if any(_said(grant, names))}


def _said(grant: Grant, names: dict[int, str]) -> list[str]:
    said = [f"{grant.hours} hours a week"] if grant.hours is not None else []
    if grant.department:
        said.append(lower_first(f"for {routing_table().departments[grant.department].label}"))
    if grant.away_from and (grant.away_until is None or grant.away_until >= today()):
        until = f" to {day_text(grant.away_until)}" if grant.away_until else " on"
        said.append(f"away from {day_text(grant.away_from)}{until}")
    if grant.deputy_id:
        said.append(f"deputy {names.get(grant.deputy_id, 'unknown')}")
    return said
