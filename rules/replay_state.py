"""What a replay of tiers carries from one day to the next."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rules.daily import Bools, Ints
from rules.tiers import Tier, Tiers

FREE = -1  # no block: the rule may fire
NEVER = -(10**6)
_NOTHING = (np.int32(FREE), np.False_, np.int32(NEVER))  # blocked, active and last met of a rule not seen yet


@dataclass(slots=True, eq=False)
class State:
    """Where every student stands at the end of a day; all that the next day needs."""

    tier: Tiers
    entered: Ints  # member-day count on which the tier was entered
    stepped_down: Bools  # ... and whether that was a step down
    blocked: dict[tuple[str, int], Ints] = field(default_factory=dict)  # (rule, tier) -> absences it waits for
    active: dict[str, Bools] = field(default_factory=dict)
    last_met: dict[str, Ints] = field(default_factory=dict)  # tasks: member-day count on which last met

    @classmethod
    def at_start(cls, rows: int) -> State:
        """Before the first day: nobody has a tier."""
        zeros = np.zeros(rows, dtype=np.int32)
        return cls(np.full(rows, Tier.NONE, dtype=np.int8), zeros, np.zeros(rows, dtype=bool))

    def of(self, rows: NDArray[np.intp]) -> State:
        """The state of some of the students."""
        return State(
            self.tier[rows],
            self.entered[rows],
            self.stepped_down[rows],
            *({key: part[rows] for key, part in parts.items()} for parts in self._by_rule()),
        )

    def put(self, rows: NDArray[np.intp], other: State) -> None:
        """Let these rows stand as the rows of `other` do."""
        self.tier[rows], self.entered[rows] = other.tier, other.entered
        self.stepped_down[rows] = other.stepped_down
        for mine, theirs, nothing in zip(self._by_rule(), other._by_rule(), _NOTHING, strict=True):
            for key in mine.keys() | theirs.keys():
                whole = mine.setdefault(key, np.full(len(self.tier), nothing))
                whole[rows] = theirs.get(key, nothing)

    def _by_rule(self) -> tuple[dict[Any, Any], ...]:
        return self.blocked, self.active, self.last_met
