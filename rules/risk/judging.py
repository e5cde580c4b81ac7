"""The figures of a backtest: for each grid day every model beside the rule and the rate, with intervals.

Figures that are compared come from the same draws of students, so the range of a difference or a ratio is its own and
not guessed from two separate ones.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rules.risk import figures
from rules.risk.backtest import BASELINES, CHALLENGER, RULE, SERVED, Judged
from rules.risk.features import COLUMN, Floats
from rules.risk.figures import Bin, Figure, Ranking

FIRST_TENTH = 0.1
LAST_YEAR = "last_year"  # a list by last year's rate alone
CAPACITIES = (0.02, 0.05, 0.1, 0.15, 0.2)  # of a school's students, as many as a team can take up


@dataclass(frozen=True, slots=True)
class Measured:
    """One model, or the rate, on one grid day. A figure that makes no sense for it is None."""

    auc: Figure | None
    brier: Figure | None
    unlisted: Figure | None  # chronic among the first tenth of the students whom the rule has not listed
    sensitivity: Figure  # found of all chronic by a list as long as the rule's
    auc_later: float | None  # of the same scores, for the rest of the year alone
    ece: float | None = None
    gap: float | None = None
    slope: float | None = None
    bins: tuple[Bin, ...] = ()


@dataclass(frozen=True, slots=True)
class Against:
    """A model beside the baselines."""

    brier_to_rate: Figure  # ratio; under 1 is better
    brier_to_last_year: Figure
    unlisted_to_rate: Figure  # ratio; above 1 is better
    sensitivity_gain: Figure  # beyond the rule's, same length of list
    kept: Figure  # of what full boosting adds to the AUC of the rate


@dataclass(frozen=True, slots=True)
class YearFigures:
    """One test year by itself: each model's figures without ranges, as far as they make sense for it."""

    year: int
    students: int
    chronic: int
    measured: Mapping[str, Mapping[str, float]]  # by model and figure of Measured


@dataclass(frozen=True, slots=True)
class DayFigures:
    """One grid day, all test years together."""

    day: int
    students: int
    chronic: int
    listed: int
    measured: Mapping[str, Measured]
    against: Mapping[str, Against]
    capacity: Mapping[str, tuple[tuple[int, int], ...]]  # at each of CAPACITIES: on the lists, of them chronic
    groups_gain: float | None = None  # AUC that the groups would add to full boosting
    years: tuple[YearFigures, ...] = ()


Drawn = dict[str, Floats]  # [1 + B]: all students, then the draws


def judge(judged: Judged, draws: int | None = None) -> DayFigures:
    """All figures of a grid day."""
    students = len(judged.students)
    draws = figures.enough_draws(students) if draws is None else draws
    once = np.ones((1, students), dtype=np.uint8)
    weights = np.concatenate([once, figures.draws(judged.students, judged.seed, draws)])
    drawn = {name: _drawn(judged, name, weights) for name in (RULE, *judged.logits)}
    measured = {name: _measured(judged, name, found) for name, found in drawn.items()}
    against = {name: _against(drawn, name) for name in SERVED if name in drawn}
    capacity = {name: _at_capacity(judged, score) for name, score in _orders(judged).items()}
    chronic, listed = int(judged.chronic.sum()), int(judged.listed.sum())
    years = tuple(_of_year(judged, year) for year in np.unique(judged.years).tolist())
    return DayFigures(judged.day, students, chronic, listed, measured, against, capacity, _groups_gain(judged), years)


def _of_year(judged: Judged, year: int) -> YearFigures:
    one = judged.of(np.flatnonzero(judged.years == year))
    once = np.ones((1, len(one.students)), dtype=np.uint8)
    drawn = {name: _drawn(one, name, once) for name in (RULE, *one.logits)}
    told = {
        name: {key: float(value[0]) for key, value in found.items() if np.isfinite(value[0])}
        for name, found in drawn.items()
    }
    return YearFigures(year, len(one.students), int(one.chronic.sum()), told)


def _drawn(judged: Judged, name: str, weights: NDArray[np.uint8]) -> Drawn:
    chronic = judged.chronic
    whole, size = _sums(weights, chronic), _sums(weights, judged.listed)
    if name == RULE:
        return {"sensitivity": figures.share(_sums(weights, judged.listed & chronic), whole)}
    score = judged.logits[name]
    ranking = Ranking(score, chronic, judged.ties)
    rest = np.flatnonzero(~judged.listed)
    of_rest, tenth = weights[:, rest], FIRST_TENTH * _sums(weights, ~judged.listed)
    first = Ranking(score[rest], chronic[rest], judged.ties[rest]).found(of_rest, tenth)
    return {
        "auc": ranking.auc(weights),
        "brier": figures.brier(judged.chances(name), chronic, weights),
        "unlisted": figures.share(first, tenth),
        "sensitivity": figures.share(ranking.found(weights, size), whole),
    }


def _sums(weights: NDArray[np.uint8], rows: NDArray[np.bool_]) -> Floats:
    total: Floats = weights[:, rows].sum(axis=1, dtype=np.int64).astype(np.float64)
    return total


def _measured(judged: Judged, name: str, drawn: Drawn) -> Measured:
    told = {key: Figure.of(values[0], values[1:]) for key, values in drawn.items()}
    if name == RULE:
        return Measured(None, None, None, told["sensitivity"], None)
    once = np.ones((1, len(judged.students)), dtype=np.uint8)
    later = float(Ranking(judged.logits[name], judged.later_chronic, judged.ties).auc(once)[0])
    chances = judged.chances(name)
    parts = figures.bins(chances, judged.chronic, judged.ties)
    return Measured(
        **told, auc_later=later, ece=figures.ece(parts), gap=figures.gap(chances, judged.chronic),
        slope=figures.slope(judged.logits[name], judged.chronic), bins=parts,
    )  # fmt: skip


def _against(drawn: Mapping[str, Drawn], name: str) -> Against:
    ours, rate, last = drawn[name], *(drawn[baseline] for baseline in BASELINES)

    def figure(values: Floats) -> Figure:
        return Figure.of(values[0], values[1:])

    return Against(
        brier_to_rate=figure(figures.share(ours["brier"], rate["brier"])),
        brier_to_last_year=figure(figures.share(ours["brier"], last["brier"])),
        unlisted_to_rate=figure(figures.share(ours["unlisted"], rate["unlisted"])),
        sensitivity_gain=figure(ours["sensitivity"] - drawn[RULE]["sensitivity"]),
        kept=figure(_kept(ours["auc"], rate["auc"], drawn[CHALLENGER]["auc"])),
    )


NOTHING_TO_KEEP = 0.001  # AUC: where full boosting adds no more than this to the rate there is nothing to keep


def _kept(ours: Floats, rate: Floats, challenger: Floats) -> Floats:
    """Share of what full boosting adds to the rate; all of it where that is nothing and ours loses nothing."""
    gain, none = challenger - rate, challenger - rate <= NOTHING_TO_KEEP
    return np.where(none, (ours >= rate - NOTHING_TO_KEEP).astype(float), (ours - rate) / np.where(none, 1.0, gain))


def _orders(judged: Judged) -> dict[str, Floats]:
    """By what each list is ordered: the rule knows no order among whom it lists; who has no last year comes last."""
    last = judged.x[:, COLUMN["last_year_rate"]].astype(np.float64)
    return {RULE: judged.listed.astype(np.float64), LAST_YEAR: np.nan_to_num(last, nan=-1.0), **judged.logits}


def _at_capacity(judged: Judged, score: Floats) -> tuple[tuple[int, int], ...]:
    """For each capacity how many stand on the schools' lists together, and how many of them were chronic."""
    _, team = np.unique(np.stack([judged.years, judged.school]), axis=1, return_inverse=True)
    order = np.lexsort((judged.ties, -score, team))
    sizes = np.bincount(team)
    place = np.arange(len(order)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    found = []
    for capacity in CAPACITIES:
        on = order[place < np.ceil(capacity * sizes[team[order]])]
        found.append((len(on), int(judged.chronic[on].sum())))
    return tuple(found)


def _groups_gain(judged: Judged) -> float | None:
    if not judged.beside:
        return None
    once = np.ones((1, len(judged.students)), dtype=np.uint8)
    aucs = {name: Ranking(score, judged.chronic, judged.ties).auc(once)[0] for name, score in judged.beside.items()}
    return float(aucs["with"] - aucs["without"])
