"""A compartment opened because somebody must know at once: for an hour, for a reason, and told to who answers for it.

It opens what is there for the time to read and nothing to write. Whether anything is inside shows only inside.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from sqlalchemy import select

from ew_app.kernel import Actor, NotFound, Refused, audit, now, operation, record, today
from ew_app.services.casework import reaching
from ew_app.services.casework.looking_in import CLOSED
from ew_app.services.casework.notes import Compartment, inside
from ew_app.services.casework.staffing import place_of
from ew_app.services.people.standing_in import with_deputies
from ew_app.services.people.telling import tell
from models.base import db
from models.cases import Case, Cause, Note
from models.crisis import CrisisOpening
from models.org import School
from models.people import Student
from models.queries import case_page as people
from models.queries import crisis as rows
from models.queries import student_page
from models.queries.crisis import Line
from models.staff import Person
from rules import access, roles
from rules.access import FieldClass, OpenedInCrisis, Permission, Place, Right
from rules.roles import OPENS
from rules.words import check_words

OPEN_FOR = timedelta(minutes=60)
MOST, WITHIN = 3, timedelta(hours=24)  # openings of one person: a crisis is not the work of every day
SHORTEST, LONGEST = 20, 500
OVER = "The hour is over. Open it once more with a new reason if you still must know."


def choices(student_id: int, by: Actor) -> tuple[FieldClass, ...]:
    """What this person may open of a student in a crisis, whether or not it holds anything."""
    return tuple(_where(student_id, by))


def instead(student_id: int, wanted: Iterable[FieldClass]) -> dict[FieldClass, list[str]]:
    """Who looks after each compartment of a student and can be asked first: name and role."""
    there = {row for school in student_page.schools_of(student_id, today()) for row in _there(place_of(school))}
    found = sorted((row.name, row.role) for row in there)
    return {one: [f"{name}, {roles.role(key).label}" for name, key in found if _keeps(key, one)] for one in wanted}


@operation
def open_record(student_id: int, compartment: str, *, by: Actor, reason: str, once: str | None = None) -> CrisisOpening:
    """Open a compartment of a student for an hour and tell those who answer for it; while it is open, the same one.

    Raises NotFound for whatever this person may not open like that, NotAllowed, Refused, UnfitWords.
    """
    student = reaching.student_at_hand(student_id, by, Permission.OPEN_IN_CRISIS)
    school = next((at for key, at in _where(student.id, by).items() if key == compartment), None)
    if school is None or by.person_id is None:
        raise NotFound(CLOSED)
    db.session.get_one(Person, by.person_id, with_for_update=True)  # one after the other, so that they are counted
    words = _checked(reason)
    if before := _before(student.id, compartment, by.person_id, once):
        return before
    _check_how_often(by.person_id)
    opening = CrisisOpening(
        once=None if _is_used(once) else once, person_id=by.person_id, position=by.position,
        student_id=student.id, school_id=school.id, compartment=compartment, reason=words, opened_at=now(),
        ends_at=now() + OPEN_FOR,
    )  # fmt: skip
    db.session.add(opening)
    db.session.flush()
    _record("record_opened", opening, by, words)
    tell_of(opening, place_of(school))
    return opening


def answerable(student_id: int, by: Actor) -> list[str]:
    """Who else answers for what is opened of a student, by name and role; they are told at once, whatever the part."""
    there = {row for school in student_page.schools_of(student_id, today()) for row in _there(place_of(school))}
    found = sorted((row.name, row.role) for row in there if row.person_id != by.person_id and _answers(row.role))
    return [f"{name}, {roles.role(key).label}" for name, key in found]


@operation
def read(opening_id: int, *, by: Actor) -> tuple[CrisisOpening, Compartment]:
    """What the compartment holds, to whoever opened it and while it is open; every reading is logged.

    Raises NotFound for everybody else's, Refused after its time.
    """
    opening = own(opening_id, by)
    if not is_open(opening, by):
        raise Refused(OVER)
    audit(
        "compartment_opened", by=by, subject=f"opening:{opening.id}", student_id=opening.student_id,
        compartment=opening.compartment, reason=f"In a crisis: {opening.reason}",
    )  # fmt: skip
    student = _child(opening.student_id)
    return opening, inside(
        opening.compartment, notes=Note.student_id == student, causes=Cause.student_id == student, student_id=student
    )


@operation
def shut(opening_id: int, *, by: Actor) -> None:
    """Shut it before its time, by whoever opened it. Raises NotFound; shut twice is shut once."""
    opening = own(opening_id, by)
    if is_open(opening, by):
        opening.closed_at = now()
        _record("record_shut", opening, by)


def mine(opening_id: int, by: Actor) -> Line | None:
    """An opening of this person with those it is about, or None for everybody else's."""
    return rows.by_number(opening_id, rows.made_by(by.person_id))


def own(opening_id: int, by: Actor) -> CrisisOpening:
    """An opening of this person. Raises NotFound."""
    opening = db.session.get(CrisisOpening, opening_id)
    if opening is None or opening.person_id != by.person_id:
        raise NotFound(CLOSED)
    return opening


def is_open(opening: CrisisOpening, by: Actor) -> bool:
    """Whether its opener may read it now: within the time, and while the role still allows it."""
    school = db.session.get_one(School, opening.school_id)
    opened = OpenedInCrisis(
        FieldClass(opening.compartment), opening.opened_at, min(opening.ends_at, opening.closed_at or opening.ends_at)
    )
    return access.lets_read(by.grants, opened, place_of(school), now())


def running(student_id: int, by: Actor) -> list[CrisisOpening]:
    """What this person has open of a student at this moment."""
    return [one for one in rows.running(by.person_id, student_id, now()) if is_open(one, by)]


# -- what is opened where --------------------------------------------------------------------------------------


def _where(student_id: int, by: Actor) -> dict[FieldClass, School]:
    """Compartment -> the school of the student at which this person may open it in a crisis, the latest first."""
    if not access.can(by.grants, Permission.OPEN_IN_CRISIS):
        return {}
    mine = student_page.is_own(student_id, by.person_id)
    found: dict[FieldClass, School] = {}
    for school in student_page.schools_of(student_id, today()):
        for one in access.in_crisis(by.grants, place_of(school), own=mine):
            found.setdefault(one, school)
    return {one: found[one] for one in OPENS if one in found}


def _before(student_id: int, compartment: str, person_id: int, once: str | None) -> CrisisOpening | None:
    """The same form sent again, or the same compartment that is open already.

    A form that asked for another compartment before (somebody went back and chose again) is a new one.
    """
    same = CrisisOpening.person_id == person_id, CrisisOpening.student_id == student_id
    sent = select(CrisisOpening).where(CrisisOpening.once == once, CrisisOpening.compartment == compartment, *same)
    if once and (before := db.session.scalar(sent)):
        return before
    return next((one for one in rows.running(person_id, student_id, now()) if one.compartment == compartment), None)


def _is_used(once: str | None) -> bool:
    return bool(once) and db.session.scalar(select(CrisisOpening.id).where(CrisisOpening.once == once)) is not None


def _checked(reason: str) -> str:
    words = " ".join(reason.split())
    if len(words) < SHORTEST:
        raise Refused("Say in a sentence why you must know this now. It is read by those who answer for the record.")
    if len(words) > LONGEST:
        raise Refused(f"Please keep the reason under {LONGEST} characters.")
    check_words(words)
    return words


def _check_how_often(person_id: int) -> None:
    if rows.opened_since(person_id, now() - WITHIN) >= MOST:
        raise Refused(
            f"You have opened {MOST} parts of records in the last 24 hours, as many as one person may. "
            "Call somebody who looks after this part, or your principal."
        )


def _record(kind: str, opening: CrisisOpening, by: Actor, reason: str = "") -> None:
    record(
        kind, by=by, subject=f"opening:{opening.id}", student_id=opening.student_id, compartment=opening.compartment,
        reason=reason,
    )  # fmt: skip


def _child(student_id: int) -> int:
    """Under which id the student's record stands: somebody may have found meanwhile that two ids are one child."""
    return db.session.get_one(Student, student_id).same_as or student_id


# -- who is told ---------------------------------------------------------------------------------------------


def tell_of(opening: CrisisOpening, place: Place, again: str = "") -> None:
    """Tell everybody who answers for an opening and has not been told; `again` tells them once more."""
    people = with_deputies(_answering(opening, place)) - {opening.person_id}
    tell("record_opened", people, once=f"opening/{opening.id}{again}", opening_id=opening.id)


def _answering(opening: CrisisOpening, place: Place) -> list[int | None]:
    """Who answers for records there, who looks after the compartment, and whoever leads the student's case in it."""
    kept, there = FieldClass(opening.compartment), _there(place)
    answers = [row.person_id for row in there if _answers(row.role) or _keeps(row.role, kept)]
    case = select(Case.owner_id).where(Case.student_id == opening.student_id, Case.closed_on.is_(None))
    leads = set(db.session.scalars(case))
    return answers + [row.person_id for row in there if row.person_id in leads and _keeps(row.role, kept, own=True)]


def _there(place: Place) -> list[Any]:
    return people.people_at([str(one) for one in place.upwards()], today())


def _answers(role: str) -> bool:
    return Permission.ANSWER_OPENINGS in roles.role(role).permissions


def _keeps(role: str, kept: FieldClass, *, own: bool = False) -> bool:
    return roles.role(role).right(kept, own=own).reaches(Right.READ)
