"""How exactly the counts of a trial are told: as they are, or in tens with the small ones kept back.

A candidate that somebody made to speak of some grades or ages turns a whole school's count into one of those, and the
difference of two such trials into one child. Such counts pass through the one suppression, and change in tens alone.
Where the candidate cuts as the policy in force does and leaves the rules around the cut alone, that is needed for parts
of the district only: rules/policy_cuts.py says when.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from ew_app.kernel import today
from ew_app.services.deciding.simulation_lines import Pair
from ew_app.services.measuring import policies, policy_texts
from models.queries import boards
from models.queries import policies as kept_rows
from models.simulations import Simulation
from rules.access import Area
from rules.places import Place, PlaceKind
from rules.policy import Policy
from rules.policy_cuts import Exactly, makeup, may_be_told
from rules.suppression import (
    HIDDEN,
    LEAST,
    count_words,
    share_of_tens,
    share_words,
    suppress,
    tens,
    tens_words,
)


@dataclass(frozen=True, slots=True)
class Telling:
    """What is told of the candidate's counts; those of the policy in force stand on the boards anyway."""

    exact: bool

    def count(self, pair: Pair) -> Pair:
        """A count that stands alone."""
        return pair if self.exact else _in_tens(pair, pair.whole >= LEAST)

    def row(self, pairs: Sequence[Pair]) -> list[Pair]:
        """Counts that add up to a known total."""
        return self.table([pairs])[0]

    def table(self, rows: Sequence[Sequence[Pair]]) -> list[list[Pair]]:
        """Rows of counts of which the totals of rows and columns are known."""
        if self.exact or not rows:
            return [list(row) for row in rows]
        shown = suppress([[pair.whole for pair in row] for row in rows]).rows
        return [
            [_in_tens(pair, count is not None) for pair, count in zip(row, counts, strict=True)]
            for row, counts in zip(rows, shown, strict=True)
        ]

    def weeks_over(self, weeks: Sequence[int], most: int) -> int:
        """Weeks with more cases than that; too few to tell are no more than that."""
        return sum(cases > most and (self.exact or cases >= LEAST) for cases in weeks)

    def words(self, count: int) -> str:
        """A count of the candidate that stands alone, in words."""
        small = count < LEAST
        return count_words(count) if self.exact else HIDDEN if small else tens_words(count)

    def share(self, part: int, rest: int) -> str:
        """Which share of the candidate's a part is, in words."""
        if self.exact:
            return share_words(part, part + rest)
        return share_of_tens(part, rest, [count if count >= LEAST else None for count in (part, rest)])


@dataclass(frozen=True, slots=True)
class Tellings:
    """How the counts of the place as a whole are told, and those of its schools."""

    whole: Telling
    schools: Telling


def tellings(trial: Simulation) -> Tellings:
    """How exactly a trial is told, by what its candidate and what was in force make of grades and ages."""
    exactly = _exactly(trial)
    everywhere, together = exactly is Exactly.EVERYWHERE, exactly is Exactly.TOGETHER and _large(trial)
    return Tellings(Telling(everywhere or together), Telling(everywhere))


def _exactly(trial: Simulation) -> Exactly:
    candidate = policy_texts.stored(trial.version)
    held = {row.version for row in kept_rows.in_force() if row.starts <= today()}
    mine = makeup(candidate.on(day) for day in candidate.starts)
    timeline = policies.timeline()
    inside = {day for day in timeline.starts if trial.school_year <= day <= trial.through}
    in_force = makeup(timeline.on(day) for day in {trial.school_year, *inside})
    return may_be_told(mine, in_force, published=trial.version in held | _shipped())


@cache
def _shipped() -> frozenset[str]:
    return frozenset(Policy.preset(name).version for name in Policy.presets())


def _large(trial: Simulation) -> bool:
    """Whether it is of the whole district, and of so many schools that none is told by the sum."""
    place = Place.parse(trial.place)
    return place.kind is PlaceKind.DISTRICT and len(boards.schools_in(Area(district=True))) >= LEAST


def _in_tens(pair: Pair, shown: bool) -> Pair:
    return Pair(pair.in_force, tens(pair.whole) if shown else None, about=True)
