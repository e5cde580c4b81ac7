"""A day of invented staff: what is due gets done, through the same services as everybody's work."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from random import Random
from typing import Any, Final

from sqlalchemy import ColumnElement, and_, or_, select

from ew_app.demo import casework as invented
from ew_app.demo.casework import Act, Deed, Due
from ew_app.kernel import Actor, settings, told_as_of
from ew_app.services.casework import causes, closing, moves, notes, outreach, planning, tasks
from ew_app.services.casework.causes import Heard
from ew_app.services.casework.outreach import Attempt
from ew_app.services.casework.planning import Agreed
from ew_app.services.people import signing_in
from models.base import db
from models.cases import Case, Outreach, Task
from models.org import School
from models.people import Student
from models.staff import Grant, Person
from rules import access
from rules.access import Permission
from rules.roles import FieldClass, Right
from rules.school_days import add_school_days
from rules.vocabulary import vocabulary

FIRST_HOUR: Final = 10
HOURS: Final = 5
LEADING: Final = (Deed.PLAN, Deed.CLOSE)
HOME_VISIT: Final = ("visit", "visited_spoke")
ILLNESS: Final = "Asthma, worse in the cold. A plan for school is still to be written."
NOT_SAID: Final = "U-DECLINED"


@dataclass(slots=True)
class Staff:
    """The people of the demo at work. `days`: every school day of the year."""

    seed: int
    days: Sequence[date]
    _actors: dict[int, Actor] = field(default_factory=dict)

    def work(self, on: date) -> None:
        """All that is done on one school day, in the open transaction."""
        self._actors.clear()
        with told_as_of(moment(on, FIRST_HOUR)):
            todo = [*self._cases(on), *self._tasks(on)]
        for at, (deed, *told) in enumerate(todo):
            with told_as_of(moment(on, FIRST_HOUR) + timedelta(hours=HOURS) * at / len(todo)):
                deed(on, *told)

    def hear(self, on: date) -> None:
        """Families who called at the end of the day and wait for an answer, and some who cannot be called."""
        wanted = select(Case.number, Case.owner_id, Student.key).join(Student, Student.id == Case.student_id)
        mine = Case.closed_on.is_(None), Case.owner_id.is_not(None), Case.status == "contacting"
        rows: Sequence[Any] = db.session.execute(wanted.where(*mine).order_by(Student.key)).all()
        for number, owner, student in rows:
            for attempt in self._last_calls(student):
                outreach.log_outreach(attempt, by=self._actor(owner), case_number=number)

    def _last_calls(self, student: str) -> Iterator[Attempt]:
        if words := invented.called_in(self.seed, student):
            yield Attempt(method="call", outcome="left_voicemail", direction="in", with_whom="caregiver", note=words)
        elif failed := invented.failed(self.seed, student):
            yield Attempt(method=failed[0], outcome=failed[1])

    def ask_the_nurse(self) -> None:
        """A case in which illness was named goes to the demo's nurse, who writes the reason into the compartment."""
        nurse = _first_of("nurse", Person.is_demo.is_(True))
        school = nurse.grants[0].place
        here = select(Case).join(School, School.id == Case.school_id).where(School.key == school.partition(":")[2])
        going = here.where(Case.closed_on.is_(None), Case.status == "contacting", Case.kind == "attendance")
        case = db.session.scalars(going.order_by(Case.number).limit(1)).first()
        if case is None:
            return
        moves.assign(case.number, to=nurse.id, by=self._actor(_first_of("principal", Grant.place == school).id))
        heard = Heard(code="B-HLTH-CHRON", said_by="caregiver", primary=True, note=ILLNESS)
        causes.record_cause(case.number, heard, by=self._actor(nurse.id))

    # -- cases -------------------------------------------------------------------------------------------------

    def _cases(self, on: date) -> Iterator[tuple[Any, ...]]:
        done: Counter[int] = Counter()
        for number, owner, case in _due_cases(on):
            if done[owner] < invented.MOST_A_DAY and (acts := invented.acts(self.seed, on, case)):
                done[owner] += 1
                yield from ((self._do, number, owner, act) for act in acts)

    def _do(self, on: date, number: int, owner: int, act: Act) -> None:
        by = self._actor(owner)
        if act.deed in LEADING and not access.can(by.grants, Permission.WORK_CASE):
            return
        match act.deed:
            case Deed.CONTACT:
                self._contact(on, number, by, act)
            case Deed.CAUSE:
                heard = Heard(code=_told_to(by, act.key), said_by="caregiver", primary=True)
                causes.record_cause(number, heard, by=by)
            case Deed.PLAN:
                planning.agree(number, Agreed(goal=act.words, review_on=self._ahead(on, act.ahead)), by=by)
            case Deed.NOTE if access.right(by.grants, FieldClass.NOTES, own=True).reaches(Right.WRITE):
                notes.write_note(number, act.words, by=by)
            case Deed.CLOSE:
                self._close(on, number, by, act)

    def _contact(self, on: date, number: int, by: Actor, act: Act) -> None:
        attempt = Attempt(
            method=act.method,
            outcome=act.outcome,
            with_whom="student" if act.outcome == "student_spoken" else "caregiver" if act.ahead else "",
            promise=act.key,
            next_date=self._ahead(on, act.ahead) if act.ahead else None,
            note=act.words,
        )
        visit = _visit_asked(number, by) if (act.method, act.outcome) == HOME_VISIT else None
        outreach.log_outreach(attempt, by=by, case_number=number, task_id=visit)

    def _close(self, on: date, number: int, by: Actor, act: Act) -> None:
        case = db.session.scalars(select(Case).where(Case.number == number)).one()
        rng = Random(f"{self.seed} {number} {on}")
        useful = {reason.rule: rng.choice(invented.USEFUL) for reason in closing.rules_to_answer(case)}
        closing.close(number, by=by, reason=act.key, useful=useful, goals_reviewed=True, family_told=True)

    # -- tasks -------------------------------------------------------------------------------------------------

    def _tasks(self, on: date) -> Iterator[tuple[Any, ...]]:
        """What else is due: most of it is done within days, calls about students without a case among it."""
        done: Counter[int] = Counter()
        for task, student, school, case in _due_tasks(on):
            late = Random(f"{self.seed} {student} {task.kind} {on}").random() >= invented.DONE_A_DAY
            if late or done[task.owner_id or 0] == invented.MOST_A_DAY or invented.is_left(self.seed, student, school):
                continue
            done[task.owner_id or 0] += 1
            if case is None and task.kind in outreach.ANSWERED_BY_CONTACT:
                yield (self._call, task, student)
            elif case is not None or task.kind != "plan":
                yield (self._finish, task, case)

    def _call(self, on: date, task: Task, student: str) -> None:
        """A call about somebody who is watched."""
        method, outcome = invented.called(self.seed, on, student)
        attempt = Attempt(method=method, outcome=outcome)
        outreach.log_outreach(attempt, by=self._actor(task.owner_id or 0), student_id=task.student_id)

    def _finish(self, on: date, task: Task, case: int | None) -> None:
        if db.session.scalar(select(Task.status).where(Task.id == task.id)) != "open":
            return  # its case was closed today, a contact did it, or what it was asked for ended
        by, rng = self._actor(task.owner_id or 0), Random(f"{self.seed} {task.student_id} {task.kind} {on}")
        if task.compartment == "stls" and case and rng.random() < invented.NOTED_INSIDE:
            notes.write_note(case, rng.choice(invented.HOUSED), by=by, compartment=task.compartment)
        tasks.finish(task.id, by=by, note=invented.REPAIRED if task.kind == "contact_repair" else "")

    # -- who and when ------------------------------------------------------------------------------------------

    def _actor(self, person: int) -> Actor:
        if person not in self._actors:
            self._actors[person] = signing_in.actor_of(db.session.get_one(Person, person))
        return self._actors[person]

    def _ahead(self, on: date, school_days: int) -> date:
        return add_school_days(on, school_days, self.days)


def _first_of(role: str, *which: ColumnElement[bool]) -> Person:
    """The first person who holds a role."""
    held = select(Person).join(Grant, Grant.person_id == Person.id).where(Grant.role == role, *which)
    return db.session.scalars(held.order_by(Person.id).limit(1)).one()


def moment(day: date, hour: int, minute: int = 0) -> datetime:
    """A time of day on the district's clock."""
    return datetime.combine(day, time(hour, minute), settings().timezone)


def _due_cases(on: date) -> list[tuple[int, int, Due]]:
    """(case number, owner, case) of what is due, the longest wait first."""
    reached = select(Outreach.id).where(
        Outreach.student_id == Case.student_id, Outreach.is_contact, Outreach.on_day >= Case.opened
    )
    wanted = (
        select(
            Case.number, Case.owner_id, Student.key, Case.school_id, Case.tier, Case.status, reached.exists(), Case.due
        )
        .join(Student, Student.id == Case.student_id)
        .where(Case.closed_on.is_(None), Case.due <= on, Case.status != "paused", Case.owner_id.is_not(None))
        .where(Case.kind == "attendance")
        .order_by(Case.due, Student.key)
    )  # fmt: skip
    places = _places()
    rows: Iterable[Any] = db.session.execute(wanted)
    return [
        (number, owner, Due(student, places[school], tier, status, was_reached, due < on))
        for number, owner, student, school, tier, status, was_reached, due in rows
    ]


def _due_tasks(on: date) -> list[tuple[Task, str, int, int | None]]:
    """(task, student, the school's place in the district, case number) of what somebody has and is due."""
    wanted = (
        select(Task, Student.key, Task.school_id, Case.number)
        .join(Student, Student.id == Task.student_id)
        .outerjoin(Case, and_(Case.id == Task.case_id, Case.closed_on.is_(None)))
        .where(Task.status == "open", Task.due <= on, Task.owner_id.is_not(None), Task.kind != "locate")
        .where(or_(Case.id.is_(None), Task.kind.not_in(outreach.ANSWERED_BY_CONTACT)))
        .order_by(Task.due, Student.key, Task.id)
    )
    places = _places()
    return [(task, student, places[school], case) for task, student, school, case in db.session.execute(wanted)]


def _places() -> dict[int, int]:
    """School -> its place in the district."""
    return {school: place for place, school in enumerate(db.session.scalars(select(School.id).order_by(School.key)))}


def _visit_asked(case_number: int, by: Actor) -> int | None:
    """The open home visit that the case asks of this person."""
    asked = select(Task.id).join(Case, Case.id == Task.case_id).where(Case.number == case_number)
    mine = Task.kind == "visit", Task.status == "open", Task.owner_id == by.person_id
    return db.session.scalar(asked.where(*mine).limit(1))


def _told_to(by: Actor, code: str) -> str:
    """The cause that a family names to this person; what belongs into a compartment only to who may write there."""
    may = vocabulary().causes_shown(access.readable_classes(by.grants, own=True))
    return code if vocabulary().causes[code] in may else NOT_SAID
