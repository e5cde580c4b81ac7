"""What each known export looks like, read from formats/*.yaml into frozen values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import yaml

FOLDER = Path(__file__).with_name("formats")
OURS: Final = "csv"


class ColumnType(StrEnum):
    """What a cell holds and, in brackets, the Python value it becomes."""

    ID = "id"  # (str) exact after trimming, one line
    TEXT = "text"  # (str) trimmed, may hold line breaks
    DATE = "date"  # (datetime.date)
    TIMESTAMP = "timestamp"  # (datetime.datetime) aware when the file says an offset
    FRACTION = "fraction"  # (int) thousandths, 0..1000, floored
    DAYS = "days"  # (int) thousandths of a day, floored
    WHOLE = "whole"  # (int) zero or more
    DECIMAL = "decimal"  # (decimal.Decimal)
    YES_NO = "yes_no"  # (bool)
    CHOICE = "choice"  # (str) one of `choices`


class DateOrder(StrEnum):
    """How a format writes its dates; ISO dates are read in all of them."""

    ISO = "iso"
    MONTH_FIRST = "mdy"
    DAY_FIRST = "dmy"


@dataclass(frozen=True, slots=True)
class Column:
    """One column of ours: its type, other names it goes by, and what happens to a cell we cannot read."""

    name: str
    type: ColumnType
    required: bool = False
    may_be_blank: bool = True
    blank: str | None = None  # what an empty cell becomes
    aliases: tuple[str, ...] = ()
    assumed: tuple[str, ...] = ()  # other names that are read without asking, the likeliest first
    choices: tuple[str, ...] = ()
    at_most: int | None = None
    keep_row: bool = False  # unreadable: leave the cell empty with a warning instead of rejecting the row


@dataclass(frozen=True, slots=True)
class TableFormat:
    """One file of a format: its usual name, its columns in order, and the columns that make a row unique."""

    name: str
    file: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    refuse_empty: bool = False
    delimiter: str = ","
    date_order: DateOrder = DateOrder.ISO
    numbered: bool = False  # the file may be rows of ours made from an export, each with the line it came from

    @property
    def required(self) -> tuple[str, ...]:
        """Names of the columns a file must have."""
        return tuple(column.name for column in self.columns if column.required)

    def column(self, name: str) -> Column:
        """The column of that name; KeyError if there is none."""
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(name)


@dataclass(frozen=True, slots=True)
class Format:
    """A known export: its key, a label for people, and its tables by name."""

    name: str
    label: str
    tables: Mapping[str, TableFormat]

    def __getitem__(self, table: str) -> TableFormat:
        return self.tables[table]


def known_formats() -> list[str]:
    """Keys of all formats, our own first."""
    return sorted((path.stem for path in FOLDER.glob("*.yaml")), key=lambda name: (name != OURS, name))


@cache
def load_format(name: str = OURS) -> Format:
    """The format of our own files; ValueError names the formats there are. `exports.load_export` has the others."""
    path = FOLDER / f"{name}.yaml"
    if name != OURS:
        raise ValueError(f"There is no format {name!r} of our own. Known formats: {', '.join(known_formats())}.")
    spec = yaml.safe_load(path.read_text(encoding="utf-8"))
    order, delimiter = DateOrder(spec["date_order"]), spec["delimiter"]
    tables = {key: _table(key, table, order, delimiter) for key, table in spec["tables"].items()}
    return Format(spec["format"], spec["label"], MappingProxyType(tables))


def layout(options: Mapping[str, Any], table: str) -> TableFormat:
    """How a kept file of that table is read: as ours, in the order of dates that was said; rows made from an export
    tell their lines and the order of their dates themselves."""
    ours = load_format()[table]
    if options.get("format", OURS) != OURS:
        return replace(ours, numbered=True)
    return replace(ours, date_order=DateOrder(options["dates"])) if options.get("dates") else ours


def _table(name: str, spec: dict[str, Any], order: DateOrder, delimiter: str) -> TableFormat:
    columns = tuple(_column(key, column) for key, column in spec["columns"].items())
    missing = set(spec["key"]) - {column.name for column in columns}
    if missing:
        raise ValueError(f"Table {name}: the key names no column: {', '.join(sorted(missing))}.")
    return TableFormat(
        name=name,
        file=spec["file"],
        columns=columns,
        key=tuple(spec["key"]),
        refuse_empty=spec.get("refuse_empty", False),
        delimiter=spec.get("delimiter", delimiter),
        date_order=DateOrder(spec.get("date_order", order)),
    )


def _column(name: str, spec: dict[str, Any]) -> Column:
    unknown = set(spec) - {"type", "required", "aliases", "choices", "at_most", "keep_row", "blank", "assumed"}
    if unknown:
        raise ValueError(f"Column {name}: unknown setting {', '.join(sorted(unknown))}.")
    return Column(
        name=name,
        type=ColumnType(spec["type"]),
        required=spec.get("required", False),
        may_be_blank="blank" in spec or not spec.get("required", False),
        blank=spec.get("blank"),
        aliases=tuple(spec.get("aliases", ())),
        assumed=tuple(spec.get("assumed", ())),
        choices=tuple(spec.get("choices", ())),
        at_most=spec.get("at_most"),
        keep_row=spec.get("keep_row", False),
    )
