"""Tables about places inside each other: schools, their network, the district. Pure: counts in, more hidden or not.

Each table by itself keeps its small counts safe. A reader of several knows more: what a network has and all its schools
but one show is what that school has, to within a ten, and at the edge of a ten to the number. So a table is told beside
the others only as far as every small count of a school can still be another number: a child may be thought in another
row, here or in another school, this month and the last, and everything in sight stays as it is.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from rules.suppression import LEAST, Table, tens

REST = "All others"  # the row of the values that have none of their own
MOST_SCHOOLS = 60  # beside a sum of more, one school is nothing: networks are looked at then, and no schools
MOST_PLACES = 25  # other schools in which a child may be thought instead; more hardly find what these do not
_NOBODY = (0,) * 32
Cell = tuple[str, int]  # value, column
Moved = Mapping[int, Mapping[Cell, int]]  # school -> how many more or fewer
Leaves = Mapping[int, Mapping[str, Sequence[int]]]  # school -> value -> counts


@dataclass(frozen=True)
class Seen:
    """A table of some schools: its rows by name, their counts, and what of them is in sight, in tens unless exact."""

    leaves: Leaves
    names: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]
    table: Table
    exact: bool = False

    @cached_property
    def schools(self) -> frozenset[int]:
        """Of which it is."""
        return frozenset(self.leaves)

    @cached_property
    def count(self) -> Mapping[Cell, int]:
        """Row and column -> children."""
        return {(name, at): n for name, row in zip(self.names, self.counts, strict=True) for at, n in enumerate(row)}

    @cached_property
    def in_sight(self) -> frozenset[Cell]:
        """The cells that are shown."""
        lines = zip(self.names, self.table.rows, strict=True)
        return frozenset((name, at) for name, row in lines for at, one in enumerate(row) if one is not None)

    @cached_property
    def totals(self) -> Mapping[str, int]:
        """Row -> its total, of those that are shown."""
        lines = zip(self.names, self.counts, self.table.totals, strict=True)
        return {name: sum(row) for name, row, total in lines if total is not None}

    def row(self, value: str) -> str:
        """The row in which a value stands."""
        return value if value in self.count_names else REST

    @cached_property
    def count_names(self) -> frozenset[str]:
        """The names of its rows."""
        return frozenset(self.names)

    def stays(self, moved: Mapping[Cell, int]) -> bool:
        """Whether everything in sight is the same when these cells have so many more or fewer."""
        cells: Counter[Cell] = Counter()
        rows: Counter[str] = Counter()
        for (value, column), more in moved.items():
            cells[self.row(value), column] += more
            rows[self.row(value)] += more
        return all(
            self._same(self.count[cell], more) for cell, more in cells.items() if more and cell in self.in_sight
        ) and all(self._same(self.totals[name], more) for name, more in rows.items() if more and name in self.totals)

    def _same(self, count: int, more: int) -> bool:
        return not self.exact and count + more >= LEAST and tens(count + more) == tens(count)


class _Month:
    """The tables of one month about places inside each other."""

    def __init__(self, tables: Sequence[Seen]) -> None:
        self.leaf = {school: rows for table in tables for school, rows in table.leaves.items()}
        self.of = {school: [table for table in tables if school in table.schools] for school in self.leaf}

    def holds(self, moved: Moved) -> bool:
        """Whether children may be thought moved like this, with everything in sight as it is."""
        tables: dict[int, tuple[Seen, Counter[Cell]]] = {}
        for school, cells in moved.items():
            if school not in self.leaf:
                continue
            rows = self.leaf[school]
            if any(more < 0 and (value not in rows or rows[value][at] < -more) for (value, at), more in cells.items()):
                return False
            for table in self.of[school]:
                found = tables.setdefault(id(table), (table, Counter()))[1]
                for cell, more in cells.items():
                    found[cell] += more
        return all(table.stays(found) for table, found in tables.values())

    def small(self) -> Iterator[tuple[int, Cell]]:
        """(school, cell) of every small count, but in columns that nobody of the school is in."""
        for school, rows in self.leaf.items():
            used = {at for row in rows.values() for at, n in enumerate(row) if n}
            yield from ((school, (value, at)) for value, row in rows.items() for at in used if row[at] < LEAST)

    def ways(self, school: int, cell: Cell) -> Iterator[Moved]:
        """One child thought in another row of its column, made up for in another column or in another school."""
        (value, column), rows = cell, self.leaf[school]
        width = len(next(iter(rows.values())))
        others, columns = [name for name in rows if name != value], [n for n in range(width) if n != column]
        swaps = [_swap(value, other, column, one) for one in (1, -1) for other in others]
        fours = [
            swap | _swap(value, other, back, -one)
            for swap, (one, other) in zip(swaps, [(one, other) for one in (1, -1) for other in others], strict=True)
            for back in columns
        ]
        yield from ({school: moved} for moved in (*swaps, *fours))
        for place in self._near(school, cell):
            for moved in (*swaps, *fours):
                yield {school: moved, place: {cell: -more for cell, more in moved.items()}}

    def _near(self, school: int, cell: Cell) -> list[int]:
        """Other schools that share a table with this one, those that have somebody in the cell first."""
        found = {place for table in self.of[school] for place in table.schools if place != school}
        return sorted(found, key=lambda place: (-self.leaf[place].get(cell[0], _NOBODY)[cell[1]], place))[:MOST_PLACES]


def _swap(value: str, other: str, column: int, one: int) -> dict[Cell, int]:
    return {(value, column): one, (other, column): -one}


def _can_differ(here: _Month, there: _Month | None, school: int, cell: Cell) -> bool:
    """Whether a count of one month may be another number, and what was seen in the other month is so all the same."""
    return any(
        here.holds(way) and (there is None or there.holds(way) or there.holds(_linked(here, there, way)))
        for way in here.ways(school, cell)
    )


def _linked(here: _Month, there: _Month, way: Moved) -> Moved:
    """What of it must be so in the other month too: all that those who came or went between them do not explain."""
    return {
        school: moved
        for school, moved in way.items()
        if not all(_explained(here, there, school, moved, at) for at in {at for _, at in moved})
    }


def _explained(here: _Month, there: _Month, school: int, moved: Mapping[Cell, int], column: int) -> bool:
    """Whether it may have been another one who came into the column, or went out of it, than who did."""
    if school not in there.leaf:
        return True
    more, fewer = (next(v for (v, at), n in moved.items() if at == column and n == sign) for sign in (1, -1))
    grown = {v: here.leaf[school].get(v, _NOBODY)[column] - there.leaf[school].get(v, _NOBODY)[column]
             for v in (more, fewer)}  # fmt: skip
    return grown[more] < 0 or grown[fewer] > 0


def beside(new: Seen, told: Sequence[Seen], last: Sequence[Seen] = ()) -> Table:
    """What may be told of a table beside those of places inside it, around it and next to it.

    `told`: those of the same month; `last`: those of the month in which any were told before.
    """
    if len(new.schools) <= MOST_SCHOOLS:
        few = [[one for one in tables if len(one.schools) <= MOST_SCHOOLS] for tables in (told, last)]
        reach = new.schools.union(*(one.schools for tables in few for one in tables if one.schools & new.schools))
        new = replace(new, table=_beside(new, *([one for one in tables if one.schools & reach] for tables in few)))
    if len(new.schools) > 1 and any(len(one.schools) > MOST_SCHOOLS for one in (new, *told, *last)):
        every = [*told, new]
        sums = [[_in_sums(one, every) for one in tables if len(one.schools) > 1] for tables in (told, last)]
        new = replace(new, table=_beside(_in_sums(new, every), *sums))
    return new.table


def _in_sums(table: Seen, told: Sequence[Seen]) -> Seen:
    """The same table with networks in the place of their schools, and all other schools as one."""
    sums = (
        [one.schools for one in told if 1 < len(one.schools) <= MOST_SCHOOLS]
        if len(table.schools) > MOST_SCHOOLS
        else []
    )
    units = [schools for schools in sums if schools <= table.schools] or [table.schools]
    rest = table.schools.difference(*units)
    added = {
        min(schools): _added([table.leaves[school] for school in schools]) for schools in (*units, rest) if schools
    }
    return replace(table, leaves=added)


def _added(leaves: Sequence[Mapping[str, Sequence[int]]]) -> Mapping[str, Sequence[int]]:
    values = dict.fromkeys(value for rows in leaves for value in rows)
    return {
        value: [sum(column) for column in zip(*(rows[value] for rows in leaves if value in rows), strict=True)]
        for value in values
    }


def _beside(new: Seen, told: Sequence[Seen], last: Sequence[Seen]) -> Table:
    others = [one for one in told if one.schools != new.schools]
    if not others and not last:
        return new.table
    before, every = _Month(last) if last else None, _Month([*others, new])
    alone = {school: _Month([one for one in tables if len(one.schools) == 1]) for school, tables in every.of.items()}
    cells = [
        (school, cell)
        for school, cell in every.small()
        if school not in alone[school].leaf or _can_differ(alone[school], None, school, cell)
    ]
    earlier = [one for one in before.small() if _can_differ(before, None, *one)] if before else []
    while True:
        now = _Month([*others, new])
        cells = [one for one in cells if not _can_differ(now, before, *one)]
        earlier = [one for one in earlier if before and not _can_differ(before, now, *one)]
        given_away = [*cells, *earlier]
        table = _less(new, given_away[0][1]) if given_away else None
        if table is None:
            return new.table
        new = replace(new, table=table)


def _less(new: Seen, given_away: Cell) -> Table | None:
    """The table with one more number kept back: in the row or column of a cell, then anywhere; None when all are."""
    row, column = new.row(given_away[0]), given_away[1]
    shown = sorted(
        (one for one in new.in_sight if new.count[one] or one[1] == column),
        key=lambda one: (one != (row, column), one[1] != column, one[0] != row, new.count[one], one),
    )
    rows, totals = [list(line) for line in new.table.rows], list(new.table.totals)
    if shown and (shown[0][1] == column or shown[0][0] == row or not new.totals):
        name, at = shown[0]
        rows[new.names.index(name)][at] = None
    elif new.totals:
        gone = row if row in new.totals else min(new.totals, key=lambda name: (new.totals[name], name))
        totals[new.names.index(gone)] = None
    else:
        return None
    return Table(tuple(tuple(line) for line in rows), tuple(totals))
