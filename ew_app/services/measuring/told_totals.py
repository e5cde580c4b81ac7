"""A school year's totals as a roster told them, of a student under every id they ever had."""

from __future__ import annotations

from datetime import date

import numpy as np
from numpy.typing import NDArray

from models.queries import measuring as rows
from models.queries.same_child import SameChild
from rules.stints import names_of_year

NOT_TOLD = -1


def told_totals(
    students: NDArray[np.int64], year: date, same: SameChild
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """[S] (absent, enrolled) in mils of the school year that starts on `year`; -1 where nobody told.

    `students` ascending. The totals of all ids of a student are added up.
    """
    found = rows.prior_year(same.ids_of(students), names_of_year(year))
    absent, enrolled = np.full(len(students), NOT_TOLD), np.full(len(students), NOT_TOLD)
    where = np.searchsorted(students, same.own(found["student"]))
    absent[where], enrolled[where] = 0, 0
    np.add.at(absent, where, found["absent"])
    np.add.at(enrolled, where, found["enrolled"])
    return absent, enrolled
