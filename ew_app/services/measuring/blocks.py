"""School years kept packed, so that a new day is judged from where the last one ended.

A block holds the students whose first enrolment was at one school: their cells up to the last day that was
replayed, and the state of the replay. It is derived from the rows and never the truth: a student touched on or
before that day is read from the rows again, and a block that cannot be read is built anew. With them lies what the
roster said of them; whoever it says something else of is touched by name, and read again.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ew_app.services.measuring.enrolments import Enrolments, Words
from ew_app.services.measuring.frames import Frame
from models.queries import measuring as rows
from models.queries import same_child, year_blocks
from rules.cells import UNMAPPED, Cells, status
from rules.matrix import Days, Matrix
from rules.replay_state import State

FORMAT = 3  # raise it when the meaning of a cell or of the state changes: older blocks are then built anew
_WORDS = ("exit_code", "calendar", "grade")
_FAST = 1  # zlib's level: cells compress fifty times even so


@dataclass(frozen=True, slots=True, eq=False)
class Background:
    """What the roster says of some students: enrolments, and last year's totals in mils (-1: not given).

    The totals of all ids that a student ever had are added up.
    """

    enrolments: Enrolments
    prior_absent: NDArray[np.int64]  # [S]
    prior_enrolled: NDArray[np.int64]  # [S]

    @classmethod
    def read(cls, students: NDArray[np.int64], at: Frame) -> Background:
        """As the rows say now; `students` ascending."""
        same = same_child.known()
        found = rows.prior_year(same.ids_of(students), at.start)
        absent, enrolled = np.full(len(students), -1), np.full(len(students), -1)
        where = np.searchsorted(students, same.own(found["student"]))
        absent[where], enrolled[where] = 0, 0
        np.add.at(absent, where, found["absent"])
        np.add.at(enrolled, where, found["enrolled"])
        return cls(Enrolments.read(students, at.since), absent, enrolled)

    def of(self, students: NDArray[np.int64], chosen: NDArray[np.intp]) -> Background:
        """Of some students, who stand in these rows."""
        return Background(self.enrolments.of(students), self.prior_absent[chosen], self.prior_enrolled[chosen])


@dataclass(frozen=True, slots=True, eq=False)
class Known:
    """Students with their days up to `until` [S], and how they stood at the end of that day."""

    students: NDArray[np.int64]  # ascending
    block: NDArray[np.int64]  # [S]
    background: Background
    days: Days
    weights: NDArray[np.int32]  # [S, D]
    cells: Cells  # [S, D]
    until: Days  # [S]
    state: State
    tier_since: NDArray[np.int64]  # [S] since 1970; NEVER: Tier 1 all year
    concerned: NDArray[np.bool_]  # [S] whom a rule or a case concerned this year
    kept: NDArray[np.bool_]  # [S] whose numbers are kept with the status

    @classmethod
    def none(cls) -> Known:
        """Nobody yet."""
        nobody, day = np.zeros(0, dtype=np.int64), np.zeros(0, dtype="datetime64[D]")
        weights, cells = np.zeros((0, 0), dtype=np.int32), np.zeros((0, 0), dtype=np.uint16)
        background = Background(Enrolments.none(), nobody, nobody)
        state = State.at_start(0)
        return cls(nobody, nobody, background, day, weights, cells, day, state, nobody, *(nobody.astype(bool),) * 2)

    def of(self, rows: NDArray[np.intp]) -> Known:
        """Some of the students."""
        students = self.students[rows]
        return Known(
            students,
            self.block[rows],
            self.background.of(students, rows),
            self.days,
            self.weights[rows],
            self.cells[rows],
            self.until[rows],
            self.state.of(rows),
            self.tier_since[rows],
            self.concerned[rows],
            self.kept[rows],
        )

    def with_background_of(self, named: NDArray[np.int64], at: Frame) -> Known:
        """The same, with what the roster says of some students read again."""
        students = np.intersect1d(named, self.students)
        if not len(students):
            return self
        fresh, row = Background.read(students, at), self.rows_of(students)
        kept = self.background.enrolments
        absent, enrolled = self.background.prior_absent.copy(), self.background.prior_enrolled.copy()
        absent[row], enrolled[row] = fresh.prior_absent, fresh.prior_enrolled
        others = kept.at(~np.isin(kept.student, students))
        return replace(self, background=Background(fresh.enrolments.behind(others), absent, enrolled))

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
    """One from several, each student in one of them."""
    if len(parts) == 1:
        return parts[0]
    order = np.argsort(np.concatenate([part.students for part in parts]))
    days = np.unique(np.concatenate([part.days for part in parts]))
    shape = (len(order), len(days))
    cells, weights = np.zeros(shape, dtype=np.uint16), np.zeros(shape, dtype=np.int32)
    state, first = State.at_start(len(order)), 0
    for part in parts:
        row = slice(first, first := first + len(part.students))
        column = np.searchsorted(days, part.days)
        cells[row, column], weights[row, column] = part.cells, part.weights
        state.put(np.arange(row.start, row.stop), part.state)
    enrolments = Enrolments.none()
    for part in parts:
        enrolments = part.background.enrolments.behind(enrolments)

    def column_of(name: str, of: str = "") -> NDArray[Any]:
        whole = np.concatenate([getattr(getattr(part, of) if of else part, name) for part in parts])
        return whole[order]

    return Known(
        column_of("students"),
        column_of("block"),
        Background(enrolments, column_of("prior_absent", "background"), column_of("prior_enrolled", "background")),
        days,
        weights[order],
        cells[order],
        column_of("until"),
        state.of(order),
        column_of("tier_since"),
        column_of("concerned"),
        column_of("kept"),
    )


def read(blocks: Iterable[int], school_year: date) -> Known:
    """What is packed of these blocks' school year."""
    parts = [_unpacked(block, content) for block, content in year_blocks.contents(blocks, school_year)]
    found = [part for part in parts if part is not None]
    return joined(found) if found else Known.none()


def write(known: Known, school_year: date) -> None:
    """Pack everybody into the blocks they belong to; what these blocks held before is gone."""
    order = np.argsort(known.block, kind="stable")
    numbers, starts = np.unique(known.block[order], return_index=True)
    rows = np.split(order, starts[1:]) if len(numbers) else []
    year_blocks.replace(
        {number: _packed(known.of(row)) for number, row in zip(numbers.tolist(), rows, strict=True)}, school_year
    )


def _packed(known: Known) -> bytes:
    """A line of JSON that names the arrays, then the arrays; days on which nobody was expected are left out."""
    used = np.flatnonzero(known.cells.any(axis=0))
    state, background = known.state, known.background
    enrolled = background.enrolments
    words = {name: getattr(enrolled, name) for name in _WORDS}
    arrays: list[tuple[Any, NDArray[Any]]] = [
        ("students", known.students),
        ("days", known.days[used].astype(np.int64)),
        ("until", known.until.astype(np.int64)),
        ("weights", np.ascontiguousarray(known.weights[:, used].T.astype(np.int16))),
        ("cells", np.ascontiguousarray(known.cells[:, used].T)),
        ("tier_since", known.tier_since),
        ("concerned", known.concerned),
        ("kept", known.kept),
        ("prior_absent", background.prior_absent),
        ("prior_enrolled", background.prior_enrolled),
        ("enrolled_student", enrolled.student),
        ("enrolled_school", enrolled.school),
        ("entry", enrolled.entry.astype(np.int64)),
        ("last", enrolled.last.astype(np.int64)),
        ("primary", enrolled.primary),
        *((name, column.index) for name, column in words.items()),
        ("tier", state.tier),
        ("entered", state.entered),
        ("stepped_down", state.stepped_down),
        *((["blocked", *key], part) for key, part in state.blocked.items()),
        *((["active", key], part) for key, part in state.active.items()),
        *((["last_met", key], part) for key, part in state.last_met.items()),
    ]
    told = [(name, part.dtype.str, part.shape) for name, part in arrays]
    head = [FORMAT, told, {name: column.different for name, column in words.items()}]
    content = b"".join([json.dumps(head).encode(), b"\n", *(part.tobytes() for _, part in arrays)])
    return zlib.compress(content, _FAST)


def _unpacked(block: int, content: bytes) -> Known | None:
    """What `_packed` made; None when an older release made it."""
    text, _, rest = zlib.decompress(content).partition(b"\n")
    form, *told = json.loads(text)
    if form != FORMAT:
        return None
    (parts, words), arrays, at = told, {}, 0
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
    enrolments = Enrolments(
        arrays["enrolled_student"],
        arrays["enrolled_school"],
        arrays["entry"].astype("datetime64[D]"),
        arrays["last"].astype("datetime64[D]"),
        arrays["primary"],
        *(Words(arrays[name], words[name]) for name in _WORDS),
    )
    return Known(
        arrays["students"],
        np.full(len(arrays["students"]), block),
        Background(enrolments, arrays["prior_absent"], arrays["prior_enrolled"]),
        arrays["days"].astype("datetime64[D]"),
        arrays["weights"].T.astype(np.int32),
        arrays["cells"].T,
        arrays["until"].astype("datetime64[D]"),
        state,
        arrays["tier_since"],
        arrays["concerned"],
        arrays["kept"],
    )
