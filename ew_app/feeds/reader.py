"""A file of one table, read in columnar chunks: values of the good rows, a sentence for each rejected one."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import compress, islice
from typing import Any, BinaryIO, Final

import numpy as np
from numpy.typing import NDArray

from ew_app.feeds.cells import SURROUNDING, DateReader, Memo, Unreadable, memo_for
from ew_app.feeds.formats import Column, ColumnType, TableFormat
from ew_app.feeds.header import Header, find_columns
from ew_app.feeds.refused import Problem, RefusedFile, Why
from ew_app.feeds.text import open_text

CHUNK_ROWS: Final = 50_000
MOST_REMEMBERED: Final = 500_000

Row = list[str]
Values = list[Any]


@dataclass(frozen=True, slots=True)
class Chunk:
    """Up to 50,000 rows. `columns` has every column of the table, in its order, each with one value a line.

    lines: physical line of each good row (header = 1); a row over several lines has its first.
    problems: exactly one for each rejected row. warnings: rows that were taken with a cell left empty.
    """

    lines: NDArray[np.int32]
    columns: dict[str, Values]
    problems: list[Problem]
    warnings: list[Problem]

    @property
    def rows_in(self) -> int:
        """Rows of the file that this chunk accounts for: the good and the rejected."""
        return len(self.lines) + len(self.problems)


def read(
    stream: BinaryIO,
    table: TableFormat,
    *,
    mapping: Mapping[str, str] | None = None,
    max_rows: int | None = None,
    may_be_empty: bool = False,
    chunk_rows: int = CHUNK_ROWS,
) -> Reading:
    """Start reading `stream` as `table`; iterate the result for its chunks, once.

    mapping: our column -> the file's header, for files with other names. max_rows: refuse longer files.
    may_be_empty: a file without rows is welcome (an attendance file that comes with covers.csv).
    RefusedFile, here or while iterating: nothing of the file may be used.
    """
    return Reading(stream, table, mapping or {}, max_rows, may_be_empty or not table.refuse_empty, chunk_rows)


class Reading:
    """A file being read. Complete after iteration: rows_in = good + rejected."""

    def __init__(
        self,
        stream: BinaryIO,
        table: TableFormat,
        mapping: Mapping[str, str],
        max_rows: int | None,
        may_be_empty: bool,
        chunk_rows: int,
    ) -> None:
        self.table = table
        self.rows_in = self.good = self.rejected = 0
        self._max_rows, self._may_be_empty, self._chunk_rows = max_rows, may_be_empty, chunk_rows
        self._text = open_text(stream)
        self.notes = list(self._text.notes)
        self._rows = csv.reader(self._text.lines, delimiter=table.delimiter)
        self.header = self._read_header(mapping)
        self._columns = [_Column.of(column, table) for column in table.columns]

    @property
    def present(self) -> frozenset[str]:
        """Our columns that the file has; the others are empty in every row."""
        return frozenset(self.header.places)

    def __iter__(self) -> Iterator[Chunk]:
        before = self._rows.line_num
        while rows := self._next_rows():
            now = self._rows.line_num
            chunk = self._chunk(rows, _first_lines(rows, before, now))
            before = now
            self._count(chunk)
            if chunk.rows_in:
                yield chunk
        self._finish()

    def _read_header(self, mapping: Mapping[str, str]) -> Header:
        try:
            names = next((row for row in self._rows if any(cell.strip(SURROUNDING) for cell in row)), None)
        except csv.Error as error:
            raise self._broken(error) from None
        if names is None:
            raise RefusedFile(Why.EMPTY, "The file is empty. Ask for it to be exported again.")
        header = find_columns(names, self.table, mapping)
        if header.ignored:
            self.notes.append(f"Columns not read: {', '.join(name[:40] for name in header.ignored)}.")
        return header

    def _next_rows(self) -> list[Row]:
        try:
            return list(islice(self._rows, self._chunk_rows))
        except csv.Error as error:
            raise self._broken(error) from None

    def _broken(self, error: csv.Error) -> RefusedFile:
        line = self._rows.line_num
        if "field larger" in str(error):
            return RefusedFile(
                Why.UNCLOSED_QUOTE, f"Up to line {line} a cell runs on without an end: a quotation mark is not closed."
            )
        return RefusedFile(Why.NOT_TEXT, f"The file cannot be read as CSV near line {line}: {error}.")

    def _chunk(self, rows: list[Row], lines: NDArray[np.int32]) -> Chunk:
        problems: list[Problem] = []
        warnings: list[Problem] = []
        rows, lines = _same_width(rows, lines, len(self.header.names), problems)
        cells = list(zip(*rows, strict=True))
        good = np.ones(len(rows), dtype=bool)
        values = {}
        for column in self._columns:
            place = self.header.places.get(column.name)
            texts = cells[place] if place is not None and cells else None
            values[column.name] = column.read(texts, rows, lines, good, problems, warnings)
        if not good.all():
            lines = lines[good]
            values = {name: list(compress(column, good)) for name, column in values.items()}
        problems.sort(key=lambda problem: problem.line)
        kept = set(lines.tolist()) if warnings else set()
        return Chunk(lines, values, problems, [warning for warning in warnings if warning.line in kept])

    def _count(self, chunk: Chunk) -> None:
        self.rows_in += chunk.rows_in
        self.good += len(chunk.lines)
        self.rejected += len(chunk.problems)
        if self._max_rows is not None and self.rows_in > self._max_rows:
            raise RefusedFile(
                Why.TOO_LARGE,
                f"The file has more than {self._max_rows:,} rows. Split it, or load it from the command line.",
            )
        for column in self._columns:
            column.refuse_two_ways()

    def _finish(self) -> None:
        if self.rows_in == 0 and not self._may_be_empty:
            raise RefusedFile(
                Why.HEADER_ONLY,
                f"{self.table.file} has a header and no rows. That is an empty feed, not proof that everyone was "
                "present. If nobody was absent, send covers.csv with the schools and dates it stands for.",
            )


@dataclass(slots=True)
class _Column:
    """One column being read: what it is, its memo, and the dates it has met."""

    column: Column
    memo: Memo
    dates: DateReader
    table: TableFormat
    name: str = field(init=False)

    def __post_init__(self) -> None:
        self.name = self.column.name

    @classmethod
    def of(cls, column: Column, table: TableFormat) -> _Column:
        dates = DateReader(table.date_order)
        return cls(column, memo_for(column, dates), dates, table)

    def read(
        self,
        texts: tuple[str, ...] | None,
        rows: list[Row],
        lines: NDArray[np.int32],
        good: NDArray[np.bool_],
        problems: list[Problem],
        warnings: list[Problem],
    ) -> Values:
        """Values of the column; marks unreadable rows in `good` and explains each rejected row once."""
        if texts is None:
            return [self.column.blank] * len(lines)
        if len(self.memo) > MOST_REMEMBERED:
            self.memo.clear()
        values = list(map(self.memo.__getitem__, texts))
        if self.memo.found_unreadable:
            self._explain(values, rows, lines, good, problems, warnings)
        return values

    def _explain(
        self,
        values: Values,
        rows: list[Row],
        lines: NDArray[np.int32],
        good: NDArray[np.bool_],
        problems: list[Problem],
        warnings: list[Problem],
    ) -> None:
        for at, value in enumerate(values):
            if value.__class__ is not Unreadable:
                continue
            problem = Problem(int(lines[at]), value.reason, self.name, value.value)
            values[at] = self.column.blank
            if self.column.keep_row:
                warnings.append(problem)
            elif good[at]:
                good[at] = False
                problems.append(problem)

    def refuse_two_ways(self) -> None:
        if self.column.type is ColumnType.DATE and (text := self.dates.two_ways):
            raise RefusedFile(
                Why.TWO_WAY_DATES,
                f'The dates in column "{self.name}" can be read two ways: "{text[:20]}" may be month first or day '
                "first. We do not guess. Export dates as 2026-09-14 (year, month, day).",
                column=self.name,
            )


def _first_lines(rows: list[Row], before: int, now: int) -> NDArray[np.int32]:
    """Physical line on which each row starts; `before` lines came earlier, the last row ends on line `now`."""
    if now - before == len(rows):
        return np.arange(before + 1, now + 1, dtype=np.int32)
    spans = np.fromiter((1 + sum(cell.count("\n") for cell in row) for row in rows), np.int32, len(rows))
    return (before + 1 + np.cumsum(spans) - spans).astype(np.int32)


def _same_width(
    rows: list[Row], lines: NDArray[np.int32], width: int, problems: list[Problem]
) -> tuple[list[Row], NDArray[np.int32]]:
    """Rows of exactly `width` cells: short ones padded, blank ones dropped, too long ones rejected."""
    if set(map(len, rows)) == {width}:
        return rows, lines
    keep: list[Row] = []
    kept: list[int] = []
    for row, line in zip(rows, lines.tolist(), strict=True):
        filled = len(row)
        while filled and not row[filled - 1].strip(SURROUNDING):
            filled -= 1
        if not filled:
            continue
        if filled > width:
            problems.append(Problem(line, _too_long(row, filled, width), None, row[width][:80]))
            continue
        keep.append((row + [""] * (width - len(row)))[:width])
        kept.append(line)
    return keep, np.array(kept, dtype=np.int32)


def _too_long(row: Row, filled: int, width: int) -> str:
    sentence = f"This row has {filled} cells and the header has {width}; is a comma not inside quotation marks?"
    if extra := sum(cell.count("\n") for cell in row):
        sentence += f" It runs over {extra + 1} lines; a quotation mark may be missing."
    return sentence
