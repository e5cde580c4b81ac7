"""What the clock starts: signs of life, lost work sent again, each daily and hourly job once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from sqlalchemy import update
from sqlalchemy.dialects.postgresql import insert

from ew_app import outbox
from ew_app.alone import NotAllDone, all_told, alone
from ew_app.kernel import local, now, operation
from ew_app.outbox import Job, enqueue
from ew_app.services.casework import visit_alarm
from ew_app.services.deliveries import late_days
from ew_app.services.notices import digests, mails
from ew_app.services.sources import starting
from ew_app.services.system import audit, opening
from models.base import db
from models.jobs import TROUBLE, Beat, JobRun


@dataclass(frozen=True, slots=True)
class Daily:
    """A job for each local day, from an hour on; a run missed by midnight is made up the next morning."""

    job: Job
    from_hour: time


DAILY = (Daily(Job.NIGHTLY, time(20)), Daily(Job.TELL_REVIEWS, time(6)))
# Who comes back or begins a role finds the work that waited; what waits too long is shown; and of what came in since,
# the groups are compared: a bus that did not come is known the same day.
HOURLY = (Job.HAND_OUT, Job.FIND_CLUSTERS)


def sweep() -> int:
    """Say that worker and schedule are alive (only the schedule asks for this), send again what the broker lost,
    and seal what the audit has taken in."""
    sign_of_life("worker")
    sign_of_life("schedule")
    with all_told():
        sent = 0
        with alone("work sent again"):
            sent = outbox.sweep()
        with alone("the seal of the audit"):
            audit.seal()
    return sent


def tick() -> list[Job]:
    """Look for visits that are late, start the daily and hourly jobs and the looks at sources that are due, ask schools
    for days that have not come in by their hour, and for the e-mails that are due; two ticks at once, or an hour told
    twice, do each once.

    Each stands alone; what could not be done is kept with the sign of life, for the page of checks. While the demo's
    past is being told, today's work would come between: the first tick after it does it.
    """
    sign_of_life("schedule")
    if opening.demo_is_loading():
        return []
    moment = local(now())
    started: list[Job] = []
    try:
        with all_told():
            with alone("visits that are late"):
                visit_alarm.look()
            with alone("looks at sources"):
                starting.start_due()
            for daily in DAILY:
                with alone(daily.job.value):
                    started += [daily.job] * _start(daily.job, due_date(daily, moment))
            for job in HOURLY:
                with alone(job.value):
                    started += [job] * _start(job, moment.date(), hour=moment.hour)
            with alone("days that are missing"):
                late_days.follow()
            with alone("digests"):
                digests.ask_for_due()
            with alone("e-mails tried again"):
                mails.try_again()
    except NotAllDone as trouble:
        _keep_trouble(str(trouble))
    else:
        _keep_trouble("")
    return started


def due_date(daily: Daily, moment: datetime) -> date:
    """The local date whose run is due at a local moment: today's from its hour on, until then yesterday's."""
    return moment.date() if moment.time() >= daily.from_hour else moment.date() - timedelta(days=1)


@operation
def _start(job: Job, day: date, *, hour: int | None = None) -> bool:
    """Take the row of the day, or of an hour of it, and ask for the work; False when the row is there already."""
    run = job.value if hour is None else f"{job.value} {hour:02}"
    row = insert(JobRun).values(job=run, local_date=day, at=now())
    if db.session.scalar(row.on_conflict_do_nothing().returning(JobRun.job)) is None:
        return False
    enqueue(job, day.isoformat(), key=None if hour is None else "unowned")
    return True


@operation
def sign_of_life(part: str) -> None:
    """Write that a part is alive now."""
    row = insert(Beat).values(part=part, at=now(), detail={})
    db.session.execute(row.on_conflict_do_update(index_elements=[Beat.part], set_={"at": row.excluded.at}))


@operation
def _keep_trouble(sentence: str) -> None:
    """What the newest tick could not do; nothing once all of it works again."""
    detail = {TROUBLE: sentence} if sentence else {}
    changed = Beat.part == "schedule", Beat.detail != detail
    db.session.execute(update(Beat).where(*changed).values(detail=detail))
