"""A batch taken back as a unit, in slices: its marks or rows, what was decided on them, the cases only it had opened.

Each step may be interrupted and done again.
"""

from __future__ import annotations

from typing import Final

from ew_app.kernel import WORKER, Actor, Refused, now, operation, record, transaction
from ew_app.services.casework import taking_back
from ew_app.services.deciding import flagging
from ew_app.services.deliveries import attendance, came_twice, ledger, periods, together
from ew_app.services.deliveries.batch_rows import locked, set_columns, standing
from ew_app.services.deliveries.believing import limits_of
from ew_app.services.deliveries.setting_back import set_back
from ew_app.services.deliveries.staging import SCHOOLS_A_SLICE
from ew_app.services.rosters import roster_undo
from models.attendance import Batch
from models.base import db
from models.queries import deliveries, lookups
from models.queries.roster import schools_to_rebuild

SCHOOLS_READ_AGAIN: Final = 1_000


def undo(batch_id: int) -> None:
    """Take a batch back; may be called again after an interruption. Refused if it never went in."""
    kind, status, _ = standing(batch_id)
    if status == "undone":
        return
    if status not in ("applied", "undoing"):
        raise Refused(f"Batch {batch_id} is {status}; only an applied batch can be taken back.")
    together.decide()
    _begin(batch_id)
    if kind == "roster":
        _undo_roster(batch_id)
    else:
        _undo_attendance(batch_id)
    flagging.evaluate_touched(batch_id)
    _close_cases(batch_id)
    flagging.evaluate_touched(batch_id)
    _undone(batch_id)


def note_undo(batch: Batch, by: Actor) -> None:
    """Remember who takes a batch back; what it closes is closed in that name."""
    batch.options = dict(batch.options) | {"undone_by": [by.login, by.name, by.position]}
    batch.effect = {}
    record("batch_undo_asked", by=by, subject=f"batch:{batch.id}")


@operation
def _begin(batch_id: int) -> None:
    """From here on the batch's effect is that of taking it back."""
    batch = locked(batch_id)
    batch.status = "undoing"
    if "undone_by" not in batch.options:
        note_undo(batch, WORKER)
    came_twice.let_the_second_stand(batch)


def _undo_attendance(batch_id: int) -> None:
    with transaction():
        limits = limits_of(db.session.get_one(Batch, batch_id))
        schools = sorted({school for school, _ in deliveries.spoken_of(batch_id)})
        # What others delivered since is read once a slice, so few slices then.
        width = SCHOOLS_READ_AGAIN if deliveries.met_since(batch_id) else SCHOOLS_A_SLICE
    spans = attendance.slices(schools, width)
    for done, span in enumerate(spans):
        set_back(batch_id, span, limits)
        set_columns(batch_id, percent=80 * (done + 1) // len(spans))
    with transaction():
        periods.touch_who_is_told_otherwise(db.session.get_one(Batch, batch_id))


@operation
def _undo_roster(batch_id: int) -> None:
    batch = locked(batch_id)
    since = schools_to_rebuild(batch_id)
    told = roster_undo.take_back(batch)
    batch.counts = batch.counts | {"taken_back": told}
    still_there = lookups.school_names(since)
    ledger.rebuild({school: day for school, day in since.items() if school in still_there})


@operation
def _close_cases(batch_id: int) -> None:
    """Cases that only this batch had opened go with it, or stay with those who worked on them."""
    batch = locked(batch_id)
    fate = taking_back.close_left_over(batch_id, by=Actor(*batch.options["undone_by"]))
    closed = batch.counts.get("cases_closed", 0) + fate.closed
    batch.counts = batch.counts | {"cases_closed": closed, "cases_stay": list(fate.stay)}


@operation
def _undone(batch_id: int) -> None:
    batch = locked(batch_id)
    fate = taking_back.Fate(batch.counts["cases_closed"], tuple(batch.counts["cases_stay"]))
    sentence = "".join(f"{said}. " for said in (*came_twice.told(batch), *taking_back.told(fate))).strip()
    set_columns(batch_id, status="undone", undone_at=now(), step="", percent=100, sentence=sentence)
    record("batch_undone", by=WORKER, subject=f"batch:{batch_id}")
