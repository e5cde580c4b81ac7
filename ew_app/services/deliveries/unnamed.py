"""Rows whose student nobody knows, and of whom something is known all the same.

An export may name its student by a number inside its system alone, because the list did not come along. Where no roster
has told whose number it is, the row may be about anybody at the school whose number nobody knows. Or an id has lost the
zeros at its front, or got some. In a feed in which no row means present, whoever is meant would stand as present: so
their day is open until it is known.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date
from typing import Final

import numpy as np

from ew_app.feeds import OURS, Unread, load_export
from ew_app.services.deliveries import ledger
from ew_app.services.deliveries.arriving import Arrivals
from ew_app.services.deliveries.sifting import ids_of
from ew_app.services.measuring.touched import touch_each, touch_each_school
from models import marks_late
from models.attendance import Batch
from models.marks import Here
from models.queries import lookups
from models.queries.roster import alike_but_for_zeros

NO_NUMBER: Final = (
    "The row names its student by a number inside the system alone, and no roster has told whose it is. It is tried "
    "again by itself after the next roster; until then this day is unknown for everyone at the school whose number is "
    "not known. Send the list of students with the roster."
)


OTHER_ZEROS: Final = (
    "No student has this id, but {} is enrolled there: zeros at the front of the id were lost or added. Export the id "
    "column as text and send the row again."
)
OPEN_TILL_THEN: Final = " Until then that student's day is unknown, and not present."

Meant = Mapping[tuple[str, str, date], tuple[str, bool]]
"""(id in the file, school, day) -> the student at that school whose id differs by zeros at its front alone, and whether
nothing is known of the day."""


def numbers_nobody_has(batch: Batch, rows: Arrivals) -> frozenset[str]:
    """The numbers inside the system ("StudentID 55") of which no roster has told whose they are."""
    layout = batch.options.get("format", OURS)
    inside = "" if layout == OURS else load_export(layout).inside
    named = [name for name in rows.values["student_id"] if inside and name.startswith(f"{inside} ")]
    return frozenset(named) - lookups.ids_of("student", named).keys() if named else frozenset()


def meant_but_for_zeros(rows: Arrivals) -> Meant:
    """Whom rows mean whose student nobody knows by the id as it came."""
    known = ids_of(rows, "student", "student_id")
    unknown = [name for name in rows.values["student_id"] if name not in known]
    alike = alike_but_for_zeros("student", unknown) if unknown else {}
    places = list(_first_rows(rows, [name for name in unknown if alike.get(name.lstrip("0"))]))
    return lookups.enrolled_but_for_zeros(*zip(*places, strict=True)) if places else {}


def open_days(batch: Batch, rows: Arrivals, numbers: Collection[str], meant: Meant) -> list[tuple[int, Unread]]:
    """Whose day is open for such rows, as rows that cannot be read; a full feed calls nobody present without a row."""
    if batch.feed == "full" or not (numbers or meant):
        return []
    first: dict[tuple[str, date], tuple[int, str]] = {}
    for (name, school, day), row in _first_rows(rows, numbers).items():
        first.setdefault((school, day), (row, name))
    found = []
    for student, school, day in lookups.whom_it_may_be([at[0] for at in first], [at[1] for at in first]):
        found.append(_unread(rows, *first[school, day], student, school, day))
    where = _first_rows(rows, {name for name, _, _ in meant})
    for (name, school, day), (student, nothing_known) in meant.items():
        if nothing_known:
            found.append(_unread(rows, where[name, school, day], name, student, school, day))
    return found


def why(name: str, school: str, day: date, numbers: Collection[str], meant: Meant) -> str:
    """What to tell of a row whose student nobody knows; '' where there is nothing more to say."""
    if name in numbers:
        return NO_NUMBER
    student, nothing_known = meant.get((name, school, day), ("", False))
    return OTHER_ZEROS.format(student) + OPEN_TILL_THEN * nothing_known if student else ""


def _unread(rows: Arrivals, row: int, name: str, student: str, school: str, day: date) -> tuple[int, Unread]:
    file, line = (int(rows.columns[column][row]) for column in ("file", "line"))
    return file, Unread(line, student, school, day, "", name)


def _first_rows(rows: Arrivals, names: Collection[str]) -> dict[tuple[str, str, date], int]:
    """(student as named, school, day) -> the first row of it, of the rows with one of these names."""
    if not names:
        return {}
    wanted = set(names)
    asked = np.array([name in wanted for name in rows.values["student_id"]], dtype=bool)
    at = np.flatnonzero(asked[rows.columns["student_id"]])
    places = zip(*(rows.texts(column, at) for column in ("student_id", "school_id", "date")), strict=True)
    first: dict[tuple[str, str, date], int] = {}
    for place, row in zip(places, at.tolist(), strict=True):
        first.setdefault(place, row)
    return first


def close_days(here: Here) -> None:
    """Days that were open for a number or an id are so no longer once it is known, or the student's own number is."""
    closed = marks_late.close_days(here)
    days = {(school, day) for school, day, _ in closed}
    touch_each_school(ledger.derive(days))
    first: dict[int, date] = {}
    for _, day, student in closed:
        first[student] = min(day, first.get(student, day))
    touch_each(first)
