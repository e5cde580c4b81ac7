"""Which export a delivery is, and which kind of record each of its files holds: by what is in them, then by name."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from ew_app.feeds.archive import ZIP_MARK
from ew_app.feeds.delimited import Head, head_of
from ew_app.feeds.elements import root_of
from ew_app.feeds.exports import Export, Kind, Reads, known_exports, letters_of, load_export
from ew_app.feeds.formats import load_format
from ew_app.feeds.handed import Handed
from ew_app.feeds.header import plain
from ew_app.feeds.parts import table_named
from ew_app.feeds.refused import RefusedFile, Why
from ew_app.feeds.text import header_line
from ew_app.feeds.written import is_numbered

_ENDINGS: Final = {
    Reads.DELIMITED: (".csv", ".txt", ".tsv", ".tab", ".text", ".dat"),
    Reads.XML: (".xml",),
    Reads.JSON: (".json", ".ndjson", ".jsonl"),
}
INTERCHANGE: Final = "interchange"


@dataclass(frozen=True, slots=True)
class Seen:
    """A file of an export, the kinds of record it may hold, and the header of a delimited one."""

    file: Handed
    kinds: tuple[str, ...]
    head: Head | None = None


def recognised(files: Sequence[Handed]) -> str | None:
    """The one export that this can be, or None. RefusedFile: it could be several."""
    strange = [file for file in files if _is_readable(file) and not is_ours(file)]
    names = [name for name in known_exports() if _is_one(load_export(name), strange)]
    if len(names) > 1:
        labels = " or ".join(load_export(name).label for name in names)
        raise RefusedFile(Why.NOT_RECOGNISED, f"This may be {labels}. Say which with --format.")
    return names[0] if names else None


def seen_as(export: Export, file: Handed, *, by_name: bool) -> Seen | None:
    """The file as one of the export's, or None; by_name: an unmistakable name is enough."""
    if not file.name.lower().endswith(_ENDINGS[export.reads]):
        return None
    if export.reads is Reads.XML:
        root = root_of(file.head()).lower()
        kinds = [kind for kind in export.kinds.values() if root == f"{INTERCHANGE}{kind.root.lower()}"]
        return Seen(file, tuple(kind.name for kind in kinds)) if kinds else None
    if export.reads is Reads.JSON:
        kind = _named(export, file)
        return Seen(file, (kind.name,)) if kind and file.head(1024).strip(_BLANK)[:1] in (b"", b"[", b"{") else None
    head = head_of(_text(file), known_fields(export), dict(export.misspelt))
    found = _by_fields(export, head, file) or (_named(export, file) if by_name else None)
    return Seen(file, (found.name,), head) if found else None


def known_fields(export: Export) -> frozenset[str]:
    """Fields by which any record of the export is known."""
    return frozenset().union(*(kind.has for kind in export.kinds.values()))


def is_ours(file: Handed) -> bool:
    """Whether the name and the header are those of one of our own tables."""
    table = table_named(file.name)
    if table is None:
        return False
    names = cells_of_first_line(_text(file))
    return {plain(name) for name in names}.issuperset(load_format()[table].required) and not is_numbered(names)


def cells_of_first_line(text: str) -> list[str]:
    """The cells of a CSV header; none if it is no CSV."""
    try:
        return next(csv.reader(io.StringIO(header_line(text))), [])
    except csv.Error:
        return []


_BLANK: Final = b" \t\r\n" + codecs.BOM_UTF8


def _is_readable(file: Handed) -> bool:
    """Whether its first bytes can be had; a damaged entry of a zip says so when it is read in earnest."""
    try:
        return not file.head(4).startswith(ZIP_MARK)
    except RefusedFile:
        return False


def _is_one(export: Export, files: Sequence[Handed]) -> bool:
    found = [seen for file in files if (seen := seen_as(export, file, by_name=False))]
    return any(kind in export.known_by for seen in found for kind in seen.kinds)


def _by_fields(export: Export, head: Head, file: Handed) -> Kind | None:
    """The kind whose fields are all there: the one of that name, else the one that asks for most."""
    keys = set(head.keys)
    fitting = [kind for kind in export.kinds.values() if kind.has and kind.has <= keys]
    named = _named(export, file)
    return named if named in fitting else max(fitting, key=lambda kind: len(kind.has), default=None)


def _named(export: Export, file: Handed) -> Kind | None:
    letters = letters_of(file.name)
    return next((kind for kind in export.kinds.values() if letters in kind.files), None)


def _text(file: Handed) -> str:
    return file.head(65_536).decode("utf-8-sig", "replace").lstrip("\ufeff")
