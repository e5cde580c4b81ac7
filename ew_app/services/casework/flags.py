"""A flag that leads to no work now: somebody looked, says why, and whether it was right to be told."""

from __future__ import annotations

from sqlalchemy import select

from ew_app.kernel import Actor, Refused, now, operation, record
from ew_app.services.casework import closing, reaching
from models.base import db
from models.cases import Case
from models.lists import FlagAnswer
from models.people import Student
from models.tiers import StudentStatus
from rules import access
from rules.access import Permission
from rules.vocabulary import vocabulary
from rules.words import check_words

REASONS = ("not_needed", "other_team", "corrected", "moved_school")  # of closing, those that need no plan


@operation
def set_aside(student_id: int, *, reason: str, useful: str, note: str = "", by: Actor) -> Case | None:
    """Answer a student's flag. An open case is closed for the reason, and comes back; without one the answer is kept.

    Raises NotFound, NotAllowed, Refused, IllegalMove, UnfitWords.
    """
    access.check(by.grants, Permission.WORK_CASE)
    student = reaching.student_at_hand(student_id, by, Permission.SEE_FLAGGED)
    _check(reason, useful, note)
    number = db.session.scalar(select(Case.number).where(Case.student_id == student.id, Case.closed_on.is_(None)))
    if number is not None:
        return _close(number, reason, useful, note, by)
    _keep(student, reason, useful, note, by)
    return None


@operation
def take_up(student_id: int, *, by: Actor) -> None:
    """Show a flag again that was set aside. Raises NotFound, NotAllowed, Refused."""
    access.check(by.grants, Permission.WORK_CASE)
    student = reaching.student_at_hand(student_id, by, Permission.SEE_FLAGGED)
    answer = _answer_of(_standing(student))
    if answer is None:
        raise Refused("This flag was not set aside, so it stands on the list already.")
    db.session.delete(answer)
    record("flag_taken_up", by=by, subject=f"student:{student.id}", student_id=student.id)


def _close(number: int, reason: str, useful: str, note: str, by: Actor) -> Case:
    case = reaching.case_at_hand(number, by, Permission.WORK_CASE).case
    answers = {one.rule: useful for one in closing.rules_to_answer(case)}
    return closing.close(number, by=by, reason=reason, useful=answers, note=note)


def _keep(student: Student, reason: str, useful: str, note: str, by: Actor) -> None:
    standing = _standing(student)
    if _answer_of(standing) is not None:
        return
    db.session.add(
        FlagAnswer(
            student_id=student.id, since=standing.tier_since, tier=standing.tier, reason=reason, useful=useful,
            note=note.strip(), author_id=by.person_id, author=by.name, position=by.position, written_at=now(),
        )
    )  # fmt: skip
    said = vocabulary().label("close_reason", reason)
    record("flag_set_aside", by=by, subject=f"student:{student.id}", student_id=student.id, why=said)


def _standing(student: Student) -> StudentStatus:
    found = db.session.get(StudentStatus, student.id)
    if found is None or found.tier_since is None or found.tier < 1:
        raise Refused("This student stands in no tier above 1 any more, so there is no flag to answer.")
    return found


def _answer_of(standing: StudentStatus) -> FlagAnswer | None:
    wanted = select(FlagAnswer).where(
        FlagAnswer.student_id == standing.student_id, FlagAnswer.since == standing.tier_since
    )
    return db.session.scalars(wanted).one_or_none()


def _check(reason: str, useful: str, note: str) -> None:
    if reason not in REASONS:
        raise Refused("Choose why nothing follows now. Nothing was changed yet.")
    if not useful:
        raise Refused("Say whether it was right to be told.")
    reaching.known("useful", useful)
    check_words(note)
