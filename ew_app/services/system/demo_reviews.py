"""The reviews that the demo's principals and network leads have held: most in their rhythm, one school's not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from sqlalchemy import select

from ew_app.kernel import Actor
from ew_app.services.people import signing_in
from ew_app.services.watching import reviewing
from models.base import db
from models.queries import reviews as rows
from models.staff import Grant, Person
from rules.places import Place, PlaceKind
from rules.reviews import rhythm

HOLD: Final = {"network_lead": PlaceKind.NETWORK, "principal": PlaceKind.SCHOOL}
NOTES: Final = ("Calls are being made; look again in two weeks.", "Better than last time.", "Ask the team what helps.")


def hold(nth: int) -> None:
    """On the nth school day of the year, a day for reviews or not, those whose turn it is hold theirs."""
    if nth == 0 or nth % rhythm().every:
        return
    for by, place in _turns():
        number = reviewing.begin(place, by=by)
        for line in rows.lines(number):
            note = NOTES[(line.position + nth) % len(NOTES)]
            reviewing.look(number, line.position, note, version=line.version, by=by)
        reviewing.end(number, by=by)


def _turns() -> Iterator[tuple[Actor, Place]]:
    """Every network's lead and every school's principal but the last one's, who has not come to it yet."""
    for role, kind in HOLD.items():
        held = _first_holders(role)
        for person, place in held[: len(held) - (kind is PlaceKind.SCHOOL)]:
            yield signing_in.actor_of(person), place


def _first_holders(role: str) -> Sequence[tuple[Person, Place]]:
    """One holder of a role for each of its places, in the order of the places."""
    found = select(Person, Grant.place).join(Grant, Grant.person_id == Person.id).where(Grant.role == role)
    by_place: dict[str, Person] = {}
    for person, place in db.session.execute(found.order_by(Grant.place, Person.id)):
        by_place.setdefault(place, person)
    return [(person, Place.parse(place)) for place, person in by_place.items()]
