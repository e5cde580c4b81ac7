"""Clusters: many students of one group away at once, followed as one case until somebody says what it was.

Counts of groups only; who was away stands with the marks and nowhere here.
"""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import BigId, Id, Model, to
from models.cases import Authored
from models.org import one_of

CLUSTER_KINDS = ("route", "class", "grade", "building", "weekday")
CLUSTER_STATES = ("open", "closed", "withdrawn")
CLUSTER_ENDS = ("mended", "false_alarm", "cannot_tell")


class ClusterLook(Model):
    """One look at one school day: how many numbers it judged and how many stood out. Its newest look counts."""

    __tablename__ = "cluster_look"
    __table_args__ = (Index("ix_cluster_look_day", "day", "id"),)
    id: Mapped[BigId]
    day: Mapped[date]
    looked_at: Mapped[datetime]
    judged: Mapped[int]
    found: Mapped[int]


class Cluster(Model):
    """A group that stood out. `kind` with `group_key`: a route, homeroom, grade, weekday (0 Monday), '' a building.

    last_day: the newest day on which it stood out, over `window_days`; observed of members against expected
    (thousandths of a student) on these. through: up to when it was followed. gone_on: a correction took the evidence
    away while somebody was on it. odds: one in so many by chance alone. alarmed_day: the day of the first jump.
    """

    __tablename__ = "cluster"
    __table_args__ = (
        one_of("kind", CLUSTER_KINDS),
        one_of("state", CLUSTER_STATES),
        one_of("ended_as", CLUSTER_ENDS),
        Index(
            "uq_cluster_open", "kind", "school_id", "group_key", unique=True, postgresql_where=text("state = 'open'")
        ),
        Index("ix_cluster_department_state", "department", "state"),
    )
    id: Mapped[Id]
    kind: Mapped[str]
    group_key: Mapped[str]
    school_id: Mapped[int] = to("school.id")
    network_id: Mapped[int] = to("network.id", index=False)
    department: Mapped[str]
    owner_role: Mapped[str]
    owner_id: Mapped[int | None] = to("person.id", index=False)
    due: Mapped[date]
    state: Mapped[str] = mapped_column(default="open")
    opened: Mapped[date]
    opened_at: Mapped[datetime]
    first_day: Mapped[date]
    alarmed_day: Mapped[date]
    last_day: Mapped[date]
    through: Mapped[date]
    window_days: Mapped[int]
    observed: Mapped[int]
    expected: Mapped[int]
    members: Mapped[int]
    odds: Mapped[int]
    taken_at: Mapped[datetime | None]
    taken_by: Mapped[str] = mapped_column(default="")
    gone_on: Mapped[date | None]
    ended_on: Mapped[date | None]
    ended_as: Mapped[str | None]
    version: Mapped[int] = mapped_column(default=1)
    __mapper_args__ = {"version_id_col": version}


class ClusterDay(Model):
    """One day of a cluster at one school, as it is known now. expected: thousandths of a student."""

    __tablename__ = "cluster_day"
    __table_args__ = (UniqueConstraint("cluster_id", "school_id", "day"),)
    id: Mapped[BigId]
    cluster_id: Mapped[int] = to("cluster.id", index=False)
    school_id: Mapped[int] = to("school.id", index=False)
    day: Mapped[date]
    observed: Mapped[int]
    expected: Mapped[int]
    members: Mapped[int]
    excused: Mapped[int]


class ClusterNote(Authored, Model):
    """What was done and said about a cluster. Never changed."""

    __tablename__ = "cluster_note"
    __table_args__ = (
        one_of("step", ("opened", "grew", "taken", "note", "gone", "withdrawn", "closed")),
        UniqueConstraint("once"),
    )
    id: Mapped[Id]
    cluster_id: Mapped[int] = to("cluster.id")
    step: Mapped[str]
    words: Mapped[str] = mapped_column(default="")
    once: Mapped[str | None]
