"""What attendance codes mean: explain a code for a school or the district, and see the effect before saving."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from sqlalchemy import select, text

import rules.codes
from ew_app.feeds import OURS, load_export
from ew_app.kernel import Actor, NotFound, Refused, now, operation, record
from ew_app.services.deciding import flagging
from ew_app.services.measuring.touched import ask_for_evaluation, touch_each
from ew_app.services.rosters.roster_targets import ABSENCE_CODE, ROSTER_LOCK, SAID_BY_AN_EXPORT
from models import touched
from models.attendance import RowHistory
from models.base import db
from models.org import ABSENT_KINDS, CODE_KINDS, EXCUSES, AbsenceCode, School
from models.queries import coded
from models.recounting import recount_absences
from models.upsert import end_rows
from rules.cells import WHOLE_DAY
from rules.day import Kind, Reason

BY_HAND: Final = 0  # stands in history for the batch of a change that a person made


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a code is to mean. `absent_fraction` in thousandths of the day; None takes the usual one of the kind.

    school_key: one school, or None for the whole district. Both dates are inclusive, None leaves that side open.
    """

    code: str
    kind: str
    excused: str = "unknown"
    absent_fraction: int | None = None
    school_key: str | None = None
    title: str = ""
    valid_from: date | None = None
    valid_to: date | None = None

    def check(self) -> None:
        """Refused, with a sentence, for a meaning that cannot be."""
        if self.kind not in CODE_KINDS:
            raise Refused(f"{self.kind!r} is no kind of mark. It may be: {', '.join(CODE_KINDS)}.")
        if self.excused not in EXCUSES:
            raise Refused(f"{self.excused!r} is no excuse status. It may be: {', '.join(EXCUSES)}.")
        if not 0 <= self.fraction <= WHOLE_DAY:
            raise Refused("The part of the day that was missed is between 0 and 1.")
        if self.valid_from and self.valid_to and self.valid_to < self.valid_from:
            raise Refused("The last day this meaning holds comes before its first day.")

    @property
    def fraction(self) -> int:
        """Thousandths of the day that the code alone stands for."""
        usual = WHOLE_DAY if self.kind in ABSENT_KINDS else 0
        return usual if self.absent_fraction is None else self.absent_fraction


@dataclass(frozen=True, slots=True)
class Effect:
    """What saving a meaning would do: marks (on rolls too) and students with the code, tiers entered and left."""

    marks: int
    students: int
    tiers: dict[str, int]


@operation
def map_code(meaning: Meaning, *, by: Actor) -> AbsenceCode:
    """Save what a code means and measure everyone who has it again. Raises Refused, NotFound.

    The same code, school and first day again corrects the meaning; its earlier form is kept.
    """
    row = _save(meaning)
    school = meaning.school_key or "district"
    record("code_mapped", by=by, subject=f"code:{meaning.code}", school=school, meaning=meaning.kind)
    ask_for_evaluation()
    return row


@operation
def know_codes(format_name: str) -> None:
    """Explain the codes that a format brings along, where nobody has said for the whole district what they mean."""
    if not unexplained(format_name):
        return
    db.session.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": ROSTER_LOCK})
    for meaning in unexplained(format_name):
        _save(meaning)


@operation
def unexplained(format_name: str) -> list[Meaning]:
    """What a format says of those of its codes of which nobody has said for the whole district what they mean."""
    known = () if format_name == OURS else load_export(format_name).codes
    words = [code.code for code in known]
    said = set(
        db.session.scalars(select(AbsenceCode.code).where(AbsenceCode.school_id.is_(None), AbsenceCode.code.in_(words)))
    )
    return [Meaning(code.code, code.kind, code.excused, code.fraction) for code in known if code.code not in said]


def brought_by(format_name: str) -> list[rules.codes.Meaning]:
    """The same as meanings that rows can be read by while nothing is saved."""
    return [
        rules.codes.Meaning(None, one.code, Kind[one.kind.upper()], Reason[one.excused.upper()], one.fraction)
        for one in unexplained(format_name)
    ]


@operation
def effect_of(meaning: Meaning) -> Effect:
    """What `map_code` would do, worked out with everything it leads to and taken back. Raises Refused, NotFound."""
    with _taken_back():
        flagging.take_turn()
        touched.forget_all()
        row = _save(meaning)
        days, students = coded.counted(row.code, row.school_id, row.valid_from, row.valid_to)
        return Effect(days, students, flagging.evaluate_touched())


@contextmanager
def _taken_back() -> Iterator[None]:
    """Undo all that happens in the block: its rows, and the work it queued."""
    queued = db.session.info.get("on_commit", [])
    db.session.info["on_commit"] = []
    savepoint = db.session.begin_nested()
    try:
        yield
    finally:
        savepoint.rollback()
        db.session.info["on_commit"] = queued


def _save(meaning: Meaning) -> AbsenceCode:
    """Store the meaning with history and mark the students who have the code."""
    meaning.check()
    db.session.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": ROSTER_LOCK})
    school_id = _school_id(meaning)
    row = db.session.scalar(
        select(AbsenceCode).where(
            AbsenceCode.school_id.is_not_distinct_from(school_id),
            AbsenceCode.code == meaning.code,
            AbsenceCode.valid_from.is_not_distinct_from(meaning.valid_from),
        )
    )
    before = _form(row) if row else None
    row = row or AbsenceCode(school_id=school_id, code=meaning.code, valid_from=meaning.valid_from)
    row.kind, row.excused, row.absent_fraction = meaning.kind, meaning.excused, meaning.fraction
    row.title, row.valid_to = meaning.title or row.title or meaning.code, meaning.valid_to
    row.batch_id = row.line = None
    db.session.add(row)
    db.session.flush()
    _keep(row, before)
    if meaning.valid_from is None:
        said = f"SELECT FROM absence_code o WHERE o.id = {row.id} AND o.code = t.code"
        same = f"EXISTS ({said} AND o.school_id IS NOT DISTINCT FROM t.school_id)"
        end_rows(ABSENCE_CODE, f"{SAID_BY_AN_EXPORT} AND {same}", batch_id=BY_HAND, at=now())
    recount_absences(row.code, school_id)
    # Also days outside the dates: an earlier form may have held there.
    touch_each(coded.first_days(row.code, school_id))
    return row


def _school_id(meaning: Meaning) -> int | None:
    if meaning.school_key is None:
        return None
    found = db.session.scalar(select(School.id).where(School.key == meaning.school_key))
    if found is None:
        raise NotFound(f"There is no school {meaning.school_key}.")
    return found


def _form(row: AbsenceCode) -> dict[str, Any]:
    """The row as history keeps it."""
    return {
        column.name: value.isoformat() if isinstance(value := getattr(row, column.name), date) else value
        for column in AbsenceCode.__table__.columns
    }


def _keep(row: AbsenceCode, before: dict[str, Any] | None) -> None:
    if before == _form(row):
        return
    kept = RowHistory(batch_id=BY_HAND, table_name="absence_code", row_key={"id": row.id}, before=before, at=now())
    db.session.add(kept)
