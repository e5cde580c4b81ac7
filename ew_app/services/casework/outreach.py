"""Contacts with families and students: one entry fills the contact log, the case and the rules that ask about it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date, datetime, time

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from ew_app.kernel import Actor, Refused, local, now, operation, record, settings, today
from ew_app.services.casework import reaching, tasks
from ew_app.services.casework.staffing import Staff
from ew_app.services.measuring.touched import ask_for_evaluation, touch
from models.base import db
from models.cases import Case, Outreach, Task
from models.people import Stint, Student
from models.tiers import StudentStatus
from rules.access import Permission
from rules.case_flow import Action, Status, move
from rules.routing import tasks_for
from rules.vocabulary import Outcome, vocabulary
from rules.words import check_words

LONGEST_NOTE = 1000
AGAIN = "Contact the family again"
ANSWERED_BY_CONTACT = ("call", "contact")
REPAIR = "R27"


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """What the form of one attempt holds; keys are those of the vocabulary. `at` (aware) wins over `on_day`."""

    method: str
    outcome: str
    on_day: date | None = None
    at: datetime | None = None
    direction: str = "out"
    with_whom: str = ""
    language: str = ""
    interpreter: bool = False
    promise: str = ""
    next_date: date | None = None
    minutes: int | None = None
    note: str = ""


@operation
def log_outreach(
    attempt: Attempt,
    *,
    by: Actor,
    student_id: int | None = None,
    case_number: int | None = None,
    task_id: int | None = None,
    once: str | None = None,
) -> Outreach:
    """Write down an attempt to reach a family; the same `once` again returns the first entry.

    A contact finishes open calls and first contacts of the student, and `task_id` names any other task it does.
    Raises NotFound, NotAllowed, Refused, UnfitWords.
    """
    student = _student(by, student_id, case_number)
    outcome = _checked(attempt)
    case = _open_case(student.id)
    entry, new = _written(attempt, outcome, student, case, by, once)
    if not new:
        return entry
    _finish_tasks(student.id, outcome, task_id, by)
    if case is not None:
        _move(case, attempt)
    if outcome.contact_problem:
        _ask_for_repair(entry, case)
    if entry.is_contact:  # rules ask whether anybody was reached
        touch([student.id], entry.on_day)
        ask_for_evaluation()
    record(
        "outreach", by=by, subject=f"outreach:{entry.id}", student_id=student.id, case_id=entry.case_id,
        method=attempt.method, outcome=attempt.outcome,
    )  # fmt: skip
    return entry


def _student(by: Actor, student_id: int | None, case_number: int | None) -> Student:
    if case_number is not None:
        case = reaching.case_at_hand(case_number, by, Permission.LOG_OUTREACH).case
        move(Status(case.status), Action.OUTREACH)
        return case.student
    if student_id is None:
        raise Refused("Say which student this was about.")
    return reaching.student_at_hand(student_id, by, Permission.LOG_OUTREACH, Permission.CALL_ABSENT)


def _checked(attempt: Attempt) -> Outcome:
    """The outcome, once everything about the attempt can be true."""
    method = reaching.known("method", attempt.method)
    outcome = vocabulary().outcomes[reaching.known("outcome", attempt.outcome)]
    if outcome not in vocabulary().outcomes_for(method):
        raise Refused(
            f"{outcome.label!r} cannot come of {vocabulary().label('method', method)!r}. Choose another outcome."
        )
    reaching.known("direction", attempt.direction)
    for kind, key in (("with_whom", attempt.with_whom), ("language", attempt.language)):
        if key:
            reaching.known(kind, key)
    if _day(attempt) > today():
        raise Refused("A contact cannot lie ahead. Use the next date for what is planned.")
    if attempt.next_date is not None and attempt.next_date < today():
        raise Refused("The next date has passed already. Choose today or a later day.")
    if attempt.minutes is not None and not 0 <= attempt.minutes <= 600:
        raise Refused("Give the minutes as a number from 0 to 600.")
    for words in (attempt.note, attempt.promise):
        if len(words) > LONGEST_NOTE:
            raise Refused(f"Please keep notes here under {LONGEST_NOTE} characters.")
        check_words(words)
    return outcome


def _day(attempt: Attempt) -> date:
    if attempt.at is not None:
        return local(attempt.at).date()
    return attempt.on_day or today()


def _written(
    attempt: Attempt, outcome: Outcome, student: Student, case: Case | None, by: Actor, once: str | None
) -> tuple[Outreach, bool]:
    """The entry, and whether it is new: a key that was used stands for the entry it made."""
    day = _day(attempt)
    # A day without an hour stands at noon, unless it is today.
    noon = datetime.combine(day, time(12), settings().timezone)
    at = attempt.at or (now() if attempt.on_day is None or day == local(now()).date() else noon)
    values = asdict(attempt) | {
        "student_id": student.id, "case_id": case.id if case else None, "on_day": day, "at": at,
        "is_contact": outcome.counts_as_contact, "once": once,
        "author_id": by.person_id, "author": by.name, "position": by.position, "written_at": now(),
        "note": attempt.note.strip(), "promise": attempt.promise.strip(),
    }  # fmt: skip
    made = insert(Outreach).values(values).on_conflict_do_nothing(index_elements=["once"]).returning(Outreach)
    entry: Outreach | None = db.session.scalar(made)
    if entry is not None:
        return entry, True
    first = db.session.scalars(select(Outreach).where(Outreach.once == once)).one()
    if first.author_id != by.person_id or first.student_id != student.id:
        raise Refused("This form was sent before for something else. Nothing was saved; load the page again.")
    return first, False


def _open_case(student_id: int) -> Case | None:
    mine = select(Case).where(Case.student_id == student_id, Case.closed_on.is_(None))
    return db.session.scalar(mine.with_for_update().execution_options(populate_existing=True))


def _finish_tasks(student_id: int, outcome: Outcome, task_id: int | None, by: Actor) -> None:
    """Whoever reached the family did what open calls asked for, whosever they were."""
    named = [] if task_id is None else [reaching.task_at_hand(task_id, by)]
    if any(task.student_id != student_id for task in named):
        raise Refused("That task is about another student.")
    answered = select(Task).where(
        Task.student_id == student_id,
        Task.status == "open",
        Task.compartment.is_(None),
        Task.kind.in_(ANSWERED_BY_CONTACT),
    )
    found = db.session.scalars(answered.with_for_update()).all() if outcome.counts_as_contact else []
    tasks.mark_done([task for task in {t.id: t for t in [*named, *found]}.values() if task.status == "open"], by)


def _move(case: Case, attempt: Attempt) -> None:
    """A personal attempt starts the contacting; the next date says what comes next."""
    if vocabulary().is_attempt(attempt.method):
        case.status = str(move(Status(case.status), Action.OUTREACH))
    if attempt.next_date is not None:
        case.due, case.next_step = attempt.next_date, attempt.promise.strip() or AGAIN


def _ask_for_repair(entry: Outreach, case: Case | None) -> None:
    """A wrong number or a letter that came back becomes the clerk's task."""
    school = case.school_id if case else _school_of(entry.student_id)
    if school is None:
        return
    staff = Staff([school])
    homeroom = db.session.get_one(Student, entry.student_id).homeroom
    near = staff.near(school, homeroom)
    for planned in tasks_for(REPAIR, staff.place(school), near, on=staff.on, loads=staff.loads):
        period = f"outreach/{entry.id}"
        tasks.ask(planned, student_id=entry.student_id, school_id=school, case=case, period=period, rule=REPAIR)


def _school_of(student_id: int) -> int | None:
    status = db.session.get(StudentStatus, student_id)
    last = select(Stint.school_id).where(Stint.student_id == student_id).order_by(Stint.entry_date.desc()).limit(1)
    return status.school_id if status else db.session.scalar(last)
