"""Tonight's evening from what the last evaluation packed: no mark is read."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import numpy as np

from ew_app.services.measuring import blocks
from ew_app.services.risk import looking
from ew_app.services.risk.evenings import Evening
from ew_app.services.risk.looking import Ints, Looked
from models.queries import risk as rows
from models.queries import year_blocks
from rules.carried import Carried

AT_ONCE = 25  # blocks


def look(year: date) -> Looked | None:
    """Everybody as a model sees them now; `year` is the 1 July of the school year. None where nobody is packed."""
    without = looking.excluded()
    return looking.whole([looking.look(found, year, without) for found in evenings(year)])


def evenings(year: date) -> Iterator[Evening]:
    """Everybody as the last evaluation left them, block by block."""
    numbers = year_blocks.numbers(year)
    for first in range(0, len(numbers), AT_ONCE):
        for students, carried in blocks.facts_of(numbers[first : first + AT_ONCE], year):
            yield _standing(students, carried)


def _standing(students: Ints, carried: Carried) -> Evening:
    """With the school and the grade that their status tells; who has none is not enrolled."""
    status = rows.standing_of(students)
    everybody = len(status["student"]) == len(students)
    kept = carried if everybody else carried.of(np.searchsorted(students, status["student"]))
    school, enrolled = status["school"].astype(np.int64), status["enrolled"].astype(bool)
    return Evening(status["student"].astype(np.int64), kept, school, status["grade"], enrolled)
