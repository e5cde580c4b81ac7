"""What is asked for a student inside a compartment: asked, approved, issued, in hand, or how else it ends.

Every state is a row with its day and its author. Nothing here touches a case, a plain task or a date that others see.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy import select

from ew_app.kernel import Actor, Conflict, NotFound, Refused, audit, day_text, now, operation, record, today
from ew_app.services.casework import reaching
from ew_app.services.casework.ahead import check_ahead
from ew_app.services.casework.looking_in import CLOSED
from ew_app.services.casework.staffing import place_of
from ew_app.services.casework.tasks import due_in
from models.base import db
from models.org import School
from models.people import Student
from models.promises import Promise, PromiseStep
from models.queries import promises as rows
from models.queries import student_page
from rules import access
from rules.access import FieldClass, Permission, Place, Right
from rules.promises import CannotMove, Kind, State, Whom, check_step, is_settled, promises
from rules.roles import all_roles
from rules.words import check_words

LONGEST = 140
LONGEST_NOTE = 280
CHANGED = "Somebody changed this while you had it open. Nothing was saved; load the page and look again."


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is asked for; `owner` sees to it (default: whoever asks), `due` as the kind says if not given."""

    kind: str
    for_whom: str = Whom.STUDENT
    what: str = ""
    asked_on: date | None = None
    owner: int | None = None
    due: date | None = None


@dataclass(frozen=True, slots=True)
class AtHand:
    """A student of whom somebody may open a compartment, and what they may do in it."""

    student: Student
    school: School
    right: Right

    @property
    def place(self) -> Place:
        return place_of(self.school)

    @property
    def writes(self) -> bool:
        return self.right.reaches(Right.WRITE)


def at_hand(student_id: int, compartment: FieldClass, by: Actor) -> AtHand:
    """The student, for somebody who may read this compartment of theirs. NotFound for everybody else."""
    student = reaching.student_at_hand(student_id, by, Permission.SEE_STUDENT)
    own = student_page.is_own(student.id, by.person_id)
    found = [
        AtHand(student, school, access.right(by.grants, compartment, place_of(school), own=own))
        for school in student_page.schools_of(student.id, today())
    ]
    best = max(found, key=lambda one: one.right.rank, default=None)
    if best is None or not best.right.reaches(Right.READ):
        raise NotFound(CLOSED)
    return best


@operation
def ask(student_id: int, wanted: Wanted, *, by: Actor, once: str | None = None) -> Promise:
    """Write down that something was asked for; the same `once` again returns the first.

    Raises NotFound, Refused, UnfitWords.
    """
    kind = known_kind(wanted.kind)
    held = _to_write(student_id, kind.compartment, by)
    if once and (first := db.session.scalar(select(Promise).where(Promise.once == once))):
        return first
    _check(kind, wanted, held, by)
    asked_on = wanted.asked_on or today()
    promise = Promise(
        student_id=held.student.id, school_id=held.school.id, compartment=kind.compartment, kind=kind.key,
        for_whom=wanted.for_whom, what=wanted.what.strip(), state=State.ASKED, asked_on=asked_on,
        owner_id=wanted.owner or by.person_id, due=wanted.due or due_in(kind.due, held.school.id), once=once,
        **_signed(by),
    )  # fmt: skip
    db.session.add(promise)
    db.session.flush()
    _add_step(promise, State.ASKED, asked_on, by)
    _tell("promise_asked", promise, by)
    return promise


@operation
def move(
    promise_id: int, state: str, *, by: Actor, on_day: date | None = None, note: str = "", appeal_told: bool = False,
    version: int | None = None, once: str | None = None,
) -> Promise:  # fmt: skip
    """Say how far a promise is; the same `once` again changes nothing.

    Raises NotFound, Refused, Conflict, UnfitWords.
    """
    promise = _to_move(promise_id, by)
    if once and db.session.scalar(select(PromiseStep.id).where(PromiseStep.once == once)):
        return promise
    if version is not None and version != promise.version:
        raise Conflict(CHANGED)
    then, day = _known_state(state), on_day or today()
    before = max((step.on_day for step in rows.steps(promise.id)), default=promise.asked_on)
    if not before <= day <= today():
        raise Refused(f"The day lies between {day_text(before)}, when the state before was reached, and today.")
    _check_text(note, LONGEST_NOTE)
    try:
        check_step(State(promise.state), then, note=note, settled=promise.settled_on is not None)
    except CannotMove as error:
        raise Refused(str(error)) from error
    if then.on_the_way and not State(promise.state).on_the_way:
        promise.due = due_in(known_kind(promise.kind).due, promise.school_id)
    promise.state = then
    promise.settled_on = day if is_settled(then, appeal_told=appeal_told) else None
    _add_step(promise, then, day, by, note=note.strip(), appeal_told=appeal_told, once=once)
    _tell("promise_moved", promise, by)
    return promise


@operation
def give(promise_id: int, to: int, *, by: Actor, version: int | None = None) -> Promise:
    """Let somebody else see to it, who may read the compartment. Raises NotFound, Refused, Conflict."""
    promise = _to_move(promise_id, by)
    if version is not None and version != promise.version:
        raise Conflict(CHANGED)
    held = at_hand(promise.student_id, FieldClass(promise.compartment), by)
    if to not in dict(may_own(held.place, FieldClass(promise.compartment))):
        raise Refused("Choose somebody who looks after this at the school.")
    if to != promise.owner_id:
        promise.owner_id = to
        _tell("promise_given", promise, by)
    return promise


@operation
def open_one(promise_id: int, *, by: Actor) -> tuple[Promise, AtHand]:
    """A promise to be looked at; the look is written down. NotFound for whoever may not read it."""
    promise, held = _found(promise_id, by)
    audit(
        "compartment_opened", by=by, subject=f"promise:{promise.id}", student_id=promise.student_id,
        compartment=promise.compartment,
    )  # fmt: skip
    return promise, held


def may_own(place: Place, compartment: FieldClass) -> list[tuple[int, str]]:
    """(person, name) of those who read this compartment of every student there, by name."""
    return rows.readers(place.key, place.network or "", _reading_roles(compartment), today())


def known_kind(key: str) -> Kind:
    """A kind by its key. Refused for any other word."""
    kind = promises().kinds.get(key)
    if kind is None:
        raise Refused("Choose what is asked for.")
    return kind


# -- inside ----------------------------------------------------------------------------------------------------


def _reading_roles(compartment: FieldClass) -> list[str]:
    return [key for key, one in all_roles().items() if one.right(compartment).reaches(Right.READ)]


def _found(promise_id: int, by: Actor, *, lock: bool = False) -> tuple[Promise, AtHand]:
    wanted = select(Promise).where(Promise.id == promise_id).execution_options(populate_existing=True)
    promise = db.session.scalar(wanted.with_for_update() if lock else wanted)
    if promise is None:
        raise NotFound(CLOSED)
    try:
        return promise, at_hand(promise.student_id, FieldClass(promise.compartment), by)
    except NotFound as gone:
        raise NotFound(CLOSED) from gone


def _to_move(promise_id: int, by: Actor) -> Promise:
    promise, held = _found(promise_id, by, lock=True)
    if not held.writes:
        raise NotFound(CLOSED)
    return promise


def _to_write(student_id: int, compartment: FieldClass, by: Actor) -> AtHand:
    held = at_hand(student_id, compartment, by)
    if not held.writes:
        raise NotFound(CLOSED)
    return held


def _check(kind: Kind, wanted: Wanted, held: AtHand, by: Actor) -> None:
    if wanted.for_whom not in tuple(Whom) or (wanted.for_whom == Whom.CAREGIVER and not kind.caregiver):
        raise Refused(f"{kind.label} is asked for the student.")
    if wanted.asked_on is not None and not 0 <= (today() - wanted.asked_on).days <= 366:
        raise Refused("It was asked for today or on a day of the last year.")
    if wanted.due is not None and wanted.due < (wanted.asked_on or today()):
        raise Refused("The day it is due lies after the day it was asked for.")
    check_ahead(wanted.due)
    if wanted.owner not in (None, by.person_id) and wanted.owner not in dict(may_own(held.place, kind.compartment)):
        raise Refused("Choose somebody who looks after this at the school.")
    _check_text(wanted.what, LONGEST)


def _check_text(words: str, longest: int) -> None:
    if len(words) > longest:
        raise Refused(f"Please keep this under {longest} characters.")
    check_words(words)


def _known_state(state: str) -> State:
    try:
        return State(state)
    except ValueError as error:
        raise Refused("Choose how far it is.") from error


def _signed(by: Actor) -> dict[str, object]:
    return {"author_id": by.person_id, "author": by.name, "position": by.position, "written_at": now()}


def _add_step(promise: Promise, state: State, day: date, by: Actor, **more: object) -> None:
    db.session.add(PromiseStep(promise_id=promise.id, state=state, on_day=day, **more, **_signed(by)))


def _tell(kind: str, promise: Promise, by: Actor) -> None:
    record(
        kind, by=by, subject=f"promise:{promise.id}", student_id=promise.student_id,
        compartment=promise.compartment, what=promise.kind, state=promise.state,
    )  # fmt: skip
