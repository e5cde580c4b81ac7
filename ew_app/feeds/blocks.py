"""Text lines to columns of cells, a block at a time, each row with the physical line it starts on.

A block without quotation marks is one cut of a long string; only blocks that need it pay for a CSV parser.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from typing import Final, TextIO

import numpy as np
from numpy.typing import NDArray

from ew_app.feeds.cells import SURROUNDING, shown
from ew_app.feeds.refused import Problem, RefusedFile, Why
from ew_app.feeds.text import says_something

Row = list[str]
_ESCAPED: Final = '\\"'
MOST_LINES: Final = 20


@dataclass(frozen=True, slots=True)
class Block:
    """Rows of one width, their cells one after another, `stride` apart.

    problems: one for each row that did not fit. too_long: what fits of the cells of each of these.
    """

    lines: NDArray[np.int32]
    cells: Sequence[str]
    stride: int
    width: int
    problems: list[Problem]
    too_long: Sequence[Row] = ()

    def column(self, place: int) -> Sequence[str]:
        """All cells of the column at that place, in row order."""
        return self.cells[place :: self.stride]

    def row(self, at: int) -> Sequence[str]:
        """The cells of one row."""
        return self.cells[at * self.stride : at * self.stride + self.width]


class Blocks:
    """The rows of a text, header first: call `header()` once, then iterate."""

    def __init__(self, text: TextIO, delimiter: str, rows: int) -> None:
        self._text, self._delimiter, self._rows = text, delimiter, rows
        self._line = 0  # physical lines consumed
        self.mended: list[int] = []  # lines whose backslashes before quotation marks were read as part of a cell

    def header(self) -> Row | None:
        """Cells of the first line that is not blank, nor a spreadsheet's `sep=,`; None if there is none."""
        while line := self._text.readline():
            (row, _), *_ = self._parsed([line])
            if any("\0" in cell for cell in row):
                raise RefusedFile(
                    Why.NOT_TEXT, "The first line holds a NUL byte: the file is damaged. Export it again."
                )
            if says_something(line) and any(cell.strip(SURROUNDING) for cell in row):
                return row
        return None

    def blocks(self, width: int) -> Iterator[Block]:
        """All rows below the header as rows of `width` cells; RefusedFile if quotation marks never close."""
        while lines := list(islice(self._text, self._rows)):
            if not lines[-1].endswith("\n"):
                lines[-1] += "\n"
            yield self._cut(lines, width) or self._row_a_line(lines, width) or _fit(self._parsed(lines, width), width)

    def notes(self) -> list[str]:
        """What people should know of how the rows were read, once they are."""
        if not self.mended:
            return []
        lines, more = ", ".join(map(str, self.mended[:MOST_LINES])), len(self.mended) - MOST_LINES
        listed = f"{'line' if len(self.mended) == 1 else 'lines'} {lines}{f' and {more:,} more' if more > 0 else ''}"
        return [f"A backslash before a quotation mark was read as a quotation mark inside the cell: {listed}."]

    def _cut(self, lines: list[str], width: int) -> Block | None:
        """The block by plain splitting; None when a quotation mark or an uneven row asks for more care."""
        text = "".join(lines)
        if '"' in text:
            return None
        mark, stride = self._delimiter, width + 1
        cells = text.replace("\n", f"{mark}\n{mark}").split(mark)
        cells.pop()
        ends = cells[width::stride]
        if len(cells) != len(lines) * stride or ends.count("\n") != len(lines):
            return None
        return Block(self._numbers(len(lines)), cells, stride, width, [])

    def _row_a_line(self, lines: list[str], width: int) -> Block | None:
        """The block by the parser, as long as each line is one full row; None at the first that is not."""
        ran_out: list[bool] = []
        parser = csv.reader(chain(lines, _noting_the_end(ran_out)), delimiter=self._delimiter)
        cells: list[str] = []
        try:
            for row in islice(parser, len(lines)):
                if len(row) != width:
                    return None
                cells += row
        except csv.Error:
            return None
        return None if ran_out else Block(self._numbers(len(lines)), cells, width, width, [])

    def _numbers(self, count: int) -> NDArray[np.int32]:
        """The next `count` physical lines, now consumed."""
        first = self._line + 1
        self._line += count
        return np.arange(first, self._line + 1, dtype=np.int32)

    def _parsed(self, lines: list[str], width: int | None = None) -> list[tuple[Row, int]]:
        """Rows with the line each starts on, reading on past `lines` while a quoted cell is open."""
        source = _Source(chain(lines, self._text))
        found: list[tuple[Row, int]] = []
        while source.count < len(lines):
            found += self._next_rows(source, width)
        self._line += source.count
        return found

    def _next_rows(self, source: _Source, width: int | None) -> list[tuple[Row, int]]:
        """The next row; several where backslashes before quotation marks had run them together."""
        first = self._line + source.count + 1
        source.taken.clear()
        row: Row = []
        wrong: RefusedFile | None = None
        try:
            row = next(csv.reader(source, delimiter=self._delimiter))
            wrong = _unclosed(first) if source.ran_out else None
        except csv.Error as error:
            wrong = _broken(first, self._line + source.count, error)
        if width and (wrong or len(source.taken) > 1 or _filled(row) > width):
            mended = _without_backslashes(source.taken, self._delimiter, width)
            if mended:
                self.mended += [first + after for _, after in mended]
                return [(cells, first + after) for cells, after in mended]
        if wrong:
            raise wrong
        return [(row, first)]


class _Source:
    """Lines for a parser: how many it took, those of the row it is at, and whether it asked for more than there are."""

    def __init__(self, lines: Iterator[str]) -> None:
        self._lines = lines
        self.count, self.taken, self.ran_out = 0, list[str](), False

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = next(self._lines, None)
        if line is None:
            self.ran_out = True
            raise StopIteration
        self.count += 1
        self.taken.append(line)
        return line


def _without_backslashes(lines: Sequence[str], delimiter: str, width: int) -> list[tuple[Row, int]]:
    """(row, lines after the first) where a backslash before a quotation mark stands for one inside a cell.

    Nothing unless that makes full rows of all the lines, which proves it.
    """
    if not any(_ESCAPED in line for line in lines):
        return []
    source = _Source(iter([line.replace(_ESCAPED, '""') for line in lines]))
    found: list[tuple[Row, int]] = []
    try:
        while source.count < len(lines):
            after = source.count
            row = next(csv.reader(source, delimiter=delimiter))
            if source.ran_out or len(row) != width:
                return []
            found.append((row, after))
    except csv.Error:
        return []
    return found


def _noting_the_end(ran_out: list[bool]) -> Iterator[str]:
    """No line at all; the parser asks for one only while a quotation mark is open at the end of the file."""
    ran_out.append(True)
    yield from ()


def _broken(first: int, last: int, error: csv.Error) -> RefusedFile:
    if "field larger" in str(error):
        return RefusedFile(
            Why.UNCLOSED_QUOTE,
            f"A cell in the row of line {first} runs on without an end; a quotation mark may not be closed. "
            "Mend that line or export the file again.",
        )
    return RefusedFile(Why.NOT_TEXT, f"Lines {first} to {last} cannot be read as CSV: {error}.")


def _unclosed(line: int) -> RefusedFile:
    return RefusedFile(
        Why.UNCLOSED_QUOTE,
        f"A quotation mark that opens in the row of line {line} is not closed, so the rows after it "
        "cannot be told apart. Mend that line or export the file again.",
    )


def _fit(rows: list[tuple[Row, int]], width: int) -> Block:
    """Rows of exactly `width` cells: short ones filled up, blank ones dropped, too long ones a problem."""
    cells: list[str] = []
    lines: list[int] = []
    problems: list[Problem] = []
    too_long: list[Row] = []
    for row, line in rows:
        filled = _filled(row)
        if filled > width:
            problems.append(Problem(line, _too_long(row, filled, width), None, shown(row[width])))
            too_long.append(row[:width])
        elif filled:
            cells += row[:width]
            cells += [""] * (width - len(row))
            lines.append(line)
    return Block(np.array(lines, dtype=np.int32), cells, width, width, problems, too_long)


def _filled(row: Row) -> int:
    """How many cells there are up to the last that says anything."""
    filled = len(row)
    while filled and not row[filled - 1].strip(SURROUNDING):
        filled -= 1
    return filled


def _too_long(row: Row, filled: int, width: int) -> str:
    sentence = f"This row has {filled} cells and the header has {width}; is a comma not inside quotation marks?"
    if extra := sum(cell.count("\n") for cell in row):
        sentence += f" It runs over {extra + 1} lines; a quotation mark may be missing."
    return sentence
