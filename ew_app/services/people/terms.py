"""What is stated about an assignment: when its holder is away, who stands in, for how many hours a week it is meant."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from ew_app.kernel import Actor, NotFound, Refused, operation, record, today
from ew_app.outbox import Job, enqueue
from ew_app.services.people import granting
from models.base import db
from models.queries import staffing
from models.staff import Grant, Person
from rules import access
from rules.access import Permission, Place
from rules.routing_table import routing_table

MOST_HOURS = 60
CONTACT = "department_contact"


@dataclass(frozen=True, slots=True)
class Terms:
    """Days are inclusive; no last day: until said otherwise. No hours: the whole week. '' : every department."""

    away_from: date | None = None
    away_until: date | None = None
    deputy_id: int | None = None
    hours: int | None = None
    department: str = ""


@operation
def state(*, grant_id: int, terms: Terms, by: Actor) -> Grant:
    """State the terms of an assignment that has not ended. Work that waits is asked of people anew.

    Nobody gains a right by it: a deputy is given only what they may do anyhow. Raises NotFound, NotAllowed, Refused.
    """
    grant: Grant | None = db.session.get(Grant, grant_id, with_for_update=True)
    if grant is None or (grant.ends is not None and grant.ends < today()):
        raise NotFound("There is no such role, or it has ended.")
    place = granting.place_of(grant)
    access.check(by.grants, Permission.MANAGE_PEOPLE, place)
    _check(grant, terms, place)
    if terms != stated(grant):
        for name in Terms.__dataclass_fields__:
            setattr(grant, name, getattr(terms, name))
        record(
            "terms_stated", by=by, subject=f"person:{grant.person_id}", role=grant.role, place=grant.place,
            away_from=terms.away_from and terms.away_from.isoformat(), deputy=terms.deputy_id, hours=terms.hours,
            away_until=terms.away_until and terms.away_until.isoformat(),
        )  # fmt: skip
        enqueue(Job.HAND_OUT, key="unowned")
    return grant


def stated(grant: Grant) -> Terms:
    """What is stated now."""
    return Terms(grant.away_from, grant.away_until, grant.deputy_id, grant.hours, grant.department)


def possible_deputies(grant: Grant) -> Sequence[tuple[int, str]]:
    """(person, name) of whoever works at the place of an assignment today, without its holder."""
    place = granting.place_of(grant)
    places = {str(place), str(Place.district())} | ({f"network:{place.network}"} if place.network else set())
    there = staffing.people_of(places, today())
    return [(person, name) for person, name in there if person != grant.person_id]


def _check(grant: Grant, terms: Terms, place: Place) -> None:
    """Refused with what to mend."""
    if terms.away_until and not terms.away_from:
        raise Refused("Say from which day on the person is away, or leave both days empty.")
    if terms.away_from and terms.away_until and terms.away_until < terms.away_from:
        raise Refused("The last day away is before the first. Nothing was changed.")
    if terms.hours is not None and not 0 <= terms.hours <= MOST_HOURS:
        raise Refused(f"Hours a week are a number from 0 to {MOST_HOURS}.")
    if terms.department and (grant.role != CONTACT or terms.department not in routing_table().departments):
        raise Refused("Only a department contact answers for one department. Choose one of the list.")
    if terms.deputy_id is None:
        return
    if terms.deputy_id == grant.person_id:
        raise Refused("Nobody stands in for themselves. Choose somebody else.")
    if terms.deputy_id not in dict(possible_deputies(grant)):
        raise Refused(f"Choose somebody who works {_at(place)} today. A deputy needs a role there of their own.")


def _at(place: Place) -> str:
    return "for the whole district" if place == Place.district() else f"at {place.kind} {place.key}, or above it,"


def deputies_name(grant: Grant) -> str:
    """The name of whoever stands in; '' for nobody."""
    return db.session.get_one(Person, grant.deputy_id).name if grant.deputy_id else ""
