"""One look at a source: fetch what is new, take it in, write down what came of it.

The look is a row that is there before anything is fetched. A worker that dies leaves it open, and the next one
begins again: what was taken in is remembered in the transaction that took it in, so nothing comes twice.
"""

from __future__ import annotations

import logging
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Final

from ew_app.kernel import Refused, now, operation, record, settings, transaction
from ew_app.services.sources import arrivals, clearing, receiving
from ew_app.services.sources.fetching import Ask, CannotFetch, Fetched, Found, ask_of, fetcher
from models.base import db
from models.pulls import Pull
from models.queries import pulls as rows
from rules.counting import many

log = logging.getLogger("ew.sources")

SOON: Final = timedelta(minutes=1)
LATER: Final = tuple(timedelta(minutes=minutes) for minutes in (5, 10, 20, 40, 60, 60, 60))
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
        arrivals.remember_refused(ask, found, str(refused))
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
    refused = [f"{delivery.name}: {words}" for delivery, words in pairs if isinstance(words, str)]
    found.told = [*refused, *fetched.told][:MOST_TOLD]
    found.cursor = dict(fetched.cursor) if fetched.cursor is not None else None
    found.ended_at = now()
    found.ended = "failed" if refused else "waits" if fetched.again else "took" if found.batches else "nothing"
    found.sentence = _sentence(found, refused, fetched)
    found.retry_at = now() + SOON if fetched.again else None
    clearing.want(ask.source_id)
    record("source_looked_at", by=receiving.actor(ask.name), subject=f"source:{ask.name}", ended=found.ended)


def _sentence(found: Pull, refused: Sequence[str], fetched: Fetched) -> str:
    came = len(found.batches)
    took = f"{many(came, 'delivery', 'deliveries')} taken in" if came else ""
    if refused:
        others = f" and {len(refused) - 1} more refused" if len(refused) > 1 else ""
        return f"{refused[0]}{others}" + (f" {took}." if took else "")
    if fetched.again:
        return f"{took}; not everything was ready, so it is looked at again soon.".removeprefix("; ").capitalize()
    return f"{took}." if took else "Nothing new."


@operation
def _failed(pull_id: int, sentence: str, *, again: bool) -> None:
    """Nothing was taken in. Where waiting may mend it, the look is made again, each time a little later."""
    found = db.session.get_one(Pull, pull_id, with_for_update=True)
    found.ended_at, found.ended, found.sentence = now(), "failed", sentence
    if again and found.tries <= len(LATER):
        found.retry_at = now() + LATER[found.tries - 1]
    record("source_not_reached", by=receiving.actor(found.source.name), subject=f"source:{found.source.name}")


def give_up(pull_id: int) -> None:
    """End a look whose work was set aside: something went wrong that nobody foresaw. The schedule goes on."""
    _failed(pull_id, "The look broke off three times. The reason stands under Health, set aside.", again=False)
