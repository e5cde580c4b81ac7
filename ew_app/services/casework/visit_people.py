"""Who can come along on a home visit or watch over it, and who is told when two people are not back."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from ew_app.kernel import Actor, local, today
from ew_app.services.casework import reaching
from ew_app.services.casework.near import colleagues
from ew_app.services.people import standing_in
from ew_app.services.people.telling import tell
from models.base import db
from models.org import School
from models.queries import case_page
from models.visits import Visit
from rules.access import Permission, Place
from rules.roles import role


def may_help(place: Place) -> list[Any]:
    """(person_id, name, role) of the staff of a school and its network today who may come along or watch.

    Whoever could not write down a contact would not find the visit either, and has no business at a family's door.
    """
    return [row for row in colleagues(_levels(place)) if Permission.LOG_OUTREACH in role(row.role).permissions]


def is_there(person_id: int, school_id: int) -> bool:
    """Whether somebody works at the school or for its network today and is not on leave."""
    place = reaching.place_of_school(school_id)
    held = [row.role for row in may_help(place) if row.person_id == person_id]
    return any(case_page.away(person_id, one, _levels(place), today()) is None for one in held)


def whom_else_to_tell(visit: Visit) -> Iterable[int]:
    """The principals who are there today; without one whoever leads the network; then all who could go and look; then
    whoever leads student support in the district.

    Those who are out themselves, or on leave, look for nobody; whoever stands in for them does. What they are told
    names colleagues and no student.
    """
    place = reaching.place_of_school(visit.school_id)
    levels = {str(one) for one in place.upwards()}
    out = {visit.visitor_id, visit.second_id}
    people = colleagues(levels)
    instead = standing_in.deputies([row.person_id for row in people])
    near = {(row.person_id, row.role) for row in may_help(place)}
    ways: tuple[Callable[[Any], bool], ...] = (
        lambda row: row.role in ("principal", "administrator"),
        lambda row: row.role == "network_lead",
        lambda row: (row.person_id, row.role) in near,
        lambda row: row.role == "student_support_lead",
    )
    for way in ways:
        found: set[int] = set()
        for row in filter(way, people):
            is_here = case_page.away(row.person_id, row.role, levels, today()) is None
            found |= {row.person_id} if is_here else instead.get((row.person_id, row.role), set())
        if found := found - out:
            return sorted(found)
    return []


def told_of(visit: Visit) -> list[int]:
    """Who looks after the two: the colleague who watches, and whoever answers for the school."""
    return [visit.watcher_id, *whom_else_to_tell(visit)]


def tell_alarm(kind: str, visit: Visit, *, once: str, by: Actor | None = None) -> None:
    """Tell them what they must know whatever they may read otherwise: who, of which school, by when, what to call."""
    school, phone = db.session.get_one(School, visit.school_id), f": {visit.phone}" if visit.phone else ""
    tell(
        kind, told_of(visit), once=once, by=by, visit_id=visit.id, who=who(visit), clock=clock_of(visit),
        place=school.name, phone=phone,
    )  # fmt: skip


def who(visit: Visit) -> str:
    """The names of the two who go."""
    names = case_page.names([one for one in (visit.visitor_id, visit.second_id) if one])
    return f"{names[visit.visitor_id]} and {names.get(visit.second_id or 0) or visit.second_name}"


def clock_of(visit: Visit) -> str:
    """When they want to be back, as the clock on the wall shows it."""
    return f"{local(visit.back_by):%H:%M}" if visit.back_by else ""


def _levels(place: Place) -> set[str]:
    return {str(place), f"network:{place.network}" if place.network else str(place)}
