"""School years kept packed, so that a new day is judged from where the last one ended.

A block holds the students whose first enrolment was at one school: their cells up to the last day that was
replayed, and the state of the replay. It is derived from the rows and never the truth: a student touched on or
before that day is read from the rows again, and a block that cannot be read is built anew.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.queries import year_blocks
from rules.cells import UNMAPPED, Cells, status
from rules.matrix import Days, Matrix
from rules.replay_state import State

FORMAT = 1  # raise it when the meaning of a cell or of the state changes: older blocks are then built anew
_FAST = 1  # zlib's level: cells compress fifty times even so


@dataclass(frozen=True, slots=True, eq=False)
class Known:
    """Students with their days up to `until` [S], and how they stood at the end of that day."""

    students: NDArray[np.int64]  # ascending
    days: Days
    weights: NDArray[np.int32]  # [S, D]
    cells: Cells  # [S, D]
    until: Days  # [S]
    state: State

    @classmethod
    def none(cls) -> Known:
        """Nobody yet."""
        nobody, day = np.zeros(0, dtype=np.int64), np.zeros(0, dtype="datetime64[D]")
        weights, cells = np.zeros((0, 0), dtype=np.int32), np.zeros((0, 0), dtype=np.uint16)
        return cls(nobody, day, weights, cells, day, State.at_start(0))

    def of(self, rows: NDArray[np.intp]) -> Known:
        """Some of the students."""
        state = self.state.of(rows)
        return Known(self.students[rows], self.days, self.weights[rows], self.cells[rows], self.until[rows], state)

    def rows_of(self, students: NDArray[np.int64]) -> NDArray[np.intp]:
        """Where these students stand; all of them are known."""
        return np.searchsorted(self.students, students)

    def without(self, students: NDArray[np.int64]) -> Known:
        """Everybody else."""
        return self.of(np.flatnonzero(~np.isin(self.students, students)))

    def ready_for(self, students: NDArray[np.int64], since: Days) -> NDArray[np.bool_]:
        """Who can be judged from here on: known, untouched up to `until`, and no code of theirs waits."""
        row = np.minimum(np.searchsorted(self.students, students), max(len(self.students) - 1, 0))
        if not len(self.students):
            return np.zeros(len(students), dtype=bool)
        waits = np.isin(status(self.cells[row]), UNMAPPED).any(axis=1)
        ready: NDArray[np.bool_] = (self.students[row] == students) & (since > self.until[row]) & ~waits
        return ready

    def laid_under(self, later: Matrix, days: Days, first: int) -> Matrix:
        """The matrix over all `days`: what is known, then the columns of `later`, the same students' last days.

        `first` is the column where the school year starts.
        """
        before = len(days) - len(later.days)
        column = np.searchsorted(self.days, days[:before])
        kept = np.flatnonzero(np.isin(days[:before], self.days))
        cells = np.zeros((len(self.students), len(days)), dtype=np.uint16)
        weights = np.zeros(cells.shape, dtype=np.int32)
        cells[:, kept], weights[:, kept] = self.cells[:, column[kept]], self.weights[:, column[kept]]
        cells[:, before:], weights[:, before:] = later.cells, later.weights
        return Matrix(self.students, days, weights, cells, first)


def joined(parts: Sequence[Known]) -> Known:
    """One from several; a student's row in a later part replaces the row in an earlier one."""
    students = np.unique(np.concatenate([part.students for part in parts]))
    days = np.unique(np.concatenate([part.days for part in parts]))
    shape = (len(students), len(days))
    cells, weights = np.zeros(shape, dtype=np.uint16), np.zeros(shape, dtype=np.int32)
    until, state = np.zeros(len(students), dtype="datetime64[D]"), State.at_start(len(students))
    for part in parts:
        row, column = np.searchsorted(students, part.students), np.searchsorted(days, part.days)
        cells[row], weights[row] = 0, 0
        cells[np.ix_(row, column)], weights[np.ix_(row, column)] = part.cells, part.weights
        until[row] = part.until
        state.put(row, part.state)
    return Known(students, days, weights, cells, until, state)


def read(blocks: Iterable[int], school_year: date) -> Known:
    """What is packed of these blocks' school year."""
    parts = [_unpacked(content) for content in year_blocks.contents(blocks, school_year)]
    found = [part for part in parts if part is not None]
    return joined(found) if found else Known.none()


def write(known: Known, school_year: date) -> None:
    """Pack everybody into the blocks they belong to; what these blocks held before is gone."""
    block = year_blocks.blocks_of(known.students)
    order = np.argsort(block, kind="stable")
    numbers, starts = np.unique(block[order], return_index=True)
    rows = np.split(order, starts[1:]) if len(numbers) else []
    year_blocks.replace(
        {number: _packed(known.of(np.sort(row))) for number, row in zip(numbers.tolist(), rows, strict=True)},
        school_year,
    )


def _packed(known: Known) -> bytes:
    """A line of JSON that names the arrays, then the arrays; days on which nobody was expected are left out."""
    used = np.flatnonzero(known.cells.any(axis=0))
    state = known.state
    arrays: list[tuple[Any, NDArray[Any]]] = [
        ("students", known.students),
        ("days", known.days[used].astype(np.int64)),
        ("until", known.until.astype(np.int64)),
        ("weights", np.ascontiguousarray(known.weights[:, used].T.astype(np.int16))),
        ("cells", np.ascontiguousarray(known.cells[:, used].T)),
        ("tier", state.tier),
        ("entered", state.entered),
        ("stepped_down", state.stepped_down),
        *((["blocked", *key], part) for key, part in state.blocked.items()),
        *((["active", key], part) for key, part in state.active.items()),
        *((["last_met", key], part) for key, part in state.last_met.items()),
    ]
    head = [FORMAT, [(name, part.dtype.str, part.shape) for name, part in arrays]]
    content = b"".join([json.dumps(head).encode(), b"\n", *(part.tobytes() for _, part in arrays)])
    return zlib.compress(content, _FAST)


def _unpacked(content: bytes) -> Known | None:
    """What `_packed` made; None when an older release made it."""
    text, _, rest = zlib.decompress(content).partition(b"\n")
    form, parts = json.loads(text)
    if form != FORMAT:
        return None
    arrays, at = {}, 0
    for name, kind, shape in parts:
        size = int(np.prod(shape, dtype=np.int64))
        part = np.frombuffer(rest, dtype=kind, count=size, offset=at).reshape(shape).copy()
        arrays[tuple(name) if isinstance(name, list) else name] = part
        at += part.nbytes
    state = State(arrays["tier"], arrays["entered"], arrays["stepped_down"])
    for name, part in arrays.items():
        match name:
            case ("blocked", rule, tier):
                state.blocked[rule, tier] = part
            case ("active", rule):
                state.active[rule] = part
            case ("last_met", rule):
                state.last_met[rule] = part
    return Known(
        arrays["students"],
        arrays["days"].astype("datetime64[D]"),
        arrays["weights"].T.astype(np.int32),
        arrays["cells"].T,
        arrays["until"].astype("datetime64[D]"),
        state,
    )
