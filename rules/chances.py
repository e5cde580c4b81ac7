"""How likely a number comes from chance alone, and which of many such chances to keep. Exact, without tables."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np


def kept_up_to(chances: Sequence[float], tests: int, share: float) -> float:
    """The largest chance that is kept so that of those kept at most a share is expected to be false; 0 for none.

    tests: how many were judged; those not named count as a chance of one.
    """
    ordered = sorted(chances)
    kept = [chance for place, chance in enumerate(ordered, 1) if chance <= share * place / max(tests, 1)]
    return max(kept, default=0.0)


def tail(observed: int, whole: int, share: float, spread: float) -> float:
    """The chance that of `whole` at least `observed` fall on a part that expects a share of them.

    spread: how many times wider than by pure chance such numbers scatter (1: binomial; more: beta-binomial).
    """
    if observed <= 0 or share >= 1:
        return 1.0
    if whole < observed or share <= 0:
        return 0.0
    inside = min((max(spread, 1.0) - 1) / max(whole - 1, 1), 0.5)
    steps = np.arange(observed, whole, dtype=np.float64)
    if inside < 1e-9:
        first = _choose(whole, observed) + observed * math.log(share) + (whole - observed) * math.log1p(-share)
        ratios = np.log((whole - steps) / (steps + 1)) + math.log(share) - math.log1p(-share)
    else:
        size = (1 - inside) / inside
        a, b = share * size, (1 - share) * size
        first = _choose(whole, observed) + _beta(observed + a, whole - observed + b) - _beta(a, b)
        ratios = np.log((whole - steps) / (steps + 1)) + np.log((steps + a) / (whole - steps - 1 + b))
    logs = first + np.concatenate([[0.0], np.cumsum(ratios)])
    top = float(logs.max())
    return float(min(1.0, math.exp(top) * np.exp(logs - top).sum())) if top > -700 else 0.0


def _choose(whole: int, part: int) -> float:
    return math.lgamma(whole + 1) - math.lgamma(part + 1) - math.lgamma(whole - part + 1)


def _beta(a: float, b: float) -> float:
    return math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)
