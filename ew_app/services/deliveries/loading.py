"""The work on a received delivery: stage, check, merge in slices, decide.

Each step is its own transaction. A worker that dies leaves a status and finished slices; the next one goes on
from there and comes to the same counts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import insert, text, update

from ew_app.feeds import OURS, RefusedFile
from ew_app.kernel import WORKER, now, operation, record, transaction
from ew_app.services.deciding import flagging
from ew_app.services.deliveries import attendance, came_twice, ledger, periods, together
from ew_app.services.deliveries.batch_rows import locked, set_columns, standing
from ew_app.services.deliveries.believing import compared, figures_of, limits_of
from ew_app.services.deliveries.named_in import refused_as
from ew_app.services.deliveries.staged_rows import store_problems
from ew_app.services.deliveries.staging import Part, Staged, stage
from ew_app.services.rosters import roster
from ew_app.services.rosters.codes import know_codes, unexplained
from models import marks, touched
from models.attendance import Batch, Problem
from models.base import db
from models.queries import deliveries, waiting_files
from models.queries.roster import schools_to_rebuild
from rules.feed_checks import doubts

FINISHED: Final = ("applied", "held", "refused", "duplicate", "previewed", "undoing", "undone", "cancelled")
STAGED: Final = ("staged", "applying")  # read, and not yet to its end
BUCKETS: Final = ("applied", "unchanged", "superseded", "removed")
DELIVERY_LOCK: Final = 7305


class _Rehearsed(Exception):
    """Raised on purpose: everything was done to be counted and is taken back."""


def load(batch_id: int, more_follow: bool = False) -> None:
    """Bring a received batch to its end: applied, held, refused, duplicate or previewed. May be called again.

    Where `more_follow` in the same command, whoever its rows concern stays marked until its end: see `together`.
    """
    kind, status, preview = standing(batch_id)
    if status in FINISHED and status != "held":
        return
    try:
        if preview:
            together.decide()
            _rehearse(batch_id, kind)
        elif status != "held":
            if not more_follow:
                together.decide()
            _go(batch_id, kind, more_follow=more_follow)
        _tell_of_held(batch_id)
    except RefusedFile as refused:
        _refuse(batch_id, refused)


def load_now(batch_id: int) -> str:
    """Load in this process and return the status; for tests and small tools."""
    load(batch_id)
    return standing(batch_id)[1]


# -- attendance ----------------------------------------------------------------------------------------------


def _go(batch_id: int, kind: str, *, more_follow: bool = False) -> None:
    if kind == "roster":
        _load_roster(batch_id)
    elif _stage(batch_id) and _check(batch_id):
        _merge(batch_id)
        _finish(batch_id)
    else:
        return
    if not more_follow:
        flagging.evaluate_touched(batch_id)
    _applied(batch_id, more_follow=more_follow)


@operation
def _stage(batch_id: int) -> bool:
    """Fill the staging tables, unless they still hold the batch. True: there is something to go on with."""
    batch = locked(batch_id)
    if batch.status == "received":
        _note(batch, stage(batch, limits_of(batch)))
        batch.status, batch.step, batch.percent = "staged", "checking", 30
    elif batch.status in STAGED and deliveries.staged_rows(batch_id) != batch.counts["staged_rows"]:
        away = frozenset((row.file, row.line) for row in deliveries.turned_away(batch_id))
        stage(batch, limits_of(batch), Part(without=away))
    return batch.status in STAGED


def _note(batch: Batch, staged: Staged) -> None:
    """Keep what staging found: counts, problems, sentences."""
    db.session.execute(text("DELETE FROM problem WHERE batch_id = :batch"), {"batch": batch.id})
    store_problems(batch.id, staged.problems)
    batch.counts = dict(staged.counts) | {
        "staged_rows": deliveries.staged_rows(batch.id),
        "schools_a_slice": staged.schools_a_slice,
        "notes": staged.notes,
    }
    batch.effect = {}


@operation
def _check(batch_id: int) -> bool:
    """Whether the batch may be merged: it is not the same delivery again, and believable or let in."""
    batch = locked(batch_id)
    if batch.status != "staged":
        return batch.status == "applying"
    lock = text("SELECT pg_advisory_xact_lock(:space, hashtext(:hash))")
    db.session.execute(lock, {"space": DELIVERY_LOCK, "hash": batch.sha256})
    earlier = deliveries.same_delivery(batch_id)
    if earlier and came_twice.still_stands(earlier):
        _duplicate(batch, earlier)
        return False
    limits = limits_of(batch)
    new, figures = figures_of(batch, limits)
    found = doubts(figures, limits)
    batch.counts = batch.counts | {
        "new_days": new,
        "doubts": [doubt.value for doubt, _ in found],
        "compared": compared(figures),
    }
    batch.sentence = " ".join(sentence for _, sentence in found)
    if found or batch.preview:
        batch.counts = batch.counts | {"brings_first": waiting_files.brings_first(batch_id)}
    if found and not batch.accept_held:
        batch.status, batch.step = "held", "waiting for a person"
        return False
    know_codes(_format(batch))
    batch.status, batch.step, batch.percent = "applying", "storing", 40
    return True


def _duplicate(batch: Batch, earlier: int) -> None:
    came_twice.note(batch, earlier, batch.counts["rows_in"])
    db.session.execute(text("DELETE FROM problem WHERE batch_id = :batch"), {"batch": batch.id})
    marks.drop_staged(batch.id)


def _merge(batch_id: int) -> None:
    with transaction():
        batch = db.session.get_one(Batch, batch_id)
        limits, spans = limits_of(batch), _spans(batch)
    for done, span in enumerate(spans):
        attendance.merge_slice(batch_id, span, limits)
        set_columns(batch_id, percent=40 + 40 * (done + 1) // len(spans))


def _spans(batch: Batch) -> list[attendance.Span]:
    return attendance.slices(deliveries.staged_schools(batch.id), batch.counts["schools_a_slice"])


@operation
def _finish(batch_id: int) -> None:
    """All slices are in: their counts become the batch's."""
    batch = locked(batch_id)
    totals = deliveries.slice_totals(batch_id)
    batch.counts = batch.counts | {bucket: totals.get(bucket, 0) for bucket in BUCKETS}
    periods.hear(batch)
    batch.step, batch.percent = "deciding", 80


@operation
def _applied(batch_id: int, *, more_follow: bool) -> None:
    batch = locked(batch_id)
    if batch.status == "applied":
        return
    if more_follow:
        together.leave(batch)
    batch.status, batch.applied_at, batch.step, batch.percent = "applied", now(), "", 100
    marks.drop_staged(batch_id)
    record("batch_applied", by=WORKER, subject=f"batch:{batch_id}")


def _format(batch: Batch) -> str:
    name: str = batch.options.get("format", OURS)
    return name


# -- rosters -------------------------------------------------------------------------------------------------


def _load_roster(batch_id: int) -> None:
    with transaction():
        batch = db.session.get_one(Batch, batch_id)
        batch.status = "applying"
    counts = roster.apply(db.session.get_one(Batch, batch_id))
    _after_roster(batch_id, counts)
    attendance.retry_waiting()


@operation
def _after_roster(batch_id: int, counts: dict[str, Any]) -> None:
    """The codes of its format are explained; days are counted again where calendars or enrolments changed."""
    batch = locked(batch_id)
    batch.counts = counts
    know_codes(_format(batch))
    ledger.rebuild(schools_to_rebuild(batch_id))


# -- rehearsal -----------------------------------------------------------------------------------------------


def _rehearse(batch_id: int, kind: str) -> None:
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
            _go(batch_id, kind)
            batch = db.session.get_one(Batch, batch_id)
            problems = [dict(row._mapping) for row in deliveries.all_problems(batch_id)]
            told.append(_Told(batch.status, batch.counts, flagging.NO_EFFECT | batch.effect, batch.sentence, problems))
            raise _Rehearsed
    except _Rehearsed:
        return let_in, told[0]


def _tell_of_held(batch_id: int) -> None:
    """What letting a held delivery in would do, once; nothing of it stays."""
    if not _is_untold(batch_id):
        return
    together.decide()  # what files before it left is not of its making
    _, told = _tried(batch_id, "attendance")
    _note_held(batch_id, told)


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
    if kind == "attendance" and not unexplained(_format(db.session.get_one(Batch, batch_id))):
        _stage(batch_id)
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


@operation
def _refuse(batch_id: int, refused: RefusedFile) -> None:
    marks.drop_staged(batch_id)
    counts = refused_as(db.session.get_one(Batch, batch_id), refused)
    set_columns(batch_id, status="refused", sentence=str(refused), counts=counts, step="", percent=100)
