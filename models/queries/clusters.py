"""Clusters of absences as they are listed and opened; `area` is whose schools, `departments` whose work (None: any)."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, func, or_, select, text

from models.base import db
from models.clusters import Cluster, ClusterDay, ClusterLook, ClusterNote
from models.org import Network, School
from models.queries import scope
from models.queries.scope import AreaLike
from models.staff import Grant, Person


@dataclass(frozen=True, slots=True)
class Line:
    """A cluster in a list, with the names of its school, network and owner."""

    cluster: Cluster
    school: str
    school_key: str
    network_key: str
    owner: str | None


def lines(
    area: AreaLike, departments: Collection[str] | None, person_id: int | None, *, open_: bool, limit: int = 200
) -> list[Line]:
    """Those within reach: what is open by its due date, or what ended, the newest first."""
    wanted = _lines().where(_reached(area, departments, person_id))
    if open_:
        wanted = wanted.where(Cluster.state == "open").order_by(Cluster.due, Cluster.id)
    else:
        wanted = wanted.where(Cluster.state != "open").order_by(Cluster.ended_on.desc(), Cluster.id.desc())
    found: Any = db.session.execute(wanted.limit(limit))
    return [Line(*row) for row in found]


def one(cluster_id: int, area: AreaLike, departments: Collection[str] | None, person_id: int | None) -> Line | None:
    """One within reach."""
    wanted = _lines().where(Cluster.id == cluster_id, _reached(area, departments, person_id))
    found: Any = db.session.execute(wanted).one_or_none()
    return Line(*found) if found else None


def _lines() -> Any:
    return (
        select(Cluster, School.name, School.key, Network.key, Person.name)
        .join(School, School.id == Cluster.school_id)
        .join(Network, Network.id == Cluster.network_id)
        .outerjoin(Person, Person.id == Cluster.owner_id)
    )


def _reached(area: AreaLike, departments: Collection[str] | None, person_id: int | None) -> ColumnElement[bool]:
    """At a school of theirs, also where only a part of a route is; of their departments; or given to them."""
    inside = select(ClusterDay.id).where(
        ClusterDay.cluster_id == Cluster.id, ClusterDay.school_id.in_(scope.school_ids(area))
    )
    there = or_(scope.schools(area), exists(inside.correlate(Cluster)))
    theirs = there if departments is None else and_(there, Cluster.department.in_(sorted(departments)))
    return or_(theirs, Cluster.owner_id == person_id) if person_id else theirs


def departments_of(person_id: int | None, on: date) -> list[str]:
    """For which departments somebody is a contact on a day; '' for one who serves all."""
    held = select(Grant.department).where(
        Grant.person_id == person_id, Grant.role == "department_contact", Grant.starts <= on,
        or_(Grant.ends.is_(None), Grant.ends >= on),
    )  # fmt: skip
    return sorted(set(db.session.scalars(held)))


def days_of(cluster_id: int, area: AreaLike | None) -> list[tuple[ClusterDay, str]]:
    """Its days at the schools within an area (None: at all of them), each with the school's name, oldest first."""
    wanted = select(ClusterDay, School.name).join(School, School.id == ClusterDay.school_id)
    wanted = wanted.where(ClusterDay.cluster_id == cluster_id)
    if area is not None:
        wanted = wanted.where(scope.schools(area))
    found: Any = db.session.execute(wanted.order_by(ClusterDay.day, School.name))
    return [(day, school) for day, school in found]


def notes_of(cluster_id: int) -> Sequence[ClusterNote]:
    """What was done and said, the newest first."""
    wanted = select(ClusterNote).where(ClusterNote.cluster_id == cluster_id)
    return db.session.scalars(wanted.order_by(ClusterNote.id.desc())).all()


def counts(area: AreaLike, departments: Collection[str] | None, person_id: int | None) -> dict[str, int]:
    """Department -> its open clusters within reach."""
    wanted = (
        select(Cluster.department, func.count())
        .join(School, School.id == Cluster.school_id)
        .where(Cluster.state == "open", _reached(area, departments, person_id))
        .group_by(Cluster.department)
    )
    return {department: number for department, number in db.session.execute(wanted)}


def judged_as(since: date) -> dict[tuple[str, str], int]:
    """(kind, how it ended) -> how many ended since a day, in the whole district."""
    wanted = (
        select(Cluster.kind, Cluster.ended_as, func.count())
        .where(Cluster.state != "open", Cluster.ended_on >= since)
        .group_by(Cluster.kind, Cluster.ended_as)
    )
    return {(kind, ended or "withdrawn"): number for kind, ended, number in db.session.execute(wanted)}


# -- for the look --------------------------------------------------------------------------------------------------


def standing(since: date) -> Sequence[Cluster]:
    """Those that are open, and those that ended since a day: what ended is not opened again for the same days."""
    wanted = select(Cluster).where(or_(Cluster.state == "open", Cluster.ended_on >= since)).order_by(Cluster.id)
    return db.session.scalars(wanted).all()


def networks() -> dict[int, int]:
    """School -> its network, of every school."""
    return {school: network for school, network in db.session.execute(select(School.id, School.network_id))}


def last_look() -> ClusterLook | None:
    """The newest look at any day."""
    return db.session.scalar(select(ClusterLook).order_by(ClusterLook.id.desc()).limit(1))


def days_to_look_at(days: Sequence[date]) -> list[date]:
    """Those of these days of which something came, or was taken back, since they were last looked at."""
    found = db.session.scalars(
        text("""
            SELECT d.day FROM unnest(CAST(:days AS date[])) AS d (day) LEFT JOIN LATERAL (
                SELECT looked_at FROM cluster_look WHERE day = d.day ORDER BY id DESC LIMIT 1) l ON true
            WHERE EXISTS (SELECT FROM submission s WHERE s.day = d.day
                          AND greatest(s.recorded_at, s.ended_at) > coalesce(l.looked_at, '-infinity'))
            ORDER BY d.day
        """),
        {"days": list(days)},
    )
    return list(found)


def corrected_since(moment: datetime | None, days: Sequence[date]) -> bool:
    """Whether anything about these days came or was taken back after a moment."""
    found = text("""
        SELECT EXISTS (SELECT FROM submission WHERE day = ANY(:days)
                       AND greatest(recorded_at, ended_at) > coalesce(:moment, '-infinity'::timestamptz))
    """)
    return bool(db.session.scalar(found, {"days": list(days), "moment": moment}))
