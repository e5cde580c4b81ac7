"""How a tier is left: by few absences over the last days, each student by the exits of their grade and school."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

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


@dataclass(frozen=True, slots=True)
class WayOut:
    """How a tier is left on some days: who fulfils its lines, [S, days], and how long one has to have been in it."""

    open: Bools
    least: Ints
    least_stepped_down: Ints  # of who came into it by a step down


def ways_out(facts: Facts, policy: PolicyInForce, inputs: Inputs, cols: slice) -> dict[int, WayOut]:
    """tier -> its way out on these days, all that does not depend on how long somebody has been in it."""
    exits, today = exits_of(policy), inputs.today(cols)

    def watch(way: WatchExit) -> Bools:
        clean = facts.in_last("absent", way.in_last_days)[:, cols] <= way.at_most_absences
        return np.asarray(clean & (facts.member_days[:, cols] >= way.in_last_days))

    def of_tier(way: TierExit) -> Bools:
        return _rate_is_down(way, exits, facts, cols) & _case_allows(way, inputs, cols)

    after = of_each(exits.watch, today, lambda way: way.after_days_in_tier)
    stepped = of_each(exits.watch, today, lambda way: way.after_days_stepped_down)
    found = {int(Tier.WATCH): WayOut(of_each(exits.watch, today, watch), after, stepped)}
    for number, way_out in ((Tier.TWO, exits.tier_2), (Tier.THREE, exits.tier_3)):
        after = of_each(way_out, today, lambda way: way.after_days_in_tier)
        found[int(number)] = WayOut(of_each(way_out, today, of_tier), after, after)
    shape = facts.member_days[:, cols].shape
    return {
        number: WayOut(one.open, np.broadcast_to(one.least, shape), np.broadcast_to(one.least_stepped_down, shape))
        for number, one in found.items()
    }


def may_leave(state: State, tier: Tiers, days: Ints, ways: Mapping[int, WayOut], nth: int) -> Bools:
    """Whose tier steps down on the nth of the days of these ways; `days`: on how many each was a member."""
    leaves, in_tier = np.zeros(len(tier), dtype=bool), days - state.entered
    for number, way in ways.items():
        here = tier == number
        if here.any():
            least = np.where(state.stepped_down, way.least_stepped_down[:, nth], way.least[:, nth])
            leaves |= here & way.open[:, nth] & (in_tier >= least)
    return leaves


def _rate_is_down(way_out: TierExit, exits: Exits, facts: Facts, cols: slice) -> Bools:
    """Below the exit line over the last days; the line is lower until the window is full."""
    absent = facts.in_last("absent", way_out.in_last_days)[:, cols].astype(np.int64)
    enrolled = facts.in_last("enrolled", way_out.in_last_days)[:, cols].astype(np.int64)
    early = way_out.rate_below - exits.early_margin
    usual = absent * way_out.rate_below.denominator < enrolled * way_out.rate_below.numerator
    lower = absent * early.denominator < enrolled * early.numerator
    return np.where(facts.member_days[:, cols] < way_out.in_last_days, lower, usual)


def _case_allows(way_out: TierExit, inputs: Inputs, cols: slice) -> Bools | np.bool_:
    """A case is closed by a person; until then it may hold the tier."""
    if inputs.case_open is None or way_out.open_case == "leaves":
        return np.True_
    free = ~inputs.case_open[:, cols]
    if way_out.open_case == "leaves_when_owned" and inputs.barrier_owned is not None:
        free = free | inputs.barrier_owned[:, cols]
    return free
