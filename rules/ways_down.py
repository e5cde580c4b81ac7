"""How a tier is left: by few absences over the last days, each student by the exits of their grade and school."""

from __future__ import annotations

import numpy as np

from rules.audiences import of_each
from rules.daily import Bools, Ints
from rules.facts import Facts
from rules.findings import Inputs
from rules.policy import Exits, PolicyInForce, TierExit, WatchExit
from rules.replay_state import State
from rules.tiers import Tier, Tiers


def exits_of(policy: PolicyInForce) -> Exits:
    """The exits of a policy that moves by replay. ValueError where it has none."""
    if policy.exits is None:
        raise ValueError(f"policy {policy.name} moves by replay but has no exits")
    return policy.exits


def may_leave(state: State, tier: Tiers, facts: Facts, policy: PolicyInForce, inputs: Inputs, col: int) -> Bools:
    """Whose tier steps down today."""
    exits, in_tier = exits_of(policy), facts.member_days[:, col] - state.entered
    today = inputs.today(col)
    leaves: Bools = tier == Tier.WATCH
    if leaves.any():
        leaves &= of_each(exits.watch, today, lambda way: _watch_clears(way, in_tier, state.stepped_down, facts, col))
    for number, way_out in ((Tier.TWO, exits.tier_2), (Tier.THREE, exits.tier_3)):
        here = tier == number
        if here.any():
            leaves |= here & of_each(
                way_out,
                today,
                lambda way: (
                    (in_tier >= way.after_days_in_tier)
                    & _rate_is_down(way, exits, facts, col)
                    & _case_allows(way, inputs, col)
                ),
            )
    return leaves


def _watch_clears(way: WatchExit, in_tier: Ints, stepped_down: Bools, facts: Facts, col: int) -> Bools:
    """Few absences over the last days, and long enough on Watch."""
    least = np.where(stepped_down, way.after_days_stepped_down, way.after_days_in_tier)
    clean = facts.in_last("absent", way.in_last_days)[:, col] <= way.at_most_absences
    return np.asarray(clean & (facts.member_days[:, col] >= way.in_last_days) & (in_tier >= least))


def _rate_is_down(way_out: TierExit, exits: Exits, facts: Facts, col: int) -> Bools:
    """Below the exit line over the last days; the line is lower until the window is full."""
    absent = facts.in_last("absent", way_out.in_last_days)[:, col].astype(np.int64)
    enrolled = facts.in_last("enrolled", way_out.in_last_days)[:, col].astype(np.int64)
    early = way_out.rate_below - exits.early_margin
    usual = absent * way_out.rate_below.denominator < enrolled * way_out.rate_below.numerator
    lower = absent * early.denominator < enrolled * early.numerator
    return np.where(facts.member_days[:, col] < way_out.in_last_days, lower, usual)


def _case_allows(way_out: TierExit, inputs: Inputs, col: int) -> Bools | np.bool_:
    """A case is closed by a person; until then it may hold the tier."""
    if inputs.case_open is None or way_out.open_case == "leaves":
        return np.True_
    free = ~inputs.case_open[:, col]
    if way_out.open_case == "leaves_when_owned" and inputs.barrier_owned is not None:
        free = free | inputs.barrier_owned[:, col]
    return free
