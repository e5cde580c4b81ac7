"""Wait for queued work, for commands that answer when it is done.

While waiting, lost work is sent again, so that a command needs no schedule beside it.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from sqlalchemy import func, select

from ew_app import outbox
from ew_app.kernel import Refused, operation
from ew_app.outbox import Job, enqueue
from ew_app.services.deciding import flagging
from ew_app.services.deliveries import together
from ew_app.services.measuring.touched import ask_for_evaluation
from models import touched
from models.attendance import Batch
from models.audit import Event
from models.base import db
from models.came_twice import SAME_AS
from models.jobs import Outbox
from models.org import Source

Show = Callable[[int, str], None]

LOOK_EVERY = 0.1
ON_A_BATCH = (Job.LOAD_BATCH.value, Job.UNDO_BATCH.value)
UNDER_WAY = ("received", "staged", "checked", "applying", "undoing")


def for_what_came_before(source: str, show: Show) -> None:
    """Return when every loading of this source that was asked for until now is over; checks are left aside.

    A command that was killed leaves some, and their rows must not come behind those of a later delivery.
    """
    its = select(Batch.id).join(Source, Source.id == Batch.source_id).where(Source.name == source, ~Batch.preview)
    asked = select(Outbox.id).where(Outbox.job.in_(ON_A_BATCH), Outbox.args[0].as_integer().in_(its))
    left = asked.where(Outbox.done_at.is_(None), Outbox.quarantined_at.is_(None))
    before = db.session.scalars(left).all()
    for _ in _looks() if before else ():
        if not db.session.scalars(left.where(Outbox.id.in_(before))).first():
            break
        show(0, "finishing what came before")


def for_batch(batch_id: int, show: Show) -> Batch:
    """The batch when its delivery has come to an end: applied, held, refused ... Refused if the work was set aside.

    Of one that repeats another, when that other is in.
    """
    for _ in _looks():
        batch = db.session.get_one(Batch, batch_id)
        show(min(batch.percent, 99), batch.step)
        if batch.status not in UNDER_WAY and _settled(batch_id):
            break
        _check_set_aside(batch_id)
    if batch.status == "duplicate" and SAME_AS in batch.counts:
        for_batch(batch.counts[SAME_AS], show)
    show(100, batch.status)
    return batch


def decide(last: int | None, show: Show) -> None:
    """Have decided what a command's files left undecided; what moved is told of the last of them.

    Without one: whatever others left, as a command does that is killed before its end; nothing where none has.
    """
    last = last or together.last()
    if last is None:
        return
    together.ask(last)
    for_evaluation(show)
    together.decided(last)


def evaluate_everybody(show: Show) -> dict[str, int]:
    """Have the worker decide for the whole district again; the effect as loads report it."""
    seen = db.session.scalar(select(func.max(Event.id))) or 0
    _ask_for_everybody()
    for_evaluation(show)
    return _effect_since(seen)


def for_evaluation(show: Show) -> None:
    """Return when nobody is marked for evaluation any more and no evaluation is under way."""
    number = db.session.scalar(select(func.max(Outbox.id)).where(Outbox.job == Job.EVALUATE.value)) or 0
    marked = most = touched.waiting()
    for _ in _looks():
        marked = touched.waiting()
        most = max(most, marked)
        show(99 * (most - marked) // most if most else 99, "deciding")
        under_way = _evaluations_since(number)
        if not under_way:
            break
        if (row := under_way[0]).quarantined_at:
            raise Refused(f"The evaluation was set aside: {row.error}")
    show(100, "done")


def _evaluations_since(number: int) -> list[Outbox]:
    """This evaluation and those asked for after it, as its further slices are, as long as they are not done."""
    later = select(Outbox).where(Outbox.job == Job.EVALUATE.value, Outbox.id >= number, Outbox.done_at.is_(None))
    return list(db.session.scalars(later.order_by(Outbox.quarantined_at.is_(None), Outbox.id)))


@operation
def _ask_for_everybody() -> None:
    enqueue(Job.HAND_OUT, key="unowned")
    flagging.mark_everyone()
    ask_for_evaluation()


def _effect_since(event_id: int) -> dict[str, int]:
    """What all evaluations since an event moved, added up."""
    effect = Counter(flagging.NO_EFFECT)
    told = select(Event.data).where(Event.kind == "evaluated", Event.id > event_id)
    for data in db.session.scalars(told):
        found: Mapping[str, Any] = data.get("data", data)
        effect.update({name: found.get(name, 0) for name in flagging.NO_EFFECT})
    return dict(effect)


def _looks() -> Iterator[None]:
    """One turn per look, each on fresh rows; now and then what the broker lost is sent again."""
    turn = 0
    while True:
        yield
        db.session.rollback()  # ends the read, so that the next look sees what was committed since
        if turn % 100 == 99:
            outbox.sweep()
        turn += 1
        time.sleep(LOOK_EVERY)


def _work_on(batch_id: int) -> Outbox | None:
    """The newest piece of work on a batch."""
    asked = select(Outbox).where(Outbox.job.in_(ON_A_BATCH), Outbox.args[0].as_integer() == batch_id)
    found: Outbox | None = db.session.scalars(asked.order_by(Outbox.id.desc()).limit(1)).first()
    return found


def _settled(batch_id: int) -> bool:
    """The work on a batch is over, not only its status: the evaluation that follows counts too."""
    work = _work_on(batch_id)
    return work is None or work.done_at is not None or work.quarantined_at is not None


def _check_set_aside(batch_id: int) -> None:
    work = _work_on(batch_id)
    if work is not None and work.quarantined_at is not None:
        raise Refused(f"The work on batch {batch_id} was set aside: {work.error}")
