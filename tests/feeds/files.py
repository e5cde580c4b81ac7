"""Small files, written where they are read, and read in one go."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ew_app.feeds import Problem, load_format, read

HEADER = "student_id,school_id,date,code"


@dataclass(frozen=True)
class Whole:
    """A file read to its end."""

    rows: list[dict[str, Any]]
    lines: list[int]
    problems: list[Problem]
    warnings: list[Problem]
    notes: list[str]
    rows_in: int

    def column(self, name: str) -> list[Any]:
        return [row[name] for row in self.rows]


def whole(data: str | bytes, table: str = "attendance", mapping: Mapping[str, str] | None = None, **more: Any) -> Whole:
    """All rows of `data` as that table; RefusedFile as the reader raises it."""
    stream = io.BytesIO(data.encode() if isinstance(data, str) else data)
    reading = read(stream, load_format()[table], mapping=mapping, **more)
    rows: list[dict[str, Any]] = []
    lines: list[int] = []
    problems: list[Problem] = []
    warnings: list[Problem] = []
    for chunk in reading:
        names = list(chunk.columns)
        rows += [dict(zip(names, row, strict=True)) for row in zip(*chunk.columns.values(), strict=True)]
        lines += chunk.lines.tolist()
        problems += chunk.problems
        warnings += chunk.warnings
    assert reading.rows_in == reading.good + reading.rejected == len(rows) + len(problems)
    return Whole(rows, lines, problems, warnings, reading.notes, reading.rows_in)


def attendance(*lines: str) -> str:
    """An attendance file of these lines under the four required columns."""
    return "\n".join([HEADER, *lines]) + "\n"
