"""What every way of fetching has in common: what it is asked, what it brings back, how it says that it could not.

A way of fetching is one module of this room with a `FETCHER`, named in `_MODULES`. It talks to the outside and
changes nothing here: what it brought is taken in by `pulling`, in transactions of its own.
"""

from __future__ import annotations

import errno
import importlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, Final, Protocol

from ew_app.kernel import DomainError
from models.org import Source


class Kind(StrEnum):
    """How files come from a source."""

    BY_HAND = "by_hand"
    FOLDER = "folder"
    SFTP = "sftp"
    EDFI_API = "edfi_api"


_MODULES: Final[dict[Kind, str]] = {Kind.FOLDER: "folder", Kind.SFTP: "sftp", Kind.EDFI_API: "edfi"}


class CannotFetch(DomainError):
    """The place cannot be looked at; str() says what was found and how to mend it. `again`: waiting may mend it."""

    def __init__(self, sentence: str, *, again: bool = True) -> None:
        super().__init__(sentence)
        self.again = again


def no_room(error: Exception) -> CannotFetch | None:
    """What to say when the disk is full; None for any other error."""
    full = isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)
    return CannotFetch("There is no room on the disk of EW_DATA_DIR. Nothing was taken.") if full else None


class Answer(StrEnum):
    """How a field of a location is asked for."""

    TEXT = "text"
    NUMBER = "number"
    YES_NO = "yes_no"
    LINES = "lines"
    SECRET = "secret"  # the name of an environment variable, never its value; see `secrets`


@dataclass(frozen=True, slots=True)
class Field:
    """One thing to know about where a source is: on the form, and as `--set name=value` at the command line. `rare`:
    what holds without saying will do for most."""

    name: str
    label: str
    hint: str = ""
    answer: Answer = Answer.TEXT
    required: bool = False
    default: str = ""
    rare: bool = False


@dataclass(frozen=True, slots=True)
class Ask:
    """A source as a fetcher sees it: values only, no transaction is open while it works.

    `cursor`: what the last look that succeeded told, None for the first one or when all is to be fetched afresh.
    """

    source_id: int
    name: str
    kind: str
    brings: str
    location: Mapping[str, Any]
    said: Mapping[str, Any]
    changed_at: datetime | None = None
    pull_id: int = 0
    cursor: Mapping[str, Any] | None = None
    afresh: bool = False


@dataclass(frozen=True, slots=True)
class Seen:
    """A file as the place tells it: enough to know it again without reading it. `sha256` once it was read."""

    name: str
    size: int
    modified: str
    sha256: str = ""


@dataclass(frozen=True, slots=True)
class Found:
    """One delivery, on this machine: files (or a folder of them) that are opened together, as `ew load` would.

    `seen`: what to remember of them so that each is taken once; nothing where the cursor does this. `options`: more of
    a batch's, such as limits of its own or that it lists changes only.
    """

    name: str
    files: tuple[Path, ...]
    seen: tuple[Seen, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Fetched:
    """What a look brought, in the order in which it has to go in.

    cursor: kept in the same transaction as what was found, so neither is there without the other. known: files whose
    content was taken before. refused: files that cannot be taken at all, each with its sentence. told: sentences for
    the history. again: something was not ready, look again soon; progress: it only takes longer than one look may.
    """

    found: tuple[Found, ...] = ()
    cursor: Mapping[str, Any] | None = None
    known: tuple[Seen, ...] = ()
    refused: tuple[tuple[Seen, str], ...] = ()
    told: tuple[str, ...] = ()
    again: bool = False
    progress: bool = False


class Fetcher(Protocol):
    """One way of fetching. Raises CannotFetch, with a sentence for the person who set the source up."""

    fields: Sequence[Field]

    def checked(self, location: Mapping[str, Any]) -> dict[str, Any]:
        """The location as it is kept, from what somebody typed (texts by field name). Raises Refused."""
        ...

    def test(self, ask: Ask) -> list[str]:
        """Connect and say in sentences what would be taken; takes nothing."""
        ...

    def fetch(self, ask: Ask, into: Path) -> Fetched:
        """Bring what is new into the empty folder `into`, which is gone when everything was taken in."""
        ...

    def clear(self, ask: Ask) -> None:
        """Move what was settled out of the way, where the location says so. May be called at any time."""
        ...


def fetcher(kind: str) -> Fetcher:
    """The way of fetching of this kind; opened on first use, so that a command does not pay for libraries it needs not.

    KeyError for a source whose files come by hand.
    """
    module = importlib.import_module(f"{__package__}.{_MODULES[Kind(kind)]}")
    made: Fetcher = module.FETCHER
    return made


def kinds() -> list[str]:
    """The ways of fetching there are."""
    return [kind.value for kind in _MODULES]


def ask_of(source: Source, **more: Any) -> Ask:
    """The source as its fetcher sees it."""
    return Ask(
        source.id,
        source.name,
        source.kind,
        source.brings,
        source.location,
        source.said,
        source.changed_at,
        **more,
    )
