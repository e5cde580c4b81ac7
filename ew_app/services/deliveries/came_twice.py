"""The same delivery twice: the second changes nothing when it comes, and stands by itself once the first is taken back.

Between the two nothing else was said of their school-days, so the second takes its place right behind the first.
"""

from __future__ import annotations

from ew_app.kernel import WORKER, record
from models import came_twice
from models.attendance import Batch
from models.base import db
from models.came_twice import SAME_AS

STORED = ("applied", "superseded", "unchanged")
ITS_OWN = ("once", "schools", "periods")  # options that whoever sends it says, not what its bytes are read by
OF_THE_FIRST = ("new_days", "doubts", "compared", "removed")


def still_stands(batch_id: int) -> bool:
    """Whether a batch is in or on its way in; nobody takes it back until the open transaction ends."""
    batch = db.session.get_one(Batch, batch_id, with_for_update={"read": True}, populate_existing=True)
    return batch.status in ("applying", "applied")


def rows_before(batch_id: int) -> int | None:
    """How many rows an applied batch had; None while it is on its way. Nobody takes it back meanwhile."""
    stands = still_stands(batch_id)
    batch = db.session.get_one(Batch, batch_id)
    return batch.counts.get("rows_in") if stands and batch.status == "applied" else None


def note(batch: Batch, earlier: int, rows: int) -> None:
    """The batch says what an earlier one says, and changes nothing."""
    batch.status = "duplicate"
    batch.counts = {"rows_in": rows, "unchanged": rows, SAME_AS: earlier}
    batch.sentence = f"This is the same delivery as batch {earlier}. Nothing was changed."


def outlook(batch_id: int) -> list[str]:
    """What to know before a batch is taken back of which the same came once more."""
    other = came_twice.first_repeat(batch_id)
    return [f"Batch {other} was the same delivery: what it says stays until it is taken back too"] if other else []


def let_the_second_stand(batch: Batch) -> None:
    """Before a batch is taken back, in the open transaction: the first that said the same is a delivery of its own."""
    number = came_twice.first_repeat(batch.id)
    if number is None:
        return
    other = db.session.get_one(Batch, number, with_for_update=True)
    came_twice.hand_over(batch.id, number)
    counts = {name: count for name, count in batch.counts.items() if name not in OF_THE_FIRST}
    stored = sum(batch.counts.get(name, 0) for name in STORED)
    other.counts = counts | dict.fromkeys(STORED, 0) | {"unchanged": stored}
    read_as = {name: said for name, said in batch.options.items() if name not in (*ITS_OWN, "undone_by")}
    other.options = read_as | {name: other.options[name] for name in ITS_OWN if name in other.options}
    other.status, other.applied_at, other.accept_held, other.preview = "applied", other.received_at, True, False
    other.sentence = f"It came while batch {batch.id} said the same. That one was taken back, so this one counts."
    batch.options = dict(batch.options) | {"stays_with": number}
    db.session.flush()
    record("batch_stands_alone", by=WORKER, subject=f"batch:{number}", earlier=batch.id)


def told(batch: Batch) -> list[str]:
    """What to say of a batch that was taken back, where another says the same."""
    other = batch.options.get("stays_with")
    return (
        [f"Batch {other} was the same delivery, so what it says stays. Take it back too if it is wrong"]
        if other
        else []
    )
