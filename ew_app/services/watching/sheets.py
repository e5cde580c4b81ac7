"""Figures as files: CSV for programs, Excel for people. The same figures are the same bytes; no cell runs anything."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import xlsxwriter

from ew_app.services.watching.figures import COUNTED, GRADES, Figures
from ew_app.services.watching.taking_along import Cell, Table, Taken
from rules.counting import many
from rules.spreadsheets import safe
from rules.suppression import LEAST

MARK = "\ufeff"
EPOCH = datetime(2000, 1, 1)  # noqa: DTZ001  a workbook's own time of making, the same for all
AGAIN = "The same day and the same moment give this file again, byte for byte."
WORDS = (
    ("students", "Students enrolled on the day, each at the primary school. tier_1 + watch + tier_2 + tier_3 + none."),
    ("tier_1, watch, tier_2, tier_3", "How much support the rules of policy_version ask for on the day."),
    ("none", "No enrolled day yet."),
    ("too_early", "Of them, with too few enrolled days for rules of rates; they stand in a tier as well."),
    ("data_through", "The last day of attendance in the row; empty where none has come."),
    (
        "By grade",
        f"As told for the month. Kept back: fewer than {LEAST}, or what would let such a number be worked out.",
    ),
)


def as_csv(columns: Sequence[str], rows: Iterable[dict[str, Any]]) -> bytes:
    """Rows with exactly these columns, in UTF-8 with its mark."""
    return _csv(columns, ([row[name] for name in columns] for row in rows))


def taken_csv(taken: Taken, table: str) -> bytes:
    """One table of a page, each row with the day, the moment and the rules. KeyError where it has no such table."""
    one = {found.key: found for found in taken.tables}[table]
    stamp = taken.stamp
    return _csv([*stamp, *one.columns], ([*stamp.values(), *row] for row in one.rows))


def _csv(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> bytes:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(columns)
    writer.writerows([cell if isinstance(cell, int | float) else safe(cell) for cell in row] for row in rows)
    return (MARK + out.getvalue()).encode()


def as_workbook(found: Figures) -> bytes:
    """Three sheets: the counts, those by grade, and what they are."""
    tables = [
        Table("counts", "Counts", COUNTED, [[row[name] for name in COUNTED] for row in found.counted]),
        Table("grades", "By grade", GRADES, [[row[name] for name in GRADES] for row in found.grades]),
    ]
    return _workbook("Tier counts", tables, _about(found))


def taken_workbook(taken: Taken) -> bytes:
    """A sheet for each table of a page, and what they are."""
    about = [
        ("What", taken.asked.title),
        ("Where", taken.asked.place),
        ("As of", taken.as_of),
        ("Known at", taken.moment),
        ("Rules", taken.policy_version),
        *((name, value) for name, value in taken.asked.what.items() if value),
        ("Again", AGAIN),
        *taken.words,
    ]
    return _workbook(taken.asked.title, taken.tables, about)


def _workbook(title: str, tables: Iterable[Table], about: Iterable[tuple[str, str]]) -> bytes:
    """Numbers are numbers, all else is text."""
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}) as book:
        book.set_properties({"title": title, "created": EPOCH})
        head = book.add_format({"bold": True, "bottom": 1})
        for table in tables:
            _fill(book.add_worksheet(table.title), table.columns, table.rows, head)
        last = book.add_worksheet("About")
        last.set_column(0, 0, 30)
        last.set_column(1, 1, 110)
        for at, (name, words) in enumerate(about):
            last.write_string(at, 0, name, head)
            last.write_string(at, 1, safe(words))
    return out.getvalue()


def _fill(sheet: Any, columns: Sequence[str], rows: Iterable[Sequence[Cell]], head: Any) -> None:
    sheet.freeze_panes(1, 0)
    for at, name in enumerate(columns):
        sheet.write_string(0, at, name, head)
        sheet.set_column(at, at, max(10, len(name) + 2))
    for line, row in enumerate(rows, 1):
        for at, value in enumerate(row):
            if isinstance(value, int | float):
                sheet.write_number(line, at, value)
            else:
                sheet.write_string(line, at, safe(value))


def _about(found: Figures) -> list[tuple[str, str]]:
    late = ", ".join(f"{name} ({f'through {last}' if last else 'nothing yet'})" for name, last in found.behind)
    return [
        ("As of", str(found.as_of)),
        ("Known at", found.moment),
        ("Rules", found.policy_version),
        ("Schools", many(len(found.counted), "school")),
        ("Behind the others", late or "none"),
        ("Again", AGAIN),
        *WORDS,
    ]
