"""The files of an invented district, read as a person would and as our own reader does."""

from __future__ import annotations

import csv
from pathlib import Path

from ew_app.demo import Summary
from ew_app.feeds import load_format, open_delivery, read

Rows = list[dict[str, str]]


def rows(path: Path) -> Rows:
    """The lines of one file, each by the names of its columns."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def assert_read_whole(district: Summary) -> None:
    """Our reader takes every row and column of every file, of today's too, and counts as the summary does."""
    for folder, prefix in ((district.folder, ""), (district.folder / "today", "today/")):
        for part in open_delivery([folder]).parts:
            with part.open() as stream:
                reading = read(stream, load_format()[part.table])
                assert sum(len(chunk.lines) for chunk in reading) == district.rows[prefix + part.table]
            assert reading.rejected == 0 and reading.header.ignored == ()
