"""Several files of one command are decided once, at its end: which of them still wait, and whose the effect is.

Whoever decides anything else first decides these, so that nobody else's file is told to have done what they did.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import func, select, update

from ew_app.kernel import now, operation
from ew_app.services.deciding import flagging
from ew_app.services.deciding.flagging import FOREVER
from ew_app.services.measuring.touched import ask_for_evaluation
from models.attendance import Batch
from models.base import db

NO_MORE_CAME: Final = timedelta(minutes=10)


def leave(batch: Batch) -> None:
    """In the open transaction: others of its command follow. Should they never come, it is decided a while later."""
    batch.undecided = True
    ask_for_evaluation(batch.id, later=NO_MORE_CAME)


def decide(until: datetime = FOREVER) -> bool:
    """Decide what files of a command have left to be decided; False where something of it is left at `until`."""
    last = _last()
    if last is None:
        return True
    if not flagging.evaluate_until(until, last):
        return False
    decided(last)
    return True


@operation
def ask(last: int) -> None:
    """Have a worker decide it now."""
    ask_for_evaluation(last)


@operation
def decided(last: int) -> None:
    """They were decided together: what moved is told of the last of them, and of the others where it is told."""
    values = {"undecided": False, "decided_with": last, "decided_at": now()}
    db.session.execute(update(Batch).where(Batch.undecided).values(**values))


@operation
def _last() -> int | None:
    found: int | None = db.session.scalar(select(func.max(Batch.id)).where(Batch.undecided))
    return found
