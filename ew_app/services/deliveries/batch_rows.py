"""The row of a batch: where it stands, and its columns set in a transaction of their own."""

from __future__ import annotations

from typing import Any

from sqlalchemy import update

from ew_app.kernel import NotFound, operation
from models.attendance import Batch
from models.base import db


@operation
def standing(batch_id: int) -> tuple[str, str, bool]:
    """(kind, status, preview). Raises NotFound."""
    batch = db.session.get(Batch, batch_id, populate_existing=True)
    if batch is None:
        raise NotFound(f"There is no batch {batch_id}.")
    return batch.kind, batch.status, batch.preview


def locked(batch_id: int) -> Batch:
    """The batch as it stands, locked for the change."""
    return db.session.get_one(Batch, batch_id, with_for_update=True, populate_existing=True)


@operation
def set_columns(batch_id: int, **values: Any) -> None:
    """Set columns of a batch."""
    db.session.execute(update(Batch).where(Batch.id == batch_id).values(**values))
