"""Tiers and bands: what a rate alone says about a student. Integers decide, never a quotient."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum, StrEnum

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rules.audiences import Today, of_each
from rules.facts import Facts
from rules.policy import PolicyInForce, Rule
from rules.scopes import Bools, Scope

Tiers = NDArray[np.int8]
NO_SCOPE: Today = {}


class Tier(IntEnum):
    """How much support; NONE before the first enrolled day."""

    NONE = -1
    ONE = 0
    WATCH = 1
    TWO = 2
    THREE = 3

    @property
    def text(self) -> str:
        """As files and commands write it: none, 1, watch, 2, 3."""
        return ("none", "1", "watch", "2", "3")[self + 1]

    @property
    def words(self) -> str:
        """As a sentence names it."""
        return ("No tier", "Tier 1", "Watch", "Tier 2", "Tier 3")[self + 1]


class Band(StrEnum):
    """The published bands of absence: under 5, 10, 20 percent, and from 20 on."""

    NONE = "none"
    SATISFACTORY = "satisfactory"
    AT_RISK = "at_risk"
    MODERATE = "moderate"
    SEVERE = "severe"


_BANDS = np.array([band.value for band in Band])


def band(enrolled: ArrayLike, absent: ArrayLike) -> NDArray[np.str_]:
    """The band of each student, from thousandths of days enrolled and absent."""
    days, missed = np.asarray(enrolled, dtype=np.int64), np.asarray(absent, dtype=np.int64)
    step = 1 + (20 * missed >= days) + (10 * missed >= days) + (5 * missed >= days)
    return _BANDS[np.where(days > 0, step, 0)]


def rate_text(enrolled: int, absent: int) -> str:
    """Percent absent, floored at one decimal ('11.5'); empty without an enrolled day."""
    if enrolled <= 0:
        return ""
    tenths = 1000 * int(absent) // int(enrolled)
    return f"{tenths // 10}.{tenths % 10}"


def days_text(mils: int) -> str:
    """Thousandths of days as a decimal with up to three places: 1500 -> '1.5', 52000 -> '52'."""
    whole, rest = divmod(int(mils), 1000)
    return f"{whole}.{rest:03d}".rstrip("0").rstrip(".")


def line_met(line: Rule, enrolled: ArrayLike, absent: ArrayLike, today: Today = NO_SCOPE) -> Bools:
    """Whether a rate line is reached: share, least absences and least enrolled days, each inclusive.

    `today`: whom each scope takes in, for lines that differ by grade or school.
    """
    days, missed = np.asarray(enrolled, dtype=np.int64), np.asarray(absent, dtype=np.int64)
    return of_each(line, today, lambda form: _reached(form, days, missed))


def _reached(line: Rule, days: NDArray[np.int64], missed: NDArray[np.int64]) -> Bools:
    reached = missed * line.bound.denominator >= days * line.bound.numerator
    enough = (days >= max(line.after_days_enrolled or 0, 1)) & (missed >= (line.at_least_absences or 0))
    return np.asarray(reached & enough)


def rate_tier(policy: PolicyInForce, enrolled: ArrayLike, absent: ArrayLike, today: Today = NO_SCOPE) -> Tiers:
    """The tier by the bands alone. Under a line's least absences the next lower line applies."""
    tier = np.where(np.asarray(enrolled) > 0, Tier.ONE, Tier.NONE).astype(np.int8)
    for line in policy.lines:
        tier = np.where(line_met(line, enrolled, absent, today), np.int8(line.level.tier), tier)
    return tier


def too_early(policy: PolicyInForce, enrolled: ArrayLike, today: Today = NO_SCOPE) -> Bools:
    """True while there are too few enrolled days to judge a rate."""
    least = [of_each(line, today, lambda form: form.after_days_enrolled or 0) for line in policy.lines]
    return np.asarray(enrolled) < (np.min(np.broadcast_arrays(*least), axis=0) if least else 0)


@dataclass(frozen=True, slots=True, eq=False)
class Current:
    """How students stand at the end of one day; arrays over students."""

    tier: Tiers
    rate_tier: Tiers  # by the bands alone
    band: NDArray[np.str_]
    too_early: NDArray[np.bool_]
    tier_min: Tiers  # what late files can still make of it: every open day present ...
    tier_max: Tiers  # ... or every open day missed


def current(
    facts: Facts, tier: Tiers, policy: PolicyInForce, col: int, within: Mapping[Scope, Bools] | None = None
) -> Current:
    """The standing at the end of column `col`, from a tier matrix [S, D] or one day of it [S].

    `within` [S, D]: whom each scope takes in.
    """
    enrolled, absent, open_days = facts.enrolled[:, col], facts.absent[:, col], facts.undecided[:, col]
    here = {scope: inside[:, col] for scope, inside in (within or {}).items()}
    today = tier[:, col] if tier.ndim == 2 else tier
    best = rate_tier(policy, enrolled + open_days, absent, here)
    worst = rate_tier(policy, enrolled + open_days, absent + open_days, here)
    settled = open_days == 0
    return Current(
        tier=today,
        rate_tier=rate_tier(policy, enrolled, absent, here),
        band=band(enrolled, absent),
        too_early=too_early(policy, enrolled, here),
        tier_min=np.where(settled, today, np.minimum(today, best)),
        tier_max=np.where(settled, today, np.maximum(today, worst)),
    )
