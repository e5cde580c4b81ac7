"""The rows of an attendance delivery, read from its bytes into numbers.

Each different value of a column is kept once and every row holds its number, so that a whole district's day is
a handful of integer arrays. Nothing is looked up in tables here.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from itertools import count
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select

from ew_app.feeds import OURS, Problem, Reading, RefusedFile, Unread, layout, load_export, read
from models.attendance import DELETED, OTHER_KIND, UNREAD, Batch, BatchFile
from models.base import db
from models.queries.kept_files import open_file

Ints = NDArray[np.int32]

NAMED: Final = ("student_id", "school_id", "date", "code")
DETAILS: Final = (
    "fraction_absent",
    "minutes_absent",
    "period",
    "section_id",
    "reason",
    "last_modified",
    "modified_by",
)


class Values(defaultdict[Any, int]):
    """Value -> its number in order of appearance; an empty cell is 0 where the column may be empty."""

    def __init__(self, *first: Any) -> None:
        super().__init__(count(len(first)).__next__, zip(first, count(), strict=False))

    def numbers(self, values: Sequence[Any]) -> Ints:
        """The number of each value."""
        return np.fromiter(map(self.__getitem__, values), np.int32, len(values))

    def pick(self, numbers: Ints) -> list[Any]:
        """The values behind numbers."""
        return list(map(list(self).__getitem__, numbers.tolist()))


@dataclass(slots=True)
class Arrivals:
    """Readable rows as columns of numbers, and what could not be read.

    `columns` has `file` (0, 1, ... in the order handed over), `line`, and every named column; a detail is there
    only if a file has it.
    """

    columns: dict[str, Ints]
    values: dict[str, Values]
    rows_in: int = 0
    problems: list[tuple[str, Problem, bool]] = field(default_factory=list)  # file name, problem, rejected
    notes: list[str] = field(default_factory=list)
    file_names: list[str] = field(default_factory=list)
    unread: list[tuple[int, Unread]] = field(default_factory=list)  # file number, a rejected row whose day we know
    ids: dict[str, dict[str, int]] = field(default_factory=dict)  # by table, once somebody has looked them up

    def __len__(self) -> int:
        return len(self.columns["line"])

    def only(self, chosen: NDArray[np.bool_]) -> None:
        """Keep the chosen rows."""
        self.columns = {name: column[chosen] for name, column in self.columns.items()}

    def texts(self, name: str, rows: NDArray[np.intp]) -> list[Any]:
        """The values of a detail for some rows; None where no file has it."""
        if name not in self.columns:
            return [None] * len(rows)
        return self.values[name].pick(self.columns[name][rows])


@dataclass(frozen=True, slots=True)
class Claim:
    """One line of covers.csv or submitted.csv; not `taken`: its rows are complete, and show no more than that."""

    table: str
    file: str
    line: int
    school: str
    day: date
    taken: bool = True


def read_rows(batch: Batch) -> Arrivals:
    """All attendance files of a batch. RefusedFile, with the file's name: nothing of the batch may be used."""
    names = file_names(batch.id, "attendance")
    may_be_empty = bool(file_names(batch.id, "covers"))
    arrivals = Arrivals({}, _fresh_values(), file_names=names)
    parts: list[dict[str, Ints]] = []
    for number, name in enumerate(names):
        with _reading(batch, name, "attendance", may_be_empty=may_be_empty) as reading:
            parts += _numbered(arrivals, reading, number, name)
            arrivals.rows_in += reading.rows_in
            arrivals.notes += reading.notes
    arrivals.columns = _joined(parts)
    return arrivals


def read_claims(batch: Batch) -> tuple[list[Claim], list[tuple[str, Problem, bool]]]:
    """The lines of covers.csv and submitted.csv, and those that could not be read."""
    claims: list[Claim] = []
    problems: list[tuple[str, Problem, bool]] = []
    for table in ("covers", "submitted"):
        for name in file_names(batch.id, table):
            with _reading(batch, name, table, may_be_empty=True) as reading:
                for chunk in reading:
                    told = chunk.columns["taken"] if "taken" in reading.present else [None] * len(chunk.lines)
                    columns = (chunk.columns["school_id"], chunk.columns["date"], (said is not False for said in told))
                    claims += [Claim(table, name, *row) for row in zip(chunk.lines.tolist(), *columns, strict=True)]
                    problems += [(name, problem, False) for problem in chunk.problems + chunk.warnings]
    return claims, problems


def tells_events(batch: Batch) -> bool:
    """Whether the format of a delivery tells events, of which each is deleted by itself."""
    name = batch.options.get("format", OURS)
    return name != OURS and any(code.code == DELETED for code in load_export(name).codes)


def file_names(batch_id: int, table: str) -> list[str]:
    """Names of the files of a batch that hold one table, in the order handed over."""
    found = db.session.scalars(
        select(BatchFile.name)
        .where(BatchFile.batch_id == batch_id, BatchFile.table_name == table, BatchFile.part == 0)
        .order_by(BatchFile.id)
    )
    return list(found)


@contextmanager
def _reading(batch: Batch, name: str, table: str, *, may_be_empty: bool) -> Iterator[Reading]:
    options: Mapping[str, Any] = batch.options
    try:
        with open_file(batch.id, name) as stream:
            yield read(
                stream,
                layout(options, table),
                mapping=options.get("mapping", {}).get(table),
                max_rows=options.get("max_rows"),
                may_be_empty=may_be_empty,
            )
    except RefusedFile as refused:
        raise refused.of(name) from refused


def _fresh_values() -> dict[str, Values]:
    blank = {"period": ""}
    return {name: Values() for name in NAMED} | {name: Values(blank.get(name)) for name in DETAILS}


def _numbered(arrivals: Arrivals, reading: Reading, number: int, name: str) -> Iterable[dict[str, Ints]]:
    """The chunks of one file as numbers."""
    details = [detail for detail in DETAILS if detail in reading.present]
    for chunk in reading:
        arrivals.problems += [(name, problem, True) for problem in chunk.problems]
        arrivals.problems += [(name, warning, False) for warning in chunk.warnings]
        if "period" in details:
            chunk.columns["period"] = _periods(chunk.columns["period"], chunk.columns["section_id"])
        arrivals.unread += [(number, row) for row in chunk.unread]
        columns = {column: arrivals.values[column].numbers(chunk.columns[column]) for column in (*NAMED, *details)}
        columns["line"] = chunk.lines
        columns["file"] = np.full(len(chunk.lines), number, dtype=np.int32)
        yield columns


def unreadable(rows: Sequence[tuple[int, Unread]]) -> Arrivals:
    """Rejected rows whose student, school and day are known, as rows whose code says that they could not be read."""
    found = Arrivals({}, _fresh_values())
    told = [row for _, row in rows]
    found.columns = {
        "student_id": found.values["student_id"].numbers([row.student_id for row in told]),
        "school_id": found.values["school_id"].numbers([row.school_id for row in told]),
        "date": found.values["date"].numbers([row.day for row in told]),
        "code": found.values["code"].numbers([UNREAD] * len(told)),
        "period": found.values["period"].numbers([row.period for row in told]),
        "reason": found.values["reason"].numbers([row.inside or None for row in told]),
        "section_id": found.values["section_id"].numbers([OTHER_KIND if row.other else None for row in told]),
        "line": np.array([row.line for row in told], dtype=np.int32),
        "file": np.array([file for file, _ in rows], dtype=np.int32),
    }
    return found


def _periods(periods: Sequence[str | None], sections: Sequence[str | None]) -> list[str]:
    """The class each row is about: its period, else its section; '' where it is about the whole day."""
    return [period or section or "" for period, section in zip(periods, sections, strict=True)]


def _joined(parts: Sequence[dict[str, Ints]]) -> dict[str, Ints]:
    """Chunks one below the other; a detail that a file does not have is empty (0) in its rows."""
    names = {name for part in parts for name in part} | {*NAMED, "line", "file"}
    return {
        name: np.concatenate([part.get(name, np.zeros_like(part["line"])) for part in parts])
        if parts
        else np.zeros(0, dtype=np.int32)
        for name in sorted(names)
    }
