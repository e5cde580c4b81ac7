"""Fitting: the one place that needs scikit-learn, which is imported when something is fitted and not before.

Rows may come in any order: fitting sums numbers, and a sum of floats depends on its order, so callers hand in rows in
one order (`Cohort.in_order`). Every fit is the same for the same rows, features and seed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rules.risk.cohort import Bools
from rules.risk.features import COLUMN, NAMES, RISING, Features, Floats
from rules.risk.models import Logistic, Shrunken, Steps, Table, chance, logit

ROUNDS, PACE, BINS = 200, 0.1, 127  # so many stumps; more gained nothing and only lengthen the tables
EXACT = 1e-9
DECIMALS = 12  # of what a step adds: far under what a score is compared by
ENOUGH = 60_000  # rows after which the weights of earlier years change no more
MOST_DAYS = float(np.log(120))  # what any evidence beside this year is worth at most; so an estimate stays a rate


class NotTheSame(ArithmeticError):
    """What was compiled is not what was fitted."""


def versions() -> dict[str, str]:
    """Of the libraries that fit."""
    import scipy
    import sklearn

    return {"numpy": np.__version__, "scipy": scipy.__version__, "scikit-learn": sklearn.__version__}


def one_thread() -> AbstractContextManager[object]:
    """Threads that share so small a piece of work wait for each other: on a busy machine a hundred times longer."""
    from threadpoolctl import threadpool_limits

    limits: AbstractContextManager[object] = threadpool_limits(1)
    return limits


# -- a weighted sum ------------------------------------------------------------------------------------------------


def fit_logistic(x: Features, chronic: Bools, names: Sequence[str] = NAMES, *, rising: bool = True) -> Logistic:
    """The most likely weights of some features; no attendance feature weighs less than nothing where `rising`.

    Standardised inside with a light pull toward nothing (a unit normal prior on all weights together), because features
    that say nearly the same would else share the weight at random; what is not known is the mean of what is.
    """
    instead = _means(x)
    filled = np.where(np.isnan(x), instead, x)
    spread = filled.std(axis=0)
    used = np.array([name in names for name in NAMES]) & (spread > 1e-9)
    standard = (filled[:, used] - instead[used]) / spread[used]
    low = [0.0 if rising and RISING[place] else None for place in np.flatnonzero(used).tolist()]
    intercept, found = _most_likely(standard, chronic.astype(np.float64), low)
    weights = np.zeros(len(NAMES))
    weights[used] = found / spread[used]
    return Logistic(float(intercept - weights @ instead), weights, instead)


def _means(x: Features) -> Floats:
    """[11] of what is known; 0 where nothing is."""
    known = ~np.isnan(x)
    total = np.where(known, x, 0).sum(axis=0, dtype=np.float64)
    return np.asarray(total / np.maximum(known.sum(axis=0), 1))


def _most_likely(standard: Floats, y: Floats, low: Sequence[float | None]) -> tuple[float, Floats]:
    from scipy.optimize import minimize

    def loss(all_weights: Floats) -> tuple[float, Floats]:
        logits = all_weights[0] + standard @ all_weights[1:]
        wrong = (chance(logits) - y) / len(y)
        pull = all_weights[1:] / len(y)
        value = float(np.mean(np.logaddexp(0, logits) - y * logits) + pull @ all_weights[1:] / 2)
        return value, np.concatenate([[wrong.sum()], standard.T @ wrong + pull])

    start = np.zeros(standard.shape[1] + 1)
    bounds = [(None, None), *((least, None) for least in low)]
    options = {"maxiter": 500, "gtol": 1e-8, "ftol": 1e-14}
    with one_thread():
        found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds, options=options)
    return float(found.x[0]), np.asarray(found.x[1:])


# -- a rate drawn toward earlier years -----------------------------------------------------------------------------


def fit_shrunken(x: Features, chronic: Bools, day: int, ties: NDArray[np.uint64]) -> Shrunken:
    """How many days of this year everybody, last year and the year before are worth, and how rates become chances.

    ties: [S] a number a student by which rows are chosen where there are more than are needed.
    """
    from scipy.optimize import minimize

    if len(x) > ENOUGH:
        chosen = np.sort(np.argsort(ties, kind="stable")[:ENOUGH])
        x, chronic = x[chosen], chronic[chosen]
    y, everybody = chronic.astype(np.float64), float(np.nanmean(x[:, COLUMN["rate"]], dtype=np.float64))

    def model(found: Floats) -> Shrunken:
        k_all, k_last, k_before = np.exp(found[2:]).tolist()
        return Shrunken(day, float(found[0]), float(np.exp(found[1])), everybody, k_all, k_last, k_before)

    values, days = Shrunken.evidence(x, day, everybody)

    def loss(found: Floats) -> tuple[float, Floats]:
        slope, k_all, k_last, k_before = np.exp(found[1:]).tolist()
        weights = days * (1.0, k_last, k_before)
        whole = k_all + weights.sum(axis=1)
        away = (weights * values).sum(axis=1) / whole
        logits = found[0] + slope * away
        wrong = (chance(logits) - y) / len(y)
        pull = wrong * slope / whole  # what a day more of any evidence does, but for how far that is away
        by_year = pull @ ((values - away[:, None]) * (days > 0))[:, 1:] * (k_last, k_before)
        steps = np.concatenate([[wrong.sum(), slope * (wrong @ away), -k_all * (pull @ away)], by_year])
        return float(np.mean(np.logaddexp(0, logits) - y * logits)), steps

    bounds, options = [(-20, 20), (0, 6), *[(-3, MOST_DAYS)] * 3], {"maxiter": 200}
    with one_thread():
        found = minimize(loss, np.array([0, 3, 2, 3, 2.0]), jac=True, method="L-BFGS-B", bounds=bounds, options=options)
    return model(np.asarray(found.x))


# -- boosted stumps, and the challenger ----------------------------------------------------------------------------


def fit_steps(x: Features, chronic: Bools, seed: int) -> Steps:
    """Boosted stumps that rise with every attendance feature, added up into tables.

    Raises NotTheSame where the tables say something else than what was fitted: a library may keep trees otherwise.
    """
    stumps = fit_stumps(x, chronic, seed)
    tables = compiled(stumps)
    if not np.abs(logit(tables, x) - stumps.logit(x)).max() < EXACT:
        raise NotTheSame("the tables do not say what was fitted; nothing of it may be served")
    return tables


@dataclass(frozen=True, slots=True)
class Stumps:
    """A fitted ensemble and the places of the features that it was given."""

    fitted: Any
    places: NDArray[np.intp]

    def logit(self, x: Features) -> Floats:
        """[S] what scikit-learn itself says."""
        with one_thread():
            return np.asarray(self.fitted.decision_function(x[:, self.places]))


def fit_stumps(x: Features, chronic: Bools, seed: int) -> Stumps:
    """The ensemble before it is compiled."""
    return _boosted(x, chronic, seed, RISING, leaves=2, rounds=ROUNDS)


def fit_challenger(x: NDArray[np.float32], chronic: Bools, seed: int) -> Callable[[NDArray[np.float32]], Floats]:
    """Full boosting over any columns, never served: what the simple models are measured against. Gives logits."""
    return _boosted(x, chronic, seed, [False] * x.shape[1], leaves=8, rounds=ROUNDS // 2).logit


def _boosted(
    x: NDArray[np.float32], chronic: Bools, seed: int, rising: Sequence[bool], leaves: int, rounds: int
) -> Stumps:
    from sklearn.ensemble import HistGradientBoostingClassifier

    # A column without values, or with one, can split nothing; the library cannot bin one that is all empty.
    low, high = np.nanmin(_or_zero(x), axis=0), np.nanmax(_or_zero(x), axis=0)
    places = np.flatnonzero((low < high) | (np.isnan(x).any(axis=0) & ~np.isnan(x).all(axis=0)))
    ensemble = HistGradientBoostingClassifier(
        max_leaf_nodes=leaves, max_iter=rounds, learning_rate=PACE, max_bins=BINS, early_stopping=False,
        min_samples_leaf=max(20, len(x) // 1000), l2_regularization=1.0, random_state=seed,
        monotonic_cst=[int(rising[place]) for place in places.tolist()],
    )  # fmt: skip
    with one_thread():
        return Stumps(ensemble.fit(x[:, places], chronic), places)


def _or_zero(x: NDArray[np.float32]) -> NDArray[np.float32]:
    """The same, and zeros for a column without any value."""
    return np.where(np.isnan(x).all(axis=0), np.float32(0), x)


def compiled(stumps: Stumps) -> Steps:
    """One table for each feature: what all its stumps add, between each two of their cuts.

    A stump goes left where value <= threshold. Values are float32 and thresholds are not, so a cut is the greatest
    float32 that is not above the threshold: the same values lie on either side.
    """
    found: dict[str, list[tuple[np.float32, float, float, bool]]] = {}
    for (tree,) in stumps.fitted._predictors:
        root, *leaves = tree.nodes
        if root["is_leaf"]:
            continue
        left, right = (float(tree.nodes[root[side]]["value"]) for side in ("left", "right"))
        name = NAMES[stumps.places[root["feature_idx"]]]
        cut = _not_above(float(root["num_threshold"]))
        found.setdefault(name, []).append((cut, left, right, bool(root["missing_go_to_left"])))
    tables = {name: _added(parts) for name, parts in sorted(found.items())}
    return Steps(float(np.ravel(stumps.fitted._baseline_prediction)[0]), tables)


def _not_above(threshold: float) -> np.float32:
    with np.errstate(over="ignore"):
        cut = np.float32(threshold)
    return cut if float(cut) <= threshold else np.nextafter(cut, np.float32(-np.inf))


def _added(parts: Sequence[tuple[np.float32, float, float, bool]]) -> Table:
    cuts = np.unique(np.array([cut for cut, *_ in parts if np.isfinite(cut)], dtype=np.float32))
    adds, missing = np.zeros(len(cuts) + 1), 0.0
    for cut, left, right, missing_left in parts:
        place = int(np.searchsorted(cuts, cut)) + 1  # an endless cut parts only what is known from what is not
        adds[:place] += left
        adds[place:] += right
        missing += left if missing_left else right
    return Table(cuts, np.round(adds, DECIMALS), round(missing, DECIMALS))
