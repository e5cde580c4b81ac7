"""From bytes to text: is this a text file at all, and in which encoding is it written."""

from __future__ import annotations

import codecs
import io
import re
import shutil
import tempfile
from dataclasses import dataclass
from typing import BinaryIO, Final, cast

from ew_app.feeds.refused import RefusedFile, Why

BLOCK: Final = 1 << 20
IN_MEMORY: Final = 16 << 20
_NOT_TEXT = (
    (b"PK\x03\x04", "a spreadsheet workbook or zip archive"),
    (b"PK\x05\x06", "an empty zip archive"),
    (b"\xd0\xcf\x11\xe0", "an old spreadsheet workbook"),
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
    (b"GIF8", "a picture"),
    (b"%PDF", "a PDF document"),
    (b"\x1f\x8b", "a compressed file"),
    (b"7z\xbc\xaf", "a compressed file"),
    (b"Rar!", "a compressed file"),
    (b"SQLite format 3", "a database file"),
    (b"PAR1", "a database file"),
    (b"\x7fELF", "a program"),
    (b"MZ\x90", "a program"),
    (b"{\\rtf", "a word processor document"),
    (b"<!DOCTYPE", "a web page"),
    (b"<html", "a web page"),
    (b"<?xml", "an XML file"),
)
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_TEXT_CONTROLS = frozenset(b"\t\n\r\f\v\x1a\x1b\x00")


_SEPARATOR: Final = re.compile(r"""\ufeff?["']?sep=.?["']?\s*""", re.IGNORECASE)


def says_something(line: str) -> bool:
    """Whether a line above the header may be the header: it is not blank, and not a spreadsheet's `sep=,`."""
    return bool(line.strip(" \t\n\r\f\v\x1a\ufeff\u00a0")) and not _SEPARATOR.fullmatch(line)


def header_line(text: str) -> str:
    """The first line of a text that may be its header; '' if there is none."""
    return next(filter(says_something, text.splitlines()), "")


@dataclass(frozen=True, slots=True)
class Text:
    """Decoded text of a file (line ends as \\n) and what people should know about how it was read."""

    lines: io.TextIOWrapper
    notes: tuple[str, ...]


def open_text(stream: BinaryIO) -> Text:
    """The text of a byte stream: UTF-8, else Windows-1252 with a note; RefusedFile if empty or not text."""
    source = _seekable(stream)
    source.seek(0)
    head = source.read(4096)
    _refuse_not_text(head)
    source.seek(0)
    encoding, notes = ("utf-8-sig", ()) if _is_utf8(source) else ("cp1252", (_WINDOWS,))
    source.seek(0)
    return Text(io.TextIOWrapper(source, encoding=encoding, errors="replace", newline=None), notes)


_WINDOWS = (
    "The file is not UTF-8 and was read as Windows-1252. Look at names with accents; "
    "save as CSV UTF-8 if one looks wrong."
)


def _seekable(stream: BinaryIO) -> BinaryIO:
    """The stream itself if it can be read twice, else a copy of it (on disk past 16 MB)."""
    if stream.seekable():
        return stream
    copy = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115  lives as long as the reading
    shutil.copyfileobj(stream, copy, BLOCK)
    return cast(BinaryIO, copy)


def _refuse_not_text(head: bytes) -> None:
    if not head.removeprefix(codecs.BOM_UTF8).strip(b" \t\r\n\x1a\x00"):
        raise RefusedFile(Why.EMPTY, "The file is empty. Ask for it to be exported again.")
    for magic, what in _NOT_TEXT:
        if head.startswith(magic):
            raise RefusedFile(Why.NOT_TEXT, f"This is {what}, not a CSV text file. Export it as CSV UTF-8.")
    if head.startswith(_UTF16):
        raise RefusedFile(Why.NOT_TEXT, "The file is saved as UTF-16 (Unicode text). Save it as CSV UTF-8.")
    odd = sum(byte < 32 and byte not in _TEXT_CONTROLS for byte in head)
    if odd * 50 > len(head) or head.count(0) * 10 > len(head):
        raise RefusedFile(Why.NOT_TEXT, "This is not a text file. Export it as CSV UTF-8.")


def _is_utf8(source: BinaryIO) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        while block := source.read(BLOCK):
            decoder.decode(block)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True
