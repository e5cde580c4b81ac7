"""An upload that the worker has rehearsed: let in, let in against a doubt, checked again, or put away for good."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import delete

from ew_app.feeds import DAY, ROWS, unfit_periods
from ew_app.kernel import WORKER, Actor, Conflict, Refused, audit, now, operation, record
from ew_app.services.deliveries import periods as class_periods
from ew_app.services.deliveries.uploads import go_on, locked, waits_for
from ew_app.services.measuring.touched import ask_for_evaluation, touch_each_school
from models import marks
from models.attendance import Batch, BatchFile, Problem
from models.base import db
from models.queries import imports as rows
from models.queries import periods
from rules import access
from rules.access import Permission

LONGEST_DAY = 600  # minutes of classes
KEPT_FOR = timedelta(days=14)  # an upload that nobody lets in; then its bytes go
ON_ITS_WAY = ("received", "staged", "checked", "applying", "applied")


@operation
def apply(batch_id: int, *, by: Actor) -> None:
    """Let a checked upload in; a second click changes nothing. Raises Refused, Conflict."""
    batch = locked(batch_id)
    if _is_let_in(batch):
        return
    if batch.status != "previewed":
        raise Conflict("This file is no longer waiting to be applied. Nothing was changed.")
    if is_held(batch):
        raise Refused("This file is held. Someone who may let it in has to give a reason first.")
    batch.preview = False
    go_on(batch)
    record("batch_confirmed", by=by, subject=f"batch:{batch_id}")


@operation
def let_in(batch_id: int, *, by: Actor, reason: str) -> None:
    """Let a held upload in, with a reason that is kept. Raises NotAllowed, Refused, Conflict."""
    access.check(by.grants, Permission.ACCEPT_HELD)
    batch, reason = locked(batch_id), reason.strip()[:500]
    if _is_let_in(batch):
        return
    if not is_held(batch):
        raise Conflict("This file is no longer held. Nothing was changed.")
    if len(reason) < 3:
        raise Refused("Say in a few words why the file is right after all. Nothing was changed yet.")
    batch.preview, batch.accept_held = False, True
    batch.options = dict(batch.options) | {"let_in": reason}
    go_on(batch)
    record("batch_accepted", by=by, subject=f"batch:{batch_id}", reason=reason)


@operation
def check_again(batch_id: int, *, by: Actor) -> None:
    """Rehearse once more, as after a code was explained or a roster came in. Raises Conflict."""
    batch = locked(batch_id)
    if batch.preview and batch.status == "received" and not _is_set_aside(batch):
        return
    if batch.status not in ("previewed", "held") and not _is_set_aside(batch):
        raise Conflict("This file is no longer waiting, so there is nothing to check. Nothing was changed.")
    _forget_problems(batch)
    batch.preview = True
    go_on(batch)
    record("batch_checked_again", by=by, subject=f"batch:{batch_id}")


@operation
def say_of_periods(batch_id: int, said: str, *, by: Actor) -> None:
    """How the class periods of a delivery add up: it is checked again, or what went in counts so.

    Raises Refused, Conflict.

    said: the minutes of one, `rows` where every period of the day has a row, `day` where a row is about the whole day.
    """
    batch, said = locked(batch_id), said.strip()
    if unfit := unfit_periods(said) or _contradicted(batch, said):
        raise Refused(unfit)
    if batch.status not in ("previewed", "held", "applied"):
        raise Conflict("This file is no longer waiting, so nothing was changed.")
    batch.options = dict(batch.options) | {"periods": said}
    record("batch_periods_said", by=by, subject=f"batch:{batch_id}", said=said)
    if batch.status == "applied":
        class_periods.answered(batch)
        touch_each_school(periods.first_periods(batch.source_id))
        ask_for_evaluation()
    else:
        check_again(batch_id, by=by)


def _contradicted(batch: Batch, said: str) -> str:
    """Why the rows of a delivery do not fit what is said of its class periods, as a sentence; '' where they do."""
    most = batch.counts.get("most_classes", 0)
    if said == DAY and most > 1:
        return f"Somebody has rows for {most} classes of one day, so a row cannot be about the whole day."
    if said not in (DAY, ROWS) and most * int(said) > LONGEST_DAY:
        return (
            f"Somebody has rows for {most} classes of one day: {most} of {said} minutes are longer than a school day."
        )
    return ""


@operation
def put_away(batch_id: int, *, by: Actor) -> None:
    """Cancel an upload that was never applied: its rows and its bytes are gone for good. Raises Conflict."""
    batch = locked(batch_id)
    if batch.status == "cancelled":
        return
    if batch.status not in ("previewed", "held") and not waits_for(batch) and not _is_set_aside(batch):
        raise Conflict("This file is on its way in, or was settled before. If it was applied, take it back instead.")
    _drop(batch)
    record("batch_cancelled", by=by, subject=f"batch:{batch_id}")


def expire() -> int:
    """Put away every upload that nobody has let in for KEPT_FOR, each in a transaction of its own; how many."""
    return sum(_expire(number) for number in rows.unconfirmed(now() - KEPT_FOR))


@operation
def _expire(batch_id: int) -> bool:
    """False when somebody has decided in the meantime."""
    batch = locked(batch_id)
    if not batch.preview or batch.status not in ("previewed", "received"):
        return False
    _drop(batch)
    batch.sentence = f"Nobody applied this file within {KEPT_FOR.days} days. Send it again if it is still needed."
    record("batch_expired", by=WORKER, subject=f"batch:{batch_id}")
    return True


def _drop(batch: Batch) -> None:
    """Nothing of the file remains but that it came."""
    batch.status, batch.step, batch.counts, batch.effect = "cancelled", "", {}, {}
    db.session.execute(delete(BatchFile).where(BatchFile.batch_id == batch.id))
    _forget_problems(batch)


@operation
def note_download(batch_id: int, *, by: Actor) -> None:
    """Remember who took rows with student ids out of the system."""
    audit("problem_rows_downloaded", by=by, subject=f"batch:{batch_id}")


def is_held(batch: Batch) -> bool:
    """Whether the file waits for someone who may let it in."""
    return batch.status == "held" or (batch.status == "previewed" and batch.counts.get("would_be") == "held")


def _is_let_in(batch: Batch) -> bool:
    return not batch.preview and batch.status in ON_ITS_WAY


def _is_set_aside(batch: Batch) -> bool:
    """Whether a rehearsal could not be done and waits for nobody any more."""
    return batch.preview and batch.status == "received" and rows.set_aside(batch.id) is not None


def _forget_problems(batch: Batch) -> None:
    db.session.execute(delete(Problem).where(Problem.batch_id == batch.id))
    marks.drop_staged(batch.id)
