"""Several rows that make one: the first of some dates and the last of others, as class lists tell of a school."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any, Final

from ew_app.feeds.cells import DateReader
from ew_app.feeds.fields import Record, text_of
from ew_app.feeds.formats import DateOrder

Cells = list[str]
Row = tuple[int, Cells, str]  # a line, its cells, and why it stays out, if it does
_TWO_MEANINGS: Final = (
    "Another row says something else of the same, and no year tells which of them holds now, so neither does. Export "
    "the year with it."
)


class Grouped:
    """Rows by key, each kept with the line of the first.

    first: columns of which the earliest date stays. last: of which the latest stays, or nothing if any row is open.
    """

    def __init__(self, columns: Sequence[str], spec: dict[str, Any], order: DateOrder) -> None:
        self._by, self._first, self._last = (
            [columns.index(name) for name in spec.get(word, ()) if name in columns] for word in ("by", "first", "last")
        )
        self._dates = DateReader(order)
        self._rows: dict[tuple[str, ...], tuple[int, Cells]] = {}

    def add(self, line: int, cells: Cells) -> None:
        """One row more. ValueError: a date of it cannot be read."""
        for place in (*self._first, *self._last):
            cells[place] = self._dates.read(cells[place]).isoformat() if cells[place] else ""
        line, kept = self._rows.setdefault(tuple(cells[place] for place in self._by), (line, cells))
        for place in self._first:
            kept[place] = min(filter(None, (kept[place], cells[place])), default="")
        for place in self._last:
            kept[place] = max(kept[place], cells[place]) if kept[place] and cells[place] else ""

    def rows(self) -> Iterator[Row]:
        """What they came to, by line."""
        yield from ((line, cells, "") for line, cells in sorted(self._rows.values(), key=lambda row: row[0]))


class OverYears:
    """Rows that tell of the same (`by`) in several years, with its first and last day (`dates`). The newest stands from
    its first day on, open at the end; what was told of former years stays theirs, as one row for as long as it means
    the same (`means`). Of a year with two meanings each row stays out.
    """

    def __init__(self, columns: Sequence[str], spec: dict[str, Any]) -> None:
        self._by, self._means, self._dates = (
            [columns.index(name) for name in spec[word] if name in columns] for word in ("by", "means", "dates")
        )
        self._rows: defaultdict[tuple[str, ...], list[tuple[int, Cells]]] = defaultdict(list)

    def add(self, line: int, cells: Cells) -> None:
        """One row more."""
        self._rows[_at(cells, self._by)].append((line, cells))

    def rows(self) -> Iterator[Row]:
        """What they came to, by line."""
        yield from sorted(row for rows in self._rows.values() for row in self._of_one(rows))

    def _of_one(self, rows: Sequence[tuple[int, Cells]]) -> Iterator[Row]:
        years: defaultdict[tuple[str, ...], list[tuple[int, Cells]]] = defaultdict(list)
        for line, cells in rows:
            years[_at(cells, self._dates)].append((line, list(cells)))
        newest, ends = max(years), self._dates[1:]
        former: Cells | None = None
        for year, told in sorted(years.items()):
            line, cells = told[0]
            if len({_at(row, self._means) for _, row in told}) > 1:
                yield from ((line, cells, _TWO_MEANINGS) for line, cells in told)
            elif former and year != newest and _at(former, self._means) == _at(cells, self._means):
                for last in ends:
                    former[last] = cells[last]
            else:
                for last in ends if year == newest else ():
                    cells[last] = ""
                former = cells if any(year) else None
                yield line, cells, ""


class Torn:
    """Records that are alike in the fields `by` and differ in others: nobody knows which of them is meant."""

    def __init__(self, by: Sequence[str], differing: Sequence[str]) -> None:
        self._by, self._differing = by, differing
        self._said: defaultdict[tuple[str, ...], set[tuple[str, ...]]] = defaultdict(set)
        self._groups: dict[tuple[str, ...], tuple[str, ...]] = {}

    def add(self, key: tuple[str, ...], record: Record) -> None:
        """One record more, under the key by which it is found."""
        if self._by:
            self._groups[key] = group = tuple(text_of(record.get(name, "")) for name in self._by)
            self._said[group].add(tuple(text_of(record.get(name, "")).lower() for name in self._differing))

    def found_by(self) -> list[tuple[str, ...]]:
        """The keys under which such records are found."""
        return [key for key, group in self._groups.items() if len(self._said[group]) > 1]

    def shown(self) -> list[str]:
        """What they are alike in, for people."""
        return [" ".join(filter(None, group)) for group, said in self._said.items() if len(said) > 1]


def _at(cells: Cells, places: Sequence[int]) -> tuple[str, ...]:
    return tuple(cells[place] for place in places)
