"""A policy tried on a school year beside the one in force: nothing is changed but the counts of the trial itself.

The students are taken in slices, each one transaction that stores its counts and asks for the next; a slice that is
there already is not counted twice, and a trial that was stopped asks for nothing more.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, timedelta
from functools import cache
from pathlib import Path

import numpy as np
from sqlalchemy import delete

from ew_app.kernel import WORKER, Actor, NotFound, Refused, clock, now, operation, record, today
from ew_app.outbox import Job, enqueue
from ew_app.services.casework.staffing import Staff
from ew_app.services.deciding import simulated
from ew_app.services.deciding.simulated import Figures
from ew_app.services.measuring import policies, policy_texts
from ew_app.services.measuring.frames import Frame, frame
from ew_app.services.measuring.judging import judge, judge_otherwise
from models.base import db
from models.queries import boards
from models.queries import policies as kept_rows
from models.queries import simulating as rows
from models.simulations import Simulation, SimulationPart
from rules import access
from rules.access import Area, Permission
from rules.places import Place, PlaceKind
from rules.policy import PRESETS, Policy
from rules.timeline import Timeline

UNDER_WAY = ("waiting", "running")
SLICE = 2_500  # students judged at once: every fact of every day lies in memory


def from_file(path: Path, *, by: Actor) -> str:
    """The version of the policy in a file, kept so that it can be tried. Refused with file, line, key and the rest."""
    policies.check(path)
    return policy_texts.keep(policy_texts.frozen_file(path), by=by).version


def chosen(name: str, *, by: Actor) -> str:
    """The version of a shipped policy by its name, or of a kept one by its first letters. Raises NotFound."""
    if name in Policy.presets():
        return from_file(PRESETS / f"{name}.yaml", by=by)
    return policy_texts.text_row(name).version


def choices() -> list[tuple[str, str]]:
    """(name or version, words) of every policy that may be tried: the shipped ones, then all that were ever kept."""
    shipped = _shipped()
    kept = {row.version: row for row in kept_rows.texts() if row.version not in {one.version for one in shipped}}
    return [
        *((one.name, f"{one.label} ({one.name})") for one in shipped),
        *((version, f"{policy_texts.thawed(row.content).label}, {version[:12]}") for version, row in kept.items()),
    ]


@cache
def _shipped() -> tuple[Policy, ...]:
    return tuple(map(Policy.preset, Policy.presets()))


@operation
def ask(version: str, *, by: Actor, place: Place, as_of: date | None = None, queued: bool = True) -> int:
    """Ask for a trial of a kept policy at the schools of a place, over the school year of `as_of`; its number.

    Raises NotFound, NotAllowed, Refused. With `queued=False` the caller does the work itself by `go_on`.
    """
    name, schools = _schools(place)
    access.check(by.grants, Permission.TRY_POLICY, _of(place))
    at = frame(as_of)
    students = rows.students_of(schools, at.start, at.day)
    if not len(students) or not any(at.data_through(school) for school in schools):
        raise Refused("No attendance of that school year is known there, so nothing can be tried on it.")
    policy_texts.check_usable(version)
    in_force, candidate = policies.timeline().on(at.day), policy_texts.stored(version)
    trial = Simulation(
        asked_at=now(), asked_by=by.login, asked_name=by.name, version=candidate.version, label=candidate.label,
        in_force=in_force.version,
        in_force_label=in_force.label, place=str(place), place_name=name, school_year=at.start, as_of=as_of,
        through=at.day, students=len(students), slices=_ends(students), status="waiting", seconds=0.0,
    )  # fmt: skip
    db.session.add(trial)
    db.session.flush()
    record("simulation_asked", by=by, subject=f"simulation:{trial.id}", version=trial.version, place=trial.place)
    if queued:
        enqueue(Job.SIMULATE, trial.id, 1)
    return trial.id


@operation
def count_monitored() -> int | None:
    """Ask for the nightly count of the rules in force that are only counted; None where there are none.

    It is a trial of the policy in force by itself; that of the night before is forgotten.
    """
    in_force = policies.timeline().on(today())
    if not in_force.monitored or not rows.any_attendance():
        return None
    rows.forget_done(WORKER.login)
    return ask(in_force.version, by=WORKER, place=Place.district())


def monitored() -> Simulation | None:
    """The newest count of what the rules in force do that are only counted."""
    return rows.newest_of(policies.timeline().on(today()).version)


def last_year(day: date) -> date | None:
    """The last day of the school year before, of which attendance is known."""
    at = frame(day)
    return rows.last_day_of_year(at.since, at.start - timedelta(days=1))


def _ends(students: np.ndarray) -> list[int]:
    """The last student of each slice."""
    ends = students[SLICE - 1 :: SLICE].tolist()
    return ends if len(students) % SLICE == 0 else [*ends, int(students[-1])]


def _schools(place: Place) -> tuple[str, list[int]]:
    """The name of a place, and the schools there. NotFound."""
    area = Area().with_place(place)
    found = boards.schools_in(area)
    if not found:
        raise NotFound(f"There is no school at {place}.")
    named = {PlaceKind.DISTRICT: "The whole district", PlaceKind.NETWORK: found[0].network.name}
    return named.get(place.kind, found[0].name), [school.id for school in found]


def _of(place: Place) -> Place:
    """The place with the network that a school belongs to, so that whoever answers for that network covers it."""
    if place.kind is not PlaceKind.SCHOOL:
        return place
    school = boards.school(place.key)
    return Place.of_school(place.key, school.network.key) if school else place


def may_see(trial: Simulation, by: Actor) -> bool:
    """Whether a trial is about schools that this person may try policies on."""
    return access.can(by.grants, Permission.TRY_POLICY, _of(Place.parse(trial.place)))


def seen(by: Actor, most: int = 50) -> Sequence[Simulation]:
    """The trials that this person may see, the newest first."""
    return [trial for trial in rows.newest(most, without=WORKER.login) if may_see(trial, by)]


def one(number: int, by: Actor) -> Simulation:
    """A trial. Raises NotFound where it is out of reach."""
    trial = rows.one(number)
    if trial is None or not may_see(trial, by):
        raise NotFound("There is no such trial of a policy.")
    return trial


@operation
def cancel(number: int, *, by: Actor) -> None:
    """Stop a trial; what it counted so far is forgotten. Raises NotFound."""
    one(number, by)
    trial = _locked(number)
    if trial.status in UNDER_WAY:
        _end(trial)
        record("simulation_cancelled", by=by, subject=f"simulation:{number}")


def _end(trial: Simulation) -> None:
    trial.status, trial.finished_at = "cancelled", now()
    db.session.execute(delete(SimulationPart).where(SimulationPart.simulation_id == trial.id))


# -- the work ------------------------------------------------------------------------------------------------------


def work(number: int, nth: int) -> None:
    """The queued work: one slice. The next is asked for in the transaction that stores this one."""
    _one_slice(number, nth, lambda: enqueue(Job.SIMULATE, number, nth + 1))


def go_on(number: int, told: Callable[[int, str], None]) -> None:
    """All of it in this process, telling (percent, step); for the command line."""
    slices = len(_known(number).slices)
    try:
        for nth in range(1, slices + 1):
            _one_slice(number, nth, lambda: None)
            told(nth * 100 // slices, f"slice {nth} of {slices}")
    except BaseException:
        _give_up(number)
        raise


@operation
def _give_up(number: int) -> None:
    """Nobody goes on with a trial whose command has ended."""
    _end(_locked(number))


def failed(trial: Simulation) -> bool:
    """Whether a trial was set aside because it cannot be counted; someone who runs the system has to look."""
    return trial.status in UNDER_WAY and rows.set_aside(trial.id)


@operation
def _one_slice(number: int, nth: int, then: Callable[[], object]) -> None:
    """Count one slice and store it, unless it is there or the trial was stopped meanwhile."""
    began, trial = clock(), _known(number)
    there = db.session.get(SimulationPart, {"simulation_id": number, "nth": nth}) is not None
    if trial.status in ("done", "cancelled"):
        return
    counted = {} if there else _counted(trial, nth)
    trial = _locked(number)
    if trial.status == "cancelled":
        return
    if not there:
        db.session.add(SimulationPart(simulation_id=number, nth=nth, figures=counted))
        trial.status, trial.started_at = "running", trial.started_at or began
        trial.seconds += (clock() - began).total_seconds()
    if nth < len(trial.slices):
        then()
    else:
        _finish(trial)


def _finish(trial: Simulation) -> None:
    """Add up the slices."""
    db.session.flush()
    whole = simulated.added(*rows.parts(trial.id))
    db.session.execute(delete(SimulationPart).where(SimulationPart.simulation_id == trial.id))
    db.session.add(SimulationPart(simulation_id=trial.id, nth=0, figures=whole))
    trial.status, trial.finished_at = "done", now()


def _counted(trial: Simulation, nth: int) -> Figures:
    """The figures of one slice under both policies."""
    schools, at = _schools(Place.parse(trial.place))[1], _frame(trial)
    ids = range(trial.slices[nth - 2] + 1 if nth > 1 else 0, trial.slices[nth - 1] + 1)
    judged = judge(rows.students_of(schools, at.start, at.day, ids), at)
    if judged is None:
        return {}
    everywhere = {*schools, *judged.year.stint_school.tolist()}  # cases open elsewhere too, and are left out after
    staff, groups, wanted = Staff(everywhere), simulated.groups_of(judged), frozenset(schools)
    in_force = simulated.figures(judged, wanted, groups, staff)
    tried = judge_otherwise(judged, Timeline([(policies.FIRST_DAY, policy_texts.stored(trial.version))]))
    return {"in_force": in_force, "candidate": simulated.figures(tried, wanted, groups, staff) if tried else {}}


def _frame(trial: Simulation) -> Frame:
    """The days of a trial. What came in since it was asked for is looked at too, within the same school year."""
    return frame(trial.as_of or trial.through)


def _known(number: int) -> Simulation:
    trial = rows.one(number)
    if trial is None:
        raise NotFound("There is no such trial of a policy.")
    return trial


def _locked(number: int) -> Simulation:
    return db.session.get_one(Simulation, number, with_for_update=True, populate_existing=True)
