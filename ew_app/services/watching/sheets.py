"""Figures as files: CSV for programs, Excel for people. The same figures are the same bytes; no cell runs anything."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import xlsxwriter

from ew_app.services.watching.figures import COUNTED, GRADES, Figures
from rules.counting import many
from rules.spreadsheets import safe
from rules.suppression import LEAST

MARK = "\ufeff"
EPOCH = datetime(2000, 1, 1)  # noqa: DTZ001  a workbook's own time of making, the same for all
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
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(columns)
    writer.writerows([safe(row[name]) for name in columns] for row in rows)
    return (MARK + out.getvalue()).encode()


def as_workbook(found: Figures) -> bytes:
    """Three sheets: the counts, those by grade, and what they are. Numbers are numbers, all else is text."""
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}) as book:
        book.set_properties({"title": "Tier counts", "created": EPOCH})
        head = book.add_format({"bold": True, "bottom": 1})
        _fill(book.add_worksheet("Counts"), COUNTED, found.counted, head)
        _fill(book.add_worksheet("By grade"), GRADES, found.grades, head)
        about = book.add_worksheet("About")
        about.set_column(0, 0, 30)
        about.set_column(1, 1, 110)
        for at, (name, words) in enumerate(_about(found)):
            about.write_string(at, 0, name, head)
            about.write_string(at, 1, safe(words))
    return out.getvalue()


def _fill(sheet: Any, columns: Sequence[str], rows: Sequence[dict[str, Any]], head: Any) -> None:
    sheet.freeze_panes(1, 0)
    for at, name in enumerate(columns):
        sheet.write_string(0, at, name, head)
        sheet.set_column(at, at, max(10, len(name) + 2))
    for line, row in enumerate(rows, 1):
        for at, name in enumerate(columns):
            value = row[name]
            if isinstance(value, int):
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
        ("Again", "The same day and the same moment give this file again, byte for byte."),
        *WORDS,
    ]
