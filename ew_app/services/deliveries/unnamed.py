"""Rows of an export that name their student by a number inside its system alone, because the list did not come along.

Where no roster has told whose number it is, the row may be about anybody at the school whose number nobody knows. In a
feed in which no row means present, they would stand as present: so their day is open until it is known.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from typing import Final

import numpy as np

from ew_app.feeds import OURS, Unread, load_export
from ew_app.services.deliveries import ledger
from ew_app.services.deliveries.arriving import Arrivals
from ew_app.services.measuring.touched import touch_each, touch_each_school
from models import marks_late
from models.attendance import Batch
from models.marks import Here
from models.queries import lookups

NO_NUMBER: Final = (
    "The row names its student by a number inside the system alone, and no roster has told whose it is. It is tried "
    "again by itself after the next roster; until then this day is unknown for everyone at the school whose number is "
    "not known. Send the list of students with the roster."
)


def numbers_nobody_has(batch: Batch, rows: Arrivals) -> frozenset[str]:
    """The numbers inside the system ("StudentID 55") of which no roster has told whose they are."""
    layout = batch.options.get("format", OURS)
    inside = "" if layout == OURS else load_export(layout).inside
    named = [name for name in rows.values["student_id"] if inside and name.startswith(f"{inside} ")]
    return frozenset(named) - lookups.ids_of("student", named).keys() if named else frozenset()


def open_days(batch: Batch, rows: Arrivals, numbers: Collection[str]) -> list[tuple[int, Unread]]:
    """Whose day is open for such rows, as rows that cannot be read; a full feed calls nobody present without a row."""
    if not numbers or batch.feed == "full":
        return []
    asked = np.array([name in numbers for name in rows.values["student_id"]], dtype=bool)
    at = np.flatnonzero(asked[rows.columns["student_id"]])
    first: dict[tuple[str, date], int] = {}
    for row, school, day in zip(at.tolist(), rows.texts("school_id", at), rows.texts("date", at), strict=True):
        first.setdefault((school, day), row)
    found = []
    for student, school, day in lookups.whom_it_may_be([at[0] for at in first], [at[1] for at in first]):
        row = first[school, day]
        (name,) = rows.texts("student_id", np.array([row]))
        file, line = (int(rows.columns[column][row]) for column in ("file", "line"))
        found.append((file, Unread(line, student, school, day, "", name)))
    return found


def close_days(here: Here) -> None:
    """Days that were open for a number are open no longer where somebody has told whose it is, or the student's own."""
    closed = marks_late.close_days(here)
    days = {(school, day) for school, day, _ in closed}
    touch_each_school(ledger.derive(days))
    first: dict[int, date] = {}
    for _, day, student in closed:
        first[student] = min(day, first.get(student, day))
    touch_each(first)
