"""Several rows that make one: the first of some dates and the last of others, as class lists tell of a school."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from ew_app.feeds.cells import DateReader
from ew_app.feeds.formats import DateOrder

Cells = list[str]


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

    def rows(self) -> Iterator[tuple[int, Cells]]:
        """(line, cells) of what they came to, by line."""
        yield from sorted(self._rows.values(), key=lambda row: row[0])
