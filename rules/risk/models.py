"""Three kinds of model, the simplest first; each is a sum of one term for each feature, so that reasons are exact.

The score of a student is `intercept` plus the sum of the terms, a logit. Nothing here is fitted (`estimator` does that)
and nothing needs more than numpy. A model is read from and written to plain numbers (`to_json`, `from_json`).
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from rules.risk.features import COLUMN, NAMES, Features, Floats

Plain = dict[str, Any]  # what JSON can say

RATE, ABSENCES, LAST, BEFORE = (COLUMN[name] for name in ("rate", "absences", "last_year_rate", "year_before_rate"))


class Model(Protocol):
    """A model of one grid day."""

    kind: ClassVar[str]

    @property
    def intercept(self) -> float:
        """The logit of a student to whom no term adds anything."""

    def terms(self, x: Features) -> Floats:
        """[S, 11] what each feature adds to the logit."""

    def to_json(self) -> Plain:
        """All of it as plain numbers."""


def logit(model: Model, x: Features) -> Floats:
    """[S] the score."""
    total: Floats = model.intercept + model.terms(x).sum(axis=1)
    return total


def chance(logits: Floats) -> Floats:
    """[S] logits as shares from 0 to 1."""
    return np.asarray(1 / (1 + np.exp(-np.clip(logits, -500, 500))))


@dataclass(frozen=True, slots=True)
class Shrunken:
    """The rate to date drawn toward earlier years: each known year weighs as much as so many days of this one.

    (days x rate + k_last x last year + k_before x year before + k_all x everybody) / (days + the k of what is known).
    """

    kind: ClassVar[str] = "shrunken"
    day: int  # taught days so far: the days of a student who has missed none
    intercept: float
    slope: float  # logit a rate
    everybody: float  # the rate of all
    k_all: float  # days
    k_last: float
    k_before: float

    def terms(self, x: Features) -> Floats:
        """[S, 11] how far rate, last year and the year before each draw away from everybody."""
        found = np.zeros(x.shape)
        away = self.slope * self.away(x)
        found[:, [RATE, LAST, BEFORE]] = away
        return found

    def away(self, x: Features) -> Floats:
        """[S, 3] the estimated rate less everybody's, by what it comes from."""
        values, days = self.evidence(x, self.day, self.everybody)
        weights = days * (1.0, self.k_last, self.k_before)
        away: Floats = weights * values / (self.k_all + weights.sum(axis=1, keepdims=True))
        return away

    @staticmethod
    def evidence(x: Features, day: int, everybody: float) -> tuple[Floats, Floats]:
        """[S, 3] rates of this year, last year and the one before less everybody's; and [S, 3] days so far, 1, 1.

        Both 0 where not known. A student who missed nothing so far is taken to have been there from the first day.
        """
        rate, absences = x[:, RATE].astype(np.float64), x[:, ABSENCES].astype(np.float64)
        days = np.divide(absences, rate, out=np.full(len(x), float(day)), where=rate > 0)
        values = np.stack([rate, x[:, LAST], x[:, BEFORE]], axis=1)
        once = np.ones(len(x))
        known = ~np.isnan(values)
        return np.where(known, values - everybody, 0.0), known * np.stack([np.minimum(days, day), once, once], axis=1)

    def to_json(self) -> Plain:
        """All of it as plain numbers."""
        return {"kind": self.kind} | {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True, eq=False)
class Logistic:
    """A weighted sum of the features as they are; what is not known counts as `instead`."""

    kind: ClassVar[str] = "logistic"
    intercept: float
    weights: Floats  # [11] logit a unit of the feature
    instead: Floats  # [11]

    def terms(self, x: Features) -> Floats:
        """[S, 11] weight times value."""
        values: Floats = np.where(np.isnan(x), self.instead, x)
        return values * self.weights

    def to_json(self) -> Plain:
        """All of it as plain numbers."""
        named = {"weights": self.weights, "instead": self.instead}
        rows = {key: dict(zip(NAMES, row.tolist(), strict=True)) for key, row in named.items()}
        return {"kind": self.kind, "intercept": self.intercept, **rows}


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """Steps of one feature: up to and with the first cut adds[0], above the last one adds[-1]; `missing` without it."""

    cuts: NDArray[np.float32]  # [m] ascending
    adds: Floats  # [m + 1] logit
    missing: float

    def of(self, values: NDArray[np.float32]) -> Floats:
        """[S] what each value adds."""
        found: Floats = self.adds[np.searchsorted(self.cuts, values)]  # NaN sorts behind everything
        return np.where(np.isnan(values), self.missing, found)


_NO_STEPS = Table(np.zeros(0, np.float32), np.zeros(1), 0.0)


@dataclass(frozen=True, slots=True, eq=False)
class Steps:
    """Boosted stumps, added up into one table for each feature. Features must be float32, as the cuts are."""

    kind: ClassVar[str] = "steps"
    intercept: float
    tables: Mapping[str, Table] = field(default_factory=dict)

    def terms(self, x: Features) -> Floats:
        """[S, 11] what the tables say; 0 for a feature without one."""
        if x.dtype != np.float32:
            raise TypeError(f"features must be float32, not {x.dtype}: a cut lies between two of those")
        return np.stack([self.tables.get(name, _NO_STEPS).of(x[:, place]) for place, name in enumerate(NAMES)], axis=1)

    def to_json(self) -> Plain:
        """All of it as plain numbers; a cut is written as the shortest number that reads back as the same float32."""
        tables = {
            name: {
                "cuts": [float(str(cut)) for cut in table.cuts],
                "adds": table.adds.tolist(),
                "missing": table.missing,
            }
            for name, table in self.tables.items()
        }
        return {"kind": self.kind, "intercept": self.intercept, "tables": tables}


def from_json(plain: Mapping[str, Any]) -> Model:
    """The model that was written; ValueError for what is none, KeyError where a part is missing."""
    kind = plain["kind"]
    if kind == Shrunken.kind:
        return Shrunken(**{name: plain[name] for name in Shrunken.__slots__})
    if kind == Logistic.kind:
        rows = [np.array([plain[key][name] for name in NAMES], dtype=np.float64) for key in ("weights", "instead")]
        return Logistic(plain["intercept"], *rows)
    if kind == Steps.kind:
        return Steps(plain["intercept"], {name: _table(name, part) for name, part in plain["tables"].items()})
    raise ValueError(f"there is no kind of model {kind!r}")


def _table(name: str, part: Mapping[str, Any]) -> Table:
    table = Table(np.array(part["cuts"], np.float32), np.array(part["adds"], np.float64), part["missing"])
    ascending = bool((np.diff(table.cuts) > 0).all())
    if name not in COLUMN or not ascending or len(table.adds) != len(table.cuts) + 1:
        raise ValueError(f"the steps of {name!r} are none")
    return table


@dataclass(frozen=True, slots=True)
class Grid:
    """A model for each grid day; on a day between two of them, terms and intercepts are their weighted mean."""

    models: Mapping[int, Model]

    def parts(self, day: int) -> Sequence[tuple[float, Model]]:
        """The models of a day and their weights, which add up to one; LookupError outside the grid."""
        days = sorted(self.models)
        if not days or not days[0] <= day <= days[-1]:
            raise LookupError(f"there is no model for day {day}")
        if day in self.models:
            return [(1.0, self.models[day])]
        before, after = next((one, two) for one, two in itertools.pairwise(days) if one < day < two)
        share = (day - before) / (after - before)
        return [(1 - share, self.models[before]), (share, self.models[after])]

    def terms(self, x: Features, day: int) -> tuple[float, Floats]:
        """The intercept, and [S, 11] what each feature adds on that day."""
        (share, model), *others = self.parts(day)
        intercept, total = share * model.intercept, model.terms(x)
        total *= share
        for share, other in others:
            intercept += share * other.intercept
            total += share * other.terms(x)
        return intercept, total

    def logit(self, x: Features, day: int) -> Floats:
        """[S] the score on that day."""
        intercept, terms = self.terms(x, day)
        total: Floats = intercept + terms.sum(axis=1)
        return total
