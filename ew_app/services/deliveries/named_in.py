"""Which schools, up to which day, a file of attendance was about of which nothing could be let in.

It is read as loosely as can be, for the night's report alone: so that a finding about it ends when these days came.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from datetime import date
from itertools import dropwhile, islice
from typing import Any, Final

from ew_app.feeds import OURS, RefusedFile, load_format
from ew_app.feeds.delimited import mark_of
from ew_app.feeds.text import open_text, says_something
from ew_app.services.deliveries.arriving import file_names
from models.attendance import Batch
from models.queries.kept_files import open_file

LINES: Final = 500_000
_DAY: Final = re.compile(r"[12]\d{3}-[01]\d-[0-3]\d")


def refused_as(batch: Batch, refused: RefusedFile) -> dict[str, Any]:
    """The counts of a batch that is refused: for which reason of the closed set, and which schools it names."""
    return {"why": refused.why.value, "named": named_in(batch)}


def named_in(batch: Batch) -> dict[str, str]:
    """School -> the last day of its rows, as written; "" where no day is. Nothing for an export of another system."""
    named: dict[str, str] = {}
    if batch.kind != "attendance" or batch.options.get("format", OURS) != OURS:
        return named
    for file in file_names(batch.id, "attendance"):
        try:
            for school, day in islice(_rows(batch, file), LINES):
                named[school] = max(named.get(school, ""), day)
        except (RefusedFile, csv.Error):
            continue  # it is no text
    return named


def _rows(batch: Batch, file: str) -> Iterator[tuple[str, str]]:
    """(school, day) of each line, quotation marks being letters like others: one that is missing is no harm here."""
    theirs = batch.options.get("mapping", {}).get("attendance", {})
    with open_file(batch.id, file) as stream:
        lines = open_text(stream).lines
        mark = mark_of(lines, load_format()["attendance"].delimiter)
        text = dropwhile(lambda line: not says_something(line), lines)
        rows = csv.reader(text, delimiter=mark, quoting=csv.QUOTE_NONE)
        header = [_plain(name) for name in next(rows, [])]
        places = [_plain(theirs.get(column, column)) for column in ("school_id", "date")]
        if places[0] not in header:
            return
        school, day = header.index(places[0]), header.index(places[1]) if places[1] in header else None
        for row in rows:
            if len(row) > school and (key := row[school].strip(' "')):
                yield key, _day_in(row[day]) if day is not None and len(row) > day else ""


def _day_in(cell: str) -> str:
    """The day in a cell as it is written, "" where none is or where no year has such a day."""
    found = _DAY.search(cell)
    try:
        return date.fromisoformat(found[0]).isoformat() if found else ""
    except ValueError:
        return ""


def _plain(name: str) -> str:
    return re.sub(r'[\s_"-]', "", name.lower())
