"""Policies that were tried on a school year: who asked for what, how far it is, and the counts that came of it."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import Integer
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Id, Model, to
from models.org import one_of

STATUSES = ("waiting", "running", "done", "cancelled")


class Simulation(Model):
    """One trial of a policy beside the one in force. `place`: district, network:KEY or school:KEY.

    `version` is kept as a text of its own (PolicyText). `slices`: the last student of each slice; as many rows of
    SimulationPart there are, so many slices are through. `through`: the last day that was looked at.
    """

    __tablename__ = "simulation"
    __table_args__ = (one_of("status", STATUSES),)
    id: Mapped[Id]
    asked_at: Mapped[datetime]
    asked_by: Mapped[str]
    asked_name: Mapped[str]
    version: Mapped[str] = mapped_column(index=True)
    label: Mapped[str]
    in_force: Mapped[str]
    in_force_label: Mapped[str]
    place: Mapped[str]
    place_name: Mapped[str]
    school_year: Mapped[date]
    as_of: Mapped[date | None]
    through: Mapped[date]
    students: Mapped[int]
    slices: Mapped[list[int]] = mapped_column(ARRAY(Integer))
    status: Mapped[str] = mapped_column(default="waiting")
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    seconds: Mapped[float] = mapped_column(default=0.0)


class SimulationPart(Model):
    """The counts of one slice of students; when the last is there, row 0 holds the sum and the others are gone."""

    __tablename__ = "simulation_part"
    simulation_id: Mapped[int] = to("simulation.id", primary_key=True, index=False)
    nth: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    figures: Mapped[dict[str, Any]]
