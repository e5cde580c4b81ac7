"""Files of one delivery, each with the table that it holds."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import cached_property
from typing import BinaryIO, Final

from ew_app.feeds.formats import load_format
from ew_app.feeds.handed import Opener
from ew_app.feeds.header import plain

CLAIMS: Final = ("covers", "submitted")
ATTENDANCE: Final = ("attendance", *CLAIMS)
TABLES: Final = tuple(load_format("csv").tables)
_BLOCK: Final = 1 << 20
# What a browser or a desktop adds to the name of a second file: ' (1)', ' - Copy', ' copy 2'.
_AGAIN: Final = r"(?:_?(?:\(\d+\)|copy(?:_\(?\d+\)?)?))"


class Part:
    """One file of a delivery: the table it holds, its name as handed over, its size, a way to its bytes."""

    def __init__(self, table: str, name: str, size: int, opener: Opener) -> None:
        self.table, self.name, self.size = table, name, size
        self._opener = opener

    def __repr__(self) -> str:
        return f"Part({self.table!r}, {self.name!r})"

    def open(self) -> AbstractContextManager[BinaryIO]:
        """The bytes from the start, each time it is called: `with part.open() as stream`."""
        return self._opener()

    @cached_property
    def sha256(self) -> str:
        """Hash of the bytes alone; a new name does not make a new file."""
        digest = hashlib.sha256()
        with self.open() as stream:
            while block := stream.read(_BLOCK):
                digest.update(block)
        return digest.hexdigest()


@dataclass(frozen=True)
class Delivery:
    """Files that belong together: one attendance batch, or a roster; `ignored` names what was left alone.

    format: what they came as; but for our own CSV the parts are rows made from it. told: sentences about that.
    said: what the person said about it, as options of a batch. left_out: rows of an export that gave none of ours.
    """

    name: str
    parts: tuple[Part, ...]
    ignored: tuple[str, ...] = ()
    format: str = "csv"
    told: tuple[str, ...] = ()
    said: Mapping[str, str] = field(default_factory=dict)
    left_out: int = 0

    def all(self, table: str) -> tuple[Part, ...]:
        """The parts that hold that table, in the order handed over."""
        return tuple(part for part in self.parts if part.table == table)

    def get(self, table: str) -> Part | None:
        """The first part that holds that table, or None."""
        return next(iter(self.all(table)), None)

    def has(self, *tables: str) -> bool:
        """Whether any of these tables is there."""
        return any(part.table in tables for part in self.parts)

    def hash_of(self, tables: Iterable[str]) -> str:
        """sha256 over the tables and bytes of these parts; other file names do not change it."""
        digest = hashlib.sha256()
        wanted = set(tables)
        for table, sha256 in sorted((part.table, part.sha256) for part in self.parts if part.table in wanted):
            digest.update(f"{table} {sha256}\n".encode())
        return digest.hexdigest()

    @property
    def content_hash(self) -> str:
        """Hash of everything that was handed over."""
        return self.hash_of(TABLES)

    @property
    def attendance_hash(self) -> str:
        """Hash of what makes an attendance batch: attendance, covers and submitted."""
        return self.hash_of(ATTENDANCE)


def table_named(file_name: str) -> str | None:
    """The table that a file of this name holds; 'attendance-2026-09-14.csv' is attendance, 'attendance (1).csv' too."""
    stem, dot, ending = file_name.replace("\\", "/").rsplit("/", 1)[-1].lower().rpartition(".")
    if not dot or ending != "csv":
        return None
    stem = plain(stem)
    if stem in TABLES:
        return stem
    dated = re.fullmatch(rf"(attendance|covers|submitted)[_\d.]*{_AGAIN}*", stem)
    return dated.group(1) if dated else None


def is_copy(file_name: str) -> bool:
    """Whether the name is that of a second file, as browsers and desktops make it: 'attendance (1).csv'."""
    return bool(re.search(f"{_AGAIN}$", plain(file_name.rpartition(".")[0])))


def ending_of(file_name: str) -> str:
    """What follows the table in a dated name: '_2026_09_14', or nothing."""
    return plain(file_name.lower().removesuffix(".csv")).removeprefix(table_named(file_name) or "")
