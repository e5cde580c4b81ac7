"""Which column of a file is which of ours, where its header has other names: what is likely, what was chosen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice

from ew_app.feeds import ColumnType, Part, RefusedFile, TableFormat, load_format, suggest_mapping
from ew_app.feeds.formats import DateOrder
from ew_app.feeds.proving import Proof, is_slashed
from ew_app.kernel import Refused
from ew_app.services.deliveries.upload_reading import is_unknown, rows_of
from ew_app.services.deliveries.uploads import kept

SAMPLE = 3
LONGEST = 40
LOOKED_AT = 1_000  # rows that may prove how dates are written


@dataclass(frozen=True, slots=True)
class OpenTable:
    """A file whose columns are not understood: its header, its first rows, and the likely match.

    A column without a name has nothing in the header, so that every name stands above its cells.
    """

    file: str
    table: TableFormat
    header: list[str]
    sample: list[list[str]]
    likely: dict[str, str]

    @property
    def choices(self) -> list[tuple[str, str]]:
        """The header for a list to choose from."""
        return [(name, name) for name in self.header if name]


def open_tables(batch_id: int) -> list[OpenTable]:
    """The files of a waiting upload that need an answer, one of each table."""
    found: dict[str, OpenTable] = {}
    for part in kept(batch_id).parts:
        if part.table not in found and is_unknown(part):
            found[part.table] = _opened(part)
    return list(found.values())


def chosen(batch_id: int, form: Mapping[str, str], dates: str | None) -> dict[str, dict[str, str]]:
    """The mapping that a form says; its fields are named `table.our column`.

    Refused: dates are not written year first, and nobody said how; every row of the file would stay out.
    """
    mapping = {}
    for one in open_tables(batch_id):
        said = {column.name: form.get(f"{one.table.name}.{column.name}", "") for column in one.table.columns}
        mapping[one.table.name] = {ours: theirs for ours, theirs in said.items() if theirs and theirs in one.header}
        if dates is None and (odd := _odd_date(one, mapping[one.table.name])):
            raise Refused(f"Say how dates are written: the first one here is {odd}. Nothing was changed.")
    return mapping


def _odd_date(one: OpenTable, mapping: Mapping[str, str]) -> str:
    """The first date, in the columns that were chosen, that begins with its month or its day."""
    places = [
        one.header.index(mapping[column.name])
        for column in one.table.columns
        if column.type is ColumnType.DATE and column.name in mapping
    ]
    cells = (line[place].strip() for line in one.sample for place in places if place < len(line))
    return next(filter(is_slashed, cells), "")


def likely_dates(batch_id: int) -> str:
    """mdy or dmy where a day above twelve among the first rows of a waiting upload proves it, else nothing."""
    proof = Proof()
    for part in kept(batch_id).parts:
        for cells in islice(rows_of(part), LOOKED_AT):
            proof.look_at(cell.strip() for cell in cells)
    try:
        order = proof.order()
    except RefusedFile:
        return ""
    return "" if order is DateOrder.ISO else order.value


def _opened(part: Part) -> OpenTable:
    table = load_format()[part.table]
    lines = list(islice(rows_of(part), SAMPLE + 1))
    header = [name.strip() for name in lines[0]] if lines else []
    sample = [[cell[:LONGEST] for cell in line] for line in lines[1:]]
    return OpenTable(part.name, table, header, sample, suggest_mapping(header, table))
