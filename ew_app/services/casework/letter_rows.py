"""What following findings does to letters, collected for many students and written with a few statements."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import update

from ew_app.kernel import Actor, Told, local
from ew_app.services.casework.following import Drafted, Found, Pupil
from models import casebook
from models.base import db
from models.letters import Letter
from rules.letters import templates


class LetterRows:
    """New and changed letters of one following; each change is told on the timeline of the case."""

    def __init__(self, by: Actor, at: datetime, told: list[Callable[[], Told]]) -> None:
        self._by, self._at, self._told = by, at, told
        self._new: list[tuple[Pupil, dict[str, Any]]] = []
        self._changed: dict[tuple[tuple[str, Any], ...], list[int]] = defaultdict(list)  # columns -> letters

    def draft(self, pupil: Pupil, found: Found, template: str) -> None:
        """A new draft for a reason of the pupil's case."""
        row = {
            "template": template, "rule": found.rule, "period": found.period, "through": pupil.through,
            "status": "draft", "created_at": self._at, "note": "", "text": "", "student_id": pupil.student,
        }  # fmt: skip
        self._new.append((pupil, row))
        pupil.letters.append(
            Drafted(0, template, found.period, found.rule, "draft", local(self._at).date(), pupil.through, False, None)
        )
        self._tell("letter_drafted", pupil, template)

    def withdraw(self, pupil: Pupil, letter: Drafted, why: str) -> None:
        """A draft is not to be sent any more; the reason stays with it as its note."""
        self._put(pupil, letter, "letter_withdrawn", status="withdrawn", withdrawn_at=self._at, note=why)

    def take_up(self, pupil: Pupil, letter: Drafted) -> None:
        """A draft that was taken back is one again."""
        self._put(pupil, letter, "letter_drafted", status="draft", withdrawn_at=None, note="")

    def was_wrong(self, pupil: Pupil, letter: Drafted) -> None:
        """The marks behind a letter that was sent were corrected: whoever sent it is asked to tell the family."""
        fresh = {"settled_at": None, "settled_by": None, "settled_as": None}
        self._put(pupil, letter, "letter_was_wrong", corrected_at=self._at, **fresh)

    def stands_again(self, pupil: Pupil, letter: Drafted) -> None:
        """The correction was itself corrected before anybody had told the family."""
        self._put(pupil, letter, "letter_stands_again", settled_at=self._at, settled_as="stands_again")

    def _put(self, pupil: Pupil, letter: Drafted, kind: str, **columns: Any) -> None:
        self._changed[tuple(columns.items())].append(letter.id)
        status = columns.get("status", letter.status)
        pupil.letters = [replace(one, status=status) if one.id == letter.id else one for one in pupil.letters]
        self._tell(kind, pupil, letter.template)

    def write(self) -> None:
        """Write everything; new cases have their numbers by now."""
        new = [(row, pupil.case) for pupil, row in self._new]
        casebook.add("letter", [row | {"case_id": at.id, "school_id": at.school} for row, at in new if at is not None])
        for columns, letters in self._changed.items():
            db.session.execute(update(Letter).where(Letter.id.in_(letters)).values(dict(columns)))

    def _tell(self, kind: str, pupil: Pupil, template: str) -> None:
        """What stands in the timeline of the case; a new one has no number yet."""
        data, subject = {"letter": templates()[template].label}, f"student:{pupil.student}"
        case = pupil.case
        self._told.append(lambda: Told(kind, self._by, subject, pupil.student, case.id if case else None, data=data))
