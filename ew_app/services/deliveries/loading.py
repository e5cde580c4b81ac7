"""The work on a received delivery: it goes in, or is tried out, and is told of."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from ew_app.feeds import RefusedFile
from ew_app.kernel import operation
from ew_app.services.deciding.flagging import FOREVER
from ew_app.services.deliveries import together
from ew_app.services.deliveries.batch_rows import set_columns, standing
from ew_app.services.deliveries.going_in import go_in, is_deciding
from ew_app.services.deliveries.named_in import refused_as
from ew_app.services.deliveries.rehearsing import rehearse, tell_of_held
from models import marks
from models.attendance import Batch
from models.base import db

FINISHED: Final = ("applied", "held", "refused", "duplicate", "previewed", "undoing", "undone", "cancelled")


def load(batch_id: int, more_follow: bool = False, until: datetime = FOREVER) -> bool:
    """Bring a received batch to its end: applied, held, refused, duplicate or previewed. May be called again.

    False: it is not there yet, as something is left to be decided at `until`, and this has to be called again.
    Where `more_follow` in the same command, whoever its rows concern stays marked until its end: see `together`.
    """
    kind, status, preview = standing(batch_id)
    if status in FINISHED and status != "held":
        return True
    try:
        return _loaded(batch_id, kind, status, preview, more_follow, until) and tell_of_held(batch_id, until)
    except RefusedFile as refused:
        _refuse(batch_id, refused)
        return True


def load_now(batch_id: int) -> str:
    """Load in this process and return the status; for tests and small tools."""
    load(batch_id)
    return standing(batch_id)[1]


def _loaded(batch_id: int, kind: str, status: str, preview: bool, more_follow: bool, until: datetime) -> bool:
    """What was left to be decided of other files goes first, so that nobody is told that this one did it."""
    if status == "held" and not preview:
        return True
    follows = more_follow and not preview
    if not follows and not is_deciding(batch_id) and not together.decide(until):
        return False
    if not preview:
        return go_in(batch_id, kind, more_follow=more_follow, until=until)
    rehearse(batch_id, kind)
    return True


@operation
def _refuse(batch_id: int, refused: RefusedFile) -> None:
    marks.drop_staged(batch_id)
    counts = refused_as(db.session.get_one(Batch, batch_id), refused)
    set_columns(batch_id, status="refused", sentence=str(refused), counts=counts, step="", percent=100)
