"""The database's tables and the worker's pulse, for whatever starts or checks the system."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from functools import partial

import redis
from flask import current_app
from kombu.exceptions import OperationalError

from ew_app.alone import all_told, alone
from ew_app.kernel import Refused, clock, operation, today
from ew_app.outbox import Job, enqueue
from ew_app.services.deciding import everybody, simulating
from ew_app.services.deciding.flagging import SLICE
from ew_app.services.deliveries import releasing
from ew_app.services.people import drafts
from ew_app.services.risk import scoring
from ew_app.services.sources import pulling
from ew_app.services.system import quality
from ew_app.services.watching import clusters, goal_counts, telling
from models import migrate
from models.base import db


def upgrade() -> None:
    """Bring the tables to this version; safe to call from several processes at once."""
    migrate.upgrade(db.engine)


def check_tables() -> None:
    """Refused, with the command to run, when the database is not at this version's tables."""
    if migrate.revision(db.engine) != migrate.head():
        raise Refused("The database is not at this version's tables yet. Run `ew db upgrade`.")


def nightly(night: str = "") -> None:
    """The queued work of a school day's end: files and drafts nobody wanted go, everybody is decided about again, a
    risk model at work or on trial is asked, groups of students are compared, the records are looked through, the
    month's tables are told, goals and monitored rules are counted. A slice of it; what is left is asked again."""
    day = date.fromisoformat(night) if night else today()
    with all_told():
        if everybody.begin(day):
            _each({"old files": releasing.expire, "old looks": pulling.forget_old, "old drafts": drafts.expire})
        if everybody.go_on(day, clock() + SLICE):
            _each({
                "the risk model": partial(scoring.ask, day), "groups": clusters.look, "records": quality.ask_at_night,
                "tables of the month": partial(telling.ask_for_all, day),
                "goals": goal_counts.ask_for_all, "monitored rules": simulating.count_monitored,
            })  # fmt: skip
        else:
            _go_on_later(day)


def _each(steps: Mapping[str, Callable[[], object]]) -> None:
    """What cannot be done stops nothing else and is told at the end."""
    for what, step in steps.items():
        with alone(what):
            step()


@operation
def _go_on_later(day: date) -> None:
    enqueue(Job.NIGHTLY, day.isoformat(), key=f"{day} goes on")


def worker_answers(seconds: float = 1.0) -> bool:
    """Whether a worker is there to take work now."""
    try:
        return bool(current_app.extensions["celery"].control.ping(timeout=seconds, limit=1))
    except (OperationalError, OSError, redis.RedisError):
        return False


def disconnect() -> None:
    """Let go of database and broker: whoever opened an application closes it."""
    db.session.remove()
    db.engine.dispose()
    current_app.extensions["celery"].close()
