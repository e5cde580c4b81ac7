"""Small files, written where they are read, and read in one go."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ew_app.feeds import TABLES, Delivery, Problem, Said, delivery_from_bytes, layout, load_format, read
from ew_app.feeds.reader import Reading, Unread

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
    unread: list[Unread]

    def column(self, name: str) -> list[Any]:
        return [row[name] for row in self.rows]


def whole(data: str | bytes, table: str = "attendance", mapping: Mapping[str, str] | None = None, **more: Any) -> Whole:
    """All rows of `data` as that table; RefusedFile as the reader raises it."""
    stream = io.BytesIO(data.encode() if isinstance(data, str) else data)
    return _whole(read(stream, load_format()[table], mapping=mapping, **more))


def export(files: Mapping[str, str | bytes], tables: Sequence[str] = TABLES, **said: str) -> Export:
    """The files of another system's export, opened and each of its parts read to its end."""
    data = {name: text.encode() if isinstance(text, str) else text for name, text in files.items()}
    delivery = delivery_from_bytes(data, Said(**said), tables)
    parts: dict[str, Whole] = {}
    for part in delivery.parts:
        with part.open() as stream:
            reading = read(stream, layout({"format": delivery.format}, part.table), may_be_empty=True)
            parts[f"{part.table}: {part.name}"] = _whole(reading)
    return Export(delivery, parts)


@dataclass(frozen=True)
class Export:
    """A delivery of an export, and its parts by table and file."""

    delivery: Delivery
    parts: dict[str, Whole]

    def rows(self, table: str, *columns: str) -> list[tuple[Any, ...]]:
        """The good rows of a table, in the order of its files: these columns of each."""
        found = [row for name, whole in self.parts.items() if name.startswith(f"{table}: ") for row in whole.rows]
        return [tuple(row[column] for column in columns) for row in found]

    def problems(self, table: str) -> list[str]:
        """What is wrong with rows of a table."""
        wholes = [whole for name, whole in self.parts.items() if name.startswith(f"{table}: ")]
        return [f"line {problem.line}: {problem.reason}" for whole in wholes for problem in whole.problems]

    def bytes_kept(self) -> bytes:
        """Everything that would be stored of it."""
        kept = b""
        for part in self.delivery.parts:
            with part.open() as stream:
                kept += stream.read()
        return kept


def _whole(reading: Reading) -> Whole:
    rows: list[dict[str, Any]] = []
    lines: list[int] = []
    problems: list[Problem] = []
    warnings: list[Problem] = []
    unread: list[Unread] = []
    for chunk in reading:
        names = list(chunk.columns)
        rows += [dict(zip(names, row, strict=True)) for row in zip(*chunk.columns.values(), strict=True)]
        lines += chunk.lines.tolist()
        problems += chunk.problems
        warnings += chunk.warnings
        unread += chunk.unread
    assert reading.rows_in == reading.good + reading.rejected == len(rows) + len(problems)
    return Whole(rows, lines, problems, warnings, reading.notes, reading.rows_in, unread)


def attendance(*lines: str) -> str:
    """An attendance file of these lines under the four required columns."""
    return "\n".join([HEADER, *lines]) + "\n"
