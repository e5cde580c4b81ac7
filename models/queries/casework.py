"""One case with everything on its page, and what is counted about the cases of schools."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import and_, exists, func, literal, or_, select
from sqlalchemy.orm import selectinload

from models.audit import Event
from models.base import db
from models.cases import Case, CaseEpisode, CaseReason, Cause, Note, Outreach, Task
from models.org import School
from models.people import Contact, Student, SupportFlag
from models.queries.compartments import within
from models.queries.scope import AreaLike, school_ids
from models.staff import Person
from models.tiers import StudentStatus

# Told by rows of their own, which hold more than the event does.
TOLD_BY_ROWS = ("outreach", "note_written", "note_changed", "cause_added")


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the timeline; `row` is the Event, Outreach, Note or Cause it tells of."""

    at: datetime
    kind: str
    author: str
    position: str
    compartment: str | None
    edited: bool
    row: Any


@dataclass(frozen=True, slots=True)
class CaseView:
    """A case as one reader may see it. `another_support`: there is more, and no word on what."""

    case: Case
    student: Student
    school: School
    owner: Person | None
    status: StudentStatus | None
    reasons: list[CaseReason]
    tasks: list[Task]
    causes: list[Cause]
    contacts: list[Contact]
    timeline: list[Entry]
    another_support: bool


def case_view(
    case_id: int,
    *,
    compartments: Collection[str] = (),
    flagged: Collection[str] = (),
    notes: bool = False,
    limited: Collection[str] = (),
    author_id: int | None = None,
) -> CaseView:
    """Everything on the page of a case that `reaching.case_at_hand` has let through, in ten statements or fewer.

    compartments: classes open to the reader; flagged: classes of which they learn only that there is something;
    notes: whether case notes may be read (one's own always may); limited: cause codes shown only with the notes.
    """
    loaded = select(Case).where(Case.id == case_id).options(selectinload(Case.student), selectinload(Case.school))
    case = db.session.scalars(loaded).one()
    causes = _causes(case, compartments, () if notes else limited)
    return CaseView(
        case=case,
        student=case.student,
        school=case.school,
        owner=db.session.get(Person, case.owner_id) if case.owner_id else None,
        status=db.session.get(StudentStatus, case.student_id),
        reasons=_reasons(case),
        tasks=_tasks(case, compartments),
        causes=causes,
        contacts=_people(case),
        timeline=_timeline(
            _events(case, compartments),
            _outreach(case),
            _notes(case, compartments, notes, author_id),
            map(_told, causes),
        ),
        another_support=_another_support(case, frozenset(flagged) - frozenset(compartments)),
    )


def _timeline(*told: Iterable[Entry]) -> list[Entry]:
    """What happened, newest first."""
    return sorted((entry for entries in told for entry in entries), key=lambda entry: entry.at, reverse=True)


def _reasons(case: Case) -> list[CaseReason]:
    """The reasons of the current episode, the newest first and withdrawn ones last."""
    wanted = select(CaseReason).where(CaseReason.case_id == case.id, CaseReason.episode == case.episode)
    return list(db.session.scalars(wanted.order_by(CaseReason.withdrawn_at.asc().nulls_first(), CaseReason.id.desc())))


def _tasks(case: Case, compartments: Collection[str]) -> list[Task]:
    """The tasks of the case, open ones first by day; those of compartments open to the reader among them."""
    of_student = and_(Task.student_id == case.student_id, Task.status == "open")
    wanted = select(Task).where(or_(Task.case_id == case.id, of_student), within(Task.compartment, compartments))
    return list(db.session.scalars(wanted.order_by(Task.status != "open", Task.due.asc().nulls_last(), Task.id)))


def _causes(case: Case, compartments: Collection[str], hidden: Collection[str]) -> list[Cause]:
    """Current causes first, the primary one at the head."""
    shown = within(Cause.compartment, compartments), Cause.code.not_in(list(hidden))
    wanted = select(Cause).where(Cause.case_id == case.id, *shown)
    return list(db.session.scalars(wanted.order_by(Cause.ended_at.is_not(None), Cause.is_primary.desc(), Cause.id)))


def _people(case: Case) -> list[Contact]:
    """The people to reach about the student; those who may get mail first."""
    wanted = select(Contact).where(Contact.student_id == case.student_id)
    return list(db.session.scalars(wanted.order_by(Contact.may_receive_mail.desc().nulls_last(), Contact.id)))


def _told(cause: Cause) -> Entry:
    return Entry(cause.written_at, "cause", cause.author, cause.position, cause.compartment, False, cause)


def _events(case: Case, compartments: Collection[str]) -> list[Entry]:
    wanted = select(Event).where(
        Event.case_id == case.id, within(Event.compartment, compartments), Event.kind.not_in(TOLD_BY_ROWS)
    )
    found = db.session.scalars(wanted.order_by(Event.id.desc()))
    return [Entry(e.at, e.kind, e.actor, e.position, e.compartment, False, e) for e in found]


def _outreach(case: Case) -> list[Entry]:
    """Every attempt about the student, also those from before the case."""
    wanted = select(Outreach).where(Outreach.student_id == case.student_id)
    found = db.session.scalars(wanted.order_by(Outreach.at.desc(), Outreach.id.desc()))
    return [Entry(o.at, "outreach", o.author, o.position, None, False, o) for o in found]


def _notes(case: Case, compartments: Collection[str], readable: bool, author_id: int | None) -> list[Entry]:
    """The newest version of each note that the reader may read, or wrote."""
    replaced = select(Note.replaces_id).where(Note.case_id == case.id, Note.replaces_id.is_not(None))
    wanted = select(Note).where(
        Note.case_id == case.id, Note.id.not_in(replaced), within(Note.compartment, compartments)
    )
    if not readable:
        mine = Note.author_id == author_id if author_id is not None else literal(False)
        wanted = wanted.where(or_(mine, Note.compartment.is_not(None)))
    found = db.session.scalars(wanted.order_by(Note.id.desc()))
    return [
        Entry(n.written_at, "note", n.author, n.position, n.compartment, n.replaces_id is not None, n) for n in found
    ]


def _another_support(case: Case, flagged: Collection[str]) -> bool:
    """Whether anything current lies in a compartment of which the reader may know that there is something."""
    if not flagged:
        return False
    keys = sorted(flagged)
    task = exists().where(Task.student_id == case.student_id, Task.status == "open", Task.compartment.in_(keys))
    cause = exists().where(Cause.case_id == case.id, Cause.ended_at.is_(None), Cause.compartment.in_(keys))
    note = exists().where(Note.case_id == case.id, Note.compartment.in_(keys))
    flag = exists().where(SupportFlag.student_id == case.student_id, SupportFlag.compartment.in_(keys))
    return bool(db.session.scalar(select(or_(task, cause, note, flag))))


# -- counts --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SchoolNumbers:
    """A school's cases in counts. `in_time` of `asked`: first contacts by their day, of those due or made."""

    school_id: int
    open: int
    tier_3: int
    overdue: int
    unowned: int
    asked: int
    in_time: int


def school_numbers(area: AreaLike, on: date, since: date) -> dict[int, SchoolNumbers]:
    """School -> its counts; first contacts are those of episodes begun on `since` or later."""
    here = Case.closed_on.is_(None)
    made = exists().where(
        Outreach.student_id == Case.student_id, Outreach.is_contact,
        Outreach.on_day >= CaseEpisode.opened, Outreach.on_day <= Case.contact_due,
    ).correlate(Case, CaseEpisode)  # fmt: skip
    recent = and_(CaseEpisode.opened >= since, Case.contact_due.is_not(None))
    wanted = (
        select(
            Case.school_id,
            func.count().filter(here),
            func.count().filter(here, Case.tier == 3),
            func.count().filter(here, Case.due < on, Case.status != "paused"),
            func.count().filter(here, Case.owner_id.is_(None)),
            func.count().filter(recent, or_(Case.contact_due < on, made)),
            func.count().filter(recent, made),
        )
        .join(CaseEpisode, and_(CaseEpisode.case_id == Case.id, CaseEpisode.episode == Case.episode))
        .where(Case.school_id.in_(school_ids(area)))
        .group_by(Case.school_id)
    )
    return {row[0]: SchoolNumbers(*row) for row in db.session.execute(wanted)}
