"""All that one grid day has to say in the end: figures, lists, groups and the models themselves, small enough to keep.

A trial needs the cohorts of its day alone, so the days can be tried one after the other, each in its own piece of work,
and be put together later (`conclude` in `gates`).
"""

from __future__ import annotations

import itertools
import json
import zlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from rules.risk import backtest, fairness, figures
from rules.risk.backtest import BASELINES, RULE, SERVED, Judged, Scores
from rules.risk.bands import Band, bands
from rules.risk.cohort import Cohort
from rules.risk.drift import Usual, usual
from rules.risk.fairness import Group
from rules.risk.judging import DayFigures, judge
from rules.risk.models import Plain
from rules.risk.plain import from_plain, to_plain


@dataclass(frozen=True, slots=True)
class OnLists:
    """Students of one test year, by id: who was never chronic, and whom each list holds."""

    year: int
    never: tuple[int, ...]
    lists: Mapping[str, tuple[int, ...]]


@dataclass(frozen=True, slots=True)
class Trial:
    """One grid day."""

    day: int
    years: tuple[int, ...]  # of all cohorts
    trained: tuple[int, ...]  # those the models would be trained on
    rows: int  # student-years of all cohorts
    fewest: int  # students on the smaller side of any year: chronically absent or not
    schools: tuple[int, ...]
    grades: tuple[int, ...]
    usual: Usual  # of the last year: what the running year is held against
    figures: DayFigures | None  # None where there is no year to test on
    lists: tuple[OnLists, ...]
    groups: Mapping[str, tuple[Group, ...]]  # by kind of model
    parts: Mapping[str, tuple[Group, ...]]  # schools, grades and new students, by kind of model
    bands: Mapping[str, tuple[Band, ...]]  # by kind of model
    models: Mapping[str, Plain]  # by kind, trained on all years

    @property
    def kinds(self) -> tuple[str, ...]:
        """The models that were tried and fitted, the simplest first."""
        return tuple(kind for kind in SERVED if kind in self.models)


def run(
    cohorts: Sequence[Cohort], seed: int, draws: int | None = None, scored: Mapping[int, Scores] | None = None
) -> Trial:
    """Try the models of one grid day; `cohorts`: one for each completed year, of at least one.

    `draws`: for the ranges of figures, else as many as so many students need. `scored`: what `score` said of each test
    year, where that was done before.
    """
    (day,) = {cohort.day for cohort in cohorts}
    years = tuple(sorted({cohort.year for cohort in cohorts}))
    last = max(cohorts, key=lambda cohort: cohort.year)
    fewest = backtest.fewest(cohorts)
    judged = _judged(cohorts, seed, scored) if fewest >= backtest.LEAST_OF_EACH else None
    train = backtest.to_train(cohorts, day, years)
    kinds = backtest.kinds(cohorts) if judged is not None else ()
    return Trial(
        day=day, years=years, trained=tuple(one.year for one in train), fewest=fewest,
        rows=sum(len(one.students) for one in cohorts),
        schools=_values([one.school for one in train]), grades=_values([one.grade for one in train]), usual=usual(last),
        figures=judge(judged, draws) if judged is not None else None,
        lists=_on_lists(judged) if judged is not None else (),
        groups={kind: fairness.audit(judged, kind) for kind in kinds if judged is not None},
        parts={kind: fairness.breakdown(judged, kind) for kind in kinds if judged is not None},
        bands={kind: bands(judged.chances(kind), judged.chronic) for kind in kinds if judged is not None},
        models={kind: backtest.fit(kind, train, day, seed).to_json() for kind in kinds},
    )  # fmt: skip


def score(cohorts: Sequence[Cohort], nth: int, seed: int) -> tuple[int, Scores] | None:
    """(test year, what models of the years before say of it): the nth of the test years; None where there are fewer."""
    told = backtest.folds(cohorts) if backtest.fewest(cohorts) >= backtest.LEAST_OF_EACH else ()
    return (told[nth].tested, backtest.score(cohorts, told[nth], seed)) if nth < len(told) else None


def _judged(cohorts: Sequence[Cohort], seed: int, scored: Mapping[int, Scores] | None) -> Judged | None:
    if scored is None:
        scored = {fold.tested: backtest.score(cohorts, fold, seed) for fold in backtest.folds(cohorts)}
    return backtest.together(cohorts, scored, seed)


def packed(trial: Trial) -> bytes:
    """To keep until all days are done."""
    return zlib.compress(json.dumps(to_plain(trial), separators=(",", ":"), allow_nan=False).encode())


def unpacked(kept: bytes) -> Trial:
    """What was kept."""
    return from_plain(Trial, json.loads(zlib.decompress(kept)))


def _values(parts: Sequence[np.ndarray]) -> tuple[int, ...]:
    return tuple(int(value) for value in np.unique(np.concatenate(parts)).tolist()) if parts else ()


def _on_lists(judged: Judged) -> tuple[OnLists, ...]:
    names = (RULE, BASELINES[0], *(kind for kind in SERVED if kind in judged.logits))
    on = {name: judged.lists(name) for name in names}
    found = []
    for year in np.unique(judged.years).tolist():
        here = judged.years == year
        lists = {name: _values([judged.students[rows & here]]) for name, rows in on.items()}
        found.append(OnLists(year, _values([judged.students[here & ~judged.chronic]]), lists))
    return tuple(found)


# -- the lists of a year, one day after the other --------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Lists:
    """What became of the lists of a model, or of the rule, over the grid days of the test years."""

    never_chronic: int  # students who ended a year under the line
    ever_listed: int  # of them, on any list of that year
    alike: float  # mean share of students that one list and the next have in common
    steps: tuple[tuple[int, int, float], ...] = ()  # from one grid day to the next: the same share, of all test years


def lists(trials: Sequence[Trial]) -> dict[str, Lists]:
    """For the rule, the rate and each model that was tried on every day."""
    ordered = sorted(trials, key=lambda trial: trial.day)
    parts = [(trial.day, part) for trial in ordered for part in trial.lists]
    names = [name for name in (RULE, BASELINES[0], *SERVED) if parts and all(name in part.lists for _, part in parts)]
    return {name: _over(parts, name) for name in names}


def _over(parts: Sequence[tuple[int, OnLists]], name: str) -> Lists:
    never, ever, alike = 0, 0, defaultdict[tuple[int, int], list[float]](list)
    for year in sorted({part.year for _, part in parts}):
        of_year = [(day, part) for day, part in parts if part.year == year]
        on = [(day, np.array(part.lists[name], dtype=np.int64)) for day, part in of_year]
        for (day, one), (after, other) in itertools.pairwise(on):
            alike[day, after].append(figures.jaccard(one, other))
        under = np.unique(np.concatenate([np.array(part.never, dtype=np.int64) for _, part in of_year]))
        listed = np.concatenate([students for _, students in on])
        never, ever = never + len(under), ever + int(np.isin(under, listed).sum())
    steps = tuple((day, after, float(np.mean(shares))) for (day, after), shares in sorted(alike.items()))
    every = [share for shares in alike.values() for share in shares]
    return Lists(never, ever, float(np.mean(every)) if every else 1.0, steps)
