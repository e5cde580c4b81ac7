"""Opening the doors: an empty database gets the demo district if asked, and people read how to get in."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any

from sqlalchemy import select

from ew_app.config import Settings
from ew_app.demo.school_year import taught_days
from ew_app.kernel import OPERATOR, operation, record, settings
from ew_app.services.deliveries import waiting
from ew_app.services.people import demo_people
from ew_app.services.system import demo_past
from models.attendance import Batch
from models.audit import Event
from models.base import db
from models.org import School
from models.staff import Person

STARTED, FINISHED = "demo_started", "demo_finished"


def at_its_day(ready: Settings, *, demo: bool = False) -> Settings:
    """The settings with the demo's own date as today, if the database holds the demo and no date was set.

    `demo`: an empty database is promised to the demo here, before anything else runs.
    """
    if demo and _is_empty() and _told(STARTED) is None:
        _begin(taught_days(demo_past.DAYS, None)[-1])
    begun = _told(STARTED)
    if ready.today or begun is None:
        return ready
    return dataclasses.replace(ready, today=date.fromisoformat(begun["today"]))


def open_doors(*, demo: bool, **size: Any) -> Iterator[str]:
    """Load the demo where it was promised and is not there yet; then say where to go and who can sign in.

    size: how large a demo, in the words of `demo.write_district`.
    """
    if demo_is_loading():
        yield from _load_demo(size)
    elif demo and _told(STARTED) is None:
        yield "This database holds a district already; the demo was not loaded."
    yield ""
    yield f"Ready at {settings().address}"
    yield from _logins()


def demo_is_loading() -> bool:
    """Whether this database is promised to the demo, and it is not there as a whole yet."""
    return _told(STARTED) is not None and _told(FINISHED) is None


@operation
def _begin(day: date) -> None:
    record(STARTED, by=OPERATOR, subject="demo", today=day.isoformat())


@operation
def _end() -> None:
    record(FINISHED, by=OPERATOR, subject="demo")


def _load_demo(size: Mapping[str, Any]) -> Iterator[str]:
    """A start that was interrupted goes on where it stopped."""
    for number in db.session.scalars(select(Batch.id).where(Batch.status.in_(waiting.UNDER_WAY))).all():
        waiting.for_batch(number, demo_past.silent)
    yield from demo_past.tell(settings().folder("demo"), **size)
    _end()


def _logins() -> Iterator[str]:
    """Demo people, or how the first real person gets in."""
    db.session.rollback()  # a fresh look
    if logins := demo_people.logins():
        yield "An invented district, for this machine only. Sign in with one of these (the password is after the /):"
        width = max(len(login) + len(password) for login, password, _ in logins) + 3
        yield from (f"  {f'{login} / {password}':<{width}}  {who}" for login, password, who in logins)
        yield f"Today's attendance has not come in yet. Under Import send {_todays_file()}"
    elif db.session.scalar(select(Person.id).limit(1)) is None:
        yield "Nobody can sign in yet. Add the first person, who gets a link to choose a password:"
        yield "  python3 dev.py ew user add NAME --role system_admin --place district"
        if _is_empty():
            yield "Then load your schools and students: python3 dev.py ew load roster FOLDER"


def _todays_file() -> Path:
    return settings().folder("demo") / "today" / "attendance.csv"


def _is_empty() -> bool:
    """No school, no person and no delivery yet."""
    return not any(db.session.scalar(select(table.id).limit(1)) for table in (School, Person, Batch))


def _told(kind: str) -> dict[str, Any] | None:
    """What the newest event of that kind says."""
    asked = select(Event.data).where(Event.subject == "demo", Event.kind == kind).order_by(Event.id.desc()).limit(1)
    found: dict[str, Any] | None = db.session.scalar(asked)
    return found
