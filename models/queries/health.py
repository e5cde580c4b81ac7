"""Whether the parts are alive and nothing waits too long: numbers only, no student."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time

from sqlalchemy import ColumnElement, and_, exists, func, or_, select, text
from sqlalchemy.orm import aliased

from models import touched
from models.audit import Event
from models.base import db
from models.jobs import TROUBLE, Beat, JobRun, Outbox
from models.org import School
from models.policies import PolicyVersion
from models.queries.lateness import LATE


@dataclass(frozen=True, slots=True)
class Waiting:
    """Queued work: how much waits, since when, and what was set aside for a person."""

    waiting: int
    oldest: datetime | None
    last_claim: datetime | None
    set_aside: int


@dataclass(frozen=True, slots=True)
class SetAside:
    """Work that was tried and put aside, with the reason."""

    id: int
    job: str
    created_at: datetime
    attempts: int
    error: str


@dataclass(frozen=True, slots=True)
class LateSchool:
    """A school whose last school day has not come in, and the last day that has."""

    key: str
    name: str
    last: date | None
    days: int  # school days without a submission since then


def beats() -> dict[str, datetime]:
    """Part -> its last sign of life."""
    return {part: at for part, at in db.session.execute(select(Beat.part, Beat.at))}


def beat(part: str) -> datetime | None:
    return db.session.scalar(select(Beat.at).where(Beat.part == part))


def trouble() -> str:
    """What the newest tick of the schedule could not do; nothing while all of it works."""
    return db.session.scalar(select(Beat.detail[TROUBLE].astext).where(Beat.part == "schedule")) or ""


def _aside() -> ColumnElement[bool]:
    """Condition on Outbox: set aside, and the same work was neither done nor set aside again since."""
    later = aliased(Outbox)
    ended = or_(later.done_at.is_not(None), later.quarantined_at.is_not(None))
    again = exists().where(later.job == Outbox.job, later.key == Outbox.key, later.id > Outbox.id, ended)
    return and_(Outbox.quarantined_at.is_not(None), ~again)


def outbox() -> Waiting:
    open_rows = Outbox.done_at.is_(None), Outbox.quarantined_at.is_(None)
    count, oldest = db.session.execute(select(func.count(), func.min(Outbox.created_at)).where(*open_rows)).one()
    return Waiting(
        waiting=count,
        oldest=oldest,
        last_claim=db.session.scalar(select(func.max(Outbox.claimed_at))),
        set_aside=db.session.scalar(select(func.count()).where(_aside())) or 0,
    )


def set_aside(limit: int = 20) -> list[SetAside]:
    """The newest work that was set aside, each kind of it once."""
    rows = select(Outbox).where(_aside()).order_by(Outbox.id.desc()).limit(limit)
    return [SetAside(r.id, r.job, r.created_at, r.attempts, r.error) for r in db.session.scalars(rows)]


def late_schools(since: date, today: date, clock: time | None = None) -> list[LateSchool]:
    """Schools that lack school days from `since` on after their last one, as `lateness.gaps` counts them, most days
    first; of a school that never sent anything, all of them."""
    schools = list(db.session.scalars(select(School.id)))
    asked = {"schools": schools, "start": since, "today": today, "clock": clock}
    return [LateSchool(*row) for row in db.session.execute(text(LATE), asked)]


def last_run(job: str) -> JobRun | None:
    """The newest run of a daily job."""
    runs = select(JobRun).where(JobRun.job == job).order_by(JobRun.local_date.desc()).limit(1)
    return db.session.scalars(runs).first()


def deciding() -> int:
    """At most so many students wait to be decided about: those of the blocks in which somebody is marked."""
    return touched.waiting_students()


def policy_in_force(on: date) -> PolicyVersion | None:
    """The policy of a day: of those that have started, the one activated last for the latest start."""
    started = select(PolicyVersion).where(PolicyVersion.starts <= on, PolicyVersion.withdrawn_at.is_(None))
    newest = started.order_by(PolicyVersion.starts.desc(), PolicyVersion.id.desc()).limit(1)
    return db.session.scalars(newest).first()


def last_backup() -> datetime | None:
    """When the whole database was last saved by our own command."""
    return db.session.scalar(select(func.max(Event.at)).where(Event.subject == "database", Event.kind == "backup_made"))


def school_count() -> int:
    return db.session.scalar(text("SELECT count(*) FROM school")) or 0
