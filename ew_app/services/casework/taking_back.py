"""The cases of a delivery that is taken back: closed with it where nobody has worked on them, else left to people.

To take a delivery back is a person's act, so what it closes is closed in that person's name.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ew_app.kernel import Actor, now, operation, record, today
from ew_app.services.casework import visit_ends
from ew_app.services.measuring.touched import touch
from models import casebook
from models.queries import taking_back as rows
from models.queries.following import TAKEN_BACK
from rules.counting import are, many
from rules.vocabulary import vocabulary

NAMED = 20  # cases listed by number in a sentence


@dataclass(frozen=True, slots=True)
class Fate:
    """What becomes of the cases of a delivery: how many close with it, and the numbers of those that stay."""

    closed: int
    stay: tuple[int, ...]


def outlook(batch_id: int) -> list[str]:
    """What taking this batch back would do to the cases that opened with it, in sentences."""
    fate = _fate(rows.opened_by(batch_id))
    if not fate.closed and not fate.stay:
        return []
    said = [
        f"{many(fate.closed, 'case')} that opened with it and that nobody has worked on "
        f"{are(fate.closed, 'closes', 'close')} with it, unless something else holds {are(fate.closed, 'it', 'them')}"
    ]
    return (said if fate.closed else []) + _staying(fate.stay)


@operation
def close_left_over(batch_id: int, *, by: Actor) -> Fate:
    """Close what only this batch had opened and nobody has worked on; call it once everything was decided anew."""
    found = rows.left_over(batch_id)
    untouched = [case for case in found if not case.worked_on]
    if untouched:
        casebook.close([case.id for case in untouched], today(), TAKEN_BACK, now(), by.login)
        visit_ends.of_cases([case.id for case in untouched], visit_ends.CLOSED, by)
        why = vocabulary().label("close_reason", TAKEN_BACK)
        for case in untouched:
            subject = f"case:{case.number}"
            record("case_closed", by=by, subject=subject, student_id=case.student, case_id=case.id, why=why)
        touch([case.student for case in untouched], today())
    return _fate(found)


def told(fate: Fate) -> list[str]:
    """What became of the cases, in sentences."""
    closed = f"{many(fate.closed, 'case')} that nobody had worked on {are(fate.closed, 'was', 'were')} closed with it"
    return ([closed] if fate.closed else []) + _staying(fate.stay)


def _fate(found: Sequence[rows.OpenCase]) -> Fate:
    stay = tuple(case.number for case in found if case.worked_on)
    return Fate(len(found) - len(stay), stay)


def _staying(numbers: Sequence[int]) -> list[str]:
    if not numbers:
        return []
    named = ", ".join(str(number) for number in numbers[:NAMED])
    more = f" and {len(numbers) - NAMED:,} more" if len(numbers) > NAMED else ""
    count = len(numbers)
    verbs = f"{are(count, 'was', 'were')} worked on {are(count, 'stays', 'stay')} open"
    return [f"{many(count, 'case')} that {verbs}: {named}{more}"]
