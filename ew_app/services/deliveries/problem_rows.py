"""The rows of a delivery that need someone, as a CSV that can be mended and sent again."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from ew_app.feeds import RefusedFile
from ew_app.feeds.text import open_text
from ew_app.feeds.written import is_numbered
from ew_app.kernel import NotFound
from models.attendance import Batch, Problem
from models.base import db
from models.queries import imports as rows
from models.queries.kept_files import open_file

MOST: Final = 100_000
SAID: Final = ("problem", "problem_column", "problem_value", "problem_line", "problem_file", "stays_out")
FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "|", "%")


def as_csv(batch_id: int) -> str:
    """The rows as they came, each with what is wrong, in the order of the file. NotFound.

    Cells that a spreadsheet would take for a formula begin with an apostrophe.
    """
    batch = db.session.get(Batch, batch_id)
    if batch is None:
        raise NotFound("There is no such delivery.")
    by_file: dict[str, list[Problem]] = {}
    for problem in rows.problem_lines(batch_id, MOST):
        by_file.setdefault(problem.file, []).append(problem)
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    for name, problems in by_file.items():
        writer.writerows(_safe(line) for line in _of_file(batch, name, problems))
    return "\ufeff" + out.getvalue()


def _of_file(batch: Batch, name: str, problems: Sequence[Problem]) -> Iterator[list[str]]:
    """A header and one line for each problem; without the file's own columns where its bytes are gone."""
    header, lines = _lines(batch, name, {problem.line for problem in problems})
    yield [*header, *SAID]
    for one in problems:
        row = lines.get(one.line, [])
        padded = [*row, *[""] * (len(header) - len(row))][: len(header)]
        yield [*padded, one.reason, one.column, one.value, str(one.line), one.file, "yes" if one.rejected else "no"]


def _lines(batch: Batch, name: str, wanted: set[int]) -> tuple[list[str], dict[int, list[str]]]:
    """The header of a kept file, and its rows that begin on the wanted lines."""
    try:
        with open_file(batch.id, name) as stream:
            reader = csv.reader(open_text(stream).lines)
            header = next(reader, [])
            if is_numbered(header):
                return header[2:], {int(row[0]): row[2:] for row in reader if int(row[0]) in wanted}
            return header, _picked(reader, wanted, reader.line_num + 1)
    except (RefusedFile, csv.Error):
        return [], {}


def _picked(reader: Iterable[list[str]], wanted: set[int], begins: int) -> dict[int, list[str]]:
    found, last = {}, max(wanted, default=0)
    for row in reader:
        if begins in wanted:
            found[begins] = row
        begins = reader.line_num + 1  # type: ignore[attr-defined]
        if begins > last:
            break
    return found


def _safe(cells: Iterable[str]) -> list[str]:
    return [f"'{cell}" if cell.startswith(FORMULA) else cell for cell in cells]
