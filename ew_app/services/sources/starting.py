"""Which looks are due: each time of a timetable once, a look that failed again, or because somebody asks."""

from __future__ import annotations

from datetime import date, datetime, time
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from ew_app.alone import alone
from ew_app.kernel import Actor, NotFound, Refused, local, now, operation, record
from ew_app.outbox import Job, enqueue
from ew_app.services.sources import lining_up, pulling
from models.base import db
from models.org import Source
from models.pulls import Pull
from models.queries import pulls as rows
from rules import access
from rules.access import Permission, Place
from rules.stints import school_year_start
from rules.timetable import Days, Timetable, text

BY_SCHEDULE = "schedule"


def start_due() -> list[int]:
    """Start every look that is due and end those that were given up; returns the looks that were started.

    Each source stands alone.
    """
    end_given_up()
    lining_up.move_all_up()
    started = []
    for name, number in [(source.name, source.id) for source in rows.fetched_from()]:
        with alone(f"source {name}"):
            started.append(_start_due(number))
    return [number for number in started if number is not None]


def end_given_up() -> None:
    """End the looks whose work was set aside, so that they stand in nobody's way."""
    for number in rows.given_up():
        with alone(f"look {number}"):
            pulling.give_up(number)


@operation
def ask(name: str, *, by: Actor, afresh: bool = False) -> int:
    """Look now; returns the look, or the one that is under way. afresh: forget how far it was read. NotFound, Refused.

    A paused source is looked at when somebody asks: the pause is for the timetable.
    """
    access.check(by.grants, Permission.KEEP_SOURCES, Place.district())
    source = rows.source(name)
    if source is None:
        raise NotFound(f"There is no source {name}.")
    if source.kind == "by_hand":
        raise Refused(f"The files of {name} come by hand. Say where they can be fetched from first.")
    number = _insert(source.id, asked_by=by.login, afresh=afresh)
    if number is None:
        return _open(source.id)
    record("source_asked", by=by, subject=f"source:{name}")
    return number


def looks_on(timetable: Timetable, day: date) -> bool:
    """Whether the timetable looks on a day. Where no calendar is known yet, Monday to Friday stand for school days."""
    if timetable.days is Days.ALL:
        return True
    if timetable.days is Days.SCHOOL:
        start = school_year_start(day)
        taught = rows.school_on(day, start, start.replace(year=start.year + 1))
        if taught is not None:
            return taught
    return day.weekday() < 5


def next_look(source: Source) -> datetime | None:
    """When the source is looked at next, on the district's clock and without a zone; None: only when asked."""
    timetable = Timetable.of(source.timetable)
    return timetable.next(_wall(now()), lambda day: looks_on(timetable, day))


@operation
def _start_due(source_id: int) -> int | None:
    """At most one look: the newest time that passed, else one that was to be made again."""
    source = db.session.get_one(Source, source_id, with_for_update={"key_share": True}, populate_existing=True)
    if source.paused or source.kind == "by_hand" or rows.open_pull(source_id):
        return None
    due = _due(source)
    if due is not None:
        day, at = due
        number = _insert(source_id, asked_by=BY_SCHEDULE, local_date=day, slot=text(at))
        if number is not None:
            return number
    return _again(source_id)


def _due(source: Source) -> tuple[date, time] | None:
    timetable = Timetable.of(source.timetable)
    if source.changed_at is None:
        return None
    return timetable.due(_wall(now()), _wall(source.changed_at), lambda day: looks_on(timetable, day))


def _again(source_id: int) -> int | None:
    """The newest look made again, when its time has come; an older one has been overtaken."""
    last = rows.last_pull(source_id)
    if last is None or last.retry_at is None or last.retry_at > now():
        return None
    last.retry_at = None
    return _insert(source_id, asked_by=last.asked_by, tries=last.tries + 1, afresh=last.afresh)


def _insert(source_id: int, **values: Any) -> int | None:
    """A look and the work for it; None when this one is there already, or another is open."""
    row = {
        "source_id": source_id, "asked_at": now(), "ended": "", "sentence": "", "told": [], "batches": [],
        "afresh": False, "tries": 1,
    }  # fmt: skip
    asked = insert(Pull).values(row | values).on_conflict_do_nothing().returning(Pull.id)
    number: int | None = db.session.scalar(asked)
    if number is not None:
        enqueue(Job.PULL, number)
    return number


def _open(source_id: int) -> int:
    return db.session.scalars(select(Pull.id).where(Pull.source_id == source_id, Pull.ended_at.is_(None))).one()


def _wall(moment: datetime) -> datetime:
    """A moment as the clock on the wall of the district shows it."""
    return local(moment).replace(tzinfo=None)
