"""Records of delimited text: which sign stands between the cells, what the columns are called, row after row."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Collection, Iterator, Sequence, Set
from dataclasses import dataclass
from typing import Any, Final, TextIO

from ew_app.feeds.blocks import Block, Blocks
from ew_app.feeds.cells import SURROUNDING
from ew_app.feeds.exports import field_key
from ew_app.feeds.header import refuse_too_wide
from ew_app.feeds.refused import Problem, RefusedFile, Why
from ew_app.feeds.text import Text, header_line

MARKS: Final = {",": "commas", "\t": "tabs", ";": "semicolons", "|": "vertical bars"}
ROWS: Final = 20_000
_NUMBERED: Final = re.compile(r"^\[\d+\]")
Found = tuple[int, dict[str, Any] | Problem]  # a line, and its record or why it has none


@dataclass(frozen=True, slots=True)
class Head:
    """The first line of a file: names as they stand, the same as keys, and the sign between them."""

    names: tuple[str, ...]
    keys: tuple[str, ...]
    mark: str


def head_of(text: str, known: Set[str], misspelt: dict[str, str]) -> Head:
    """The header in the first line of `text`, cut by the sign that shows most of the known fields, then most cells.

    A name also answers to what follows its last dot, where that is unique, and without a number in brackets.
    """
    line = header_line(text)
    heads = [_head(line, mark, misspelt) for mark in MARKS]
    return max(heads, key=lambda head: (len(known & set(head.keys)), len(head.keys), head.mark == ","))


def mark_of(lines: TextIO, usual: str) -> str:
    """The sign between the cells of a header: the usual one where it cuts anything, else the one that cuts most."""
    first = header_line(lines.read(65_536))
    lines.seek(0)
    cells = {mark: len(next(csv.reader([first], delimiter=mark), [])) for mark in MARKS}
    return usual if cells[usual] > 1 else max(MARKS, key=lambda mark: (cells[mark], mark == usual))


def delimited_records(
    text: Text,
    wanted: Collection[str],
    known: Set[str],
    misspelt: dict[str, str],
    nulls: Collection[str],
    tell: Callable[[str], None],
) -> Iterator[Found]:
    """(line, record) of each row, with the wanted fields alone; a row that does not fit is a problem. RefusedFile.

    tell: is given what people should know of how the rows were read.
    """
    with text.lines as lines:
        head = head_of(lines.read(65_536), known, misspelt)
        lines.seek(0)
        refuse_too_wide(len(head.names))
        blocks = Blocks(lines, head.mark, ROWS)
        if blocks.header() is None:
            return
        places = [(key, place) for place, key in enumerate(head.keys) if key in wanted]
        for block in blocks.blocks(len(head.names)):
            yield from ((problem.line, problem) for problem in block.problems)
            yield from _records(block, places, {*nulls, "NULL", r"\N"})
        for note in blocks.notes():
            tell(note)


def _records(block: Block, places: Sequence[tuple[str, int]], empty: Collection[str]) -> Iterator[Found]:
    """The rows of a block that say anything at all."""
    keys = [key for key, _ in places]
    columns = [[_clean(cell, empty) for cell in block.column(place)] for _, place in places]
    for row, (line, *cells) in enumerate(zip(block.lines.tolist(), *columns, strict=True)):
        if any(cells) or any(cell.strip(SURROUNDING) for cell in block.row(row)):
            yield line, dict(zip(keys, cells, strict=True))


def _head(line: str, mark: str, misspelt: dict[str, str]) -> Head:
    try:
        names = tuple(name.strip(SURROUNDING) for name in next(csv.reader([line], delimiter=mark), []))
    except csv.Error as error:
        raise RefusedFile(Why.NOT_TEXT, f"The first line cannot be read: {error}.") from None
    full = [field_key(_NUMBERED.sub("", name)) for name in names]
    short = [key.rsplit(".", 1)[-1] for key in full]
    keys = [few if short.count(few) == 1 else all_of for few, all_of in zip(short, full, strict=True)]
    return Head(names, tuple(misspelt.get(key, key) for key in keys), mark)


def _clean(cell: str, empty: Collection[str]) -> str:
    text = cell.strip(SURROUNDING)
    return "" if text in empty else text
