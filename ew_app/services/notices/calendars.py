"""What is due, in a person's own calendar program: a secret address that answers with numbers and neutral titles.

Whoever has the address reads case numbers and days, and no more: calendars are shared and stand on other servers. It
answers only while its person may sign in, and with what they may see at that moment.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from urllib.parse import urlsplit

from icalendar import Calendar, Event
from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert

from ew_app.kernel import Actor, NotFound, Refused, now, operation, record, settings, today
from ew_app.services.casework import reaching
from ew_app.services.people import signing_in
from models.base import db
from models.cases import Case, Task
from models.notices import CalendarAddress
from models.queries import worklists
from models.queries.visits import takes_part
from models.staff import Person
from models.visits import Visit
from rules.access import Permission

BACK = timedelta(days=60)  # what was due before that stands on Today, not in a calendar
MOST = 500
GONE = "There is no such calendar."


@operation
def new_address(by: Actor) -> str:
    """A new secret address for this person; the one before answers no more. It is shown once and kept as a hash."""
    if by.person_id is None:
        raise Refused("Only people who sign in have a calendar.")
    token = secrets.token_urlsafe(32)
    values = {"token_hash": _hash(token), "made_at": now(), "asked_at": None}
    row = insert(CalendarAddress).values(person_id=by.person_id, **values)
    db.session.execute(row.on_conflict_do_update(index_elements=[CalendarAddress.person_id], set_=values))
    record("calendar_address_made", by=by, subject=f"person:{by.person_id}")
    return f"{settings().address}/calendar/{token}.ics"


@operation
def end_address(by: Actor) -> None:
    """End this person's address; ended twice is ended once."""
    gone = delete(CalendarAddress).where(CalendarAddress.person_id == by.person_id)
    if db.session.scalar(gone.returning(CalendarAddress.person_id)) is not None:
        record("calendar_address_ended", by=by, subject=f"person:{by.person_id}")


def address_of(by: Actor) -> CalendarAddress | None:
    """When this person's address was made and last asked; None without one."""
    return db.session.get(CalendarAddress, by.person_id or 0, populate_existing=True)


@operation
def feed(token: str) -> bytes:
    """The calendar behind a secret address, as iCalendar. Raises NotFound, also for whoever may not sign in today."""
    address = db.session.scalar(select(CalendarAddress).where(CalendarAddress.token_hash == _hash(token)))
    person = db.session.get(Person, address.person_id) if address else None
    if address is None or person is None or person.disabled_at is not None:
        raise NotFound(GONE)
    by = signing_in.actor_of(person)
    if not by.grants.held:
        raise NotFound(GONE)
    if address.asked_at is None or now() - address.asked_at > timedelta(days=1):
        address.asked_at = now()
    calendar = Calendar()
    calendar.add("prodid", "-//Early Warning//EN")
    calendar.add("version", "2.0")
    calendar.add("x-wr-calname", "Early Warning")
    for event in (*_cases(by), *_tasks(by), *_visits(by)):
        calendar.add_component(event)
    return bytes(calendar.to_ical())


def _cases(by: Actor) -> Iterator[Event]:
    listed = worklists.cases_on_list_of(by.person_id, by.grants.standing_in)
    mine = listed, Case.closed_on.is_(None), Case.due >= today() - BACK
    wanted = select(Case.number, Case.due).where(*mine, reaching.cases_of(by, Permission.SEE_CASE))
    for number, due in db.session.execute(wanted.order_by(Case.due).limit(MOST)):
        yield _event(f"case-{number}", f"Case {number}: next step", due, f"/cases/{number}")


def _tasks(by: Actor) -> Iterator[Event]:
    """Every task alike, whatever it is about and whether it lies in a compartment."""
    listed = worklists.on_list_of(by.person_id, by.grants.standing_in, reaching.openings(by))
    mine = listed, Task.status == "open", Task.due >= today() - BACK
    for number, due in db.session.execute(select(Task.id, Task.due).where(*mine).order_by(Task.due).limit(MOST)):
        yield _event(f"task-{number}", "A task is due", due, "/today")


def _visits(by: Actor) -> Iterator[Event]:
    ahead = takes_part(by.person_id), Visit.status == "planned", Visit.day >= today()
    for visit in db.session.scalars(select(Visit).where(*ahead).order_by(Visit.day).limit(MOST)):
        starts = datetime.combine(visit.day, visit.at, settings().timezone) if visit.at else visit.day
        yield _event(f"visit-{visit.id}", "Out of the building", starts, f"/visits/{visit.id}")


def _event(key: str, title: str, starts: date | datetime | None, path: str) -> Event:
    event = Event()
    event.add("uid", f"{key}@{urlsplit(settings().address).hostname}")
    event.add("dtstamp", now())
    event.add("dtstart", starts)
    event.add("summary", title)
    event.add("url", f"{settings().address}{path}")
    event.add("transp", "TRANSPARENT")
    return event


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
