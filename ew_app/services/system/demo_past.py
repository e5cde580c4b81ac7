"""The demo's past, told as it went: attendance comes in week after week, and the staff work in between.

Everything passes through the same import and the same services as a real district's days, each at its own moment,
in this process: a worker lives on the demo's last day. What is told already is not told again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

from sqlalchemy import delete, select

from ew_app.demo import Summary, write_district
from ew_app.demo.school_year import SchoolYear, taught_days
from ew_app.feeds import open_delivery
from ew_app.kernel import OPERATOR, Actor, Refused, operation, record, told_as_of, transaction
from ew_app.outbox import Job, done_here
from ew_app.services.casework import catching_up, handing_out
from ew_app.services.deciding import flagging
from ew_app.services.deliveries import ingest, late_days, waiting
from ew_app.services.measuring.touched import ask_for_evaluation
from ew_app.services.people import demo_people, signing_in
from ew_app.services.system import demo_given, demo_reviews, demo_supports, demo_watching
from ew_app.services.system.demo_staff import Staff, moment
from models.audit import Event
from models.base import db
from models.staff import Grant, Person

Work = Mapping[Job, Callable[..., Any]]

DAYS: Final = 60  # the last of them is today
STUDENTS: Final = 3_000
SEED: Final = 2026
PARTS: Final = (24, 31, 38, 45, 52, DAYS - 2)  # the school days on which attendance comes in
TOLD: Final = "demo_told"
ALONE: Final = ("stls_liaison", "nurse")
NOW: Final[Work] = {
    Job.LOAD_BATCH: ingest.load,
    Job.EVALUATE: flagging.evaluate,
    Job.FOLLOW: catching_up.follow_left,
    Job.HAND_OUT: handing_out.hand_out,
    Job.COUNT_GOAL: lambda *_: None,  # counted by the first night's work, from the days as they stand then
}
LATER: Final[Work] = {**NOW, Job.EVALUATE: lambda *_: None}  # the next delivery decides for whoever was touched


def tell(folder: Path, **size: Any) -> Iterator[str]:
    """Write the district into `folder` and live it; size: in the words of `write_district`. Yields what is done."""
    size = {"students": STUDENTS, "seed": SEED} | size
    taught = taught_days(DAYS, None)
    ends = [taught[number] for number in PARTS]
    yield "Writing the demo district ..."
    made = write_district(folder, days=DAYS, parts=ends, **size)
    yield f"Loading its roster: {made.students:,} students ..."
    _start(folder, taught[0])
    staff = Staff(size["seed"], SchoolYear(taught[0].year).school_days)
    for end, until in pairwise([*ends, taught[-1]]):
        yield f"Loading its attendance up to {end:%a} {end.day} {end:%b}, and what the staff do after it ..."
        _load_part(folder, end)
        _work(staff, [(nth, day) for nth, day in enumerate(taught) if end <= day < until], taught)
    _end(folder, made, staff, taught)


def silent(percent: int, step: str) -> None:
    """The lines that `tell` yields say enough."""


def _start(folder: Path, day: date) -> None:
    with told_as_of(moment(day, 7)), done_here(NOW):
        if _is_new("roster"):
            _load("roster", folder, OPERATOR, "roster of the new school year")
            demo_people.add()
            _seat_the_demo()
            _note("roster")


def _seat_the_demo() -> None:
    """The demo's liaison and nurse hold their seat alone at their school, so that its work comes to them."""
    held = select(Grant).join(Person, Person.id == Grant.person_id).where(Person.is_demo, Grant.role.in_(ALONE))
    for seat in db.session.scalars(held).all():
        same = Grant.role == seat.role, Grant.place == seat.place, Grant.person_id != seat.person_id
        db.session.execute(delete(Grant).where(*same))


def _load_part(folder: Path, end: date) -> None:
    """Attendance is taken by nine, and the district's file comes in half an hour later."""
    with told_as_of(moment(end, 9, 30)), done_here(NOW):
        if _is_new(f"part {end}"):
            _load("attendance", folder / "parts" / end.isoformat(), _person("data_steward"), f"attendance-{end}.csv")
            _note(f"part {end}")


def _work(staff: Staff, days: Sequence[tuple[int, date]], taught: Sequence[date]) -> None:
    """days: with their place among the school days of the year."""
    for nth, day in days:
        with told_as_of(moment(day, 16)), done_here(LATER), transaction():
            if _is_new(f"work {day}"):
                staff.work(day)
                demo_reviews.hold(nth)
                demo_watching.aim(nth, taught)
                _note(f"work {day}")


def _end(folder: Path, made: Summary, staff: Staff, days: Sequence[date]) -> None:
    """Yesterday evening families have called; at midnight the late school was asked for its day; this morning it sent a
    file, which waits to be let in, and the data steward was asked to look at it."""
    yesterday, today = days[-2:]
    with told_as_of(moment(yesterday, 15)), done_here(NOW):
        if _is_new("late changes"):
            changes = demo_watching.late_changes(days[:-1])
            if changes is not None:
                _receive("attendance", {"attendance.csv": changes}, _person("data_steward"), "late-changes.csv")
            _note("late changes")
    with told_as_of(moment(yesterday, 17)), done_here(NOW), transaction():
        if _is_new("calls"):
            staff.hear(yesterday)
            staff.ask_the_nurse()
            demo_supports.ask(days[:-1])
            demo_given.give(days[:-1], staff.seed)
            demo_watching.ask(days)
            ask_for_evaluation()
            _note("calls")
    with told_as_of(moment(today, 0, 1)):
        late_days.follow()
    with told_as_of(moment(today, 7, 45)), done_here(NOW):
        for school in made.not_submitted:
            if _is_new("late file"):
                _load("attendance", folder / "late", _person("attendance_clerk", school), "attendance.csv")
                _note("late file")
                late_days.follow()


def _load(kind: str, folder: Path, by: Actor, name: str) -> None:
    _receive(kind, open_delivery([folder]), by, name)


def _receive(kind: str, files: Any, by: Actor, name: str) -> None:
    number = ingest.receive(kind=kind, name=name, files=files, by=by)
    batch = waiting.for_batch(number, silent)
    if batch.status not in ("applied", "duplicate", "held"):
        raise Refused(f"The demo could not be loaded: {batch.sentence or batch.status}")


def _person(role: str, school: str = "") -> Actor:
    """The first of the staff in that role, at that school if one is named."""
    place = f"school:{school}" if school else "district"
    held = select(Person).join(Grant, Grant.person_id == Person.id)
    wanted = held.where(Grant.role == role, Grant.place == place, ~Person.is_demo)
    return signing_in.actor_of(db.session.scalars(wanted.order_by(Person.id).limit(1)).one())


def _is_new(what: str) -> bool:
    told = select(Event.id).where(Event.subject == "demo", Event.kind == TOLD, Event.data["what"].astext == what)
    return db.session.scalar(told.limit(1)) is None


@operation
def _note(what: str) -> None:
    record(TOLD, by=OPERATOR, subject="demo", what=what)
