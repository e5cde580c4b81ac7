"""Queued work as rows. The broker carries only row numbers: it may be wiped at any moment and nothing is lost.

enqueue -> a row in the caller's transaction -> sent after the commit -> a worker claims it -> done, in a
transaction of its own. A claim is an advisory lock on a connection of its own, so the death of a worker frees
it at once, without a timeout to guess. Whatever is neither done nor set aside is sent again by `sweep`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import timedelta
from enum import StrEnum
from functools import partial
from typing import Any

from celery import Celery
from flask import current_app
from kombu.exceptions import OperationalError
from sqlalchemy import Select, exists, func, select, text, update
from sqlalchemy.dialects.postgresql import insert

from ew_app.alone import note, reason
from ew_app.config import Settings
from ew_app.kernel import SENTENCES, clock, on_commit, operation
from models.base import db
from models.jobs import Outbox

log = logging.getLogger("ew.outbox")

MAX_ATTEMPTS = 3
SOFT_LIMIT = 270
HARD_LIMIT = 300
LONG = {"soft_time_limit": 780, "time_limit": 840}  # of work that waits for another machine; below the visibility
VISIBILITY = 900
RESEND_AFTER = timedelta(seconds=20)
NOW = timedelta()
LOCK_SPACE = 7301


class Job(StrEnum):
    """Every kind of queued work; each has one task of the same name in workers.tasks."""

    LOAD_BATCH = "load_batch"
    UNDO_BATCH = "undo_batch"
    EVALUATE = "evaluate"
    FOLLOW = "follow"
    HAND_OUT = "hand_out"
    SIMULATE = "simulate"
    PULL = "pull"
    CLEAR_AWAY = "clear_away"
    NIGHTLY = "nightly"
    CHECK_QUALITY = "check_quality"
    TELL_REVIEWS = "tell_reviews"
    FIND_CLUSTERS = "find_clusters"
    COUNT_GOAL = "count_goal"
    SUM_UP = "sum_up"
    TELL_PARTS = "tell_parts"
    TRAIN_RISK = "train_risk"
    SCORE_RISK = "score_risk"
    SEND_MAIL = "send_mail"
    VISIT_LATE = "visit_late"
    SWEEP = "sweep"
    TICK = "tick"


_done_here: ContextVar[Mapping[Job, Callable[..., Any]] | None] = ContextVar("done_here", default=None)


def make_celery(settings: Settings) -> Celery:
    """A Celery app that survives its workers: late acks, rejection on loss, limits below the visibility."""
    transport = {
        "visibility_timeout": VISIBILITY,
        "unacked_restore_throttle": 1,
        "socket_connect_timeout": 2,
        "socket_timeout": 5,  # a broker that hangs must not hang a person's request
        "max_retries": 0,  # nobody waits for a broker that is away: the row is sent by the sweep
    }
    celery = Celery("ew", broker=settings.redis_url)
    celery.conf.update(
        broker_transport_options=transport,
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        visibility_timeout=VISIBILITY,
        task_acks_late=True,
        task_reject_on_worker_lost=True,
        task_ignore_result=True,
        task_serializer="json",
        accept_content=["json"],
        task_time_limit=HARD_LIMIT,
        task_soft_time_limit=SOFT_LIMIT,
        worker_prefetch_multiplier=1,
        worker_soft_shutdown_timeout=30,
        worker_hijack_root_logger=False,
        task_default_queue="ew",
        timezone="UTC",
        enable_utc=True,
    )
    return celery


def enqueue(job: Job, *args: Any, key: str | None = None, later: timedelta = NOW) -> None:
    """Ask for work: a row in the open transaction, sent after the commit.

    `key` (default: the arguments) names the work; asking again while it waits adds nothing. Work for `later` is sent
    by the sweep then, unless it is asked for at once before; asked for later again, it waits anew.
    """
    row: dict[str, Any] = {
        "job": job.value,
        "key": key or ":".join(map(str, args)),
        "args": list(args),
        "created_at": clock(),
        "sent_at": clock() + later,
        "attempts": 0,
        "error": "",
    }
    asked = insert(Outbox).values(row).on_conflict_do_nothing().returning(Outbox.id)
    while (number := db.session.scalar(asked)) is None:
        waiting = db.session.scalars(_still_waits(row["job"], row["key"])).first()
        if waiting is None:
            continue
        if waiting.sent_at is None or waiting.sent_at <= clock():
            return
        number, waiting.args, waiting.sent_at = waiting.id, row["args"], row["sent_at"]
        break
    if not later:
        on_commit(partial(send, job.value, number))


def _still_waits(job: str, key: str) -> Select[Outbox]:
    """The waiting row of this work, locked so that it begins after our commit and finds what we wrote."""
    same = select(Outbox).where(Outbox.job == job, Outbox.key == key)
    waiting = same.where(Outbox.claimed_at.is_(None), Outbox.done_at.is_(None), Outbox.quarantined_at.is_(None))
    return waiting.with_for_update(read=True, key_share=True).execution_options(populate_existing=True)


def waits(job: Job, key: str) -> bool:
    """Whether this work is asked for, or under way, and not set aside."""
    same = Outbox.job == job.value, Outbox.key == key, Outbox.done_at.is_(None), Outbox.quarantined_at.is_(None)
    return bool(db.session.scalar(select(exists().where(*same))))


def waiting(job: Job) -> set[str]:
    """The keys of this kind of work that are asked for, or under way, and not set aside."""
    same = Outbox.job == job.value, Outbox.done_at.is_(None), Outbox.quarantined_at.is_(None)
    return set(db.session.scalars(select(Outbox.key).where(*same)))


@contextmanager
def done_here(work: Mapping[Job, Callable[..., Any]]) -> Iterator[None]:
    """What is asked for inside is done by this process right after the commit, not sent to a worker.

    If this process ends before, the sweep sends the row like any other.
    """
    token = _done_here.set(work)
    try:
        yield
    finally:
        _done_here.reset(token)


def send(job: str, number: int) -> bool:
    """Hand a row number to the broker; False if the broker is away: then the sweep will do it."""
    if (here := _done_here.get()) is not None:
        return perform(Job(job), number, here[Job(job)])
    try:
        current_app.extensions["celery"].send_task(job, args=[number], retry=False)
    except (OperationalError, OSError):
        log.warning("broker away: %s %s waits for the sweep", job, number)
        return False
    return True


def perform(job: Job, number: int, work: Callable[..., Any]) -> bool:
    """Do the work of one row once, whoever delivers it and however often; True if it was done here.

    A number that means another job here is not ours: a broker may outlive the database that its messages are about.
    A failure is counted in the row; after three it is set aside with its reason and a person is told.
    """
    with _claim(number) as mine:
        if not mine or (args := _begin(job, number)) is None:
            return False
        try:
            work(*args)
        except SENTENCES as refusal:
            _set_aside(number, str(refusal))
        except Exception as error:
            db.session().invalidate()  # in whatever state its connection is, the next attempt has a new one
            note(log, f"job {number} failed", error)
            _failed(number, reason(error))
            return False
        else:
            _finish(number)
        return True


@contextmanager
def _claim(number: int) -> Iterator[bool]:
    """Hold the advisory lock of a row while the block runs; the lock dies with this process."""
    key = {"space": LOCK_SPACE, "number": number % 2**31}
    with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as line:
        mine = line.scalar(text("SELECT pg_try_advisory_lock(:space, :number)"), key)
        try:
            yield bool(mine)
        finally:
            if mine:
                line.execute(text("SELECT pg_advisory_unlock(:space, :number)"), key)


@operation
def _begin(job: Job, number: int) -> list[Any] | None:
    """Count the attempt; None if the row is done, unknown, of another job, or has used up its attempts."""
    row = db.session.get(Outbox, number, with_for_update=True)
    if row is None or row.job != job.value or row.done_at or row.quarantined_at:
        return None
    if row.attempts >= MAX_ATTEMPTS:
        row.quarantined_at = clock()
        row.error = row.error or "The worker was lost three times while doing this."
        return None
    row.attempts += 1
    row.claimed_at = clock()
    return list(row.args)


@operation
def _finish(number: int) -> None:
    db.session.execute(update(Outbox).where(Outbox.id == number).values(done_at=clock(), error=""))


@operation
def _failed(number: int, error: str) -> None:
    row = db.session.get_one(Outbox, number, with_for_update=True)
    row.error = error[:2000]
    if row.attempts >= MAX_ATTEMPTS:
        row.quarantined_at = clock()


@operation
def _set_aside(number: int, sentence: str) -> None:
    """A refusal will not go away by trying again: keep it for a person."""
    db.session.execute(update(Outbox).where(Outbox.id == number).values(quarantined_at=clock(), error=sentence[:2000]))


@operation
def sweep() -> int:
    """Send again what was asked for and is neither done nor set aside; returns how many.

    A row still being worked on is sent too: its claim makes the second delivery a no-op.
    """
    waiting = (
        select(Outbox.id, Outbox.job)
        .where(Outbox.done_at.is_(None), Outbox.quarantined_at.is_(None))
        .where(Outbox.sent_at < clock() - RESEND_AFTER)
        .order_by(Outbox.id)
        .limit(1000)
        .with_for_update(skip_locked=True)
    )
    rows = db.session.execute(waiting).all()
    db.session.execute(update(Outbox).where(Outbox.id.in_([row.id for row in rows])).values(sent_at=clock()))
    on_commit(lambda: all(send(row.job, row.id) for row in rows))  # up to the first that fails
    return len(rows)


def newest() -> int:
    """The number of the work that was asked for last; 0 when there was none."""
    with db.engine.connect() as line:
        return line.scalar(select(func.max(Outbox.id))) or 0


def waits_since(number: int) -> bool:
    """Whether work that was asked for later than this one is neither done nor set aside."""
    later = Outbox.id > number, Outbox.done_at.is_(None), Outbox.quarantined_at.is_(None)
    with db.engine.connect() as line:
        return bool(line.scalar(select(exists().where(*later))))
