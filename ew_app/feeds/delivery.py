"""What was handed over: files, folders or zips, taken apart into the tables they hold."""

from __future__ import annotations

import csv
import hashlib
import io
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import BinaryIO, Final

from ew_app.feeds.archive import ZIP_MARK, entries_of
from ew_app.feeds.formats import load_format
from ew_app.feeds.header import plain
from ew_app.feeds.refused import RefusedFile, Why

CLAIMS: Final = ("covers", "submitted")
ATTENDANCE: Final = ("attendance", *CLAIMS)
TABLES: Final = tuple(load_format("csv").tables)
_KNOWN: Final = f"Files are named {', '.join(TABLES)}, each with .csv."
_BLOCK: Final = 1 << 20

Opener = Callable[[], AbstractContextManager[BinaryIO]]


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
    """Files that belong together: one attendance batch, or a roster; `ignored` names what was left alone."""

    name: str
    parts: tuple[Part, ...]
    ignored: tuple[str, ...] = ()

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


def open_delivery(paths: Sequence[Path]) -> Delivery:
    """All of `paths` (files, folders, zips) as one delivery. RefusedFile: missing, not known, unsafe zip."""
    found: list[Part] = []
    ignored: list[str] = []
    for path in paths:
        parts, left = _parts_of(Path(path))
        found += parts
        ignored += left
    _refuse_nothing(found, paths)
    return Delivery(", ".join(Path(path).name for path in paths), tuple(found), tuple(ignored))


def open_deliveries(paths: Sequence[Path]) -> list[Delivery]:
    """One delivery for each attendance batch of `ew load attendance PATH...`, in order.

    Each attendance file is a batch. Files that share a covers.csv or submitted.csv (in their folder or zip,
    or given with them) are one batch, because the rows of a day claimed whole may be in any of them. A claim
    with the ending of one attendance file, as attendance-2026-09-14 and covers-2026-09-14, is that file's.
    """
    batches: list[Delivery] = []
    for group in _together([Path(path) for path in paths]):
        batches += _batches(open_delivery(group))
    return batches


def _together(paths: Sequence[Path]) -> list[list[Path]]:
    """Paths handed over together: a folder or zip alone, loose files with the claims beside them."""
    loose = [path for path in paths if _is_loose(path)]
    homes = {path.parent for path in loose if not _is_claim(path)}
    stray = [path for path in loose if _is_claim(path) and path.parent not in homes]
    groups: dict[Path, list[Path]] = {}
    for path in paths:
        if path not in loose:
            groups.setdefault(path, []).append(path)
        elif not _is_claim(path) or not homes:
            home = Path() if stray else path.parent
            groups.setdefault(home, [*stray] if homes else []).append(path)
    for home in homes:
        group = groups[Path() if stray else home]
        group += [path for path in _claims_beside(home, group) if path not in group]
    return list(groups.values())


def _claims_beside(home: Path, group: Sequence[Path]) -> list[Path]:
    """The claims of a folder that speak for these files: undated ones, and those with a file's own ending.

    A folder of dated days holds the claims of all its days; one day's file must not answer for the others.
    """
    endings = {""} | {_ending(path.name, table_named(path.name) or "") for path in group if not _is_claim(path)}
    claims = [path for path in sorted(home.iterdir()) if _is_claim(path)]
    return [path for path in claims if _ending(path.name, table_named(path.name) or "") in endings]


def _batches(delivery: Delivery) -> list[Delivery]:
    """The delivery cut into batches: each attendance file with its own claims, or all that share claims."""
    files = delivery.all("attendance")
    claims = [part for part in delivery.parts if part.table in CLAIMS]
    left = delivery.ignored + tuple(part.name for part in delivery.parts if part.table not in ATTENDANCE)
    dated = {part: _ending(part.name, part.table) for part in (*files, *claims)}
    own = {part: [claim for claim in claims if dated[claim] and dated[claim] == dated[part]] for part in files}
    shared = [claim for claim in claims if not any(claim in mine for mine in own.values())]
    if shared or not files:
        return [Delivery(delivery.name, (*files, *claims), left)]
    return [Delivery(part.name, (part, *own[part]), left) for part in files]


def delivery_from_bytes(files: Mapping[str, bytes]) -> Delivery:
    """A delivery from named bytes (an upload, or bytes kept with a batch); zips are opened."""
    found: list[Part] = []
    ignored: list[str] = []
    zips = [(name, data) for name, data in files.items() if _is_zip(name, data)]
    named = [(name, data) for name, data in files.items() if not _is_zip(name, data)]
    parts, left = _sorted_out([(name, len(data), _from_bytes(data)) for name, data in named], explicit=True)
    found += parts
    ignored += left
    for name, data in zips:
        parts, left = _sorted_out(entries_of(name, _from_bytes(data)), explicit=False)
        found += parts
        ignored += left
    _refuse_nothing(found, list(files))
    return Delivery(", ".join(files), tuple(found), tuple(ignored))


def table_named(file_name: str) -> str | None:
    """The table that a file of this name holds; 'attendance-2026-09-14.csv' is attendance."""
    stem, dot, ending = file_name.replace("\\", "/").rsplit("/", 1)[-1].lower().rpartition(".")
    if not dot or ending != "csv":
        return None
    stem = plain(stem)
    if stem in TABLES:
        return stem
    dated = re.fullmatch(r"(attendance|covers|submitted)[_\d.]+", stem)
    return dated.group(1) if dated else None


def looks_like_attendance(opener: Opener) -> bool:
    """Whether the header has what an attendance file needs."""
    with opener() as stream:
        head = stream.read(8192).decode("utf-8-sig", "replace")
    names = {plain(name) for name in next(csv.reader(io.StringIO(head)), [])}
    return names.issuperset(load_format("csv")["attendance"].required)


def _is_loose(path: Path) -> bool:
    return path.is_file() and path.suffix.lower() != ".zip"


def _is_zip(name: str, head: bytes) -> bool:
    """A zip by its first bytes; one that calls itself .csv is read as text, and refused as none."""
    return head.startswith(ZIP_MARK) and not name.lower().endswith(".csv")


def _is_claim(path: Path) -> bool:
    return table_named(path.name) in CLAIMS


def _ending(name: str, table: str) -> str:
    """What follows the table in a dated name: '_2026_09_14', or nothing."""
    return plain(name.lower().removesuffix(".csv")).removeprefix(table)


def _parts_of(path: Path) -> tuple[list[Part], list[str]]:
    if path.is_dir():
        files = [entry for entry in sorted(path.iterdir()) if entry.is_file() and not entry.name.startswith(".")]
        return _sorted_out([(entry.name, entry.stat().st_size, _from_path(entry)) for entry in files], explicit=False)
    if not path.is_file():
        raise RefusedFile(Why.NOT_FOUND, f"There is no file or folder {path.name}.")
    opener = _from_path(path)
    with opener() as stream:
        head = stream.read(4)
    if _is_zip(path.name, head):
        return _sorted_out(entries_of(path.name, opener), explicit=False)
    return _sorted_out([(path.name, path.stat().st_size, opener)], explicit=True)


def _sorted_out(files: Sequence[tuple[str, int, Opener]], *, explicit: bool) -> tuple[list[Part], list[str]]:
    """Known tables by name; another .csv is attendance if given by itself, or alone with such a header."""
    parts = [Part(table, name, size, opener) for name, size, opener in files if (table := table_named(name))]
    others = [file for file in files if not table_named(file[0])]
    sheets = [file for file in others if file[0].lower().endswith((".csv", ".txt"))]
    if not explicit and (len(sheets) > 1 or any(part.table == "attendance" for part in parts)):
        sheets = []
    ignored = [name for name, _, _ in others if name not in {sheet[0] for sheet in sheets}]
    for name, size, opener in sheets:
        if explicit or looks_like_attendance(opener):
            parts.append(Part("attendance", name, size, opener))
        else:
            ignored.append(name)
    if explicit:
        _refuse_unknown(ignored)
    return parts, ignored


def _refuse_unknown(names: Sequence[str]) -> None:
    if names:
        raise RefusedFile(Why.NOT_RECOGNISED, f"{names[0]} is not a file we know. {_KNOWN}")


def _refuse_nothing(parts: Sequence[Part], paths: Sequence[object]) -> None:
    if not parts:
        where = ", ".join(Path(str(path)).name for path in paths) or "nothing"
        raise RefusedFile(Why.NOT_RECOGNISED, f"There is no file we know in {where}. {_KNOWN}")


def _from_path(path: Path) -> Opener:
    return lambda: path.open("rb")


def _from_bytes(data: bytes) -> Opener:
    return lambda: io.BytesIO(data)
