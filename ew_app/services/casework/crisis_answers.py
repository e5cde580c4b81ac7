"""Was it right? What was opened in a crisis, before those who answer for it: looked at by one, and answered."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import ColumnElement

from ew_app.alone import alone
from ew_app.kernel import Actor, Conflict, NotFound, Refused, now, operation, record, today
from ew_app.services.casework import crisis, reaching
from ew_app.services.casework.looking_in import CLOSED
from ew_app.services.casework.staffing import place_of
from ew_app.services.people.standing_in import with_deputies
from ew_app.services.people.telling import tell
from models.base import db
from models.crisis import ANSWERS, CrisisOpening
from models.org import School
from models.queries import case_page as people
from models.queries import crisis as rows
from models.queries.crisis import Line
from rules import access, roles
from rules.access import Permission
from rules.words import check_words

LONGEST = 500
RIGHT, NOT_RIGHT = ANSWERS
ONCE_MORE, NO_MORE = timedelta(days=1), timedelta(days=60)
GIVEN = "Somebody has answered this already. Nothing was changed; load the page to read it."


def seen_by(by: Actor) -> ColumnElement[bool]:
    """Condition on CrisisOpening: what this person answers for. Nobody answers for an opening of their own."""
    area = access.scope_of(by.grants, Permission.ANSWER_OPENINGS).whole
    return rows.answered_for(area, reaching.openings(by), by.person_id)


@operation
def look_at(opening_id: int, *, by: Actor) -> Line:
    """An opening that this person answers for; the first look is noted. Raises NotFound."""
    line = rows.by_number(opening_id, seen_by(by))
    if line is None:
        raise NotFound(CLOSED)
    if line.opening.seen_at is None:
        line.opening.seen_id, line.opening.seen_at = by.person_id, now()
        _record("opening_seen", line.opening, by)
    return line


@operation
def tell_again() -> None:
    """What nobody has answered is told to whoever came since to answer for it, and after a day to all once more."""
    for opening, school in rows.unanswered(now() - NO_MORE):
        with alone(f"opening {opening.id}"):
            crisis.tell_of(opening, place_of(school))
            if now() - opening.opened_at >= ONCE_MORE:
                crisis.tell_of(opening, place_of(school), "/again")


@operation
def answer(opening_id: int, said: str, *, by: Actor, words: str = "") -> CrisisOpening:
    """Say whether it was right, once. Whoever opened it is told, and of what was not right whoever keeps records.

    Raises NotFound, Refused, Conflict, UnfitWords.
    """
    opening = look_at(opening_id, by=by).opening
    _check(said, words)
    db.session.refresh(opening, with_for_update=True)
    if opening.answer is not None:
        if (opening.answered_id, opening.answer) == (by.person_id, said):
            return opening
        raise Conflict(GIVEN)
    opening.answer, opening.answer_words = said, words.strip()
    opening.answered_id, opening.answered_at = by.person_id, now()
    _record("opening_answered", opening, by)
    once = f"opening/{opening.id}/answer"
    tell("opening_answered", [opening.person_id], once=once, by=by, opening_id=opening.id)
    if said == NOT_RIGHT:
        custodians = with_deputies(_privacy(opening))
        tell("opening_not_right", custodians, once=f"{once}/not_right", by=by, opening_id=opening.id)
    return opening


def _check(said: str, words: str) -> None:
    if said not in ANSWERS:
        raise Refused("Choose whether it was right or not.")
    if said == NOT_RIGHT and not words.strip():
        raise Refused("Say in a few words what was not right. The person who opened it reads it.")
    if len(words) > LONGEST:
        raise Refused(f"Please keep it under {LONGEST} characters.")
    check_words(words)


def _privacy(opening: CrisisOpening) -> list[int | None]:
    """Who can look up what left a record: the district's records custodian."""
    place = place_of(db.session.get_one(School, opening.school_id))
    there = people.people_at([str(one) for one in place.upwards()], today())
    return [row.person_id for row in there if Permission.SEE_AUDIT in roles.role(row.role).permissions]


def _record(kind: str, opening: CrisisOpening, by: Actor) -> None:
    record(kind, by=by, subject=f"opening:{opening.id}", student_id=opening.student_id, compartment=opening.compartment)
