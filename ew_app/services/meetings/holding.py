"""Holding a team meeting: begun once a day, walked student by student, decided with a name and a day, and then closed.

Two people may write at once: whoever saves later over a change they have not seen is told so, and nothing is lost.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import joinedload

from ew_app.kernel import Actor, Conflict, DomainError, NotFound, Refused, now, operation, record, today
from ew_app.services.casework import moves, reaching, tasks
from ew_app.services.casework.ahead import check_ahead
from ew_app.services.casework.near import colleagues
from ew_app.services.casework.staffing import place_of
from ew_app.services.meetings import agenda
from ew_app.services.people import signing_in
from models.base import db
from models.cases import Case, Task
from models.meetings import Meeting, MeetingItem, MeetingMember
from models.org import School
from models.queries import case_page
from models.queries import meetings as rows
from models.staff import Person
from models.tiers import StudentStatus
from rules import access, roles
from rules.access import Permission, Place
from rules.meetings import Why
from rules.words import check_words

RUN = Permission.RUN_MEETING
NO_MEETING = "There is no such meeting, or not of a school of yours."
OVER = "This meeting is over, and its minutes stay as they are. What comes now belongs on the case."
CLOSED = "This case was closed in the meantime, so nothing is left to decide. If something is, take it up again first."
LONGEST_ACTION, LONGEST_NOTE, LONGEST_MINUTES = 200, 500, 4000


class Changed(Conflict):
    """A colleague wrote in between; `theirs` is what stands now, nothing was overwritten."""

    def __init__(self, theirs: str) -> None:
        super().__init__("A colleague has written here in the meantime. Both texts are below: put them together.")
        self.theirs = theirs


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """What a team decides about a student: `act` (one action, who, by when), `go_on` as it is, or `later`."""

    decision: str
    action: str = ""
    owner_id: int | None = None
    due: date | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class There:
    """Who is at a meeting: ids of the team, and in words who else."""

    team: frozenset[int]
    guests: str = ""


@operation
def begin(school_key: str, *, by: Actor) -> int:
    """Begin today's meeting of a school's team and keep its agenda; begun again it is the same one. Returns its number.

    Raises NotFound, NotAllowed.
    """
    school = school_at_hand(school_key, by)
    row = {"school_id": school.id, "day": today(), "begun_at": now(), "begun_by": by.name}
    number = db.session.scalar(insert(Meeting).values(row).on_conflict_do_nothing().returning(Meeting.id))
    if number is None:
        same = select(Meeting.id).where(Meeting.school_id == school.id, Meeting.day == today())
        return int(db.session.scalars(same).one())
    found = agenda.of_today(school)
    db.session.execute(update(Meeting).where(Meeting.id == number).values(numbers=found.numbers))
    db.session.add_all(
        MeetingItem(meeting_id=number, position=place, case_id=one.case_id, why=[*one.why], numbers=one.numbers)
        for place, one in enumerate(found.entries, 1)
    )
    db.session.add_all(_team(number, place_of(school), by))
    record("meeting_begun", by=by, subject=f"meeting:{number}", students=len(found.entries))
    return int(number)


def _team(meeting_id: int, place: Place, by: Actor) -> list[MeetingMember]:
    """Whoever may run meetings there, each once; of them only the one who begins is known to be there."""
    network = f"network:{place.network}" if place.network else str(place)
    people = {row.person_id: row.role for row in case_page.people_at({str(place), network}, today())}
    return [
        MeetingMember(meeting_id=meeting_id, person_id=person, role=role, present=person == by.person_id)
        for person, role in people.items()
        if RUN in roles.role(role).permissions
    ]


@operation
def note_who_is_there(meeting_id: int, there: There, *, seen: There, by: Actor) -> None:
    """Keep who of the team is there, and who else. What a colleague ticked since stays: only what differs from `seen`,
    what stood on the page, is changed.

    Raises NotFound, Conflict where both wrote who else is there, Refused, UnfitWords.
    """
    meeting = _open(meeting_id, by)
    check_words(there.guests)
    guests, before = there.guests.strip()[:LONGEST_NOTE], seen.guests.strip()
    if guests not in (before, meeting.guests) and meeting.guests != before:
        raise Conflict(f"A colleague has written meanwhile who else is there: {meeting.guests}. Put both together.")
    team = update(MeetingMember).where(MeetingMember.meeting_id == meeting.id)
    for people, present in ((there.team - seen.team, True), (seen.team - there.team, False)):
        db.session.execute(team.where(MeetingMember.person_id.in_(sorted(people))).values(present=present))
    if guests != before:
        meeting.guests = guests


@operation
def write_minutes(meeting_id: int, text: str, *, version: int, by: Actor) -> None:
    """Keep the minutes of what was not about one student. Raises Changed, NotFound, Refused, UnfitWords."""
    meeting = _open(meeting_id, by)
    check_words(text)
    if len(text) > LONGEST_MINUTES:
        raise Refused(f"Please keep the minutes under {LONGEST_MINUTES} characters.")
    if meeting.version != version and meeting.minutes != text.strip():
        raise Changed(meeting.minutes)
    meeting.minutes, meeting.version = text.strip(), meeting.version + 1


@operation
def add_student(meeting_id: int, case_number: int, *, by: Actor) -> int:
    """Put a case of the school on the agenda; one that is on it stays once. Returns its position."""
    meeting = _open(meeting_id, by)
    case = reaching.case_at_hand(case_number, by, Permission.SEE_CASE, lock=False).case
    if case.school_id != meeting.school_id or case.closed_on is not None:
        raise Refused("Only open cases of this school can be added.")
    last = db.session.scalar(select(func.max(MeetingItem.position)).where(MeetingItem.meeting_id == meeting.id)) or 0
    status = db.session.get(StudentStatus, case.student_id)
    kept = agenda.standing_numbers(status, tier=case.tier) if status else {"tier": case.tier}
    tries, reached = rows.tried(case.id)
    kept |= {"tries": tries, "reached": reached.isoformat() if reached else None}
    row = {"meeting_id": meeting.id, "position": last + 1, "case_id": case.id, "why": [Why.ADDED], "numbers": kept}
    db.session.execute(insert(MeetingItem).values(row).on_conflict_do_nothing())
    here = select(MeetingItem.position).where(MeetingItem.meeting_id == meeting.id, MeetingItem.case_id == case.id)
    return int(db.session.scalars(here).one())


@operation
def decide(item_id: int, decided: Decided, *, version: int, by: Actor) -> MeetingItem:
    """Keep what was decided about a student; an action becomes a task of one person. Saved twice it is one.

    Raises Changed, NotFound, NotAllowed, Refused, UnfitWords.
    """
    item, meeting, case = _item(item_id, by)
    task = db.session.get(Task, item.task_id) if item.task_id else None
    if _says(item, task, decided):
        return item
    if item.version != version:
        raise Changed(words_of(item, task))
    if case.closed_on is not None:
        raise Refused(CLOSED)
    _check(decided)
    if task is not None and task.status == "open":
        tasks.withdraw(task, "The team decided otherwise.", by)
    item.task_id = _give(case, meeting, item, decided, by) if decided.decision == "act" else None
    item.decision, item.note, item.version = decided.decision, decided.note.strip(), item.version + 1
    item.decided_at, item.decided_by = now(), by.name
    record(
        "team_decided", by=by, subject=f"meeting:{meeting.id}", student_id=case.student_id, case_id=case.id,
        day=meeting.day.isoformat(), decision=decided.decision,
    )  # fmt: skip
    return item


@operation
def end(meeting_id: int, *, by: Actor) -> Meeting:
    """Close the meeting: from here on its minutes are proof and change no more; ended twice is ended once."""
    meeting = meeting_at_hand(meeting_id, by, lock=True)
    if meeting.ended_at is None:
        meeting.ended_at, meeting.ended_by = now(), by.name
        students, decided = rows.how_many(meeting.id)
        there = sum(one.present for one in rows.members(meeting.id))
        record("meeting_ended", by=by, subject=f"meeting:{meeting.id}", students=students, decided=decided, there=there)
    return meeting


# -- pieces --------------------------------------------------------------------------------------------------


def school_at_hand(key: str, by: Actor) -> School:
    """A school for whose team this person may run meetings. Raises NotFound, NotAllowed."""
    access.check(by.grants, RUN)
    school = db.session.scalar(select(School).options(joinedload(School.network)).where(School.key == key))
    if school is None or not access.can(by.grants, RUN, place_of(school)):
        raise NotFound("There is no such school, or it is not one of yours.")
    return school


def meeting_at_hand(meeting_id: int, by: Actor, *, lock: bool = False) -> Meeting:
    """A meeting of a school of this person. Raises NotFound, NotAllowed."""
    access.check(by.grants, RUN)
    meeting = db.session.get(Meeting, meeting_id, with_for_update=lock, populate_existing=True)
    if meeting is None or not access.can(by.grants, RUN, reaching.place_of_school(meeting.school_id)):
        raise NotFound(NO_MEETING)
    return meeting


def words_of(item: MeetingItem, task: Task | None) -> str:
    """What stands for a student, in one line."""
    said = {"act": "", "go_on": "Go on as it is.", "later": "Look again next time.", None: ""}[item.decision]
    by_when = f", by {task.due:%a} {task.due.day} {task.due:%b}" if task and task.due else ""
    off = " (not needed any more)" if task and task.status == "withdrawn" else ""
    action = f"{task.title}{by_when}{off}." if task else ""
    return " ".join(part for part in (said, action, item.note) if part)


def may_act(meeting: Meeting) -> list[tuple[int, str, str]]:
    """(person id, name, role) of whom an action can be given to: the staff of the school and its network, each once."""
    place = reaching.place_of_school(meeting.school_id)
    network = f"network:{place.network}" if place.network else str(place)
    found = {row.person_id: (row.person_id, row.name, row.role) for row in colleagues({str(place), network})}
    return [one for one in found.values() if Permission.DO_TASKS in roles.role(one[2]).permissions]


def _open(meeting_id: int, by: Actor) -> Meeting:
    meeting = meeting_at_hand(meeting_id, by, lock=True)
    if meeting.ended_at is not None:
        raise Refused(OVER)
    return meeting


def _item(item_id: int, by: Actor) -> tuple[MeetingItem, Meeting, Case]:
    item = db.session.get(MeetingItem, item_id, with_for_update=True, populate_existing=True)
    if item is None:
        raise NotFound(NO_MEETING)
    meeting = _open(item.meeting_id, by)
    number = db.session.scalars(select(Case.number).where(Case.id == item.case_id)).one()
    return item, meeting, reaching.case_at_hand(number, by, Permission.WORK_CASE).case


def _says(item: MeetingItem, task: Task | None, decided: Decided) -> bool:
    """Whether this is what stands already: a form that came twice."""
    same = item.decision == decided.decision and item.note == decided.note.strip()
    if decided.decision != "act" or not same:
        return same
    return task is not None and (task.title, task.owner_id, task.due) == (
        decided.action.strip(), decided.owner_id, decided.due
    )  # fmt: skip


def _check(decided: Decided) -> None:
    if decided.decision not in ("act", "go_on", "later"):
        raise Refused("Choose what was decided: an action, going on as it is, or next time.")
    for words in (decided.action, decided.note):
        check_words(words)
    if len(decided.note) > LONGEST_NOTE or len(decided.action) > LONGEST_ACTION:
        raise Refused(f"Please keep the action under {LONGEST_ACTION} and the note under {LONGEST_NOTE} characters.")
    if decided.decision == "act":
        if not decided.action.strip():
            raise Refused("Write the one action that comes next.")
        if decided.owner_id is None or decided.due is None:
            raise Refused("Say who does it and by which day. An action without both is a wish.")
        if decided.due < today():
            raise Refused("That day has passed. Choose today or a later day.")
        check_ahead(decided.due)


def _give(case: Case, meeting: Meeting, item: MeetingItem, decided: Decided, by: Actor) -> int:
    """The action as a task, told to whoever has it now."""
    person = db.session.get(Person, decided.owner_id or 0)
    place = reaching.place_of_school(case.school_id)
    if person is None or person.disabled_at is not None or person.id not in {one[0] for one in may_act(meeting)}:
        raise Refused("Choose somebody of the school or its network.")
    held = [grant.role for grant, _ in signing_in.actor_of(person).grants.at(place)]
    fitting = [*moves.owning_roles(signing_in.actor_of(person), place), *held]
    if not fitting or decided.due is None:
        raise DomainError(f"{person.name} holds no role there. Choose somebody else.")
    return tasks.give(
        case, decided.action.strip(), owner_id=person.id, owner_role=fitting[0], due=decided.due,
        period=f"meeting/{meeting.id}/{item.version}", by=by,
    ).id  # fmt: skip
