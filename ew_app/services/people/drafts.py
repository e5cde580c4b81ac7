"""What somebody was writing when their session ended: kept for that person alone, for a short time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import delete
from sqlalchemy.dialects.postgresql import insert

from ew_app.kernel import Actor, now, operation
from models.base import db
from models.staff import Draft

KEPT_FOR = timedelta(minutes=30)
LONGEST = 40_000  # characters of a form; nothing people write by hand is longer

Fields = Sequence[tuple[str, str]]


@operation
def keep(person_id: int, path: str, fields: Fields) -> bool:
    """Keep a form for its writer in place of an earlier one; False for one that is too long to be written by hand."""
    if sum(len(name) + len(value) for name, value in fields) > LONGEST:
        return False
    row = {"path": path, "fields": [list(pair) for pair in fields], "kept_at": now()}
    kept = insert(Draft).values(person_id=person_id, **row)
    db.session.execute(kept.on_conflict_do_update(index_elements=[Draft.person_id], set_=row))
    return True


def waiting(by: Actor) -> Draft | None:
    """What is kept for this person and not too old."""
    draft = db.session.get(Draft, by.person_id) if by.person_id else None
    return draft if draft and now() - draft.kept_at < KEPT_FOR else None


@operation
def let_go(by: Actor) -> None:
    """Forget what is kept for this person."""
    db.session.execute(delete(Draft).where(Draft.person_id == by.person_id))


@operation
def expire() -> None:
    """Forget whatever nobody came back for."""
    db.session.execute(delete(Draft).where(Draft.kept_at <= now() - KEPT_FOR))
