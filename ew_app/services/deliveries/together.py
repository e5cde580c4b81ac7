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
    newest = last()
    if newest is None:
        return True
    if not flagging.evaluate_until(until, newest):
        return False
    decided(newest)
    return True


@operation
def ask(newest: int) -> None:
    """Have a worker decide it now."""
    ask_for_evaluation(newest)


@operation
def decided(newest: int) -> None:
    """They were decided together: what moved is told of the last of them, and of the others where it is told."""
    values = {"undecided": False, "decided_with": newest, "decided_at": now()}
    db.session.execute(update(Batch).where(Batch.undecided).values(**values))


@operation
def last() -> int | None:
    """The newest of those that still wait to be decided."""
    found: int | None = db.session.scalar(select(func.max(Batch.id)).where(Batch.undecided))
    return found
