"""Zips, read in place and never unpacked to disk, within limits that a zip bomb cannot pass."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from itertools import takewhile
from typing import BinaryIO, Final, cast

from ew_app.feeds.refused import RefusedFile, Why

ZIP_MARK: Final = b"PK\x03\x04"
MOST_ENTRIES: Final = 200
MOST_BYTES: Final = 2 << 30
MOST_RATIO: Final = 100
SMALL: Final = 1 << 20  # a small entry may shrink as much as it likes
_WORKBOOK: Final = ("xl/", "content.xml")

Opener = Callable[[], AbstractContextManager[BinaryIO]]


def entries_of(name: str, opener: Opener) -> tuple[list[tuple[str, int, Opener]], list[str]]:
    """(name, bytes, opener) of each file at the top of the zip, or in the one folder that holds everything; and the
    names of the files that lie in further folders, which are not opened."""
    with opener() as stream:
        try:
            with zipfile.ZipFile(stream) as archive:
                infos = [info for info in archive.infolist() if not info.is_dir() and not _is_clutter(info.filename)]
        except (zipfile.BadZipFile, NotImplementedError, ValueError) as error:
            raise RefusedFile(Why.ARCHIVE, f"{name} cannot be opened as a zip: {error}.") from None
    if any(info.filename.startswith(_WORKBOOK) for info in infos):
        raise RefusedFile(Why.NOT_TEXT, f"{name} is a spreadsheet workbook. Save each sheet as CSV UTF-8.")
    _refuse_unsafe(name, infos)
    folder = _one_folder([info.filename for info in infos])
    top = [(info.filename.removeprefix(folder), info) for info in infos]
    found = [(short, info.file_size, _entry(opener, info)) for short, info in top if "/" not in short]
    return found, [short for short, _ in top if "/" in short]


def _is_clutter(name: str) -> bool:
    return name.startswith("__MACOSX/") or name.rsplit("/", 1)[-1].startswith(".")


def _refuse_unsafe(name: str, infos: Sequence[zipfile.ZipInfo]) -> None:
    if len(infos) > MOST_ENTRIES:
        raise RefusedFile(Why.ARCHIVE, f"{name} holds {len(infos)} files; at most {MOST_ENTRIES} are opened.")
    if sum(info.file_size for info in infos) > MOST_BYTES:
        raise RefusedFile(Why.ARCHIVE, f"{name} unpacks to more than {MOST_BYTES >> 30} GB and was not opened.")
    seen: set[str] = set()
    for info in infos:
        inside = info.filename
        if inside.startswith(("/", "\\")) or ".." in inside.replace("\\", "/").split("/") or ":" in inside[:3]:
            raise RefusedFile(Why.ARCHIVE, f"{name} holds a file outside its own folder and was not opened.")
        if info.flag_bits & 1:
            raise RefusedFile(Why.ARCHIVE, f"{name} is locked with a password; send it without one.")
        if info.file_size > SMALL and info.file_size > MOST_RATIO * max(info.compress_size, 1):
            raise RefusedFile(Why.ARCHIVE, f"{name} unpacks to over {MOST_RATIO} times its size and was not opened.")
        if inside.lower() in seen:
            raise RefusedFile(Why.ARCHIVE, f"{name} holds two files of the same name; we cannot tell which counts.")
        seen.add(inside.lower())


def _one_folder(names: Sequence[str]) -> str:
    """'district/today/' when everything lies in that folder or below it, else nothing."""
    folders = [name.split("/")[:-1] for name in names]
    same = takewhile(lambda at: len(set(at)) == 1, zip(*folders, strict=False))
    return "".join(f"{at[0]}/" for at in same)


def _entry(opener: Opener, info: zipfile.ZipInfo) -> Opener:
    @contextmanager
    def opened() -> Iterator[BinaryIO]:
        try:
            with opener() as stream, zipfile.ZipFile(stream) as archive, archive.open(info) as entry:
                yield cast(BinaryIO, entry)
        except (zipfile.BadZipFile, NotImplementedError) as error:
            raise RefusedFile(Why.ARCHIVE, f"{info.filename} in the zip is damaged: {error}.") from None

    return opened
