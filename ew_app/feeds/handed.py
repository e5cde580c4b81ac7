"""What was handed over, before anyone looks inside: named files with a way to their bytes."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from ew_app.feeds.archive import ZIP_MARK, entries_of
from ew_app.feeds.refused import RefusedFile, Why

Opener = Callable[[], AbstractContextManager[BinaryIO]]


@dataclass(frozen=True, slots=True)
class Handed:
    """One file as it came: name, size in bytes, and a way to read it from the start, again and again."""

    name: str
    size: int
    open: Opener

    def head(self, size: int = 8192) -> bytes:
        """Its first bytes."""
        with self.open() as stream:
            return stream.read(size)


@dataclass(frozen=True, slots=True)
class Together:
    """Files from one place. alone: one file named by itself, not found in a folder or zip. deeper: names of files of a
    zip that lie in folders inside it, which nobody opens."""

    files: tuple[Handed, ...]
    alone: bool
    deeper: tuple[str, ...] = ()


def handed_at(path: Path) -> Together:
    """The files at a path: itself, those of a folder, or those of a zip. RefusedFile: missing, or an unsafe zip."""
    if path.is_dir():
        found = [entry for entry in sorted(path.iterdir()) if entry.is_file() and not entry.name.startswith(".")]
        return Together(tuple(_at(entry) for entry in found), alone=False)
    if not path.is_file():
        raise RefusedFile(Why.NOT_FOUND, f"There is no file or folder {path.name}.")
    file = _at(path)
    if is_zip(file.name, file.head(4)):
        return _unzipped(file)
    return Together((file,), alone=True)


def handed_as(files: Mapping[str, bytes]) -> list[Together]:
    """Named bytes, zips opened: loose files first, then each zip."""
    zips = {name: data for name, data in files.items() if is_zip(name, data)}
    loose = tuple(_of(name, data) for name, data in files.items() if name not in zips)
    return [Together(loose, alone=True), *(_unzipped(_of(name, data)) for name, data in zips.items())]


def is_zip(name: str, head: bytes) -> bool:
    """A zip by its first bytes; one that calls itself .csv is read as text, and refused as none."""
    return head.startswith(ZIP_MARK) and not name.lower().endswith(".csv")


def _unzipped(file: Handed) -> Together:
    found, deeper = entries_of(file.name, file.open)
    return Together(tuple(Handed(*entry) for entry in found), alone=False, deeper=tuple(deeper))


def _at(path: Path) -> Handed:
    return Handed(path.name, path.stat().st_size, lambda: path.open("rb"))


def _of(name: str, data: bytes) -> Handed:
    return Handed(name, len(data), lambda: io.BytesIO(data))
