"""What a trial of a policy reads: whom it is about, which groups they belong to, and the trials there were."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
from sqlalchemy import delete, func, select, text

from models.base import db
from models.bulk import ints, read_ints
from models.simulations import Simulation, SimulationPart


def students_of(schools: Collection[int], start: date, until: date, ids: range | None = None) -> np.ndarray:
    """Everyone with an enrolment at these schools that meets the days start..until, ascending; perhaps of some ids."""
    found = read_ints(
        """
        SELECT DISTINCT student_id FROM stint
        WHERE school_id = ANY(%(schools)s) AND entry_date <= %(until)s
          AND (exit_date IS NULL OR exit_date >= %(start)s) AND student_id BETWEEN %(first)s AND %(last)s
        """,
        ["student"],
        {
            "schools": list(schools), "start": start, "until": until,
            "first": ids.start if ids else 0, "last": ids.stop - 1 if ids else 2**31 - 1,
        },
    )  # fmt: skip
    return np.sort(found["student"])


def groups(students: np.ndarray) -> Sequence[Any]:
    """(id, homeroom, race and ethnicity, English learner, low income, IEP) of these students, ascending."""
    return db.session.execute(
        text("""
            SELECT s.id, s.homeroom, s.race_ethnicity, s.english_learner, s.low_income,
                   EXISTS (SELECT FROM support_flag f WHERE f.student_id = s.id AND f.key = 'iep') AS iep
            FROM student s WHERE s.id = ANY(:students) ORDER BY s.id
        """),
        {"students": ints(students)},
    ).all()


def newest(most: int = 50, *, without: str = "") -> Sequence[Simulation]:
    """The trials asked for last, the newest first; without those that somebody asked for."""
    asked = select(Simulation).where(Simulation.asked_by != without).order_by(Simulation.id.desc())
    return db.session.scalars(asked.limit(most)).all()


def newest_of(in_force: str) -> Simulation | None:
    """The newest trial of the whole district, this year and through, beside this policy in force."""
    done = Simulation.status == "done", Simulation.place == "district", Simulation.as_of.is_(None)
    asked = select(Simulation).where(*done, Simulation.in_force == in_force).order_by(Simulation.id.desc()).limit(1)
    return db.session.scalars(asked).first()


def forget_done(asked_by: str) -> None:
    """Forget what somebody tried, but for what is under way."""
    gone = select(Simulation.id).where(Simulation.asked_by == asked_by, Simulation.status.in_(("done", "cancelled")))
    numbers = list(db.session.scalars(gone))
    db.session.execute(delete(SimulationPart).where(SimulationPart.simulation_id.in_(numbers)))
    db.session.execute(delete(Simulation).where(Simulation.id.in_(numbers)))


def any_attendance() -> bool:
    """Whether attendance of any day has come in."""
    return (
        db.session.scalar(text("SELECT EXISTS (SELECT FROM school_day WHERE status IN ('submitted', 'partial'))"))
        is True
    )


def one(number: int) -> Simulation | None:
    """A trial by its number, as it stands now."""
    found: Simulation | None = db.session.get(Simulation, number, populate_existing=True)
    return found


def set_aside(number: int) -> bool:
    """Whether a slice of a trial was given up after several attempts."""
    asked = text(
        "SELECT EXISTS (SELECT FROM outbox WHERE job = 'simulate' AND key LIKE :slices AND quarantined_at IS NOT NULL)"
    )
    return db.session.scalar(asked, {"slices": f"{number}:%"}) is True


def slices_done(number: int) -> int:
    """How many slices of a trial are through."""
    count = select(func.count()).where(SimulationPart.simulation_id == number, SimulationPart.nth > 0)
    return db.session.scalar(count) or 0


def figures(number: int) -> dict[str, Any] | None:
    """The counts of a trial that is through."""
    part = db.session.get(SimulationPart, {"simulation_id": number, "nth": 0})
    return part.figures if part else None


def parts(number: int) -> Sequence[dict[str, Any]]:
    """The counts of every slice that is through, in order."""
    wanted = select(SimulationPart.figures).where(SimulationPart.simulation_id == number, SimulationPart.nth > 0)
    return db.session.scalars(wanted.order_by(SimulationPart.nth)).all()


@dataclass(frozen=True, slots=True)
class RoleHolders:
    """Who holds a role within some places today, by the weekly hours that each states there; None where none are."""

    role: str
    stated: tuple[int | None, ...] = ()


def holders(places: Collection[str], on: date) -> dict[str, RoleHolders]:
    """Role -> who holds it at these places on a day."""
    found = db.session.execute(
        text("""
            SELECT role, array_agg(hours) FROM (
                SELECT g.role, p.id, sum(g.hours)::int AS hours
                FROM role_grant g JOIN person p ON p.id = g.person_id
                WHERE g.place = ANY(:places) AND p.disabled_at IS NULL
                  AND g.starts <= :on AND (g.ends IS NULL OR g.ends >= :on) GROUP BY 1, 2) held
            GROUP BY role
        """),
        {"places": list(places), "on": on},
    )
    return {role: RoleHolders(role, tuple(stated)) for role, stated in found}


def last_day_of_year(start: date, end: date) -> date | None:
    """The last day in start..end of which attendance came in anywhere."""
    found: date | None = db.session.scalar(
        text(
            "SELECT max(day) FROM school_day WHERE status IN ('submitted', 'partial') AND day BETWEEN :start AND :end"
        ),
        {"start": start, "end": end},
    )
    return found
