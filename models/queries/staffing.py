"""Grants, places and open work, as routing needs them."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from typing import Any

from sqlalchemy import ScalarSelect, func, or_, select, text
from sqlalchemy.orm import aliased

from models.base import db
from models.org import Network, School
from models.staff import Grant, Person

Every = aliased(Grant)


def schools(ids: Collection[int] | None = None) -> list[Any]:
    """(id, key, network key) of these schools, or of all."""
    wanted = select(School.id, School.key, Network.key).join(Network, Network.id == School.network_id)
    return list(db.session.execute(wanted if ids is None else wanted.where(School.id.in_(ids))))


def grants(on: date, places: Collection[str]) -> list[Any]:
    """Every grant at these places that has begun and counts on the day, or names a deputy who may stand in."""
    wanted = (
        select(
            Grant.person_id, Grant.role, Grant.place, Grant.homeroom, Grant.department, Grant.deputy_id,
            Grant.starts, Grant.ends, Grant.away_from, Grant.away_until,
            Person.disabled_at.is_not(None).label("disabled"), _hours(on).label("hours"),
        )
        .join(Person, Person.id == Grant.person_id)
        .where(Grant.place.in_(places))
        .where(Grant.starts <= on, or_(Grant.ends.is_(None), Grant.ends >= on, Grant.deputy_id.is_not(None)))
        .order_by(Grant.id)
    )  # fmt: skip
    return list(db.session.execute(wanted))


def _hours(on: date) -> ScalarSelect[int | None]:
    """The hours a week that somebody states, over everything they hold on the day; NULL where none are stated."""
    holds = Every.starts <= on, or_(Every.ends.is_(None), Every.ends >= on)
    return select(func.sum(Every.hours)).where(Every.person_id == Person.id, *holds).scalar_subquery()


def away_now(on: date, deputy: int | None = None) -> list[Any]:
    """Grants whose holders are away on the day and have somebody standing in; of one deputy, or all.

    (id, person, name, role, place, network of a school, department, deputy, away_from, away_until)
    """
    here = func.concat("school:", School.key)
    wanted = (
        select(
            Grant.id, Grant.person_id, Person.name, Grant.role, Grant.place, Network.key.label("network"),
            Grant.department, Grant.deputy_id, Grant.away_from, Grant.away_until,
        )
        .join(Person, Person.id == Grant.person_id)
        .outerjoin(School, here == Grant.place)
        .outerjoin(Network, Network.id == School.network_id)
        .where(Grant.deputy_id == deputy if deputy is not None else Grant.deputy_id.is_not(None))
        .where(Grant.starts <= on, or_(Grant.ends.is_(None), Grant.ends >= on), Person.disabled_at.is_(None))
        .where(Grant.away_from <= on, or_(Grant.away_until.is_(None), Grant.away_until >= on))
        .order_by(Grant.id)
    )  # fmt: skip
    return list(db.session.execute(wanted))


def grants_of(persons: Collection[int]) -> list[Grant]:
    """Everything that these people hold or held."""
    return list(db.session.scalars(select(Grant).where(Grant.person_id.in_(persons)).order_by(Grant.id)))


def open_work(persons: Collection[int]) -> dict[int, int]:
    """Person -> open cases and open tasks. Work inside compartments is left out: it must not move anything."""
    found = db.session.execute(
        text("""
            SELECT owner_id, sum(n)::int FROM (
                SELECT owner_id, count(*) AS n FROM support_case
                WHERE owner_id = ANY(:persons) AND closed_on IS NULL GROUP BY 1
                UNION ALL
                SELECT owner_id, count(*) FROM task
                WHERE owner_id = ANY(:persons) AND status = 'open' AND compartment IS NULL GROUP BY 1
            ) w GROUP BY 1
        """),
        {"persons": list(persons)},
    )
    return {person: work for person, work in found}


def people_of(places: Collection[str], on: date) -> list[tuple[int, str]]:
    """(person, name) of whoever holds a role at one of these places on a day and may sign in, by name."""
    found = db.session.execute(
        select(Person.id, Person.name)
        .join(Grant, Grant.person_id == Person.id)
        .where(Grant.place.in_(places), Grant.starts <= on, or_(Grant.ends.is_(None), Grant.ends >= on))
        .where(Person.disabled_at.is_(None))
        .distinct()
        .order_by(Person.name, Person.id)
    )
    return [(person, name) for person, name in found]


def names(ids: Collection[int]) -> dict[int, str]:
    """Person -> name."""
    found = db.session.execute(select(Person.id, Person.name).where(Person.id.in_(ids)))
    return {person: name for person, name in found}


def held_by(person: int, role: str, places: Collection[str]) -> tuple[int, int]:
    """Open cases that somebody owns in a role at these schools, and open tasks of theirs there outside compartments."""
    found = db.session.execute(
        text("""
            SELECT (SELECT count(*) FROM support_case c JOIN school s ON s.id = c.school_id
                    WHERE c.owner_id = :person AND c.owner_role = :role AND c.closed_on IS NULL
                      AND 'school:' || s.key = ANY(:places)),
                   (SELECT count(*) FROM task t JOIN school s ON s.id = t.school_id
                    WHERE t.owner_id = :person AND t.owner_role = :role AND t.status = 'open'
                      AND t.compartment IS NULL AND 'school:' || s.key = ANY(:places))
        """),
        {"person": person, "role": role, "places": list(places)},
    ).one()
    return int(found[0]), int(found[1])
