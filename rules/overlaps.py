"""Tables told in tens, and what of them stays out of sight beside all others that tell of the same children.

A table shows "about 40", and "under 15" for fewer. Its readers know more: how many stand in each column of each school,
to the number, on every day, and how many came into it and went out of it; the tables of the places inside it, around it
and next to it; those of the months before. So there is one check for all of them together: every small count must still
be able to be another number while everything in sight, and everything known, stays the same. That is so when a child
may be thought in another row of its column, made up for in another column or another school where that would show, and
in the months next to it as far as those who came and went do not explain it. Where no such thought is possible, one
more number of the table that is new is kept back.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property

from rules.suppression import CLEAR, FEW, LEAST, Shown, tens

REST = "All others"  # the row of the values that have none of their own
ALL = -1  # the column of the total of a row
MOST_SCHOOLS = 60  # beside a sum of more, one school is nothing: networks are looked at then, and no schools
MOST_PLACES = 25  # other schools in which a child may be thought instead; more hardly find what these do not
_NOBODY = (0,) * 32
Cell = tuple[str, int]  # value, column
Moved = Mapping[int, Mapping[Cell, int]]  # school -> how many more or fewer
Leaves = Mapping[int, Mapping[str, Sequence[int]]]  # school -> value -> counts
World = Mapping[date, Moved]


@dataclass(frozen=True)
class Seen:
    """A table of some schools on a day: its rows by name, and what is in sight of each, its total last.

    `shown`: in tens, FEW for what is under CLEAR, None for what is kept back; of an `exact` one the counts themselves.
    """

    day: date
    leaves: Leaves
    names: tuple[str, ...]
    shown: tuple[Shown, ...]
    exact: bool = False

    @cached_property
    def schools(self) -> frozenset[int]:
        """Of which it is."""
        return frozenset(self.leaves)

    @cached_property
    def key(self) -> tuple[date, frozenset[int], tuple[str, ...]]:
        """What it is of, whatever is in sight of it."""
        return self.day, self.schools, self.names

    @cached_property
    def _named(self) -> frozenset[str]:
        return frozenset(self.names)

    def row(self, value: str) -> str:
        """The row in which a value stands."""
        return value if value in self._named else REST

    @cached_property
    def count(self) -> Mapping[Cell, int]:
        """Row and column -> children."""
        return Counter(self.added({
            school: {(value, at): n for value, row in rows.items() for at, n in enumerate(row)}
            for school, rows in self.leaves.items()
        }))  # fmt: skip

    @cached_property
    def room(self) -> Mapping[Cell, tuple[int, int]]:
        """Of what is in sight: how many fewer and how many more there might be, and it would look the same."""
        found = {}
        for name, line in zip(self.names, self.shown, strict=True):
            for at, shown in zip((*range(len(line) - 1), ALL), line, strict=True):
                if shown is not None:
                    low, high = (shown, shown) if self.exact else _ends(shown)
                    found[name, at] = (self.count[name, at] - low, high - self.count[name, at])
        return found

    @cached_property
    def small(self) -> tuple[Cell, ...]:
        """Its small counts, but in columns that nobody is in."""
        used = {at for (_, at), n in self.count.items() if n}
        return tuple(cell for cell, n in self.count.items() if n < LEAST and cell[1] in used)

    def added(self, moved: Moved) -> dict[Cell, int]:
        """What comes of it in the rows of this table; a cell that nothing comes to has none."""
        cells: dict[Cell, int] = {}
        for school in moved.keys() & self.leaves.keys():
            for (value, at), more in moved[school].items():
                row = value if value in self._named else REST
                cells[row, at] = cells.get((row, at), 0) + more
                cells[row, ALL] = cells.get((row, ALL), 0) + more
        return cells

    def stays(self, moved: Moved) -> bool:
        """Whether everything in sight is the same with so many more or fewer, and nowhere fewer than nobody."""
        for cell, more in self.added(moved).items():
            if more and (room := self.room.get(cell)) and not -room[0] <= more <= room[1]:
                return False
        return all(
            more > 0 or self.leaves[school].get(value, _NOBODY)[at] >= -more
            for school in moved.keys() & self.leaves.keys()
            for (value, at), more in moved[school].items()
        )


def _ends(shown: int) -> tuple[int, int]:
    return (0, CLEAR - 1) if shown == FEW else (max(shown - 5, LEAST), shown + 4)


class _Sight:
    """Everything that readers have of the same children: tables of several days and places."""

    def __init__(self, tables: Sequence[Seen]) -> None:
        self.tables, self.of = tables, defaultdict[tuple[date, int], list[Seen]](list)
        for table in tables:
            for school in table.schools:
                self.of[table.day, school].append(table)
        self.leaf = {at: {name: row for one in seen for name, row in one.leaves[at[1]].items()}
                     for at, seen in self.of.items()}  # fmt: skip
        self.alone = {
            (day, one): Seen(day, {one: rows}, tuple(rows), tuple((None,) * (len(row) + 1) for row in rows.values()))
            for (day, one), rows in self.leaf.items()
        }
        self.days = defaultdict[int, list[date]](list)
        for day, school in sorted(self.of):
            self.days[school].append(day)

    def changed(self, world: World) -> Iterator[tuple[object, Cell]]:
        """What is another number in a world."""
        for day, moved in world.items():
            near = [self.alone[day, school] for school in moved] + [t for school in moved for t in self.of[day, school]]
            for table in {one.key: one for one in near}.values():
                yield from ((table.key, cell) for cell, more in table.added(moved).items() if more)

    def otherwise(self, target: Seen, cell: Cell) -> World | None:
        """How it might be so that this count is another number, and nothing in sight."""
        for way in self._ways(target, cell):
            on_day = all(target.day in self.days[school] for school in way)  # what fails there needs no other day
            if target.added(way).get(cell) and (not on_day or self._holds(target.day, way)):
                for through in (False, True):
                    if world := self._world(target.day, way, through):
                        return world
        return None

    def _ways(self, target: Seen, cell: Cell) -> Iterator[Moved]:
        """One child in another row of its column, made up for in another column or in another school."""
        places = sorted(target.schools, key=lambda one: (-self._in(target, one, cell), one))[:MOST_PLACES]
        for school in places:
            yield from ({school: moved} for moved in _moves(target, self.leaf[target.day, school], cell))
        for school in places:
            others = {one for day in self.days[school] for table in self.of[day, school] for one in table.schools}
            others.discard(school)
            if len(target.schools) > 1:
                others -= target.schools
            for place in sorted(others, key=lambda one: (-self._in(target, one, cell), one))[:MOST_PLACES]:
                for moved in _moves(target, self.leaf[target.day, school], cell):
                    yield {school: moved, place: {one: -more for one, more in moved.items()}}

    def _near(self, school: int, day: date) -> date:
        """A day, or the last one before it on which anything was told of a school."""
        days = self.days[school]
        return day if day in days else max((one for one in days if one <= day), default=days[0])

    def _in(self, target: Seen, school: int, cell: Cell) -> int:
        rows = self.leaf[self._near(school, target.day), school].items()
        return sum(sum(row) if cell[1] == ALL else row[cell[1]] for v, row in rows if target.row(v) == cell[0])

    def _world(self, day: date, way: Moved, through: bool) -> World | None:
        """The same on the days before and after, as far as nobody's coming or going explains the difference."""
        world: dict[date, dict[int, Mapping[Cell, int]]] = defaultdict(dict)
        for school, moved in way.items():
            for when in self.days[school] if through else self._span(school, day, moved):
                world[when][school] = moved
        return world if all(self._holds(when, moved) for when, moved in world.items()) else None

    def _holds(self, day: date, moved: Moved) -> bool:
        tables = {id(table): table for school in moved for table in self.of[day, school]}
        return all(table.stays(moved) for table in tables.values())

    def _span(self, school: int, day: date, moved: Mapping[Cell, int]) -> Iterator[date]:
        days = self.days[school]
        day = self._near(school, day)
        at = days.index(day)
        yield day
        for ahead in (days[at + 1 :], days[:at][::-1]):
            here = day
            for there in ahead:
                if all(self._explained(school, here, there, moved, column) for column in {at for _, at in moved}):
                    break
                yield there
                here = there

    def _explained(self, school: int, here: date, there: date, moved: Mapping[Cell, int], column: int) -> bool:
        """Whether it may have been another one who came into the column, or went out of it, than who did."""
        one, other = self.leaf[here, school], self.leaf[there, school]
        more, fewer = (next(v for (v, at), n in moved.items() if at == column and n == sign) for sign in (1, -1))
        grown = {v: one.get(v, _NOBODY)[column] - other.get(v, _NOBODY)[column] for v in (more, fewer)}
        return grown[more] < 0 or grown[fewer] > 0


def _moves(target: Seen, rows: Mapping[str, Sequence[int]], cell: Cell) -> Iterator[Mapping[Cell, int]]:
    """Within a school: a child more in the row, in one column; then made up for in another column."""
    (row, at), width = cell, len(next(iter(rows.values()), ()))
    pairs = [(v, o) for v in rows if target.row(v) == row for o in rows if target.row(o) != row]
    columns = [at] if at != ALL else list(range(width))
    swaps = [(v, o, column, one) for column in columns for one in (1, -1) for v, o in pairs]
    for v, o, column, one in swaps:
        yield {(v, column): one, (o, column): -one}
    if at != ALL:
        for v, o, column, one in swaps:
            for back in range(width):
                if back != column:
                    yield {(v, column): one, (o, column): -one, (v, back): -one, (o, back): one}


def told(counts: Sequence[Sequence[int]]) -> tuple[Shown, ...]:
    """Rows of counts in tens, the total of each last, what is under CLEAR as FEW: nothing kept back yet."""
    return tuple(tuple(in_tens(n) for n in (*row, sum(row))) for row in counts)


def in_tens(count: int) -> int:
    """A count as it is told: to the nearest ten, or FEW."""
    return FEW if count < CLEAR else tens(count)


def beside(new: Seen, told: Sequence[Seen]) -> Seen:
    """The table as it may be told beside those of places inside it, around it and next to it, of this month and before.

    A small count that these and the known totals give away already is none that keeping back could help.
    """
    if len(new.schools) <= MOST_SCHOOLS:
        few = [one for one in told if len(one.schools) <= MOST_SCHOOLS]
        reach = new.schools.union(*(one.schools for one in few if one.schools & new.schools))
        new = _beside(new, [one for one in few if one.schools & reach])
    if len(new.schools) > 1 and any(len(one.schools) > MOST_SCHOOLS for one in (new, *told)):
        every = [*told, new]
        sums = [_in_sums(one, every) for one in told if len(one.schools) > 1]
        new = replace(new, shown=_beside(_in_sums(new, every), sums).shown)
    return new


def _beside(new: Seen, told: Sequence[Seen]) -> Seen:
    sight = _Sight([*told, new])
    other: set[tuple[object, Cell]] = set()  # what was found to be another number in some world
    for target in (*sight.tables, *sight.alone.values()):
        for cell in target.small:
            if (target.key, cell) in other:
                continue
            world = sight.otherwise(target, cell)
            other.update(sight.changed(world or {}))
            if world is None and (less := _less(new, told, target, cell)):
                new, sight = less, _Sight([*told, less])
    return new


def _less(new: Seen, told: Sequence[Seen], target: Seen, cell: Cell) -> Seen | None:
    """As much of a table as leaves a count of some table open, the most useful first; None where nothing helps."""

    def only(cells: Collection[Cell]) -> Seen:
        lines = zip(new.names, new.shown, strict=True)
        return replace(new, shown=tuple(
            tuple(n if (name, at) in cells else None for at, n in zip((*range(len(line) - 1), ALL), line, strict=True))
            for name, line in lines
        ))  # fmt: skip

    def is_open(table: Seen) -> bool:
        return _Sight([*told, table]).otherwise(target, cell) is not None

    kept: set[Cell] = set()
    if not is_open(only(kept)):
        return None
    for one in sorted(new.room, key=lambda one: (-min(new.count[one], CLEAR), one[1] != ALL, -new.count[one], one)):
        if is_open(only(kept | {one})):
            kept.add(one)
    return only(kept)


def _in_sums(table: Seen, told: Sequence[Seen]) -> Seen:
    """The same table with networks in the place of their schools, and all other schools as one."""
    sums = (
        [one.schools for one in told if 1 < len(one.schools) <= MOST_SCHOOLS]
        if len(table.schools) > MOST_SCHOOLS
        else []
    )
    units = list(dict.fromkeys(schools for schools in sums if schools <= table.schools)) or [table.schools]
    parts = [schools for schools in (*units, table.schools.difference(*units)) if schools]
    return replace(table, leaves={min(one): _added([table.leaves[school] for school in one]) for one in parts})


def _added(leaves: Sequence[Mapping[str, Sequence[int]]]) -> Mapping[str, Sequence[int]]:
    values = dict.fromkeys(value for rows in leaves for value in rows)
    return {
        value: [sum(column) for column in zip(*(rows[value] for rows in leaves if value in rows), strict=True)]
        for value in values
    }
