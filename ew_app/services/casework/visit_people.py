"""Who can come along on a home visit or watch over it, and who is told when two people are not back."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from ew_app.kernel import local, today
from ew_app.services.casework import reaching
from ew_app.services.people import standing_in
from models.queries import case_page
from models.visits import Visit
from rules.access import Place
from rules.roles import all_roles


def may_help(place: Place) -> list[Any]:
    """(person_id, name, role) of the staff of a school and its network today: who may come along or watch."""
    return case_page.people_at(_levels(place), today())


def is_there(person_id: int, school_id: int) -> bool:
    """Whether somebody works at the school or for its network today and is not on leave."""
    place = reaching.place_of_school(school_id)
    held = [row.role for row in may_help(place) if row.person_id == person_id]
    return any(case_page.away(person_id, role, _levels(place), today()) is None for role in held)


def whom_else_to_tell(visit: Visit) -> Iterable[int]:
    """The principals who are there today; without one whoever leads the network; then all who could look for them.

    Those who are out themselves, or on leave, look for nobody; whoever stands in for them does.
    """
    place = reaching.place_of_school(visit.school_id)
    levels = {str(one) for one in place.upwards()}
    out = {visit.visitor_id, visit.second_id}
    people = case_page.people_at(levels, today())
    instead = standing_in.deputies([row.person_id for row in people])
    there: dict[str, list[int]] = defaultdict(list)
    for row in people:
        is_here = case_page.away(row.person_id, row.role, levels, today()) is None
        doers = {row.person_id} if is_here else instead.get((row.person_id, row.role), set())
        there[row.role] += sorted(doers - out)
    for answer in (("principal", "administrator"), ("network_lead",), tuple(all_roles())):
        if found := [person for role in answer for person in there[role]]:
            return list(dict.fromkeys(found))
    return []


def told_of(visit: Visit) -> list[int]:
    """Who looks after the two: the colleague who watches, and whoever answers for the school."""
    return [visit.watcher_id, *whom_else_to_tell(visit)]


def clock_of(visit: Visit) -> str:
    """When they want to be back, as the clock on the wall shows it."""
    return f"{local(visit.back_by):%H:%M}" if visit.back_by else ""


def _levels(place: Place) -> set[str]:
    return {str(place), f"network:{place.network}" if place.network else str(place)}
