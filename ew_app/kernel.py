"""The few things everything rests on: one transaction, one clock, one actor, errors that are sentences.

A verb is a service function under `@operation`: one transaction, one event, one audit row, and queued work
that leaves only after the commit. This is the only module that commits and the only one that reads a clock.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from flask import current_app
from psycopg.pq import TransactionStatus
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from ew_app.config import Settings
from models.audit import WORKER_POSITION, AuditRow, Event
from models.base import db
from models.bulk import copy_rows, cursor
from rules import school_days
from rules.access import Grants, NotAllowed
from rules.case_flow import IllegalMove
from rules.words import UnfitWords

P = ParamSpec("P")
T = TypeVar("T")


class DomainError(Exception):
    """Something the user can act on; `str()` is the sentence to show."""


class NotFound(DomainError):
    """It is not there, or not there for this person: the two look the same from outside."""


class Refused(DomainError):
    """The input cannot be taken as it is; the sentence says why and how to mend it."""


class Conflict(DomainError):
    """Someone else changed it in between; nothing was overwritten."""


SENTENCES: tuple[type[Exception], ...] = (DomainError, NotAllowed, IllegalMove, UnfitWords)
"""Every error whose `str()` is fit for the person who caused it."""


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: a person with grants, the operator at the command line, or a worker."""

    login: str
    name: str
    position: str
    person_id: int | None = None
    grants: Grants = field(default_factory=Grants)


OPERATOR = Actor("operator", "Operator", "command line", grants=Grants.operator())
WORKER = Actor("worker", "The system", WORKER_POSITION, grants=Grants.operator())


@dataclass(frozen=True, slots=True)
class Trace:
    """Where a request came from, for the audit."""

    ip: str = ""
    request_id: str = ""


NOWHERE = Trace()
trace: ContextVar[Trace] = ContextVar("trace", default=NOWHERE)
_in_transaction: ContextVar[bool] = ContextVar("in_transaction", default=False)
_as_of: ContextVar[datetime | None] = ContextVar("as_of", default=None)


def settings() -> Settings:
    """The settings this process was started with."""
    kept: Settings = current_app.extensions["ew"]
    return kept


def clock() -> datetime:
    """This moment in UTC, whatever is being told. The only clock in the house."""
    return datetime.now(UTC)


def now() -> datetime:
    """The moment at which things happen, in UTC: what the clock says, unless `told_as_of` says otherwise."""
    return _as_of.get() or clock()


@contextmanager
def told_as_of(moment: datetime) -> Iterator[None]:
    """Let everything inside happen at a moment of the past: so an invented district gets its history.

    Queue and audit keep to the clock: they say when something was really done.
    """
    token = _as_of.set(moment)
    try:
        yield
    finally:
        _as_of.reset(token)


def local(moment: datetime) -> datetime:
    """A moment on the district's own clock."""
    return moment.astimezone(settings().timezone)


def today() -> date:
    """The district's date, or the date fixed by EW_TODAY for a pilot, a demo or a test."""
    if (moment := _as_of.get()) is not None:
        return local(moment).date()
    return settings().today or local(clock()).date()


def wall_clock() -> time:
    """What the clock on the wall of the district shows now, whatever day it is."""
    return local(now()).time()


def day_text(day: date) -> str:
    """A day as every page and command writes it: Tue 24 Nov; with its year where it is of another school year."""
    return school_days.day_text(day, today())


@contextmanager
def transaction() -> Iterator[None]:
    """Join the transaction that is open, or open one and commit it; on an error nothing remains."""
    if _in_transaction.get():
        yield
        return
    token = _in_transaction.set(True)
    try:
        if (moment := _as_of.get()) is not None:  # for what the database notes by itself
            db.session.execute(text("SELECT set_config('ew.moment', :moment, true)"), {"moment": moment.isoformat()})
        yield
        db.session.commit()
        leaving = db.session.info.pop("on_commit", [])
    except BaseException:
        db.session.rollback()
        db.session.info.pop("on_commit", None)
        raise
    finally:
        _in_transaction.reset(token)
    for send in leaving:
        send()


@contextmanager
def spared() -> Iterator[None]:
    """A part of the open transaction: on an error nothing of it remains, and what came before does.

    Outside one whoever is called has transactions of their own, and an error leaves none open.
    """
    asked = len(db.session.info.get("on_commit", []))
    try:
        if _in_transaction.get():
            with db.session.begin_nested():
                yield
        else:
            yield
    except BaseException:
        if _in_transaction.get():
            del db.session.info.get("on_commit", [])[asked:]
        else:
            db.session.rollback()
        raise


@contextmanager
def apart() -> Iterator[None]:
    """A session of its own inside, beside the one that is open: whatever happens there is taken back at the end."""
    with current_app.app_context():
        token = _in_transaction.set(True)
        try:
            yield
        finally:
            _in_transaction.reset(token)
            db.session.rollback()


def end_reading(error: BaseException | None = None) -> None:
    """End a request that has only read with a commit: after a rollback the driver forgets what it has prepared.

    What was written outside a verb, or not written yet, is taken back as ever.
    """
    open_now = db.session()
    if error is None and open_now.in_transaction() and open_now.is_active:
        with suppress(OperationalError), cursor() as at:  # a database that went away has been told of
            healthy = at.connection.info.transaction_status is TransactionStatus.INTRANS
            if healthy and at.execute("SELECT pg_current_xact_id_if_assigned() IS NULL").fetchone() == (True,):
                at.connection.commit()


def operation(verb: Callable[P, T]) -> Callable[P, T]:
    """Make a service function one transaction: all of it happens, or none."""

    @wraps(verb)
    def run(*args: P.args, **kwargs: P.kwargs) -> T:
        with transaction():
            return verb(*args, **kwargs)

    return run


def on_commit(send: Callable[[], object]) -> None:
    """Run `send` after the open transaction has committed; forgotten if it rolls back."""
    if not _in_transaction.get():
        raise RuntimeError("on_commit needs an open transaction")
    db.session.info.setdefault("on_commit", []).append(send)


@dataclass(frozen=True, slots=True)
class Told:
    """Something that happened. `data` holds ids, keys and short labels for the timeline; the audit takes none of it."""

    kind: str
    by: Actor
    subject: str
    student_id: int | None = None
    case_id: int | None = None
    compartment: str | None = None
    reason: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)

    def event(self) -> dict[str, Any]:
        """The row that people read."""
        return {
            "at": now(),
            "kind": self.kind,
            "subject": self.subject,
            "case_id": self.case_id,
            "student_id": self.student_id,
            "compartment": self.compartment,
            "actor": self.by.name,
            "position": self.by.position,
            "data": dict(self.data),
        }

    def proof(self) -> dict[str, Any]:
        """The audit row that proves it."""
        here = trace.get()
        return {
            "at": clock(),
            "actor": self.by.login,
            "role": self.by.position,
            "action": self.kind,
            "subject": self.subject,
            "student_id": self.student_id,
            "compartment": self.compartment,
            "reason": self.reason,
            "ip": here.ip,
            "request_id": here.request_id,
        }


def record(
    kind: str,
    *,
    by: Actor,
    subject: str,
    student_id: int | None = None,
    case_id: int | None = None,
    compartment: str | None = None,
    reason: str = "",
    **data: Any,
) -> None:
    """Write the event that people read and the audit row that proves it, in the open transaction."""
    told = Told(kind, by, subject, student_id, case_id, compartment, reason, data)
    db.session.add(Event(**told.event()))
    db.session.add(AuditRow(**told.proof()))


def record_all(happened: Sequence[Told]) -> None:
    """The same for many things at once, in their order."""
    copy_rows("event", [told.event() for told in happened])
    copy_rows("audit_row", [told.proof() for told in happened])


def audit(
    action: str,
    *,
    by: Actor,
    subject: str,
    student_id: int | None = None,
    compartment: str | None = None,
    reason: str = "",
) -> None:
    """Write an audit row alone: for reads of a compartment, sign-ins and refusals, which change nothing."""
    told = Told(action, by, subject, student_id, compartment=compartment, reason=reason)
    db.session.add(AuditRow(**told.proof()))
