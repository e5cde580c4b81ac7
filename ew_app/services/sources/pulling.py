"""One look at a source: fetch what is new, take it in, write down what came of it.

The look is a row that is there before anything is fetched. A worker that dies leaves it open, and the next one
begins again: what was taken in is remembered in the transaction that took it in, so nothing comes twice.
"""

from __future__ import annotations

import logging
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from sqlalchemy import delete

from ew_app.kernel import Refused, now, operation, record, settings, transaction
from ew_app.services.sources import arrivals, clearing, receiving
from ew_app.services.sources.fetching import Ask, CannotFetch, Fetched, Found, ask_of, fetcher
from models.base import db
from models.pulls import Pull
from models.queries import pulls as rows
from rules.counting import many

log = logging.getLogger("ew.sources")

SOON: Final = timedelta(minutes=1)
ONCE_MORE: Final = timedelta(minutes=5)
LATER: Final = tuple(timedelta(minutes=minutes) for minutes in (5, 10, 20, 40, 60, 60, 60))
KEPT: Final = timedelta(days=30)
MOST_TOLD: Final = 50  # sentences kept with one look


def pull(pull_id: int) -> None:
    """Look at a source and take in what is new. May be called again; does nothing once the look has ended."""
    ask = _begin(pull_id)
    if ask is None:
        return
    with _folder(ask) as into:
        try:
            _take(ask, fetcher(ask.kind).fetch(ask, into))
        except CannotFetch as why:
            log.warning("pull %s failed", pull_id)
            _failed(pull_id, str(why), again=why.again)
        except Refused as why:
            _failed(pull_id, str(why), again=False)


@operation
def _begin(pull_id: int) -> Ask | None:
    found = db.session.get(Pull, pull_id, with_for_update=True)
    if found is None or found.ended_at is not None:
        return None
    found.started_at = now()
    cursor = None if found.afresh else rows.last_cursor(found.source_id)
    return ask_of(found.source, pull_id=pull_id, cursor=cursor, afresh=found.afresh)


@contextmanager
def _folder(ask: Ask) -> Iterator[Path]:
    """A closed folder for the files of one look, gone when it is over."""
    into = settings().folder("pulls") / str(ask.pull_id)
    shutil.rmtree(into, ignore_errors=True)  # of a worker that died
    into.mkdir(mode=0o700)
    try:
        yield into
    finally:
        shutil.rmtree(into, ignore_errors=True)


# -- taking in -----------------------------------------------------------------------------------------------


def _take(ask: Ask, fetched: Fetched) -> None:
    """Each delivery in a transaction of its own; with a cursor all of them and the cursor in one, or nothing."""
    arrivals.know(ask, fetched.known)
    for seen, sentence in fetched.refused:
        arrivals.remember_refused(ask, [seen], sentence)
    if fetched.cursor is None:
        taken = [_take_one(ask, found) for found in fetched.found]
        _end(ask, fetched, taken)
        return
    with transaction():
        _end(ask, fetched, [_receive(ask, found) for found in fetched.found])


def _take_one(ask: Ask, found: Found) -> list[int] | str:
    """The batches of one delivery, or the sentence with which it was refused; either is remembered of its files."""
    try:
        return _receive(ask, found)
    except Refused as refused:
        arrivals.remember_refused(ask, found.seen, str(refused))
        return str(refused)


@operation
def _receive(ask: Ask, found: Found) -> list[int]:
    batches = receiving.receive(ask, found)
    arrivals.remember(ask, found, batches)
    look = db.session.get_one(Pull, ask.pull_id, with_for_update=True)
    look.batches = [*look.batches, *batches]
    return batches


@operation
def _end(ask: Ask, fetched: Fetched, taken: Sequence[list[int] | str]) -> None:
    """Write down what came of the look; with what was refused it has failed, although the rest is in."""
    found = db.session.get_one(Pull, ask.pull_id, with_for_update=True)
    pairs = zip(fetched.found, taken, strict=True)
    refused = [sentence for _, sentence in fetched.refused]
    refused += [_named(delivery, words) for delivery, words in pairs if isinstance(words, str)]
    became = rows.statuses(found.batches)
    refused += [sentence for status, sentence in became.values() if status == "refused"]
    came = sum(status != "refused" for status, _ in became.values())
    found.cursor = dict(fetched.cursor) if fetched.cursor is not None else None
    found.ended_at = now()
    found.ended = "failed" if refused else "waits" if fetched.again else "took" if came else "nothing"
    found.sentence = _sentence(came, refused, fetched)
    found.told = [told for told in (*refused, *fetched.told) if told not in found.sentence][:MOST_TOLD]
    if fetched.again:
        moved = bool(fetched.progress or came)
        found.tries = 1 if moved else found.tries
        found.retry_at = _again(found.tries, first=SOON) if not moved else now() + SOON
    elif came and ask.location.get("afterwards") == clearing.MOVE:
        found.retry_at = now() + ONCE_MORE  # a writer may have gone on: see `added_later`
    clearing.want(ask.source_id)
    record("source_looked_at", by=receiving.actor(ask.name), subject=f"source:{ask.name}", ended=found.ended)


def _sentence(came: int, refused: Sequence[str], fetched: Fetched) -> str:
    took = f"{many(came, 'delivery', 'deliveries')} taken in" if came else ""
    if refused:
        others = [f"{many(len(refused) - 1, 'other')} refused."] if len(refused) > 1 else []
        return " ".join([refused[0], *others, *([f"{took}."] if took else [])])
    if fetched.again:
        return " ".join([*([f"{took}."] if took else []), *fetched.told[:1], "It is looked at again soon."])
    return f"{took}." if took else (fetched.told or ("Nothing new.",))[0]


def _named(delivery: Found, words: str) -> str:
    return words if not delivery.name or words.startswith(delivery.name) else f"{delivery.name}: {words}"


@operation
def _failed(pull_id: int, sentence: str, *, again: bool) -> None:
    """Nothing was taken in. Where waiting may mend it, the look is made again, each time a little later."""
    found = db.session.get_one(Pull, pull_id, with_for_update=True)
    found.ended_at, found.ended, found.sentence = now(), "failed", sentence
    if again:
        found.retry_at = _again(found.tries)
    record("source_not_reached", by=receiving.actor(found.source.name), subject=f"source:{found.source.name}")


def _again(tries: int, first: timedelta | None = None) -> datetime | None:
    """When to look again after so many looks in vain: each time a little later, in the end only by the timetable."""
    waits = [first, *LATER] if first else LATER
    return now() + waits[tries - 1] if tries <= len(waits) else None


def forget_old() -> int:
    """Drop looks that found nothing, and beginnings of files that nobody fetched to their end; how many looks."""
    before = now() - KEPT
    for path in settings().folder("pulls").glob("*.part"):
        if path.stat().st_mtime < before.timestamp():
            path.unlink(missing_ok=True)
    return _forget(before)


@operation
def _forget(before: datetime) -> int:
    return len(db.session.scalars(delete(Pull).where(Pull.id.in_(rows.worthless(before))).returning(Pull.id)).all())


def give_up(pull_id: int) -> None:
    """End a look whose work was set aside: something went wrong that nobody foresaw. The schedule goes on."""
    _failed(pull_id, "The look broke off three times. The reason stands under Health, set aside.", again=False)
