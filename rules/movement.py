"""Who came into and went out of a tier between two days, so that every line adds up. Pure: counts in, counts out.

A line is one school, one network or all of them; a cell is a line and some tiers. For each cell

    then + came + moved in + new - went - moved out - left = now

where a child who moves between two schools of one line has not moved for that line.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, fields

ELSEWHERE = -1  # a school of the district outside the lines


@dataclass(frozen=True, slots=True)
class Flow:
    """Children who stood differently on the two days: in which unit and tier on each. None: not in the district."""

    before: int | None
    was: int | None
    after: int | None
    now: int | None
    other_school: bool
    students: int


@dataclass(frozen=True, slots=True)
class Cell:
    """Children of one line in some tiers: on the first day, what changed since, and on the second day."""

    then: int = 0
    came: int = 0  # from another tier of the same line
    moved_in: int = 0  # from a school outside the line
    new: int = 0  # from outside the district
    went: int = 0
    moved_out: int = 0
    left: int = 0

    @property
    def now(self) -> int:
        return self.then + self.came + self.moved_in + self.new - self.went - self.moved_out - self.left

    @property
    def stayed(self) -> int:
        """In the cell on both days."""
        return self.then - self.went - self.moved_out - self.left

    @property
    def change(self) -> int:
        return self.now - self.then

    def __add__(self, other: Cell) -> Cell:
        return Cell(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(self)))


def cells(
    flows: Iterable[Flow], line_of: Mapping[int, int], tiers: Collection[int], then: Mapping[int, int]
) -> dict[int, Cell]:
    """Line -> its cell of some tiers. `line_of`: unit -> line; `then`: line -> students there on the first day."""
    changed: Counter[tuple[int, str]] = Counter()
    for flow in flows:
        source, goal = _line(flow.before, line_of), _line(flow.after, line_of)
        was, now = flow.was in tiers, flow.now in tiers
        if source is not None and source == goal:
            if was != now:
                changed[source, "went" if was else "came"] += flow.students
            continue
        if source is not None and was:
            changed[source, "left" if flow.after is None else "moved_out"] += flow.students
        if goal is not None and now:
            changed[goal, "new" if flow.before is None else "moved_in"] += flow.students
    names = [f.name for f in fields(Cell) if f.name != "then"]
    lines = {*line_of.values(), *then}
    return {line: Cell(then.get(line, 0), **{name: changed[line, name] for name in names}) for line in lines}


def _line(unit: int | None, line_of: Mapping[int, int]) -> int | None:
    return None if unit is None else line_of.get(unit)


def between_lines(flows: Iterable[Flow], line_of: Mapping[int, int]) -> int:
    """Children who changed from one line to another: each stands on two lines, and on none of their sum."""
    return sum(flow.students for flow in flows if _both(flow, line_of) == (True, False))


def within_lines(flows: Iterable[Flow], line_of: Mapping[int, int]) -> int:
    """Children who changed schools without leaving their line."""
    return sum(flow.students for flow in flows if flow.other_school and _both(flow, line_of) == (True, True))


def _both(flow: Flow, line_of: Mapping[int, int]) -> tuple[bool, bool]:
    """Whether it begins and ends on a line, and whether that is one and the same."""
    source, goal = _line(flow.before, line_of), _line(flow.after, line_of)
    return source is not None and goal is not None, source == goal
