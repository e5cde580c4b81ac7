"""What a person makes of a student whom the model brings forward, and whom they ask for the next step.

Nothing follows by itself. Who takes a student up names a person who has a look; who says that the data are wrong has
the school's clerk asked to check the record. Both are tasks like any other, and neither says where it comes from: a
task is seen by more people than a score. Opening a case, a contact or a plan stay what people do in their own places.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import select

from ew_app.kernel import Actor, NotFound, Refused, day_text, local, now, operation, record
from ew_app.services.casework import reaching, tasks
from ew_app.services.casework.staffing import Staff
from ew_app.services.risk import answers, reading
from ew_app.services.risk.reading import QUIET
from models.base import db
from models.cases import Case, Task
from models.people import Student
from models.queries import risk as rows
from models.risk import RiskAnswer, RiskScore
from rules.access import FieldClass, Permission, Right
from rules.roles import role
from rules.routing import PlannedTask, Via, tasks_for

LONGEST = 280  # letters of a reason
LOOK, CHECK = reading.LOOK, "record_check"
LOOK_TITLE = "Look at how attendance is going, and talk with those who know the student"
DAYS_TO_LOOK = 3
CLERK = "valid_cause_day"  # whoever the routing table asks to look at codes is asked to look at the record
WRONG: Mapping[str, str] = {
    "this_year": "Days of this year",
    "last_year": "Days of an earlier year",
    "roster": "School, grade, or two records of one child",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """An answer. `wrong`: a key of WRONG, where data are wrong; `looker`: who has a look, where it is taken up."""

    answer: str
    reason: str = ""
    wrong: str = ""
    looker: int | None = None


@operation
def respond(student_id: int, wanted: Wanted, *, by: Actor) -> RiskAnswer:
    """Answer what the model says of a student, and ask for what follows. The same again is once.

    Raises NotFound, NotAllowed, Refused, Conflict, UnfitWords.
    """
    student = reaching.student_at_hand(student_id, by, Permission.SEE_RISK)
    db.session.execute(select(Student.id).where(Student.id == student.id).with_for_update())
    reason = _reason(wanted)
    if (earlier := _standing(student.id, by)) is not None:
        if (earlier.answer, earlier.reason) == (wanted.answer, reason):
            return earlier
        said = day_text(local(earlier.written_at).date())
        raise Refused(f"You answered this on {said}. Take that back first, if you see it otherwise now.")
    case = db.session.scalar(select(Case.id).where(Case.student_id == student.id, Case.closed_on.is_(None)))
    asks = wanted.answer == "accepted" and case is None
    looker = _looker(student.id, wanted.looker) if asks else None
    told = answers.answer(student.id, answer=wanted.answer, reason=reason, by=by)
    school = db.session.get_one(RiskScore, (told.model_id, student.id)).school_id
    if looker is not None:
        tasks.ask_of(looker, student_id=student.id, school_id=school, period=_period(told), by=by)
    elif told.answer == "wrong_data":
        clerk = _clerk(school, student, reason)
        tasks.ask_of(clerk, student_id=student.id, school_id=school, period=_period(told), by=by)
    return told


@operation
def take_back(answer_id: int, *, student_id: int, by: Actor) -> None:
    """Take one's own answer back, with what it asked for; the student is brought forward again.

    Raises NotFound, NotAllowed, Refused.
    """
    student = reaching.student_at_hand(student_id, by, Permission.SEE_RISK)
    told = db.session.get(RiskAnswer, answer_id, with_for_update=True)
    if told is None or told.student_id != student.id:
        raise NotFound("This answer is not there any more.")
    if told.author_id is None or told.author_id != by.person_id:
        raise Refused(f"{told.author} wrote this. Only whoever wrote an answer takes it back.")
    asked = select(Task).where(Task.student_id == student.id, Task.period == _period(told), Task.status == "open")
    for task in db.session.scalars(asked.with_for_update()):
        tasks.withdraw(task, "Whoever asked for it took it back.", by)
    db.session.delete(told)
    record(
        "risk_answer_taken_back", by=by, subject=f"student:{student.id}", student_id=student.id, answer=told.answer,
        model=told.model_id,
    )  # fmt: skip


def lookers(student_id: int) -> dict[int, str]:
    """Person -> role: who may be asked to look at a student, because they read there what the model says.

    Whoever works with a caseload reaches the student by being asked, as with any task.
    """
    school = rows.school_of(student_id)
    if school is None:
        return {}
    staff = Staff([school])
    found: dict[int, str] = {}
    for holder in staff.everybody(school):
        held = role(holder.role)
        able = {Permission.SEE_RISK, Permission.DO_TASKS, Permission.SEE_STUDENT} <= set(held.permissions)
        if able and held.right(FieldClass.RISK).reaches(Right.READ) and holder.active(staff.on):
            found.setdefault(holder.person_id, holder.role)
    return found


def looks_of(viewer: Actor) -> Sequence[tuple[Task, Student]]:
    """What this viewer was asked to look at and has not marked as done, what is due first."""
    return rows.looks_of(viewer.person_id, LOOK) if viewer.person_id else ()


def _looker(student_id: int, person: int | None) -> PlannedTask:
    roles = lookers(student_id)
    if person is None or person not in roles:
        raise Refused("Choose who has a look. Nothing was saved yet.")
    return PlannedTask(
        kind=LOOK, title=LOOK_TITLE, compartment=None, department="school_counseling", role=roles[person],
        person_id=person, via=Via.HOLDER, due_days=DAYS_TO_LOOK,
    )  # fmt: skip


def _clerk(school: int, student: Student, reason: str) -> PlannedTask:
    staff = Staff([school])
    near = staff.near(school, student.homeroom)
    (planned,) = tasks_for(CLERK, staff.place(school), near, on=staff.on, loads=staff.loads)
    return replace(planned, kind=CHECK, title=f"Check the record. {reason}")


def _reason(wanted: Wanted) -> str:
    reason = " ".join(wanted.reason.split())
    if len(reason) > LONGEST:
        raise Refused(f"That is longer than {LONGEST} letters. Say it more shortly; nothing was saved yet.")
    if wanted.answer != "wrong_data":
        return reason
    if wanted.wrong not in WRONG:
        raise Refused("Choose what is wrong. Nothing was saved yet.")
    if not reason:
        raise Refused("Say what is wrong and how it was, in a few words. Nothing was saved yet.")
    return f"{WRONG[wanted.wrong]}: {reason}"


def _standing(student_id: int, by: Actor) -> RiskAnswer | None:
    """This person's own answer of the last month."""
    mine = RiskAnswer.student_id == student_id, RiskAnswer.author_id == by.person_id
    found = select(RiskAnswer).where(*mine, RiskAnswer.written_at >= now() - QUIET).order_by(RiskAnswer.id.desc())
    return db.session.scalars(found).first()


def _period(told: RiskAnswer) -> str:
    return f"answer/{told.id}"
