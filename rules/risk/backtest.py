"""What each model would have said in past years that it had not seen: trained on the years before, asked on the year.

Rolling origin: never a random share of the same year, which shares weather, flu and habits with the rest. The rule and
the plain rate are judged by the same arithmetic as every model, and full boosting is trained only to show what the
simpler ones leave.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rules.risk import estimator
from rules.risk.cohort import Bools, Cohort
from rules.risk.features import COLUMN, Features, Floats, Ints
from rules.risk.figures import hashed
from rules.risk.models import Grid, Model, chance, logit

SERVED = ("shrunken", "logistic", "steps")  # the simplest first
BASELINES = ("rate", "rate_and_last_year")
CHALLENGER = "challenger"
KNOWING_GROUPS = "knowing groups"  # the challenger that is told them; never judged as a model
RULE = "rule"
LEAST_ROWS: Mapping[str, int] = {"shrunken": 0, "logistic": 300, "steps": 5_000}  # student-years to train on
LEAST_OF_EACH = 30  # students of a year who were chronically absent, and as many who were not
FOLDS = 2
WITH_GROUPS = (20, 60)  # the days on which the challenger is also given the groups, to see what they would add

Progress = Callable[[int, int], None]  # steps done, and of how many


@dataclass(frozen=True, eq=False)
class Judged:
    """Students of the test years on one grid day, and the logits that each model gave them."""

    day: int
    years: Ints  # [S]
    students: Ints
    x: Features
    chronic: Bools
    later_chronic: Bools
    listed: Bools
    school: Ints
    grade: Ints
    groups: Mapping[str, Bools]
    logits: Mapping[str, Floats]
    seed: int
    beside: Mapping[str, Floats] = field(default_factory=dict)  # the challenger without and with the groups
    parts: Mapping[str, Bools] = field(default_factory=dict)

    @cached_property
    def ties(self) -> NDArray[np.uint64]:
        """[S] by which equal scores are told apart."""
        return hashed(self.students * 10_000 + self.years, self.seed)

    def of(self, rows: NDArray[np.intp]) -> Judged:
        """Some of the students."""
        columns = ("years", "students", "x", "chronic", "later_chronic", "listed", "school", "grade")
        some: dict[str, Any] = {name: getattr(self, name)[rows] for name in columns}
        for name in ("groups", "logits", "beside"):
            some[name] = {key: column[rows] for key, column in getattr(self, name).items()}
        return replace(self, **some)

    def chances(self, name: str) -> Floats:
        """[S] what a model expected."""
        return chance(self.logits[name])

    def order(self, name: str) -> Floats:
        """[S] what a list by a model, by the rate or by the rule is ordered by."""
        return self.x[:, COLUMN["rate"]].astype(np.float64) if name == RULE else self.logits[name]

    def lists(self, name: str) -> Bools:
        """[S] who stands on a model's list, which in each year is as long as the rule's; or on the rule's own."""
        if name == RULE:
            return self.listed
        found = np.zeros(len(self.students), dtype=bool)
        for year in np.unique(self.years):
            rows = np.flatnonzero(self.years == year)
            first = np.lexsort((self.ties[rows], -self.logits[name][rows]))[: int(self.listed[rows].sum())]
            found[rows[first]] = True
        return found


@dataclass(frozen=True, slots=True)
class Fold:
    """A year to test on and the years before it that may be trained on."""

    trained: tuple[int, ...]
    tested: int


def folds(cohorts: Sequence[Cohort]) -> tuple[Fold, ...]:
    """The last two years that have years before them; one whose training knows no earlier year gives way to others."""
    years = sorted({cohort.year for cohort in cohorts})
    every = [Fold(tuple(years[:place]), years[place]) for place in range(1, len(years))]
    told = [fold for fold in every if _knows_last_year(cohorts, fold)]
    return tuple((told or every)[-FOLDS:])


def _knows_last_year(cohorts: Sequence[Cohort], fold: Fold) -> bool:
    shares = {year: _share_with_last(cohorts, year) for year in (*fold.trained, fold.tested)}
    return 2 * max(shares[year] for year in fold.trained) >= shares[fold.tested]


def _share_with_last(cohorts: Sequence[Cohort], year: int) -> float:
    parts = [cohort.column("has_last_year") for cohort in cohorts if cohort.year == year]
    return float(np.concatenate(parts).mean()) if sum(map(len, parts)) else 0.0


def fewest(cohorts: Sequence[Cohort]) -> int:
    """How many students the smaller side of any year has: chronically absent when it was over, or not."""
    chronic = [int(cohort.chronic.sum()) for cohort in cohorts]
    return min(min(yes, len(one.students) - yes) for yes, one in zip(chronic, cohorts, strict=True))


def to_train(cohorts: Sequence[Cohort], day: int, years: Sequence[int]) -> list[Cohort]:
    """The cohorts of a day in one order, without a first year, whose students all seem new, where there are others."""
    shares = {year: _share_with_last(cohorts, year) for year in years}
    told = [year for year in years if 2 * shares[year] >= max(shares.values(), default=0)]
    chosen = [cohort for cohort in cohorts if cohort.day == day and cohort.year in told and len(cohort.students)]
    return [cohort.in_order() for cohort in sorted(chosen, key=lambda cohort: cohort.year)]


def fit(kind: str, cohorts: Sequence[Cohort], day: int, seed: int) -> Model:
    """A model of one day from the cohorts that `to_train` gives."""
    x, chronic = np.concatenate([one.x for one in cohorts]), np.concatenate([one.chronic for one in cohorts])
    if kind == "shrunken":
        ties = np.concatenate([hashed(one.students * 10_000 + one.year, seed) for one in cohorts])
        return estimator.fit_shrunken(x, chronic, day, ties)
    if kind == "steps":
        return estimator.fit_steps(x, chronic, seed)
    if kind == "rate":
        return estimator.fit_logistic(x, chronic, ("rate",), rising=False)
    if kind == "rate_and_last_year":
        return estimator.fit_logistic(x, chronic, ("rate", "last_year_rate", "has_last_year"), rising=False)
    return estimator.fit_logistic(x, chronic)


def fit_grid(kind: str, cohorts: Sequence[Cohort], seed: int) -> Grid:
    """The model that would be served: every grid day, trained on all years."""
    years = sorted({cohort.year for cohort in cohorts})
    days = sorted({cohort.day for cohort in cohorts})
    return Grid({day: fit(kind, to_train(cohorts, day, years), day, seed) for day in days})


def kinds(cohorts: Sequence[Cohort]) -> tuple[str, ...]:
    """Which models there is enough to train, in every fold and on every day."""
    days = {cohort.day for cohort in cohorts}
    rows = [
        sum(len(one.students) for one in to_train(cohorts, day, fold.trained))
        for fold in folds(cohorts)
        for day in days
    ]
    return tuple(kind for kind in SERVED if min(rows, default=0) >= LEAST_ROWS[kind])


def run(cohorts: Sequence[Cohort], seed: int, progress: Progress | None = None) -> tuple[Judged, ...]:
    """Every grid day with all test years of it together, each judged by models of the years before."""
    found, days = [], sorted({cohort.day for cohort in cohorts})
    for done, day in enumerate(days):
        of_day = [cohort for cohort in cohorts if cohort.day == day]
        judged = together(of_day, {fold.tested: score(of_day, fold, seed) for fold in folds(of_day)}, seed)
        found += [judged] if judged is not None else []
        if progress is not None:
            progress(done + 1, len(days))
    return tuple(found)


Scores = Mapping[str, Floats]  # logits of the students of a test year, ascending, by model


def score(cohorts: Sequence[Cohort], fold: Fold, seed: int) -> Scores:
    """What models of the years before say of a test year; `cohorts`: all years of one grid day.

    Empty where nobody is to be tested. One piece of work by itself: of a large city it takes minutes.
    """
    (day,) = {cohort.day for cohort in cohorts}
    test = next((cohort.in_order() for cohort in cohorts if cohort.year == fold.tested), None)
    if test is None or not len(test.students):
        return {}
    train = to_train(cohorts, day, fold.trained)
    x, chronic = np.concatenate([one.x for one in train]), np.concatenate([one.chronic for one in train])
    found = {kind: logit(fit(kind, train, day, seed), test.x) for kind in (*BASELINES, *kinds(cohorts))}
    found[CHALLENGER] = estimator.fit_challenger(x, chronic, seed)(test.x)
    groups = tuple(sorted(set.intersection(*(set(one.groups) for one in train))))
    if day in WITH_GROUPS and groups:
        more = np.concatenate([_with_groups(one, groups) for one in train])
        found[KNOWING_GROUPS] = estimator.fit_challenger(more, chronic, seed)(_with_groups(test, groups))
    return found


def _with_groups(cohort: Cohort, groups: Sequence[str]) -> NDArray[np.float32]:
    none = np.zeros(len(cohort.students), dtype=bool)
    return np.column_stack([cohort.x, *(cohort.groups.get(name, none) for name in groups)]).astype(np.float32)


def together(cohorts: Sequence[Cohort], scored: Mapping[int, Scores], seed: int) -> Judged | None:
    """The test years of one grid day as one, from what `score` said of each; None where there is none."""
    tests = [cohort.in_order() for cohort in cohorts if scored.get(cohort.year)]
    tests.sort(key=lambda test: test.year)
    if not tests:
        return None
    names = ("students", "x", "chronic", "later_chronic", "listed", "school", "grade")
    columns = {name: np.concatenate([getattr(test, name) for test in tests]) for name in names}
    years = np.concatenate([np.full(len(test.students), test.year) for test in tests])
    groups, apart = _members(tests, [test.groups for test in tests]), _members(tests, [test.parts for test in tests])
    every = [scored[test.year] for test in tests]
    logits = {name: np.concatenate([one[name] for one in every]) for name in every[0] if name != KNOWING_GROUPS}
    beside: dict[str, Floats] = {}
    if all(KNOWING_GROUPS in one for one in every):
        told = np.concatenate([one[KNOWING_GROUPS] for one in every])
        beside = {"without": logits[CHALLENGER], "with": told}
    return Judged(tests[0].day, years, **columns, groups=groups, logits=logits, seed=seed, beside=beside, parts=apart)


def _members(tests: Sequence[Cohort], each: Sequence[Mapping[str, Bools]]) -> dict[str, Bools]:
    """[S] of each group over all test years; nobody of a year that does not know it."""
    every = sorted({name for groups in each for name in groups})
    nobody = [np.zeros(len(test.students), dtype=bool) for test in tests]
    return {
        name: np.concatenate([groups.get(name, none) for groups, none in zip(each, nobody, strict=True)])
        for name in every
    }
