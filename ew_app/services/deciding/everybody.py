"""Everybody decided about again from the rows of the whole year, as every night: in slices, and what differed told.

What follows every change and what starts from the first day have to agree. Where they do not, the rows are right: what
stood differently is put right, and counted so that somebody hears of it.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from datetime import date, datetime
from enum import StrEnum

from ew_app.kernel import WORKER, clock, now, operation, record
from ew_app.outbox import Job
from ew_app.services.deciding import counting, flagging
from models import touched
from models.base import db
from models.jobs import JobRun


class Stage(StrEnum):
    """How far a night is: who waits anyway comes first, so that what is new to all is not taken for a difference."""

    WAITING = "waiting"
    EVERYBODY = "everybody"
    COUNTS = "counts"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class Progress:
    """A night: students marked, decided about so far, and found different; schools whose counts were."""

    stage: Stage
    students: int = 0
    looked: int = 0
    different: int = 0
    miscounted: int = 0

    @classmethod
    def of(cls, run: JobRun) -> Progress | None:
        """What a run has written of itself; None while it has not begun."""
        kept = run.detail
        return cls(**{**kept, "stage": Stage(kept["stage"])}) if kept else None


@operation
def begin(night: date) -> bool:
    """Begin the run of a night; False where it has begun already and is to be gone on with."""
    run = _run(night)
    if run.detail:
        return False
    _keep(run, Progress(Stage.WAITING))
    flagging.place()
    return True


def go_on(night: date, until: datetime) -> bool:
    """Work on the run of a night up to a moment; True when it is through, however often it is asked."""
    while (found := _now(night)).stage is not Stage.DONE:
        if clock() >= until:
            return False
        _STEPS[found.stage](night)
    return True


@operation
def _now(night: date) -> Progress:
    found = Progress.of(_run(night))
    assert found is not None, "a night begins before it goes on"
    return found


@operation
def _who_waits(night: date) -> None:
    """One chunk of those who wait anyway; after the last of them everybody is marked."""
    if flagging.one_chunk(None) is None:
        flagging.place()
        flagging.mark_everyone()
        _keep(_run(night), Progress(Stage.EVERYBODY, students=touched.waiting_students()))


@operation
def _everybody(night: date) -> None:
    """One chunk of everybody, with how many of them stood differently."""
    found = flagging.one_chunk(None, compare=True)
    run = _run(night)
    kept = Progress.of(run)
    assert kept is not None
    if found is None:
        _keep(run, replace(kept, stage=Stage.COUNTS))
    else:
        looked, different = kept.looked + found["students"], kept.different + found["different"]
        _keep(run, replace(kept, looked=looked, different=different))


def _counts(night: date) -> None:
    """The counts of every day, and the end of the run."""
    _end(night, counting.count_everything())


@operation
def _end(night: date, miscounted: int) -> None:
    run = _run(night)
    kept = Progress.of(run)
    assert kept is not None
    done = replace(kept, stage=Stage.DONE, miscounted=miscounted)
    _keep(run, done)
    run.ended_at = now()
    data = {"night": night.isoformat(), **_told(done)}
    record("everybody_decided", by=WORKER, subject="district", data=data)


_STEPS = {Stage.WAITING: _who_waits, Stage.EVERYBODY: _everybody, Stage.COUNTS: _counts}


def _run(night: date) -> JobRun:
    """The row of a night, held until the transaction ends; who starts it by hand has none yet."""
    run = db.session.get(JobRun, (Job.NIGHTLY.value, night), with_for_update=True, populate_existing=True)
    if run is None:
        run = JobRun(job=Job.NIGHTLY.value, local_date=night, at=now(), detail={})
        db.session.add(run)
        db.session.flush()
    return run


def _keep(run: JobRun, found: Progress) -> None:
    run.detail = {**_told(found), "stage": found.stage.value}


def _told(found: Progress) -> dict[str, int]:
    return {name: value for name, value in asdict(found).items() if name != "stage"}
