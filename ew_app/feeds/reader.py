"""A file of one table, read in columnar chunks: values of the good rows, a sentence for each rejected one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import compress
from typing import Any, BinaryIO, Final

import numpy as np
from numpy.typing import NDArray

from ew_app.feeds import written
from ew_app.feeds.blocks import Block, Blocks
from ew_app.feeds.cells import SURROUNDING, ColumnReader, Unreadable
from ew_app.feeds.delimited import MARKS, mark_of
from ew_app.feeds.formats import TableFormat
from ew_app.feeds.header import Header, find_columns
from ew_app.feeds.refused import Problem, RefusedFile, Why
from ew_app.feeds.text import open_text

CHUNK_ROWS: Final = 50_000

Values = list[Any]


NAMING: Final = ("student_id", "school_id", "date")


@dataclass(frozen=True, slots=True)
class Unread:
    """A rejected row that still tells whose day it is about; `period` '' where it is the whole day, or not known.

    inside: the number inside their system by which alone the row names its student, who may be this one.
    other: the row is of a kind that is not read, and stands beside those that are: it corrects none of them.
    """

    line: int
    student_id: str
    school_id: str
    day: date
    period: str
    inside: str = ""
    other: bool = False


@dataclass(frozen=True, slots=True)
class Chunk:
    """Up to 50,000 rows. `columns` has every column of the table, in its order, each with one value a line.

    lines: physical line of each good row (header = 1); a row over several lines has its first.
    problems: exactly one for each rejected row. warnings: rows that were taken with a cell left empty.
    unread: of the rejected rows those whose student, school and day can be read.
    """

    lines: NDArray[np.int32]
    columns: dict[str, Values]
    problems: list[Problem]
    warnings: list[Problem]
    unread: Sequence[Unread] = ()

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
    reading = Reading(stream, table, mapping or {}, chunk_rows)
    reading.max_rows = max_rows
    reading.may_be_empty = may_be_empty or not table.refuse_empty
    return reading


class Reading:
    """A file being read. After iteration its counts are complete: rows_in = good + rejected."""

    max_rows: int | None = None
    may_be_empty = True

    numbered = False  # whether it is rows made from an export, which tell their own lines

    def __init__(self, stream: BinaryIO, table: TableFormat, mapping: Mapping[str, str], chunk_rows: int) -> None:
        self.table = table
        self.rows_in = self.good = self.rejected = self.blank = 0
        text = open_text(stream)
        mark = mark_of(text.lines, table.delimiter)
        self._blocks = Blocks(text.lines, mark, chunk_rows)
        self.header = self._header(mapping)
        self.numbered = table.numbered and written.is_numbered(self.header.names)
        self.notes = [*text.notes, *_cut_by(mark, table), *([] if self.numbered else _said_of(self.header))]
        order = written.order_of(self.header.names) if self.numbered else table.date_order
        self._names_days = table.name == "attendance"
        self._columns = [ColumnReader(column, order) for column in table.columns]

    @property
    def present(self) -> frozenset[str]:
        """Our columns that the file has; the others are empty in every row."""
        return frozenset(self.header.places)

    def __iter__(self) -> Iterator[Chunk]:
        for block in self._blocks.blocks(len(self.header.names)):
            chunk = self._chunk(block)
            self._count(chunk)
            for column in self._columns:
                column.refuse_two_ways()
            if chunk.rows_in:
                yield chunk
        self.notes += self._blocks.notes()
        if self.blank:
            self.notes.append(f"{self.blank:,} rows without anything in them were skipped.")
        if self.rows_in == 0 and not self.may_be_empty:
            raise _header_only(self.table, made=self.numbered)

    def _header(self, mapping: Mapping[str, str]) -> Header:
        names = self._blocks.header()
        if names is None:
            raise RefusedFile(Why.EMPTY, "The file is empty. Ask for it to be exported again.")
        return find_columns(names, self.table, mapping)

    def _chunk(self, block: Block) -> Chunk:
        values: dict[str, Values] = {}
        failed: dict[int, Problem] = {}  # row of the block -> why it is rejected
        if self.numbered:
            block = replace(block, lines=np.array(block.column(0), dtype=np.int32))
            reasons = enumerate(block.column(1))
            failed = {row: Problem(int(block.lines[row]), reason) for row, reason in reasons if reason}
        warned: list[tuple[int, Problem]] = []
        for column in self._columns:
            place = self.header.places.get(column.name)
            if place is None:
                values[column.name] = [column.blank] * len(block.lines)
                continue
            found = values[column.name] = column.read(block.column(place))
            if column.found_unreadable:
                _explain(column, found, block, failed, warned)
        unread = self._named(block, values, failed)
        if failed:
            return self._without(failed, values, block, warned, unread)
        return Chunk(block.lines, values, block.problems, [warning for _, warning in warned], unread)

    def _named(self, block: Block, values: dict[str, Values], failed: Mapping[int, Problem]) -> list[Unread]:
        """Of the rejected rows those that tell whose day they are about."""
        if not self._names_days or not (failed or block.too_long):
            return []
        wanted = (*NAMING, "period")
        rows = [(int(block.lines[row]), [values[name][row] for name in wanted]) for row in sorted(failed)]
        cut_off = zip(block.problems, block.too_long, strict=True)
        rows += [(problem.line, [self._value(name, row) for name in wanted]) for problem, row in cut_off]
        other = {problem.line for problem in failed.values() if problem.reason.endswith(written.OF_ANOTHER_KIND)}
        return [
            Unread(line, student, school, day, period or "", other=line in other)
            for line, (student, school, day, period) in rows
            if None not in (student, school, day)
        ]

    def _value(self, name: str, row: Sequence[str]) -> Any:
        """What a cell of a row says; None for nothing, or nothing that can be read."""
        place = self.header.places.get(name)
        if place is None:
            return None
        (value,) = next(column for column in self._columns if column.name == name).read([row[place]])
        return None if value.__class__ is Unreadable else value

    def _without(
        self,
        failed: dict[int, Problem],
        values: dict[str, Values],
        block: Block,
        warned: list[tuple[int, Problem]],
        unread: Sequence[Unread],
    ) -> Chunk:
        good = np.ones(len(block.lines), dtype=bool)
        good[list(failed)] = False
        problems = [problem for row, problem in failed.items() if not _is_blank(block.row(row))]
        self.blank += len(failed) - len(problems)
        return Chunk(
            block.lines[good],
            {name: list(compress(column, good)) for name, column in values.items()},
            sorted(block.problems + problems, key=lambda problem: problem.line),
            [warning for row, warning in warned if good[row]],
            unread,
        )

    def _count(self, chunk: Chunk) -> None:
        self.good += len(chunk.lines)
        self.rejected += len(chunk.problems)
        self.rows_in = self.good + self.rejected
        if self.max_rows is not None and self.rows_in > self.max_rows:
            raise RefusedFile(
                Why.TOO_LARGE,
                f"The file has more than {self.max_rows:,} rows. Split it, or load it from the command line.",
            )


def _explain(
    column: ColumnReader,
    values: Values,
    block: Block,
    failed: dict[int, Problem],
    warned: list[tuple[int, Problem]],
) -> None:
    """Empty the unreadable cells of a column; note the row as failed (its first reason stays) or warned."""
    for row, value in enumerate(values):
        if value.__class__ is not Unreadable:
            continue
        values[row] = column.blank
        problem = Problem(int(block.lines[row]), value.reason, column.name, value.value)
        if column.keep_row:
            warned.append((row, problem))
        else:
            failed.setdefault(row, problem)


def _is_blank(cells: Sequence[str]) -> bool:
    return not any(cell.strip(SURROUNDING) for cell in cells)


def _cut_by(mark: str, table: TableFormat) -> list[str]:
    return [] if mark == table.delimiter else [f"The columns are separated by {MARKS[mark]}."]


def _said_of(header: Header) -> list[str]:
    """Sentences on columns that were taken for one of ours, and on those that nobody reads."""
    said = [f"The column {name[:40]} was read as {ours}." for ours, name in header.assumed.items()]
    names = ", ".join(name[:40] for name in header.ignored)
    return [*said, f"Columns not read: {names}."] if names else said


def _header_only(table: TableFormat, *, made: bool) -> RefusedFile:
    """made: from an export, of which people know neither the name of our table nor a header."""
    empty = "There is no row of attendance in it" if made else f"{table.file} has a header and no rows"
    return RefusedFile(
        Why.HEADER_ONLY,
        f"{empty}. That is an empty feed, not proof that everyone was present. "
        "If nobody was absent, send covers.csv with the schools and dates it stands for.",
    )
