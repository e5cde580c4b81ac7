"""Trials of small districts, each made once for all tests of a run."""

from __future__ import annotations

from functools import cache

from rules.risk import gates, trial
from rules.risk.gates import Outcome
from rules.risk.trial import Trial
from tests.rules.risk_years import District, district

TESTED = (1, 2, 3)  # the first year is only a past
GATED = tuple(gates.TARGETS)
DRAWS = 40


@cache
def town(memory: float = 1.0) -> District:
    """1,200 students, of whom a tenth or so come later than the first year."""
    return district(students=1200, memory=memory)


@cache
def trials(memory: float = 1.0) -> tuple[Trial, ...]:
    """Every gated day of the town."""
    place = town(memory)
    return tuple(trial.run([place.cohort(year, day) for year in TESTED], seed=7, draws=DRAWS) for day in GATED)


@cache
def outcome(memory: float = 1.0) -> Outcome:
    return gates.conclude(trials(memory))
