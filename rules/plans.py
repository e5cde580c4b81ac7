"""How a plan goes: since when it runs, and what the absence of the last days was when it began."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rules.daily import Bools, Ints

STATE = ("plan_on", "plan_member_day", "plan_absent", "plan_enrolled")
NO_PLAN = -1


@dataclass(frozen=True, slots=True, eq=False)
class Plans:
    """[D, S]: member days under the plan in force, and what the last days held when it began; zero without a plan."""

    days: Ints
    absent: Ints
    enrolled: Ints
    changed: Bools  # a plan began that day, or ended
    state: Mapping[str, NDArray[Any]]  # [S] of each name in STATE, at the end of the last day


def none_yet(students: int) -> dict[str, NDArray[Any]]:
    """The state before the first day of a school year."""
    return {name: np.full(students, NO_PLAN if name == "plan_on" else 0, dtype=np.int32) for name in STATE}


def follow(plan: Ints, member_days: Ints, absent: Ints, enrolled: Ints, before: Mapping[str, NDArray[Any]]) -> Plans:
    """All [D, S]: the day on which the plan in force was agreed (since 1970, NO_PLAN), member days to date, and what
    the last days held. A plan begins with the first of these days that is not before it."""
    on, begun, missed, held = (before[name] for name in STATE)
    days, at_start, of = (np.zeros(plan.shape, np.int32) for _ in range(3))
    changed = np.zeros(plan.shape, dtype=bool)
    for nth, today in enumerate(plan):
        new = today != on
        on, changed[nth] = today, new
        begun, missed, held = (
            np.where(new, now[nth], then) for now, then in ((member_days, begun), (absent, missed), (enrolled, held))
        )
        running = on != NO_PLAN
        days[nth], at_start[nth], of[nth] = (member_days[nth] - begun) * running, missed * running, held * running
    ends = dict(zip(STATE, (on, begun, missed, held), strict=True))
    return Plans(days, at_start, of, changed, {name: np.asarray(part).astype(np.int32) for name, part in ends.items()})
