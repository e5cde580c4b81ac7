"""Who may do and see what, where: decided here once, from the grants a person holds today."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime

from rules.places import Place, PlaceKind
from rules.roles import FieldClass, Permission, Reach, Right, Role, assignable_roles, meanings, role

__all__ = [
    "Area",
    "FieldClass",
    "Grant",
    "Grants",
    "NotAllowed",
    "OpenedInCrisis",
    "Permission",
    "Place",
    "PlaceKind",
    "Right",
    "Scope",
    "StandIn",
    "can",
    "check",
    "check_grantable",
    "fields_shown",
    "flagged_classes",
    "grantable_roles",
    "in_crisis",
    "lets_read",
    "may_name",
    "readable_classes",
    "right",
    "scope_of",
]


class NotAllowed(Exception):
    """The person may not do this here; str() is a sentence for that person."""


@dataclass(frozen=True, slots=True)
class Grant:
    """One role at one place, for a time. `ends` is the last day it counts; None stands for open."""

    role: str
    place: Place
    homeroom: str | None = None
    starts: date | None = None
    ends: date | None = None

    def holds(self, on: date) -> bool:
        return (self.starts is None or self.starts <= on) and (self.ends is None or on <= self.ends)


@dataclass(frozen=True, slots=True)
class StandIn:
    """Somebody is away, and for their work in a role at a place another stands in, up to a day (None: until said)."""

    person_id: int
    name: str
    role: str
    place: Place
    until: date | None = None

    @property
    def area(self) -> Area:
        """Where."""
        return Area().with_place(self.place)


@dataclass(frozen=True, slots=True)
class Grants:
    """What a person holds on one day. Built by `Grants.on`, so that no ended role can slip in.

    standing_in: for whom they stand in that day. It gives no right: it makes the work of somebody who is away their
    own, and what they may do with it their own roles say.
    """

    held: tuple[Grant, ...] = ()
    standing_in: tuple[StandIn, ...] = ()

    @classmethod
    def on(cls, day: date, grants: Iterable[Grant]) -> Grants:
        return cls(tuple(grant for grant in grants if grant.holds(day)))

    @classmethod
    def operator(cls) -> Grants:
        """What a command run on the server holds: everything but the restricted compartments."""
        return cls((Grant("operator", Place.district()),))

    def __iter__(self) -> Iterator[tuple[Grant, Role]]:
        return ((grant, role(grant.role)) for grant in self.held)

    def areas(self) -> dict[str, Area]:
        """Role -> everywhere it is held, so that somebody at many schools is asked about by role and not by grant."""
        found: dict[str, Area] = {}
        for grant in self.held:
            found[grant.role] = found.get(grant.role, Area()).with_place(grant.place)
        return found

    def at(self, place: Place | None) -> Iterator[tuple[Grant, Role]]:
        """The grants that cover a place; all of them for None."""
        return ((grant, held) for grant, held in self if place is None or grant.place.covers(place))

    def roles_at(self, place: Place | None) -> list[Role]:
        """The roles held there, each once however many grants give it."""
        return list({held.key: held for _, held in self.at(place)}.values())


def can(grants: Grants, permission: Permission, place: Place | None = None) -> bool:
    """Whether any grant allows the action at the place; None asks whether it is allowed anywhere at all."""
    return any(permission in held.permissions for _, held in grants.at(place))


def check(grants: Grants, permission: Permission, place: Place | None = None) -> None:
    """Raises NotAllowed unless `can`."""
    if can(grants, permission, place):
        return
    phrase = meanings()[permission].phrase
    if place is not None and can(grants, permission):
        raise NotAllowed(f"Your role does not reach {_named(place)}, so there you cannot {phrase}.")
    raise NotAllowed(f"Your role does not let you {phrase}. Ask whoever gives out roles if you need to.")


def right(grants: Grants, field_class: FieldClass, place: Place | None = None, *, own: bool = False) -> Right:
    """The strongest right to a class there. `own`: their case, a task given to them, a note they wrote."""
    return _strongest(grants.roles_at(place), field_class, own=own)


def _strongest(roles: Iterable[Role], field_class: FieldClass, *, own: bool) -> Right:
    return max((held.right(field_class, own=own) for held in roles), key=lambda r: r.rank, default=Right.NONE)


def readable_classes(grants: Grants, place: Place | None = None, *, own: bool = False) -> frozenset[FieldClass]:
    """Classes that may be read in full there."""
    there = grants.roles_at(place)
    return frozenset(c for c in FieldClass if _strongest(there, c, own=own).reaches(Right.READ))


def flagged_classes(grants: Grants, place: Place | None = None, *, own: bool = False) -> frozenset[FieldClass]:
    """Restricted classes of which the person learns only "another support is in place", never which."""
    return frozenset(c for c in FieldClass if c.restricted and right(grants, c, place, own=own) is Right.FLAG)


def may_name(grants: Grants, field_class: FieldClass, place: Place | None = None) -> bool:
    """Whether the person may be told that this compartment was opened; others hear of a shut part of a record."""
    known = right(grants, field_class, place, own=True)
    return known is Right.FLAG or known.reaches(Right.READ) or can(grants, Permission.SEE_AUDIT, place)


@dataclass(frozen=True, slots=True)
class OpenedInCrisis:
    """A compartment of one student that somebody opened because they had to know at once."""

    field_class: FieldClass
    opened_at: datetime
    ends_at: datetime


def in_crisis(grants: Grants, place: Place | None = None, *, own: bool = False) -> frozenset[FieldClass]:
    """Restricted classes that may be opened there for an hour in a crisis: none that is open to the person anyhow."""
    opened = (held.crisis for _, held in grants.at(place))
    return frozenset().union(*opened) - readable_classes(grants, place, own=own)


def lets_read(grants: Grants, opened: OpenedInCrisis, place: Place, at: datetime) -> bool:
    """Whether its opener may read it at that moment: within its time, and while their role still allows a crisis."""
    return opened.opened_at <= at < opened.ends_at and opened.field_class in in_crisis(grants, place)


def fields_shown(
    grants: Grants, field_class: FieldClass, place: Place | None = None, *, own: bool = False
) -> frozenset[str] | None:
    """Field names of a class that may be shown; None for all of them."""
    strongest = right(grants, field_class, place, own=own)
    if strongest.reaches(Right.READ):
        return None
    parts = (
        held.parts.get(field_class, frozenset())
        for _, held in grants.at(place)
        if held.right(field_class, own=own) is Right.PART
    )
    return frozenset().union(*parts)


def check_grantable(giver: Grants, role_key: str, place: Place) -> None:
    """Raises NotAllowed, or ValueError with a sentence, unless the giver may give that role at that place."""
    check(giver, Permission.MANAGE_PEOPLE, place)
    given = role(role_key)
    if given.entrusted:
        check(giver, Permission.ENTRUST, place)
    if not given.assignable:
        raise ValueError(f"The role {role_key} belongs to the command line and is not given to people.")
    if place.kind not in given.places:
        kinds = " or ".join(kind for kind in PlaceKind if kind in given.places)
        raise ValueError(f"A {given.label} is placed at a {kinds}, not at {_named(place)}.")


def grantable_roles(giver: Grants) -> tuple[Role, ...]:
    """The roles that this person may give somewhere."""
    entrusts = can(giver, Permission.ENTRUST)
    return tuple(one for one in assignable_roles() if entrusts or not one.entrusted)


@dataclass(frozen=True, slots=True)
class Area:
    """Places added up. The whole district makes the two sets beside the point."""

    district: bool = False
    networks: frozenset[str] = frozenset()
    schools: frozenset[str] = frozenset()

    def __bool__(self) -> bool:
        return self.district or bool(self.networks) or bool(self.schools)

    @property
    def words(self) -> str:
        """The same places as one text, as they are written beside `--place`."""
        if self.district:
            return str(Place.district())
        inside = [Place.of_network(key) for key in sorted(self.networks)]
        return " ".join(map(str, [*inside, *(Place.of_school(key) for key in sorted(self.schools))]))

    def with_place(self, place: Place) -> Area:
        match place.kind:
            case PlaceKind.DISTRICT:
                return replace(self, district=True)
            case PlaceKind.NETWORK:
                return replace(self, networks=self.networks | {place.key})
            case PlaceKind.SCHOOL:
                return replace(self, schools=self.schools | {place.key})

    def covers(self, place: Place) -> bool:
        held = [Place.of_network(k) for k in self.networks] + [Place.of_school(k) for k in self.schools]
        return self.district or any(one.covers(place) for one in held)


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose records a person reaches for one permission: any of these ways is enough.

    whole: everyone there; caseload: students assigned to the person there; homerooms: (school, homeroom);
    own: there, only cases they own, tasks given to them, notes they wrote. stand_ins: whose work is theirs today too.
    """

    whole: Area = Area()
    caseload: Area = Area()
    own: Area = Area()
    homerooms: frozenset[tuple[str, str]] = frozenset()
    stand_ins: tuple[StandIn, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.whole or self.caseload or self.own or self.homerooms)


def scope_of(grants: Grants, permission: Permission) -> Scope:
    """What the one scope function turns into a WHERE clause; an empty scope is nobody."""
    scope = Scope(stand_ins=grants.standing_in)
    for grant, held in grants:
        if permission in held.permissions:
            scope = _widened(scope, grant, held, meanings()[permission].about)
    return scope


def _widened(scope: Scope, grant: Grant, held: Role, about: FieldClass | None) -> Scope:
    """Counts and matters of no student go by place alone; records go by whom the role is there for."""
    if about is None or about is FieldClass.AGG:
        return replace(scope, whole=scope.whole.with_place(grant.place))
    if held.reach in (Reach.TASKS, Reach.COUNTS) or not held.right(about).reaches(Right.READ):
        if not held.right(about, own=True).reaches(Right.PART):
            return scope
        return replace(scope, own=scope.own.with_place(grant.place))
    if held.reach is Reach.PLACE:
        return replace(scope, whole=scope.whole.with_place(grant.place))
    homerooms = scope.homerooms
    if held.reach is Reach.HOMEROOM and grant.homeroom:
        homerooms = homerooms | {(grant.place.key, grant.homeroom)}
    return replace(scope, caseload=scope.caseload.with_place(grant.place), homerooms=homerooms)


def _named(place: Place) -> str:
    return "the whole district" if place.kind is PlaceKind.DISTRICT else f"{place.kind} {place.key}"
