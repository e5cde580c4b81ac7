"""A place where files lie, whoever keeps it: what is there, its bytes, and moving what was settled."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from ew_app.services.sources.fetching import Seen


@dataclass(frozen=True, slots=True)
class Entry:
    """One name in a place. `modified`: as the place tells it, compared and never reckoned with; `order`: the same as a
    number, the older first. `plain`: a file, no folder, no link, nothing else."""

    name: str
    size: int
    modified: str
    order: float
    plain: bool = True

    def seen(self, sha256: str = "") -> Seen:
        """As it is remembered."""
        return Seen(self.name, self.size, self.modified, sha256)

    def is_same(self, seen: Seen) -> bool:
        """Whether it is this very file, as far as can be told without reading it."""
        return (self.name, self.size, self.modified) == (seen.name, seen.size, seen.modified)


class NotYet(Exception):
    """Reading takes longer than one look may; what was read is kept, and reading goes on from there."""


class FilePlace(Protocol):
    """An open place. Everything raises CannotFetch with a sentence."""

    def entries(self, below: str = "") -> list[Entry]:
        """What lies there now, or in a folder below; nothing where there is no such folder."""
        ...

    def read(self, entry: Entry, to: Path) -> str:
        """Bring a file here, whole; returns its sha256. NotYet: it goes on at the next look."""
        ...

    def move(self, entry: Entry, folder: str, note: str) -> None:
        """Move a file into a folder below, under a free name, with a text beside it unless `note` is empty."""
        ...

    def bring_back(self, path: str, name: str) -> bool:
        """Move a file from a path below to the place itself. False: the name is taken, or it is gone."""
        ...
