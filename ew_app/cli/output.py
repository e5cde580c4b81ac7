"""What commands print: tables as CSV or JSON on stdout, one JSON object for machines, progress on a terminal."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, is_dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import click

from ew_app.services.watching.columns import typed

Row = Mapping[str, Any]

BAR = 24
_ACTS = ("=", "+", "@", "\t", "\r", "\0")  # a spreadsheet would run a cell that starts like this

as_json_flag = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
format_option = click.option("--format", "form", type=click.Choice(["csv", "json"]), default="csv", show_default=True)


def table(rows: Iterable[Row], columns: Sequence[str], form: str) -> None:
    """Print rows with exactly these columns, in this order, as they come."""
    (_as_json if form == "json" else _as_csv)(rows, columns)


def json_object(found: Any) -> None:
    """Print one object; dates as ISO text."""
    click.echo(json.dumps(found, indent=2, ensure_ascii=False, default=_plain))


def on_terminal() -> Callable[[int, str], None]:
    """A function that shows (percent, step) as a bar on stderr; on anything but a terminal it shows nothing."""
    if not sys.stderr.isatty():
        return lambda percent, step: None

    def show(percent: int, step: str) -> None:
        done = "#" * (percent * BAR // 100)
        click.echo(f"\r[{done:<{BAR}}] {percent:3d}% {step:<40.40}", err=True, nl=percent >= 100)

    return show


def _as_csv(rows: Iterable[Row], columns: Sequence[str]) -> None:
    out = csv.writer(sys.stdout, lineterminator="\n")
    out.writerow(columns)
    out.writerows([_cell(row[name]) for name in columns] for row in rows)


def _cell(value: Any) -> str:
    """A cell as text; one that a spreadsheet would run is made harmless with an apostrophe."""
    text = "" if value is None else str(value)
    risky = text.startswith(_ACTS) or (text.startswith("-") and not text[1:2].isdigit())
    return f"'{text}" if risky else text


def _as_json(rows: Iterable[Row], columns: Sequence[str]) -> None:
    """An array, row by row, so that a large district never stands in memory."""
    start = "["
    for row in rows:
        found = typed({name: row[name] for name in columns})
        click.echo(f"{start}\n{json.dumps(found, ensure_ascii=False, default=_plain)}", nl=False)
        start = ","
    click.echo("[]" if start == "[" else "\n]")


def _plain(value: Any) -> Any:
    if isinstance(value, date | datetime):
        return value.isoformat()
    if isinstance(value, Path):
        return str(value)
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    if isinstance(value, frozenset | set | tuple):
        return list(value)
    raise TypeError(f"{type(value).__name__} has no form in JSON.")
