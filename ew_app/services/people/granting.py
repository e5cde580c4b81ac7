"""Roles with dates: given at a place, ended after a day. Every change ends the person's sessions."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import date, timedelta

from sqlalchemy import select

from ew_app.kernel import Actor, NotFound, Refused, operation, record, today
from ew_app.outbox import Job, enqueue
from ew_app.services.people import signing_in
from models.base import db
from models.queries import staff
from models.staff import Grant
from rules import access
from rules.access import Permission, Place, PlaceKind


@operation
def give_role(
    *,
    person_id: int,
    role: str,
    place: str,
    by: Actor,
    starts: date | None = None,
    ends: date | None = None,
    homeroom: str = "",
) -> Grant:
    """Give a role at a place from a day on (default today). The same grant again changes nothing."""
    where = known_place(place)
    check_giving(person_id, role, where, by)
    starts = starts or today()
    if ends and ends < starts:
        raise Refused("The last day is before the first. Nothing was changed.")
    held = db.session.scalars(select(Grant).where(Grant.person_id == person_id).order_by(Grant.id))
    if same := next((grant for grant in held if says(grant, role, where, homeroom, starts)), None):
        return same
    grant = Grant(person_id=person_id, role=role, place=str(where), homeroom=homeroom, starts=starts, ends=ends)
    db.session.add(grant)
    db.session.flush()
    access_changed(person_id, "role_given", by, role=role, place=str(where))
    return grant


def known_place(text: str) -> Place:
    """The place that a text names, a school with its network. Refused when there is none such."""
    return place_among(text, staff.school_network, staff.network_exists)


def place_among(text: str, network_of: Callable[[str], str | None], is_network: Callable[[str], bool]) -> Place:
    """The same, by what the caller knows of schools and networks."""
    try:
        place = Place.parse(text)
    except ValueError as error:
        raise Refused(str(error)) from error
    if place.kind is PlaceKind.SCHOOL:
        network = network_of(place.key)
        if network is None:
            raise Refused(f"There is no school {place.key}. Load the roster first, or check the id.")
        return Place.of_school(place.key, network)
    if place.kind is PlaceKind.NETWORK and not is_network(place.key):
        raise Refused(f"There is no network {place.key}. Load the roster first, or check the id.")
    return place


def check_giving(person_id: int | None, role: str, place: Place, by: Actor) -> None:
    """Refused or NotAllowed, unless `by` may give that person this role there."""
    if by.person_id is not None and by.person_id == person_id:
        raise Refused("Nobody gives themselves a role. Ask another person who manages access.")
    try:
        access.check_grantable(by.grants, role, place)
    except (ValueError, KeyError) as error:
        raise Refused(str(error.args[0])) from error


def says(grant: Grant, role: str, place: Place, homeroom: str, starts: date) -> bool:
    """Whether a grant already says this: the same role and place, not ended, from that day or before."""
    same = (grant.role, grant.place, grant.homeroom) == (role, str(place), homeroom)
    return same and grant.starts <= starts and (grant.ends is None or grant.ends >= starts)


@operation
def end_role(*, grant_id: int, by: Actor, last_day: date | None = None) -> None:
    """End a grant after its last day (default: yesterday, so at once). A grant that has ended stays as it was."""
    grant = db.session.get(Grant, grant_id, with_for_update=True)
    if grant is None:
        raise NotFound("There is no such role to end.")
    yesterday = today() - timedelta(days=1)
    if grant.ends is None or grant.ends > yesterday:
        set_last_day(grant, last_day or yesterday, by=by)


def set_last_day(grant: Grant, last_day: date | None, *, by: Actor) -> Grant:
    """Let a grant end after `last_day`, in the open transaction. Raises NotAllowed."""
    access.check(by.grants, Permission.MANAGE_PEOPLE, place_of(grant))
    if grant.ends == last_day:
        return grant
    grant.ends = last_day
    if last_day and last_day < grant.starts:  # it never held for a day; the events tell that it was given and ended
        db.session.delete(grant)
    access_changed(grant.person_id, "role_ended", by, role=grant.role, place=grant.place)
    return grant


def place_of(grant: Grant) -> Place:
    """The grant's place, a school with its network."""
    place = Place.parse(grant.place)
    if place.kind is not PlaceKind.SCHOOL:
        return place
    return Place.of_school(place.key, staff.school_network(place.key))


def access_changed(person_id: int, kind: str, by: Actor, reason: str = "", *, role: str = "", place: str = "") -> None:
    """Record the change, and let it be felt at the next click."""
    ask_anew([person_id])
    record(kind, by=by, subject=f"person:{person_id}", reason=reason, role=role, place=place)


def ask_anew(people: Collection[int]) -> None:
    """End every session of these people: the next click asks for a new sign-in with the new rights.

    Work that waits for somebody is asked of people anew.
    """
    signing_in.end_all(people)
    enqueue(Job.HAND_OUT, key="unowned")
