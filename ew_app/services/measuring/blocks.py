"""Where everybody stood at the end of the last day, packed, so that a new day is judged from there.

A block holds the students whose first enrolment was at one school: their facts to date, the days that windows still
look back on, and the state of the replay. It is derived from the rows and never the truth: a student touched on or
before that day is read from the rows again, and a block that cannot be read is built anew. With them lies what the
roster said of them; whoever it says something else of is touched by name, and read again.

Most corrections are of the last days. So every fortnight a block is put aside as it is, and the last two are kept:
somebody in whose days something changed since then is judged from there, and only an older change costs a whole year.
"""

from __future__ import annotations

import json
import math
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ew_app.services.measuring.enrolments import Enrolments, Words, born
from ew_app.services.measuring.frames import Frame
from ew_app.services.measuring.told_totals import told_totals
from models.queries import same_child, year_blocks
from rules import carried as carrying
from rules.carried import KEPT, Carried, Events
from rules.matrix import Days, stand_in
from rules.replay_state import State

FORMAT = 5  # raise it when the meaning of what is carried or of the state changes: older blocks are then built anew
_WORDS = ("exit_code", "calendar", "grade")
_EVENT = ("row", "nth", "cells", "weights")
_FAST = 1  # zlib's level
APART, PUT_ASIDE = timedelta(days=14), 2


@dataclass(frozen=True, slots=True, eq=False)
class Background:
    """What the roster says of some students: enrolments, birth dates (NaT: not given), and last year's totals in mils
    (-1: not given).

    The totals of all ids that a student ever had are added up.
    """

    enrolments: Enrolments
    born: Days  # [S]
    prior_absent: NDArray[np.int64]  # [S]
    prior_enrolled: NDArray[np.int64]  # [S]

    @classmethod
    def read(cls, students: NDArray[np.int64], at: Frame) -> Background:
        """As the rows say now; `students` ascending."""
        absent, enrolled = told_totals(students, at.since, same_child.known())
        return cls(Enrolments.read(students, at.since), born(students), absent, enrolled)

    def of(self, students: NDArray[np.int64], chosen: NDArray[np.intp]) -> Background:
        """Of some students, who stand in these rows."""
        rest = (self.born[chosen], self.prior_absent[chosen], self.prior_enrolled[chosen])
        return Background(self.enrolments.of(students), *rest)


@dataclass(frozen=True, slots=True, eq=False)
class Known:
    """Students, and how they stood at the end of the day `until` [S]."""

    students: NDArray[np.int64]  # ascending
    block: NDArray[np.int64]  # [S]
    background: Background
    until: Days  # [S]
    carried: Carried
    state: State
    tier_since: NDArray[np.int64]  # [S] since 1970; NEVER: Tier 1 all year
    waits: NDArray[np.bool_]  # [S] whether a code that nobody has mapped, or a cause, stands anywhere in their days
    concerned: NDArray[np.bool_]  # [S] whom a rule or a case concerned this year
    kept: NDArray[np.bool_]  # [S] whose numbers are kept with the status

    @classmethod
    def none(cls) -> Known:
        """Nobody yet."""
        nobody, day = np.zeros(0, dtype=np.int64), np.zeros(0, dtype="datetime64[D]")
        background = Background(Enrolments.none(), day, nobody, nobody)
        carried = Carried(dict.fromkeys(KEPT, nobody), Events.none())
        state = State.at_start(0)
        return cls(nobody, nobody, background, day, carried, state, nobody, *(nobody.astype(bool),) * 3)

    def of(self, rows: NDArray[np.intp]) -> Known:
        """Some of the students."""
        students = self.students[rows]
        return Known(
            students,
            self.block[rows],
            self.background.of(students, rows),
            self.until[rows],
            self.carried.of(rows),
            self.state.of(rows),
            self.tier_since[rows],
            self.waits[rows],
            self.concerned[rows],
            self.kept[rows],
        )

    def with_background_of(self, named: NDArray[np.int64], at: Frame) -> Known:
        """The same, with what the roster says of some students read again."""
        students = np.sort(named[stand_in(self.students, named)])
        if not len(students):
            return self
        fresh, row = Background.read(students, at), self.rows_of(students)
        kept = self.background.enrolments
        others = kept.at(~stand_in(students, kept.student))
        rest = []
        for name in ("born", "prior_absent", "prior_enrolled"):
            rest.append(getattr(self.background, name).copy())
            rest[-1][row] = getattr(fresh, name)
        return replace(self, background=Background(fresh.enrolments.behind(others), *rest))

    def rows_of(self, students: NDArray[np.int64]) -> NDArray[np.intp]:
        """Where these students stand; all of them are known."""
        return np.searchsorted(self.students, students)

    def without(self, students: NDArray[np.int64]) -> Known:
        """Everybody else."""
        return self.of(np.flatnonzero(~stand_in(students, self.students)))

    def ready_for(self, students: NDArray[np.int64], since: Days) -> NDArray[np.bool_]:
        """Who can be judged from here on: known, untouched up to `until`, and nothing of theirs `waits`."""
        ready = stand_in(self.students, students)
        row = self.rows_of(students[ready])
        ready[ready] = (since[ready] > self.until[row]) & ~self.waits[row]
        return ready


def joined(parts: Sequence[Known]) -> Known:
    """One from several, each student in one of them."""
    if len(parts) == 1:
        return parts[0]
    order = np.argsort(np.concatenate([part.students for part in parts]))
    state, first = State.at_start(len(order)), 0
    enrolments = Enrolments.none()
    for part in parts:
        state.put(np.arange(first, first := first + len(part.students)), part.state)
        enrolments = part.background.enrolments.behind(enrolments)

    def column(name: str, of: str = "") -> NDArray[Any]:
        whole = np.concatenate([getattr(getattr(part, of) if of else part, name) for part in parts])
        return whole[order]

    return Known(
        column("students"),
        column("block"),
        Background(enrolments, *(column(name, "background") for name in ("born", "prior_absent", "prior_enrolled"))),
        column("until"),
        carrying.joined([part.carried for part in parts]).of(order),
        state.of(order),
        *(column(name) for name in ("tier_since", "waits", "concerned", "kept")),
    )


def read(blocks: Iterable[int], school_year: date) -> Known:
    """What is packed of these blocks' school year."""
    parts = [_unpacked(block, content) for block, content in year_blocks.contents(blocks, school_year)]
    found = [part for part in parts if part is not None]
    return joined(found) if found else Known.none()


def facts_of(blocks: Iterable[int], school_year: date) -> Iterator[tuple[NDArray[np.int64], Carried]]:
    """(students, their facts to date) of each of these blocks, as the last evaluation left them."""
    for _, content in year_blocks.contents(blocks, school_year):
        found = _arrays(content, ("fact", "event"))
        if found is not None and len(found[0]["students"]):
            yield found[0]["students"], _carried(found[0])


def read_earlier(known: Known, students: NDArray[np.int64], since: Days, school_year: date) -> Known:
    """Who of these can be judged from a block that was put aside before the first day of theirs that changed.

    What the roster says of them is taken from what is `known` now.
    """
    parts = [Known.none()]
    for block, content, named in year_blocks.earlier(students, since, school_year):
        past = _unpacked(block, content)
        if past is not None:
            wanted = np.sort(np.array(named, dtype=np.int64))
            both = wanted[stand_in(past.students, wanted) & stand_in(known.students, wanted)]
            parts.append(past.of(past.rows_of(both)))
    found = joined(parts)
    found = found.of(found.rows_of(students[found.ready_for(students, since)]))
    background = known.background.of(found.students, known.rows_of(found.students))
    return replace(found, background=background)


def write(known: Known, chosen: Iterable[int], school_year: date) -> None:
    """Pack everybody into the blocks they belong to; what these and the chosen blocks held before is gone."""
    order = np.argsort(known.block, kind="stable")
    numbers, starts = np.unique(known.block[order], return_index=True)
    rows = np.split(order, starts[1:]) if len(numbers) else []
    year_blocks.empty(set(chosen) - set(numbers.tolist()), school_year)
    year_blocks.replace(
        {number: _packed(known.of(row)) for number, row in zip(numbers.tolist(), rows, strict=True)}, school_year
    )
    days = {int(known.block[row[0]]): _last_known(known.until[row]) for row in rows}
    year_blocks.keep_earlier({block: day for block, day in days.items() if day}, school_year, APART, PUT_ASIDE)


def _last_known(until: Days) -> date | None:
    """The last day anything is known of."""
    told = until[until < np.datetime64(date.max)]
    return told.max().astype(date) if len(told) else None


def _packed(known: Known) -> bytes:
    """A line of JSON that names the arrays, then the arrays."""
    state, background, events = known.state, known.background, known.carried.events
    enrolled = background.enrolments
    words = {name: getattr(enrolled, name) for name in _WORDS}
    arrays: list[tuple[Any, NDArray[Any]]] = [
        *((name, getattr(known, name)) for name in ("students", "until", "tier_since", "waits", "concerned", "kept")),
        *((name, getattr(background, name)) for name in ("born", "prior_absent", "prior_enrolled")),
        ("enrolled_student", enrolled.student),
        ("enrolled_school", enrolled.school),
        *((name, getattr(enrolled, name)) for name in ("entry", "last", "primary")),
        *((name, column.index) for name, column in words.items()),
        *((["fact", name], part) for name, part in known.carried.facts.items()),
        *((["event", name], getattr(events, name)) for name in _EVENT),
        *((["state", name], getattr(state, name)) for name in ("tier", "entered", "stepped_down")),
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
    found = _arrays(content)
    if found is None:
        return None
    arrays, words = found
    state = State(arrays["state", "tier"], arrays["state", "entered"], arrays["state", "stepped_down"])
    for name, part in arrays.items():
        match name:
            case ("blocked", rule, tier):
                state.blocked[rule, tier] = part
            case ("active", rule):
                state.active[rule] = part
            case ("last_met", rule):
                state.last_met[rule] = part
    numbers = (arrays[name] for name in ("enrolled_student", "enrolled_school", "entry", "last", "primary"))
    enrolled: list[Any] = [*numbers, *(Words(arrays[name], words[name]) for name in _WORDS)]
    return Known(
        arrays["students"],
        np.full(len(arrays["students"]), block),
        Background(Enrolments(*enrolled), *(arrays[name] for name in ("born", "prior_absent", "prior_enrolled"))),
        arrays["until"],
        _carried(arrays),
        state,
        *(arrays[name] for name in ("tier_since", "waits", "concerned", "kept")),
    )


def _arrays(content: bytes, only: Sequence[str] = ()) -> tuple[dict[Any, NDArray[Any]], dict[str, list[str]]] | None:
    """The arrays of a block by their names, and its words; None when an older release made it.

    `only`: of arrays with names of several parts those that begin so; whose they are is always there.
    """
    text, _, rest = zlib.decompress(content).partition(b"\n")
    form, *told = json.loads(text)
    if form != FORMAT:
        return None
    (parts, words), arrays, at = told, {}, 0
    for name, kind, shape in parts:
        dtype, size = np.dtype(kind), math.prod(shape)
        if not only or name == "students" or name[0] in only:
            part = np.frombuffer(rest, dtype=dtype, count=size, offset=at).reshape(shape).copy()
            arrays[tuple(name) if isinstance(name, list) else name] = part
        at += size * dtype.itemsize
    return arrays, words


def _carried(arrays: dict[Any, NDArray[Any]]) -> Carried:
    facts = {name[1]: part for name, part in arrays.items() if name[0] == "fact"}
    return Carried(facts, Events(*(arrays["event", name] for name in _EVENT)))
