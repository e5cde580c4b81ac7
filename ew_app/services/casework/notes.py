"""Notes on a case, each with author, position and date; restricted ones live in their compartment."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import ColumnElement, select
from sqlalchemy.exc import IntegrityError

from ew_app.kernel import Actor, Conflict, NotFound, Refused, audit, now, operation, record
from ew_app.services.casework import reaching
from ew_app.services.casework.reaching import CaseAtHand
from models.base import db
from models.cases import Case, Cause, Note, Task
from models.plans import PlanSupport
from models.promises import Promise
from models.queries import promises
from rules import access
from rules.access import FieldClass, NotAllowed, Permission, Right
from rules.roles import OPENS
from rules.words import check_words

LONGEST = 4000
MAY_WRITE = (Permission.WORK_CASE, Permission.LOG_OUTREACH)
NO_NOTE = "There is no such note, or it is not one of yours."


@operation
def write_note(
    case_number: int,
    text: str,
    *,
    by: Actor,
    compartment: str | None = None,
    replaces: int | None = None,
    once: str | None = None,
) -> Note:
    """Write a note, or a new version of one's own (`replaces`); the same `once` again returns the first.

    Raises NotFound, NotAllowed, Refused, Conflict, UnfitWords.
    """
    held = reaching.case_at_hand(case_number, by, *MAY_WRITE)
    words = _checked(text)
    if once and (first := _sent_before(once, by)):
        return first
    _check_writing(held, by, compartment)
    if replaces is not None:
        _check_replacing(held.case, by, compartment, replaces)
    note = add(held.case, words, by, compartment=compartment, replaces=replaces, once=once)
    record(
        "note_changed" if replaces else "note_written", by=by, subject=f"note:{note.id}",
        student_id=held.case.student_id, case_id=held.case.id, compartment=compartment,
    )  # fmt: skip
    return note


def add(
    case: Case, text: str, by: Actor, *, compartment: str | None = None, replaces: int | None = None,
    once: str | None = None,
) -> Note:  # fmt: skip
    """Store a note in the open transaction; its words are checked here too."""
    check_words(text)
    note = Note(
        case_id=case.id, student_id=case.student_id, compartment=compartment, text=text.strip(), replaces_id=replaces,
        once=once, author_id=by.person_id, author=by.name, position=by.position, written_at=now(),
    )  # fmt: skip
    db.session.add(note)
    try:
        db.session.flush()
    except IntegrityError as error:
        raise Conflict("This note was saved or changed a moment ago. Load the page and look again.") from error
    return note


def _sent_before(once: str, by: Actor) -> Note | None:
    same: Note | None = db.session.scalar(select(Note).where(Note.once == once, Note.author_id == by.person_id))
    return same


def _checked(text: str) -> str:
    if not text.strip():
        raise Refused("The note is empty. Write what happened or what would help.")
    if len(text) > LONGEST:
        raise Refused(f"Please keep a note under {LONGEST} characters.")
    check_words(text)
    return text


def _check_writing(held: CaseAtHand, by: Actor, compartment: str | None) -> None:
    """A compartment note asks for the right to write there; a plain one for the right to write notes."""
    wanted = FieldClass.NOTES if compartment is None else compartment_class(compartment)
    if not access.right(by.grants, wanted, held.place, own=held.own).reaches(Right.WRITE):
        raise NotAllowed("Your role does not let you write notes here. Tell the owner of the case instead.")


def _check_replacing(case: Case, by: Actor, compartment: str | None, replaces: int) -> None:
    before = db.session.get(Note, replaces)
    if before is None or before.case_id != case.id or before.author_id != by.person_id:
        raise NotFound(NO_NOTE)
    if before.compartment != compartment:
        raise Refused("A note stays in its compartment. Write a new note where it belongs.")


def compartment_class(key: str) -> FieldClass:
    """The restricted class with this key. Refused for any other word."""
    if key not in {str(field_class) for field_class in OPENS}:
        raise Refused(f"{key!r} is not a compartment. Choose one of: {', '.join(sorted(OPENS))}.")
    return FieldClass(key)


# -- compartments --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Compartment:
    """What one compartment of a case holds, newest first."""

    key: str
    notes: list[Note]
    causes: list[Cause]
    tasks: list[Task]
    supports: list[PlanSupport]
    promises: list[Promise]


@operation
def read_compartment(case_number: int, compartment: str, *, by: Actor, reason: str = "") -> Compartment:
    """Open a compartment of a case: every opening is logged, and from outside the case it needs a reason.

    Raises NotFound, NotAllowed, Refused. The answer is the same whether or not anything is inside.
    """
    wanted = compartment_class(compartment)
    held = reaching.case_at_hand(case_number, by, Permission.SEE_CASE, lock=False)
    access.check(by.grants, OPENS[wanted], held.place)
    if wanted not in held.readable:
        raise NotAllowed("This compartment opens only to whoever works on the case.")
    if not held.own and not reason.strip():
        raise Refused("Say in a few words why you open this: you do not work on the case. The reason is kept.")
    case = held.case
    audit(
        "compartment_opened", by=by, subject=f"case:{case.number}", student_id=case.student_id,
        compartment=compartment, reason=reason.strip(),
    )  # fmt: skip
    return inside(
        compartment, notes=Note.case_id == case.id, causes=Cause.case_id == case.id, student_id=case.student_id
    )


def inside(
    compartment: str, *, notes: ColumnElement[bool], causes: ColumnElement[bool], student_id: int
) -> Compartment:
    """Notes in their last version, causes, the student's tasks, supports and promises, newest first."""
    replaced = select(Note.replaces_id).where(notes, Note.replaces_id.is_not(None))
    written = select(Note).where(notes, Note.compartment == compartment, Note.id.not_in(replaced))
    said = select(Cause).where(causes, Cause.compartment == compartment)
    asked = select(Task).where(Task.student_id == student_id, Task.compartment == compartment)
    offered = select(PlanSupport).where(PlanSupport.student_id == student_id, PlanSupport.compartment == compartment)
    return Compartment(
        compartment,
        list(db.session.scalars(written.order_by(Note.id.desc()))),
        list(db.session.scalars(said.order_by(Cause.id.desc()))),
        list(db.session.scalars(asked.order_by(Task.id.desc()))),
        list(db.session.scalars(offered.order_by(PlanSupport.id.desc()))),
        list(promises.of_student(student_id, compartment)),
    )
