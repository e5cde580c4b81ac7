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
from rules import carried as carrying
from rules.carried import Carried

AT_ONCE = 25  # blocks


def look(year: date) -> Looked | None:
    """Everybody as a model sees them now; `year` is the 1 July of the school year. None where nobody is packed."""
    without = looking.excluded()
    return looking.whole([looking.look(found, year, without) for found in evenings(year)])


def evenings(year: date) -> Iterator[Evening]:
    """Everybody as the last evaluation left them, some blocks at once."""
    numbers = year_blocks.numbers(year)
    for first in range(0, len(numbers), AT_ONCE):
        parts = list(blocks.facts_of(numbers[first : first + AT_ONCE], year))
        if parts:
            students, carried = zip(*parts, strict=True)
            yield _standing(np.concatenate(students), carrying.joined(carried))


def _standing(students: Ints, carried: Carried) -> Evening:
    """Ascending, with the school and the grade that their status tells; who has none is not enrolled."""
    status, order = rows.standing_of(students), np.argsort(students)
    place = order[np.searchsorted(students[order], status["student"])]
    school, enrolled = status["school"].astype(np.int64), status["enrolled"].astype(bool)
    return Evening(status["student"].astype(np.int64), carried.of(place), school, status["grade"], enrolled)
