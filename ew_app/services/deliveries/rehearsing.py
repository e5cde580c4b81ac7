"""A delivery is tried out: everything is done in one transaction, counted, and taken back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import insert, update

from ew_app.kernel import operation, transaction
from ew_app.services.deciding import flagging
from ew_app.services.deliveries import together
from ew_app.services.deliveries.batch_rows import locked
from ew_app.services.deliveries.going_in import format_of, go_in, read
from ew_app.services.rosters.codes import unexplained
from models import touched
from models.attendance import Batch, Problem
from models.base import db
from models.queries import deliveries


class _Rehearsed(Exception):
    """Raised on purpose: everything was done to be counted and is taken back."""


def rehearse(batch_id: int, kind: str) -> None:
    """Note what would come of a delivery; of one that would be held, also what letting it in would do."""
    let_in, told = _tried(batch_id, kind)
    would_be = "held" if told.counts.get("doubts") and not let_in else told.status
    _rehearsed(batch_id, told.columns(would_be=would_be), told.problems)


@dataclass(frozen=True, slots=True)
class _Told:
    """What came of a delivery that was tried out."""

    status: str
    counts: dict[str, Any]
    effect: dict[str, int]
    sentence: str
    problems: list[dict[str, Any]]

    def columns(self, **counts: Any) -> dict[str, Any]:
        """What its batch keeps of it."""
        return {"counts": self.counts | counts, "effect": self.effect, "sentence": self.sentence}


def _tried(batch_id: int, kind: str) -> tuple[bool, _Told]:
    """Do everything in one transaction as though it were let in, take it all back, and tell what came of it.

    First: whether a person has let it in already.
    """
    told: list[_Told] = []
    try:
        with transaction():
            batch = locked(batch_id)
            let_in, batch.accept_held = batch.accept_held, True
            batch.status = "staged" if batch.status == "held" else batch.status
            _take_turn(batch_id, kind)
            go_in(batch_id, kind)
            batch = db.session.get_one(Batch, batch_id)
            problems = [dict(row._mapping) for row in deliveries.all_problems(batch_id)]
            told.append(_Told(batch.status, batch.counts, flagging.NO_EFFECT | batch.effect, batch.sentence, problems))
            raise _Rehearsed
    except _Rehearsed:
        return let_in, told[0]


def tell_of_held(batch_id: int, until: datetime) -> bool:
    """Note once what letting a held delivery in would do; nothing of it stays.

    What files before it left to be decided is not of its making and is decided first. False: that is left at `until`.
    """
    if not _is_untold(batch_id):
        return True
    if not together.decide(until):
        return False
    _, told = _tried(batch_id, "attendance")
    _note_held(batch_id, told)
    return True


@operation
def _is_untold(batch_id: int) -> bool:
    batch = db.session.get_one(Batch, batch_id)
    return batch.status == "held" and not batch.effect


@operation
def _note_held(batch_id: int, told: _Told) -> None:
    """Unless somebody has decided in the meantime."""
    batch = locked(batch_id)
    if batch.status == "held":
        batch.counts, batch.effect = told.counts, told.effect


def _take_turn(batch_id: int, kind: str) -> None:
    """Before anybody is marked: as late as that, and for the blocks of the schools concerned if these are few."""
    if kind == "attendance" and not unexplained(format_of(db.session.get_one(Batch, batch_id))):
        read(batch_id)
        if touched.take_turn_for(batch_id, flagging.CHUNK):
            return
    flagging.take_turn()


@operation
def _rehearsed(batch_id: int, told: dict[str, Any], problems: list[dict[str, Any]]) -> None:
    if problems:
        db.session.execute(insert(Problem), problems)
    db.session.execute(
        update(Batch).where(Batch.id == batch_id).values(**told, status="previewed", step="", percent=100)
    )
