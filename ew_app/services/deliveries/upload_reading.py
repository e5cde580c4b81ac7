"""Whether an upload can be read at all, before the worker sees it: its columns, and whether it has any row."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from itertools import dropwhile
from typing import Any

from ew_app.feeds import Part, RefusedFile, Why, load_format, read
from ew_app.feeds.delimited import mark_of
from ew_app.feeds.text import open_text, says_something
from ew_app.kernel import Refused


def columns_unknown(parts: Sequence[Part], options: dict[str, Any]) -> bool:
    """Whether a file has not the names we know. Refused for anything that must never be kept, or has one column.

    Columns matched for an earlier file are forgotten for a table that has the names we know, or lacks theirs.
    """
    mapping: dict[str, Any] = dict(options.pop("mapping", None) or {})
    unknown, used = False, {}
    for part in parts:
        plain = _why_unread(part, None)
        if plain is None:
            continue
        if part.table in mapping and _why_unread(part, mapping[part.table]) is None:
            used[part.table] = mapping[part.table]
        elif plain.why is Why.NO_REQUIRED_COLUMN and not _has_one_column(part):
            unknown = True
        else:
            raise Refused(f"{part.name}: {plain} Nothing was kept.")
    if used:
        options["mapping"] = used
    return unknown


def _why_unread(part: Part, mapping: Mapping[str, str] | None) -> RefusedFile | None:
    try:
        with part.open() as stream:
            read(stream, load_format()[part.table], mapping=mapping, may_be_empty=True)
    except RefusedFile as refused:
        return refused
    return None


def _has_one_column(part: Part) -> bool:
    """Whether the first line holds a single name, so that there is nothing to choose from."""
    return len([name for name in next(rows_of(part), []) if name.strip()]) < 2


def rows_of(part: Part) -> Iterator[list[str]]:
    """The rows of a file as cells, its header first, whatever they mean. RefusedFile: it is no text."""
    with part.open() as stream:
        lines = open_text(stream).lines
        mark = mark_of(lines, load_format()[part.table].delimiter)
        yield from csv.reader(dropwhile(lambda line: not says_something(line), lines), delimiter=mark)


def is_silent(parts: Sequence[Part], options: Mapping[str, Any]) -> bool:
    """Attendance files without a row, and nothing that says which days they stand for."""
    files = [part for part in parts if part.table == "attendance"]
    covered = any(part.table == "covers" for part in parts)
    return bool(files) and not covered and all(is_empty(part, options) for part in files)


def is_empty(part: Part, options: Mapping[str, Any]) -> bool:
    """Whether an attendance file has a header and no row; a file that cannot be read is not empty."""
    mapping = options.get("mapping", {}).get(part.table)
    try:
        with part.open() as stream:
            chunks = iter(read(stream, load_format()[part.table], mapping=mapping, may_be_empty=True, chunk_rows=1000))
            return next(chunks, None) is None
    except RefusedFile:
        return False  # the worker reads it to the end and says what is wrong


def is_unknown(part: Part) -> bool:
    """Whether the names of its columns are not ours."""
    refused = _why_unread(part, None)
    return refused is not None and refused.why is Why.NO_REQUIRED_COLUMN
