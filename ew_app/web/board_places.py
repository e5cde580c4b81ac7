"""The place a board is about: one school, a network or the district, with its lines and the ways to its other pages."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from flask import url_for

from ew_app.services.watching import pages
from ew_app.services.watching.movement import Unit
from ew_app.web.guard import actor, found, must_reach
from models.org import School
from models.queries import boards as rows
from rules import access
from rules.access import Area, Permission, Place

SEES = (Permission.SEE_SCHOOL_BOARD, Permission.SEE_NETWORK_BOARD, Permission.SEE_DISTRICT_BOARD)
PAGES = (
    ("Now", "boards.{kind}", "now"),
    ("Movement", "movement.show", "movement"),
    ("Over the year", "over_year.show", "year"),
    ("Groups and causes", "groups.show", "groups"),
    ("Does help arrive?", "follow_through.{kind}", "follow_through"),
)


@dataclass(frozen=True)
class Spot:
    """Where somebody looks: `kind` is school, network or district; `schools` by name."""

    kind: str
    key: str
    name: str
    place: Place
    schools: tuple[School, ...]

    @cached_property
    def units(self) -> list[Unit]:
        """Its lines: networks of the district, schools otherwise."""
        return pages.units_of(self.place, self.schools)

    @property
    def noun(self) -> str:
        """What one of its lines is."""
        return pages.noun_of(self.place)

    def url(self, endpoint: str, **asks: object) -> str:
        """The address of one of its pages."""
        key = {} if self.kind == "district" else {"key": self.key}
        return url_for(endpoint.format(kind=self.kind), **key, **_kind(endpoint, self.kind), **asks)  # type: ignore[arg-type]

    def line_url(self, unit: str, endpoint: str) -> str | None:
        """The same page of one of its lines, for those who may open it."""
        kind = {"district": "network", "network": "school"}.get(self.kind)
        if kind is None:
            return None
        place = Place.of_network(unit) if kind == "network" else Place.of_school(unit, self.key)
        permission = Permission.SEE_NETWORK_BOARD if kind == "network" else Permission.SEE_SCHOOL_BOARD
        return url_for(endpoint, kind=kind, key=unit) if access.can(actor().grants, permission, place) else None

    @property
    def tabs(self) -> list[tuple[str, str, str]]:
        """(words, address, key) of the pages about this place."""
        return [(words, self.url(endpoint), key) for words, endpoint, key in PAGES]

    @property
    def sees_students(self) -> bool:
        """Whether this person may open every student and case there anyway, so that no count tells them more."""
        return sees_students(self.place)


def _kind(endpoint: str, kind: str) -> dict[str, str]:
    return {} if "{kind}" in endpoint else {"kind": kind}


def spot(kind: str, key: str = "") -> Spot:
    """The place of an address. Raises NotFound where it is not there or out of reach."""
    if kind == "school":
        one = found(rows.school(key))
        return _reached(Spot(kind, key, one.name, Place.of_school(key, one.network.key), (one,)))
    if kind == "network":
        must_reach(Permission.SEE_NETWORK_BOARD, Place.of_network(key))
        network = found(rows.network(key))
        inside = rows.schools_in(Area(networks=frozenset({key})))
        return Spot(kind, key, network.name, Place.of_network(key), tuple(inside))
    must_reach(Permission.SEE_DISTRICT_BOARD, Place.district())
    return Spot("district", "", "The whole district", Place.district(), tuple(rows.schools_in(Area(district=True))))


def _reached(one: Spot) -> Spot:
    must_reach(Permission.SEE_SCHOOL_BOARD, one.place)
    return one


def sees_students(place: Place) -> bool:
    """Whether this person may open every student and case of a place."""
    return pages.sees_students(actor(), place)
