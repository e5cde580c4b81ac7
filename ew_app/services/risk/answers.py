"""What people say to the model: an answer to what it says of a student, and who is to be left out of it.

All of it, like the scores, is part of the student's record: it can be shown, handed out and deleted as such.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import delete, or_, select, true, update

from ew_app.kernel import Actor, Conflict, NotFound, Refused, now, operation, record
from ew_app.services.casework import reaching
from ew_app.services.risk import lives, purpose
from models.base import db
from models.people import Student
from models.queries import risk as rows
from models.queries import risk_record, same_child
from models.risk import RiskAnswer, RiskExcluded, RiskModel, RiskScore, RiskTold
from rules import access
from rules.access import Permission
from rules.words import check_words

ANSWERS: Mapping[str, str] = {
    "accepted": "Taken up",
    "dismissed": "Set aside",
    "wrong_data": "It rests on wrong data",
}
RANGE_MEANS = "tenths of a chance: 3 means that of similar students 30% to 40% were expected to be chronically absent"
SAID_WHY = ("dismissed", "wrong_data")  # answers that need a reason


@operation
def answer(student_id: int, *, answer: str, reason: str = "", by: Actor) -> RiskAnswer:
    """Say what somebody who knows the student makes of what the serving model says of them.

    Nothing else follows from it: no tier, case or task moves. Raises NotFound, NotAllowed, Refused, UnfitWords.
    """
    student = reaching.student_at_hand(student_id, by, Permission.SEE_RISK)
    if answer not in ANSWERS:
        raise Refused(f"An answer is one of {', '.join(ANSWERS)}.")
    reason = reason.strip()
    if answer in SAID_WHY and not reason:
        raise Refused("Say why, in a few words. Nothing was saved yet.")
    check_words(reason)
    score = _shown(student)
    told = RiskAnswer(
        model_id=score.model_id, student_id=student.id, day=score.day, range_key=score.range_key, answer=answer,
        reason=reason, author_id=by.person_id, author=by.name, position=by.position, written_at=now(),
    )  # fmt: skip
    db.session.add(told)
    db.session.flush()
    record(
        "risk_answered", by=by, subject=f"student:{student.id}", student_id=student.id, answer=answer,
        model=score.model_id,
    )  # fmt: skip
    return told


def _shown(student: Student) -> RiskScore:
    stands = lives.state()
    model = stands.model if stands.kind is lives.Kind.SERVING else None
    found = rows.scores_of(model.id, [student.id], true()) if model else ()
    if not found:
        raise Conflict("The model says nothing of this student any more, so there is nothing to answer.")
    return found[0]


@operation
def leave_out(student_id: int, *, reason: str, by: Actor) -> None:
    """Leave a student out of the model from now on; what it said of them goes at once. The rules still apply.

    Raises NotFound, NotAllowed, Refused, UnfitWords.
    """
    student = reaching.student_at_hand(student_id, by, Permission.EXCLUDE_FROM_RISK)
    reason = reason.strip()
    if not reason:
        raise Refused("Say who asked for it, or why. Nothing was changed yet.")
    check_words(reason)
    if standing_exclusion(student.id) is not None:
        raise Refused("This student is left out of the model already.")
    # An evening that is being scored holds these; it writes what it says before this deletes it, or sees this wish.
    db.session.execute(select(RiskModel.id).where(RiskModel.stage != "off").with_for_update(read=True))
    who = {"author_id": by.person_id, "author": by.name, "position": by.position, "written_at": now()}
    db.session.add(RiskExcluded(student_id=student.id, reason=reason, **who))
    for table in (RiskScore, RiskTold):
        db.session.execute(delete(table).where(table.student_id.in_(same_child.ids_of(student.id))))
    record("risk_left_out", by=by, subject=f"student:{student.id}", student_id=student.id, reason=reason)


@operation
def take_in(student_id: int, *, by: Actor) -> None:
    """Let the model see a student again who was left out. Raises NotFound, NotAllowed, Refused."""
    student = reaching.student_at_hand(student_id, by, Permission.EXCLUDE_FROM_RISK)
    if standing_exclusion(student.id) is None:
        raise Refused("This student is not left out of the model.")
    here = RiskExcluded.student_id.in_(same_child.ids_of(student.id)), RiskExcluded.ended_at.is_(None)
    db.session.execute(update(RiskExcluded).where(*here).values(ended_at=now(), ended_by=by.name))
    record("risk_taken_in", by=by, subject=f"student:{student.id}", student_id=student.id)


def standing_exclusion(student_id: int) -> RiskExcluded | None:
    """The wish that a student be left out, under whichever id it was written down."""
    ids = select(Student.id).where(or_(Student.id == student_id, Student.same_as == student_id))
    here = RiskExcluded.student_id.in_(ids), RiskExcluded.ended_at.is_(None)
    return db.session.scalars(select(RiskExcluded).where(*here).order_by(RiskExcluded.id)).first()


# -- the record of one child ---------------------------------------------------------------------------------------


@operation
def record_of(key: str, *, by: Actor) -> dict[str, Any]:
    """Everything that any model keeps of a student, by the district's key; for the file that a family may ask for.

    The look is written down. Raises NotFound, NotAllowed.
    """
    student = _of_record(key, by)
    record("risk_record_read", by=by, subject=f"student:{student.id}", student_id=student.id)
    return {
        "student_id": student.key, "stamp": purpose.stamp(by), "range_means": RANGE_MEANS,
        **risk_record.record_of(same_child.ids_of(student.id)),
    }  # fmt: skip


@operation
def delete_record(key: str, *, reason: str, by: Actor) -> int:
    """Delete what models said of a student and what was answered; how many rows. Whether they are left out stays.

    Raises NotFound, NotAllowed, Refused.
    """
    student = _of_record(key, by)
    access.check(by.grants, Permission.STOP_RISK)
    if not reason.strip():
        raise Refused("Say why it is deleted; the audit keeps that. Nothing was changed yet.")
    gone = risk_record.delete_record(same_child.ids_of(student.id))
    record("risk_record_deleted", by=by, subject=f"student:{student.id}", student_id=student.id, reason=reason.strip())
    return gone


def _of_record(key: str, by: Actor) -> Student:
    """A student within reach, whichever of their ids the key is. Raises NotFound, NotAllowed."""
    access.check(by.grants, Permission.SEE_RISK)
    student = db.session.scalars(select(Student).where(Student.key == key)).one_or_none()
    if student is None:
        raise NotFound(f"There is no student {key}.")
    student = db.session.get_one(Student, student.same_as) if student.same_as else student
    return reaching.student_at_hand(student.id, by, Permission.SEE_RISK)
