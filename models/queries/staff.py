"""People who sign in and what they hold, read for the people pages and for the account line."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import ColumnElement, false, func, or_, select, true
from sqlalchemy.orm import selectinload

from models.base import db
from models.org import Network, School
from models.queries.scope import AreaLike
from models.staff import Grant, Person, SignIn


@dataclass(frozen=True, slots=True)
class Session:
    """A sign-in as its owner and the people manager may see it: no token, no page."""

    began: datetime
    last_seen: datetime
    ended: datetime | None
    ip: str


def place_names(places: Collection[str]) -> dict[str, str]:
    """`school:LIN` -> `Lincoln`; a place that is not known keeps its text."""
    names = {place: place for place in places} | {"district": "the whole district"}
    for kind, table in (("school", School), ("network", Network)):
        keys = {place.partition(":")[2] for place in places if place.startswith(f"{kind}:")}
        if keys:
            found = db.session.execute(select(table.key, table.name).where(table.key.in_(keys)))
            names |= {f"{kind}:{key}": name for key, name in found}
    return names


def school_network(school_key: str) -> str | None:
    """The key of the network a school belongs to; None for an unknown school."""
    found = select(Network.key).join(School, School.network_id == Network.id)
    return db.session.scalar(found.where(School.key == school_key))


def network_exists(key: str) -> bool:
    return db.session.scalar(select(Network.id).where(Network.key == key)) is not None


def networks() -> frozenset[str]:
    """The keys of all networks."""
    return frozenset(db.session.scalars(select(Network.key)))


def networks_of_schools() -> dict[str, str]:
    """School -> network, by their keys."""
    found = select(School.key, Network.key).join(Network, School.network_id == Network.id)
    return {school: network for school, network in db.session.execute(found)}


def places_in(area: AreaLike) -> list[tuple[str, str]]:
    """(place, name) of every network and school within the area, the wider first."""
    whole = [("district", "The whole district")] if area.district else []
    networks = select(Network.key, Network.name).order_by(Network.name)
    schools = select(School.key, School.name).join(Network).order_by(School.name)
    if not area.district:
        networks = networks.where(Network.key.in_(area.networks))
        schools = schools.where(or_(School.key.in_(area.schools), Network.key.in_(area.networks)))
    return [
        *whole,
        *((f"network:{key}", name) for key, name in db.session.execute(networks)),
        *((f"school:{key}", name) for key, name in db.session.execute(schools)),
    ]


def in_area(area: AreaLike) -> ColumnElement[bool]:
    """Condition on Person: holds or held a role within the area; someone without any belongs to the district."""
    if area.district:
        return true()
    if not (area.networks or area.schools):
        return false()
    schools = {f"school:{key}" for key in area.schools} | _schools_of(area.networks)
    places = schools | {f"network:{key}" for key in area.networks}
    return Person.grants.any(Grant.place.in_(places))


def _schools_of(networks: Collection[str]) -> set[str]:
    if not networks:
        return set()
    keys = select(School.key).join(Network).where(Network.key.in_(networks))
    return {f"school:{key}" for key in db.session.scalars(keys)}


def people(
    area: AreaLike,
    *,
    on: date,
    text: str = "",
    role: str = "",
    show: str = "active",
    page: int = 1,
    size: int = 25,
) -> tuple[Sequence[Person], int]:
    """One page of people within the area by name, and how many match. show: active, ended or all."""
    where = [in_area(area)]
    holds = Grant.starts <= on, or_(Grant.ends.is_(None), Grant.ends >= on)
    if text:
        where.append(or_(Person.name.icontains(text, autoescape=True), Person.login.icontains(text, autoescape=True)))
    if role:
        where.append(Person.grants.any(Grant.role == role))
    if show == "active":
        where += [Person.disabled_at.is_(None), Person.grants.any((holds[0]) & (holds[1]))]
    elif show == "ended":
        where.append(or_(Person.disabled_at.is_not(None), ~Person.grants.any((holds[0]) & (holds[1]))))
    rows = select(Person).where(*where).order_by(Person.name, Person.id).options(selectinload(Person.grants))
    found = db.session.scalars(rows.offset((page - 1) * size).limit(size)).all()
    return found, db.session.scalar(select(func.count()).select_from(Person).where(*where)) or 0


def person(person_id: int, area: AreaLike) -> Person | None:
    """One person within the area, with their grants."""
    wanted = select(Person).where(Person.id == person_id, in_area(area)).options(selectinload(Person.grants))
    return db.session.scalar(wanted)


def by_login(logins: Collection[str]) -> dict[str, Person]:
    """Login -> person, with their grants in the order they were given."""
    wanted = select(Person).where(Person.login.in_(logins))
    return {person.login: person for person in db.session.scalars(wanted.options(selectinload(Person.grants)))}


def sessions(person_id: int, limit: int = 10) -> list[Session]:
    """The newest sign-ins of a person."""
    newest = select(SignIn).where(SignIn.person_id == person_id, SignIn.proved_at.is_not(None))
    rows = db.session.scalars(newest.order_by(SignIn.id.desc()).limit(limit))
    return [Session(row.created_at, row.last_seen, row.ended_at, row.ip) for row in rows]


def last_sign_ins(people: Collection[int]) -> dict[int, datetime]:
    """Person -> when they last signed in."""
    latest = select(SignIn.person_id, func.max(SignIn.proved_at)).where(
        SignIn.person_id.in_(people), SignIn.proved_at.is_not(None)
    )
    return {person: at for person, at in db.session.execute(latest.group_by(SignIn.person_id)) if at}
