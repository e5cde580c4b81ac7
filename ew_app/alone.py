"""Pieces of one job that stand alone: what goes wrong with one stops no other, and is told when all are through.

    with all_told():
        for case in cases:
            with alone(f"case {case}"):
                ...

A job that ends with `NotAllDone` is tried again like any other and then set aside, where the page of checks shows why.
"""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial
from typing import TypeVar

import psycopg
from celery.exceptions import SoftTimeLimitExceeded
from sqlalchemy.exc import OperationalError

from ew_app.kernel import SENTENCES, spared

T = TypeVar("T")
log = logging.getLogger("ew.alone")

MOST_LEFT = 50  # rows that fail by themselves; more of them fail for a reason that is not theirs
SHOWN = 5  # troubles whose reason is told; more of them are counted


class NotAllDone(Exception):
    """Some pieces could not be done; everything else was. `troubles`: what and why, in the order they came up."""

    def __init__(self, troubles: Sequence[str]) -> None:
        more = f"; and {len(troubles) - SHOWN} more" if len(troubles) > SHOWN else ""
        super().__init__("; ".join(troubles[:SHOWN]) + more)
        self.troubles = tuple(troubles)


_troubles: ContextVar[list[str] | None] = ContextVar("troubles", default=None)


@contextmanager
def all_told() -> Iterator[None]:
    """Collect what goes wrong with the pieces inside and raise it at the end; inside another of these it does that."""
    if _troubles.get() is not None:
        yield
        return
    troubles: list[str] = []
    token = _troubles.set(troubles)
    try:
        yield
    finally:
        _troubles.reset(token)
    if troubles:
        raise NotAllDone(troubles)


@contextmanager
def alone(what: str) -> Iterator[None]:
    """A piece of work, in the open transaction as a part that can be taken back by itself.

    An error inside ends this piece and no other. Outside `all_told` it is raised as it is.
    """
    try:
        with spared():
            yield
    except SoftTimeLimitExceeded:
        raise
    except Exception as error:
        _leave(what, error, None)


def in_parts(
    what: str,
    rows: Sequence[T],
    do: Callable[[Sequence[T]], int],
    *,
    key: str = "",
    otherwise: Callable[[T], None] | None = None,
) -> int:
    """Do something for many rows at once; where that fails, for halves of them, until what fails is alone.

    A row that fails goes to `otherwise`, or is told as by `alone`; after MOST_LEFT of them the fault is not theirs, and
    the error is raised, as is one of the database itself. key: the attribute by which a row is named; without one it is
    its own name. Returns the sum of what `do` returns.
    """
    done, left, waiting = 0, 0, [rows] if rows else []
    while waiting:
        part = waiting.pop()
        try:
            with spared():
                done += do(part)
        except (SoftTimeLimitExceeded, OperationalError, psycopg.OperationalError):
            raise
        except Exception as error:
            if len(part) > 1:
                half = len(part) // 2
                waiting += [part[half:], part[:half]]
                continue
            left += 1
            if left > MOST_LEFT:
                raise
            _leave(
                f"{what} {getattr(part[0], key) if key else part[0]}", error, otherwise and partial(otherwise, part[0])
            )
    return done


def _leave(what: str, error: Exception, otherwise: Callable[[], None] | None) -> None:
    troubles = _troubles.get()
    if otherwise is None and troubles is None:
        raise error
    note(log, f"{what} failed", error)
    if otherwise is not None:
        otherwise()
    elif troubles is not None:
        troubles.append(f"{what}: {reason(error)}")


def note(where: logging.Logger, what: str, error: Exception) -> None:
    """Write an error to a log with the lines it came from, and without what the database says of the row's values."""
    where.error("%s: %s\n%s", what, reason(error), "".join(traceback.format_tb(error.__traceback__)))


def reason(error: Exception) -> str:
    """What went wrong in one line, without the values that a database adds to its errors."""
    if isinstance(error, SoftTimeLimitExceeded):
        return "It took longer than a piece of work may."
    first, *_ = str(getattr(error, "orig", None) or error).splitlines() or [""]
    return first if isinstance(error, (*SENTENCES, NotAllDone)) else f"{type(error).__name__}: {first}"
