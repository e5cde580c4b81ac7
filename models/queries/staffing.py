"""Grants, places and open work, as routing needs them."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from typing import Any

from sqlalchemy import or_, select, text

from models.base import db
from models.org import Network, School
from models.staff import Grant, Person


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
            Person.disabled_at.is_not(None).label("disabled"),
        )
        .join(Person, Person.id == Grant.person_id)
        .where(Grant.place.in_(places))
        .where(Grant.starts <= on, or_(Grant.ends.is_(None), Grant.ends >= on, Grant.deputy_id.is_not(None)))
        .order_by(Grant.id)
    )  # fmt: skip
    return list(db.session.execute(wanted))


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
