"""Which column of a file is which of ours, where its header has other names: what is likely, what was chosen."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice

from ew_app.feeds import Part, TableFormat, load_format, suggest_mapping
from ew_app.feeds.text import open_text
from ew_app.services.deliveries.upload_reading import is_unknown
from ew_app.services.deliveries.uploads import kept

SAMPLE = 3
LONGEST = 40


@dataclass(frozen=True, slots=True)
class OpenTable:
    """A file whose columns are not understood: its header, its first rows, and the likely match."""

    file: str
    table: TableFormat
    header: list[str]
    sample: list[list[str]]
    likely: dict[str, str]

    @property
    def choices(self) -> list[tuple[str, str]]:
        """The header for a list to choose from."""
        return [(name, name) for name in self.header]


def open_tables(batch_id: int) -> list[OpenTable]:
    """The files of a waiting upload that need an answer, one of each table."""
    found: dict[str, OpenTable] = {}
    for part in kept(batch_id).parts:
        if part.table not in found and is_unknown(part):
            found[part.table] = _opened(part)
    return list(found.values())


def chosen(batch_id: int, form: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """The mapping that a form says; its fields are named `table.our column`."""
    mapping = {}
    for one in open_tables(batch_id):
        said = {column.name: form.get(f"{one.table.name}.{column.name}", "") for column in one.table.columns}
        mapping[one.table.name] = {ours: theirs for ours, theirs in said.items() if theirs in one.header and theirs}
    return mapping


def _opened(part: Part) -> OpenTable:
    table = load_format()[part.table]
    with part.open() as stream:
        lines = list(islice(csv.reader(open_text(stream).lines, delimiter=table.delimiter), SAMPLE + 1))
    header = [name.strip() for name in lines[0]] if lines else []
    sample = [[cell[:LONGEST] for cell in line] for line in lines[1:]]
    return OpenTable(part.name, table, [name for name in header if name], sample, suggest_mapping(header, table))
