"""What somebody was writing when their session ended: kept for that person alone, for a short time.

It stays until it has arrived: a page that takes it no more (the case moved on, a right has ended) loses nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import delete, select

from ew_app.kernel import Actor, now, operation
from models.base import db
from models.staff import Draft, Person

KEPT_FOR = timedelta(minutes=30)
MOST = 5  # forms of one person
LONGEST = 40_000  # characters of a form; nothing people write by hand is longer

Fields = Sequence[tuple[str, str]]


@operation
def keep(person_id: int, path: str, fields: Fields) -> bool:
    """Keep a form for its writer; False for one that is too long to be written by hand.

    The same form sent again is kept once; of many the newest stay.
    """
    if sum(len(name) + len(value) for name, value in fields) > LONGEST:
        return False
    mine, kept = Draft.person_id == person_id, [list(pair) for pair in fields]
    db.session.execute(select(Person.id).where(Person.id == person_id).with_for_update())  # one form after the other
    db.session.execute(delete(Draft).where(mine, Draft.path == path, Draft.fields == kept))
    older = select(Draft.id).where(mine).order_by(Draft.id.desc()).offset(MOST - 1)
    db.session.execute(delete(Draft).where(Draft.id.in_(older)))
    db.session.add(Draft(person_id=person_id, path=path, fields=kept, kept_at=now()))
    return True


def waiting(by: Actor) -> Sequence[Draft]:
    """What is kept for this person and not too old, the newest first."""
    mine = select(Draft).where(Draft.person_id == by.person_id, Draft.kept_at > now() - KEPT_FOR)
    return db.session.scalars(mine.order_by(Draft.id.desc())).all()


@operation
def let_go(draft_id: int, by: Actor) -> None:
    """Forget a form of this person."""
    db.session.execute(delete(Draft).where(Draft.id == draft_id, Draft.person_id == by.person_id))


@operation
def expire() -> None:
    """Forget whatever nobody came back for."""
    db.session.execute(delete(Draft).where(Draft.kept_at <= now() - KEPT_FOR))
