"""Contacts with families and students: one entry fills the contact log, the case and the rules that ask about it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date, datetime, time

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from ew_app.kernel import Actor, Refused, local, now, operation, record, settings, today
from ew_app.services.casework import laddering, reaching, repairing, tasks
from ew_app.services.casework.ahead import check_ahead, check_back
from ew_app.services.measuring.touched import ask_for_evaluation, touch
from models.base import db
from models.cases import Case, Outreach, Task
from models.outreach import OutreachBefore
from models.people import Student
from models.queries import ways
from rules.access import Permission
from rules.case_flow import Action, Status, move
from rules.vocabulary import Outcome, vocabulary
from rules.words import check_words

LONGEST_NOTE = 1000
AGAIN = "Contact the family again"
ANSWERED_BY_CONTACT = ("call", "contact")
KINDS = {"told": "absence_reason"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """What the form of one attempt holds; keys are those of the vocabulary. `at` (aware) wins over `on_day`.

    `about_day`, `told`: the absence it was about and the reason given for it. `used`: the number or address tried.
    `by_ladder`: a try that reached nobody sets the next date by the school's ladder.
    """

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
    about_day: date | None = None
    told: str = ""
    used: str = ""
    by_ladder: bool = False


@operation
def log_outreach(
    attempt: Attempt,
    *,
    by: Actor,
    student_id: int | None = None,
    case_number: int | None = None,
    task_id: int | None = None,
    once: str | None = None,
    talk: str = "",
) -> Outreach:
    """Write down an attempt to reach a family; the same `once` again returns the first entry.

    One with the family finishes open calls and first contacts, and `task_id` names any other task it does.
    `talk` is shared by the entries of one conversation about several children.
    Raises NotFound, NotAllowed, Refused, UnfitWords.
    """
    student = _student(by, student_id, case_number)
    outcome = checked(attempt)
    check_way(student.id, attempt.used)
    case = _open_case(student.id)
    entry, new = _written(attempt, outcome, student, case, by, once, talk)
    if not new:
        return entry
    finish_tasks(entry, task_id, by)
    if case is not None:
        _move(case, attempt, entry)
    repairing.ask(entry, outcome, case)
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


def checked(attempt: Attempt) -> Outcome:
    """The outcome, once everything about the attempt can be true."""
    method = reaching.known("method", attempt.method)
    outcome = vocabulary().outcomes[reaching.known("outcome", attempt.outcome)]
    if outcome not in vocabulary().outcomes_for(method):
        raise Refused(
            f"{outcome.label!r} cannot come of {vocabulary().label('method', method)!r}. Choose another outcome."
        )
    reaching.known("direction", attempt.direction)
    for kind in ("with_whom", "language", "told"):
        if key := getattr(attempt, kind):
            reaching.known(KINDS.get(kind, kind), key)
    check_ahead(attempt.next_date)
    check_back(attempt.on_day, attempt.about_day)
    if max(_day(attempt), attempt.about_day or _day(attempt)) > today():
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


def check_way(student_id: int, used: str) -> None:
    """Refused for a number or address that is not one of the student's; a new one is noted first."""
    if used and not has_way(student_id, used):
        raise Refused("That number is not on file for this student. Note it under the contacts first.")


def has_way(student_id: int, used: str) -> bool:
    """Whether a number or address is one of the student's, from the roster or noted by hand."""
    people = ways.contacts_of([student_id]).get(student_id, ())
    known = {ways.alike(way) for one in people for way in (one.phone, one.email, one.address) if way}
    known |= {ways.alike(one.phone) for one in ways.noted_for([student_id]).get(student_id, ())}
    return ways.alike(used) in known


def _day(attempt: Attempt) -> date:
    if attempt.at is not None:
        return local(attempt.at).date()
    return attempt.on_day or today()


def _written(
    attempt: Attempt, outcome: Outcome, student: Student, case: Case | None, by: Actor, once: str | None, talk: str
) -> tuple[Outreach, bool]:
    """The entry, and whether it is new: a key that was used stands for the entry it made."""
    day = _day(attempt)
    # A day without an hour stands at noon, unless it is today.
    noon = datetime.combine(day, time(12), settings().timezone)
    at = attempt.at or (now() if attempt.on_day is None or day == local(now()).date() else noon)
    said = {name: value for name, value in asdict(attempt).items() if name != "by_ladder"}
    values = said | {
        "student_id": student.id, "case_id": case.id if case else None, "on_day": day, "at": at,
        "is_contact": outcome.counts_as_contact, "once": once, "talk": talk,
        "author_id": by.person_id, "author": by.name, "position": by.position, "written_at": now(),
        "note": attempt.note.strip(), "promise": attempt.promise.strip(),
    }  # fmt: skip
    made = insert(Outreach).values(values).on_conflict_do_nothing(index_elements=["once"]).returning(Outreach)
    if once and db.session.scalar(select(OutreachBefore.id).where(OutreachBefore.once == once)):
        raise Refused("This contact was written down and struck since. Nothing was saved; begin a new one.")
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


def finish_tasks(entry: Outreach, task_id: int | None, by: Actor) -> None:
    """Whoever reached the family did what open calls asked for, whosever they were; a word with the student is none."""
    named = [] if task_id is None else [reaching.task_at_hand(task_id, by)]
    if any(task.student_id != entry.student_id for task in named):
        raise Refused("That task is about another student.")
    answered = select(Task).where(
        Task.student_id == entry.student_id,
        Task.status == "open",
        Task.compartment.is_(None),
        Task.kind.in_(ANSWERED_BY_CONTACT),
        Task.period != f"outreach/{entry.id}",  # what it asked for itself
    )
    found = db.session.scalars(answered.with_for_update()).all() if reached_family(entry.outcome) else []
    done = {task.id: task for task in [*named, *found] if task.status == "open"}
    tasks.mark_done(list(done.values()), by, entry=entry.id)


def reached_family(outcome: str) -> bool:
    """Whether somebody of the family was spoken with, by the key of what came of it."""
    return vocabulary().outcomes[outcome].reached_family


def _move(case: Case, attempt: Attempt, entry: Outreach) -> None:
    """A personal attempt starts the contacting; the next date, or the school's ladder, says what comes next."""
    if vocabulary().is_attempt(attempt.method):
        case.status = str(move(Status(case.status), Action.OUTREACH))
    if attempt.next_date is not None and _promised_sooner(case, entry):
        tasks.ask_owner(case, "call", entry.promise or AGAIN, due=attempt.next_date, period=f"outreach/{entry.id}")
    elif attempt.next_date is not None:
        case.due, case.next_step = attempt.next_date, entry.promise or AGAIN
    elif entry.is_contact:
        if case.next_step.startswith((laddering.TRY, laddering.TRIED_ALL, AGAIN)):
            tasks.look_ahead(case)
    elif attempt.by_ladder and case.status != Status.PAUSED:
        _climb_on(case, entry)


def _promised_sooner(case: Case, entry: Outreach) -> bool:
    """Whether the case's step is what somebody else was promised for an earlier day: it stands, whatever is agreed."""
    if case.due is None or entry.next_date is None or case.due >= entry.next_date:
        return False
    theirs = Outreach.author_id.is_distinct_from(entry.author_id), Outreach.next_date == case.due
    same = select(Outreach.id).where(Outreach.case_id == case.id, Outreach.id != entry.id, *theirs)
    promised = same.where(Outreach.promise == case.next_step, Outreach.promise != "")
    return db.session.scalar(promised.limit(1)) is not None


def _climb_on(case: Case, entry: Outreach) -> None:
    """The next rung while nobody was reached; later a try that failed is made again, beside the case's own step."""
    way = laddering.climb(case)
    if way.reached is None:
        case.due, case.next_step, entry.next_date = way.due, way.words, way.due
        return
    entry.next_date = way.again
    if case.due is None:
        case.due, case.next_step = way.again, case.next_step or AGAIN
    else:
        tasks.ask_owner(case, "call", AGAIN, due=way.again, period=f"outreach/{entry.id}")


def put_right(entry: Outreach, was: tuple[date | None, str], by: Actor, *, struck: bool = False) -> None:
    """The case's step follows a contact that reads otherwise now, or was struck; one that came from elsewhere stays.

    was: the contact's next date and promise as they stood. A step that falls away gives way to what the contact before
    it had set, or else to the next open task. What it had asked for beside the case's step goes with it too.
    """
    _put_task_right(entry, by, struck=struck)
    case = db.session.get(Case, entry.case_id, with_for_update=True) if entry.case_id else None
    if case is None or case.closed_on is not None or case.due is None:
        return
    mine = case.next_step == (was[1] or AGAIN) or case.next_step.startswith((laddering.TRY, laddering.TRIED_ALL))
    others = select(Outreach).where(Outreach.case_id == case.id, Outreach.id != entry.id)
    if not struck and was[0] is None and entry.next_date and db.session.scalar(others.where(Outreach.id > entry.id)):
        return  # a date that was forgotten then says nothing of what was agreed since
    if was[0] is not None and (case.due != was[0] or not mine):
        return
    if not struck and entry.next_date is not None:
        case.due, case.next_step = entry.next_date, entry.promise or AGAIN
    elif was[0] is not None:
        before = others.where(Outreach.next_date >= today()).order_by(Outreach.id.desc())
        if (other := db.session.scalars(before.limit(1)).first()) is not None:
            case.due, case.next_step = other.next_date, other.promise or AGAIN
        else:
            tasks.look_ahead(case)


def _put_task_right(entry: Outreach, by: Actor, *, struck: bool) -> None:
    asked = Task.student_id == entry.student_id, Task.period == f"outreach/{entry.id}", Task.kind == "call"
    for task in db.session.scalars(select(Task).where(*asked, Task.status == "open").with_for_update()).all():
        if struck or entry.next_date is None:
            tasks.withdraw(task, "The contact that asked for this was put right.", by)
        else:
            task.due, task.title = entry.next_date, entry.promise or AGAIN
