"""What people are told of rows that go in, and do not count as they stand."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ew_app.services.deliveries.enrolment import day_number
from ew_app.services.deliveries.sifting import Flags, Sifted
from models.queries import lookups
from rules.counting import are, many

Remark = tuple[int, str, str, str]  # row, sentence, column, value

MOST_SINGLE: Final = 1_000
A_YEAR: Final = 366
_A_DAY: Final = 86_400_000_000  # microseconds
NOT_ENROLLED: Final = (
    "The student is not enrolled at this school on this day. The row counts once an enrolment covers it."
)


def on_changes_of_the_future(sifted: Sifted, today: date) -> Iterator[Remark]:
    """One remark per moment of change more than a year from now; it is forgotten, or no correction would ever stand."""
    rows = np.flatnonzero(sifted.modified > (day_number(today) + A_YEAR) * _A_DAY)
    sifted.modified[rows] = 0
    for at, count, moment in _first_of_each(rows, sifted.rows.texts("last_modified", rows)):
        sentence = f"This moment of change is more than a year from now. {_rows(count)} taken as they came, without it."
        yield at, sentence, "last_modified", str(moment)


def on_rows_held_out(sifted: Sifted, held_out: Mapping[str, Flags], today: date) -> Iterator[Remark]:
    """One remark per unknown code, per day without school and per day far ahead, one per row of a student not enrolled.

    held_out: the rows by why, as `unknown_code`, `off_calendar` and `not_enrolled`.
    """
    rows = np.flatnonzero(held_out["unknown_code"])
    for at, count, code in _first_of_each(rows, sifted.rows.texts("code", rows)):
        sentence = (
            f'Nobody has said what the code "{code}" means here. {_rows(count)} held out of every measure '
            "until it is mapped."
        )
        yield at, sentence, "code", code
    rows = np.flatnonzero(held_out["off_calendar"])
    names = lookups.school_names(set(sifted.school[rows].tolist()))
    places = zip(sifted.school[rows].tolist(), sifted.rows.texts("date", rows), strict=True)
    for at, count, (school, day) in _first_of_each(rows, list(places)):
        yield at, f"{names[school]} has no school on this day. {_rows(count)} not counted.", "date", str(day)
    rows = np.flatnonzero(held_out["not_enrolled"])[:MOST_SINGLE]
    for at, student in zip(rows.tolist(), sifted.rows.texts("student_id", rows), strict=True):
        yield at, NOT_ENROLLED, "student_id", student
    rows = np.flatnonzero(sifted.day > day_number(today) + A_YEAR)
    for at, count, day in _first_of_each(rows, sifted.rows.texts("date", rows)):
        sentence = f"This day is more than a year from now. {_rows(count)} kept until then; is the year right?"
        yield at, sentence, "date", str(day)


def _first_of_each(rows: NDArray[np.intp], values: Sequence[Any]) -> list[tuple[int, int, Any]]:
    """(first row, how many rows, value) of each different value."""
    first: dict[Any, int] = {}
    for row, value in zip(rows.tolist(), values, strict=True):
        first.setdefault(value, row)
    counts = Counter(values)
    return [(row, counts[value], value) for value, row in first.items()]


def _rows(count: int) -> str:
    return f"{many(count, 'row')} {are(count)}"
