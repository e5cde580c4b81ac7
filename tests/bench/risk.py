"""Scores and reasons of everybody for one evening, beside one plain sum over the same marks.

Students are made up, 20,000 of them several times over; their facts to date are carried, as each evening has them. The
models are boosted steps of school days 40 and 60, asked on day 50, so that two of them are asked about everybody.
"""

from __future__ import annotations

import resource
import time
from collections.abc import Callable, Iterator
from typing import TypeVar

import numpy as np

from rules import carried as carrying
from rules import facts as measures
from rules.cells import Excuse, Status, pack
from rules.matrix import Matrix
from rules.risk import backtest, reasons
from rules.risk.features import Past, features, seen
from rules.risk.models import Grid
from tests.rules.risk_years import District, district

T = TypeVar("T")
CHUNK, DAY, GRID = 20_000, 50, (40, 60)


def rows_of(students: int) -> Iterator[tuple[str, str]]:
    """(name, what was measured) for so many students."""
    town, times = district(students=CHUNK, years=3), max(round(students / CHUNK), 1)
    grid = Grid({day: backtest.fit("steps", [town.cohort(1, day)], day, 7) for day in GRID})
    marks, everybody = _marks(town), np.tile(np.arange(CHUNK), times)
    carried = carrying.joined([measures.compute(marks).carried()] * times)
    school = town.years[2].school[everybody] + 10 * np.repeat(np.arange(times), CHUNK)
    grade, past = town.years[2].grade[everybody], town.past(2)
    past = Past(*(getattr(past, name)[everybody] for name in Past.__slots__))
    students_of = np.arange(len(everybody))

    plain, _ = _timed(lambda: [marks.cells.astype(np.int32).sum(axis=1) for _ in range(times)])
    looking, known = _timed(lambda: seen(carried, students_of, school, grade, past))
    making, x = _timed(lambda: features(known))
    explaining, found = _timed(lambda: reasons.explain(grid, DAY, known, x))
    writing, _ = _timed(found.compact)
    yield "risk, students", f"{len(everybody):,}"
    yield "risk, one plain sum", f"{plain:6.2f} s over {len(everybody) * DAY:,} marks"
    yield "risk, what is known", f"{looking:6.2f} s"
    yield "risk, features", f"{making:6.2f} s"
    yield "risk, scores and reasons", f"{explaining:6.2f} s"
    yield "risk, reasons written out", f"{writing:6.2f} s"
    yield "most memory", f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:,.0f} MB"


def _marks(town: District) -> Matrix:
    """The running year up to the day, as cells."""
    year, upto = town.years[2], slice(0, DAY)
    absent, without = year.absent[:, upto], year.unexcused[:, upto]
    excuse = np.where(without, Excuse.UNEXCUSED, np.where(absent, Excuse.EXCUSED, Excuse.OTHER))
    cells = pack(1000 * absent, np.full(absent.shape, Status.MEMBER), excuse, year.late[:, upto])
    days = np.busday_offset(np.datetime64("2026-08-17"), np.arange(DAY), roll="forward")
    return Matrix(town.students, days, np.full(absent.shape, 1000, dtype=np.int32), cells)


def _timed(work: Callable[[], T]) -> tuple[float, T]:
    """The quickest of three, and what came of it."""
    times = []
    for _ in range(3):
        begun = time.perf_counter()
        found = work()
        times.append(time.perf_counter() - begun)
    return min(times), found
