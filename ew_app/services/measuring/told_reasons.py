"""What files say about why a student was away, as far as rules ask: days ill, and mental-health days.

The words come from the policy. What was read lives in no table and on no screen: it only meets a rule, whose finding
stays in its compartment.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta

import numpy as np

from ew_app.services.measuring.laying import Ints
from ew_app.services.measuring.years import Year
from models.queries import reasons as rows
from models.queries import same_child
from rules.matrix import Matrix
from rules.policy_schema import REASONS
from rules.reasons import NOTHING, Spans, windows

WINDOW = 40  # school days
REACH = timedelta(days=120)  # that many school days lie within it, holidays among them


def facts_of(year: Year, matrix: Matrix, words: Mapping[str, tuple[str, ...]]) -> dict[str, Ints]:
    """[S, D] of each fact that reasons feed; nothing where no file ever gave one."""
    if not words or not len(matrix.days) or not rows.feeds_reasons():
        return {}
    days, told = matrix.days.astype(np.int64), _told(year, matrix, words)
    row, day = told["illness"]
    near = day >= days[0] - REACH.days
    ill, spells = _in_windows(year, matrix, row[near], day[near])
    row, day = told["mental_health"]
    mental = Spans(row, day, np.full(len(row), rows.OPEN, dtype=np.int64))
    named = {"illness_days_last_40": ill, "illness_spells_last_40": spells, "mental_health_days": mental}
    return {name: spans.counted(len(matrix.students), days) for name, spans in named.items()}


def _told(year: Year, matrix: Matrix, words: Mapping[str, tuple[str, ...]]) -> dict[str, tuple[Ints, Ints]]:
    """Of each reason (row, day) of this school year for which a file gave it, each once, in order."""
    same, frame = same_child.known(), year.frame
    every = sorted({word.lower() for named in words.values() for word in named})
    found = rows.with_reason(same.ids_of(matrix.students), frame.start, frame.day, every)
    row = np.searchsorted(matrix.students, same.own(found["student"]))
    pairs = np.stack([row, found["day"]], axis=1).astype(np.int64)

    def of(reason: str) -> tuple[Ints, Ints]:
        meant = [every.index(word.lower()) for word in words.get(reason, ())]
        told = np.unique(pairs[np.isin(found["word"], meant)], axis=0)
        return told[:, 0], told[:, 1]

    return {reason: of(reason) for reason in REASONS}


def _in_windows(year: Year, matrix: Matrix, row: Ints, day: Ints) -> tuple[Spans, Spans]:
    """Days and spells in the last school days of each student's school."""
    days, spells = NOTHING, NOTHING
    school = year.school[row]
    taught = rows.school_days(np.unique(school).tolist(), matrix.days[0].astype(date) - REACH)
    for number in np.unique(school).tolist():
        here = school == number
        found = windows(row[here], day[here], taught.get(number, day[:0]), WINDOW)
        days, spells = days.then(found[0]), spells.then(found[1])
    return days, spells
