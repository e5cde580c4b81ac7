"""A received delivery goes in: stage, check, merge in slices, decide.

Each step is its own transaction. A worker that dies leaves a status and finished slices; the next one goes on
from there and comes to the same counts.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from sqlalchemy import text

from ew_app.feeds import OURS
from ew_app.kernel import WORKER, now, operation, record, transaction
from ew_app.services.deciding import flagging
from ew_app.services.deciding.flagging import FOREVER
from ew_app.services.deliveries import attendance, came_twice, ledger, periods, together
from ew_app.services.deliveries.batch_rows import locked, set_columns
from ew_app.services.deliveries.believing import compared, figures_of, limits_of
from ew_app.services.deliveries.staged_rows import store_problems
from ew_app.services.deliveries.staging import Part, Staged, stage
from ew_app.services.rosters import roster
from ew_app.services.rosters.codes import know_codes
from models import marks
from models.attendance import Batch
from models.base import db
from models.queries import deliveries, waiting_files
from models.queries.roster import schools_to_rebuild
from rules.feed_checks import doubts

STAGED: Final = ("staged", "applying")  # read, and not yet to its end
BUCKETS: Final = ("applied", "unchanged", "superseded", "removed")
DECIDING: Final = "deciding"
DELIVERY_LOCK: Final = 7305


def go_in(batch_id: int, kind: str, *, more_follow: bool = False, until: datetime = FOREVER) -> bool:
    """Bring a delivery in, or to where it is held or a duplicate; False where deciding is left at `until`.

    Where `more_follow` in the same command, it is decided with the last of them: see `together`.
    """
    if not is_deciding(batch_id) and not _is_stored(batch_id, kind):
        return True
    if not more_follow and not flagging.evaluate_until(until, batch_id):
        return False
    _applied(batch_id, more_follow=more_follow)
    return True


@operation
def is_deciding(batch_id: int) -> bool:
    """Whether all of a delivery is stored, and only who it concerns is still to be decided about."""
    batch = db.session.get_one(Batch, batch_id)
    return batch.status == "applying" and batch.step == DECIDING


def _is_stored(batch_id: int, kind: str) -> bool:
    if kind == "roster":
        _load_roster(batch_id)
        set_columns(batch_id, step=DECIDING, percent=80)
        return True
    if not (read(batch_id) and _check(batch_id)):
        return False
    _merge(batch_id)
    _finish(batch_id)
    return True


# -- attendance ----------------------------------------------------------------------------------------------


@operation
def read(batch_id: int) -> bool:
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
    know_codes(format_of(batch))
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
    batch.step, batch.percent = DECIDING, 80


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


def format_of(batch: Batch) -> str:
    """The format of its files."""
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
    know_codes(format_of(batch))
    ledger.rebuild(schools_to_rebuild(batch_id))
