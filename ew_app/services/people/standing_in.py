"""For whom somebody stands in today: the work of those on leave is on the list of their deputies, and moves nowhere."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from datetime import date
from typing import Any

from ew_app.kernel import day_text, operation, today
from ew_app.services.people.telling import tell
from models.queries import staffing as rows
from models.staff import Grant, Person
from rules.access import StandIn
from rules.holders import Holder, stands_in
from rules.places import Place, PlaceKind


def of(person: Person) -> tuple[StandIn, ...]:
    """Those whose work is this person's too today, as far as their own roles let them do it there."""
    return tuple(_stand_in(row) for row in _able(rows.away_now(today(), person.id), {person.id: person.grants}))


def deputies(people: Collection[int | None]) -> dict[tuple[int, str], set[int]]:
    """(person, role) -> who stands in today for one of these people who is away in that role."""
    found = [row for row in rows.away_now(today()) if row.person_id in people]
    standing: dict[tuple[int, str], set[int]] = defaultdict(set)
    for row in _able(found, _held_by(found)):
        standing[row.person_id, row.role].add(row.deputy_id)
    return standing


def with_deputies(people: Collection[int | None]) -> set[int | None]:
    """These people, and whoever stands in today for one of them: what is told to a role is told to them as well."""
    return {*people}.union(*deputies(people).values())


@operation
def tell_deputies() -> None:
    """Tell everybody once for each leave that they stand in. The leave ends by itself, and so does this."""
    found = rows.away_now(today())
    for row in _able(found, _held_by(found)):
        until = f" until {day_text(row.away_until)}" if row.away_until else ""
        tell("stand_in", [row.deputy_id], once=f"stand-in/{row.id}/{row.away_from.isoformat()}", until=until)


def _held_by(found: Iterable[Any]) -> dict[int, list[Grant]]:
    """What each of the deputies holds or held."""
    holds = defaultdict(list)
    for grant in rows.grants_of({row.deputy_id for row in found}):
        holds[grant.person_id].append(grant)
    return holds


def _able(found: Iterable[Any], holds: dict[int, list[Grant]]) -> Iterator[Any]:
    """The leaves in which the deputy may do the work; holds: what each deputy holds."""
    on = today()
    for row in found:
        away = Holder(
            row.person_id, row.role, _place(row), department=row.department or None,
            on_leave=((row.away_from, row.away_until or date.max),), deputy=row.deputy_id,
        )  # fmt: skip
        if stands_in([holder(grant) for grant in holds.get(row.deputy_id, ())], away, on=on):
            yield row


def holder(grant: Grant) -> Holder:
    """A grant as the rules of routing see it."""
    away = ((grant.away_from, grant.away_until or date.max),) if grant.away_from else ()
    return Holder(
        grant.person_id, grant.role, Place.parse(grant.place), starts=grant.starts, ends=grant.ends,
        deputy=grant.deputy_id, on_leave=away, department=grant.department or None, hours=grant.hours,
    )  # fmt: skip


def _place(row: Any) -> Place:
    """With the network of a school: who works for a network works at its schools."""
    place = Place.parse(row.place)
    return Place.of_school(place.key, row.network) if place.kind is PlaceKind.SCHOOL else place


def _stand_in(row: Any) -> StandIn:
    return StandIn(row.person_id, row.name, row.role, Place.parse(row.place), row.away_until)
