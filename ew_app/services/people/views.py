"""How one person likes their lists: views kept under a name, the one to begin with, keys for the rows."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import func, select, update

from ew_app.kernel import Actor, NotFound, Refused, now, operation
from models.base import db
from models.lists import SavedView
from models.staff import Person

LONGEST = 40  # letters of a name
MOST = 12  # views of one list


@operation
def keep(page: str, name: str, asks: Mapping[str, str], *, first: bool = False, by: Actor) -> SavedView:
    """Keep a view of a list under a name; the same name is the same view, changed. Raises Refused."""
    name = _fit(name)
    kept = _named(page, name, by)
    if kept is None:
        _check_room(page, by)
        kept = SavedView(person_id=_person(by), page=page, name=name, asks={}, is_first=False, kept_at=now())
        db.session.add(kept)
    kept.asks = dict(asks)
    db.session.flush()
    if first:
        _put_first(kept)
    return kept


@operation
def forget(view_id: int, *, by: Actor) -> str:
    """Take a view of one's own off the list; its name. Raises NotFound."""
    kept = _own(view_id, by)
    db.session.delete(kept)
    return kept.name


@operation
def begin_with(view_id: int, *, by: Actor) -> str:
    """Let the list open with this view, or again without one if it does already; its name. Raises NotFound."""
    kept = _own(view_id, by)
    if kept.is_first:
        kept.is_first = False
    else:
        _put_first(kept)
    return kept.name


@operation
def set_keys(on: bool, *, by: Actor) -> None:
    """Let lists take j, k, Enter and x from the keyboard, or no more."""
    db.session.get_one(Person, _person(by)).list_keys = on


def _put_first(view: SavedView) -> None:
    others = SavedView.person_id == view.person_id, SavedView.page == view.page, SavedView.is_first
    db.session.execute(update(SavedView).where(*others).values(is_first=False))
    view.is_first = True


def _fit(name: str) -> str:
    name = " ".join(name.split())
    if not name:
        raise Refused("Give the view a name, such as: Grade 9, overdue.")
    if len(name) > LONGEST:
        raise Refused(f"Keep the name under {LONGEST} letters.")
    return name


def _check_room(page: str, by: Actor) -> None:
    kept = select(func.count()).where(SavedView.person_id == by.person_id, SavedView.page == page)
    if (db.session.scalar(kept) or 0) >= MOST:
        raise Refused(f"You keep {MOST} views of this list already. Take one off first.")


def _named(page: str, name: str, by: Actor) -> SavedView | None:
    same = SavedView.person_id == by.person_id, SavedView.page == page, SavedView.name == name
    return db.session.scalars(select(SavedView).where(*same)).one_or_none()


def _own(view_id: int, by: Actor) -> SavedView:
    kept = db.session.get(SavedView, view_id)
    if kept is None or kept.person_id != by.person_id:
        raise NotFound("There is no such view of yours.")
    return kept


def _person(by: Actor) -> int:
    if by.person_id is None:
        raise Refused("Only somebody who signs in keeps views.")
    return by.person_id
