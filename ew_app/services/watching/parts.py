"""The one way in which parts of a place are told: grades, groups, causes, those who changed school.

Everybody reads tens, and "under 15" for fewer: because what is told is in tens, two tables that differ by one child
look alike. They are of the first counted day of a month, so that no two mornings can be set against each other beside
the exact totals of a school. Who may open every student of a place reads counts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

from ew_app.services.watching.kept import Kept
from models.queries.movement import counted_span
from rules.suppression import CLEAR, FEW, Shown, Table, suppress, suppress_together, tens, told_words

MARGIN = 5  # of counts that change day by day: in sight only from so many above the least on


@dataclass(frozen=True, slots=True)
class Told:
    """A table of counts as a reader may see it: by what, the names of its rows and columns, the total of each row.

    None where a count is kept back; in tens unless `exact`, and FEW. `day`: the end of that day is what it tells.
    """

    by: str
    names: tuple[str, ...]
    columns: tuple[str, ...]
    rows: tuple[Shown, ...]
    totals: Shown
    exact: bool
    day: date | None = None

    @property
    def hides(self) -> bool:
        return None in self.totals or any(None in row for row in self.rows)

    def words(self, count: int | None) -> str:
        """One of its counts, as a cell shows it."""
        return f"{count:,}" if self.exact and count is not None else told_words(count)

    def share(self, at: int, column: str) -> str:
        """How much of a row stands in a column, of the tens that are told; nothing where one is not in sight."""
        part, whole = self.rows[at][self.columns.index(column)], self.totals[at]
        if part is None or not whole:
            return "–"
        if part == FEW:
            most = -(-100 * CLEAR // (whole - 5))  # of the fewest that "about" may stand for
            return f"under {most}%" if most <= 50 else "–"
        return f"about {(200 * part + whole) // (2 * whole)}%"

    def cell(self, count: int | None) -> int | str:
        """The same in a file: a number where there is one."""
        return count if count or (self.exact and count is not None) else self.words(count)


def told(
    by: str,
    names: Sequence[str],
    columns: Sequence[str],
    counts: Sequence[Sequence[int]],
    *,
    exact: bool = False,
    day: date | None = None,
) -> Told:
    """Rows of counts that add up to known column totals, as somebody may read them who sees the students or not."""
    if exact:
        table = Table(tuple(tuple(row) for row in counts), tuple(sum(row) for row in counts))
    else:
        table = in_tens(suppress(counts))
    return Told(by, tuple(names), tuple(columns), table.rows, table.totals, exact, day)


def told_together(
    by: str,
    names: Sequence[str],
    columns: Sequence[str],
    tables: Sequence[Sequence[Sequence[int]]],
    *,
    exact: bool = False,
    margin: int = 0,
) -> tuple[Told, ...]:
    """Several tables of the same form about the same children: what is kept back in one is kept back in all."""
    if exact:
        return tuple(told(by, names, columns, counts, exact=True) for counts in tables)
    shown = (in_tens(table) for table in suppress_together(tables, margin=margin))
    return tuple(Told(by, tuple(names), tuple(columns), table.rows, table.totals, False) for table in shown)


def told_alone(count: int) -> int | None:
    """A count beside no total: in tens, or kept back."""
    return _tens(suppress([[count]]).rows[0])[0]


def told_month(by: str, kept: Kept, label: Callable[[str], str]) -> Told:
    """A kept table in words, without the columns in which nobody is."""
    counted = kept.counted
    used = [at for at in range(len(counted.columns)) if any(row[at] for row in counted.counts)]
    return Told(
        by,
        tuple(label(name) for name in counted.names),
        tuple(counted.columns[at] for at in used),
        tuple(tuple(row[at] for at in used) for row in kept.shown),
        tuple(row[-1] for row in kept.shown),
        kept.exact,
        day=kept.day,
    )


def in_tens(table: Table) -> Table:
    """A table that was suppressed, in tens."""
    return Table(tuple(_tens(row) for row in table.rows), _tens(table.totals))


def _tens(counts: Shown) -> Shown:
    return tuple(None if count is None else tens(count) for count in counts)


def told_on(schools: Sequence[int], last: date) -> date | None:
    """The day as of which parts are told: the first on which any of these schools was counted in the last month."""
    span = counted_span(schools, last.replace(day=1), last)
    return span[0] if span else None
