"""A letter of a case: read, sent by a person, and told again where the marks behind it turn out wrong."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select

from ew_app.kernel import Actor, NotFound, Refused, now, operation, record
from ew_app.services.casework import reaching
from ew_app.services.casework.reaching import CaseAtHand
from models.base import db
from models.cases import Case
from models.letters import Letter
from models.queries import letters as rows
from rules.access import Permission
from rules.letters import templates
from rules.tiers import days_text

NO_LETTER = "There is no such letter, or it is not one of yours."
MAY_SEND = Permission.WORK_CASE
TAKEN_BACK = "This letter was taken back, because the marks behind it were corrected. Please do not send it."


@dataclass(frozen=True, slots=True)
class Shown:
    """A letter with its words: those that were sent, or of a draft those that hold now."""

    letter: Letter
    label: str
    text: str


def read(case_number: int, letter_id: int, *, by: Actor) -> Shown:
    """A letter of a case in reach. Raises NotFound, NotAllowed."""
    held = reaching.case_at_hand(case_number, by, MAY_SEND, lock=False)
    letter = _of(held, letter_id)
    return Shown(letter, templates()[letter.template].label, letter.text or _words(held.case, letter))


@operation
def sent(case_number: int, letter_id: int, *, by: Actor) -> Letter:
    """Note that a person has sent a draft; its words are kept as they are now. Sent twice stays sent once.

    Raises NotFound, NotAllowed, Refused.
    """
    held = reaching.case_at_hand(case_number, by, MAY_SEND)
    letter = _of(held, letter_id)
    if letter.status == "withdrawn":
        raise Refused(TAKEN_BACK)
    if letter.status == "draft":
        letter.text = _words(held.case, letter)
        letter.status, letter.sent_at, letter.sent_by = "sent", now(), by.login
        _tell("letter_sent", letter, held.case, by)
    return letter


@operation
def settle(case_number: int, letter_id: int, *, by: Actor, told: bool) -> Letter:
    """Say of a letter whose marks were corrected that the family was told, or that it needs nothing more.

    Raises NotFound, NotAllowed, Refused.
    """
    held = reaching.case_at_hand(case_number, by, MAY_SEND)
    letter = _of(held, letter_id)
    if letter.corrected_at is None:
        raise Refused("Nothing behind this letter was corrected, so there is nothing to tell the family again.")
    if letter.settled_at is None:
        letter.settled_at, letter.settled_by = now(), by.login
        letter.settled_as = "told" if told else "not_needed"
        _tell("letter_told_again" if told else "letter_left_as_is", letter, held.case, by)
    return letter


def _of(held: CaseAtHand, letter_id: int) -> Letter:
    here = Letter.id == letter_id, Letter.case_id == held.case.id
    letter: Letter | None = db.session.scalar(select(Letter).where(*here).execution_options(populate_existing=True))
    if letter is None:
        raise NotFound(NO_LETTER)
    return letter


def _words(case: Case, letter: Letter) -> str:
    absent, enrolled = rows.days_of(case.student_id)
    return templates()[letter.template].filled(
        first_name=case.student.first_name or case.student.name,
        absent=days_text(absent),
        enrolled=days_text(enrolled),
        school=case.school.name,
    )


def _tell(kind: str, letter: Letter, case: Case, by: Actor) -> None:
    subject, label = f"letter:{letter.id}", templates()[letter.template].label
    record(kind, by=by, subject=subject, student_id=case.student_id, case_id=case.id, letter=label)
