"""Tiers day by day, as if every mark had always stood: up on the day a rule is met, down only by its exit.

A replay is a pure function of the state at the end of one day and the facts of the next, for all students at
once. Nothing moves on a day that is not a member day of the student, nor while a code waits to be mapped.
"""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from rules.cells import Status, status
from rules.daily import Bools, Ints
from rules.facts import Facts
from rules.findings import Inputs, met
from rules.policy import Level, PolicyInForce
from rules.replay_state import FREE, NEVER, State
from rules.tiers import Tier, Tiers, line_met, rate_tier
from rules.ways_down import exits_of, may_leave

EXIT = "exit"


class HasPolicy(Protocol):
    """A policy, or policies activated one after the other."""

    def on(self, day: date) -> PolicyInForce:
        """What holds that day."""


@dataclass(frozen=True, slots=True)
class Change:
    """One student's tier on one day: from what to what, and by which rules ('exit' on the way down)."""

    row: int
    col: int
    before: Tier
    after: Tier
    rules: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Span:
    """A finding from its first column to the column on which it was cleared; -1 while it is active."""

    row: int
    rule: str
    since: int
    until: int


@dataclass(frozen=True, slots=True, eq=False)
class Replay:
    """The school year day by day; columns before it are NONE and inactive."""

    tier: Tiers  # [S, D]
    active: dict[str, Bools]  # rule -> [S, D]
    changes: list[Change]  # by day, then row; leaving NONE for Tier 1 is none
    state: State  # at the end of the last day
    counted: dict[str, Bools] = field(default_factory=dict)  # rule in monitor mode -> [S, D] where it was met

    def spans(self, rule: str | None = None) -> list[Span]:
        """Findings as spans, of one rule or of all."""
        keys = self.active if rule is None else (rule,)
        return [span for key in keys for span in _spans(key, self.active[key])]


def replay(
    facts: Facts,
    policy: HasPolicy,
    inputs: Inputs | None = None,
    after: State | None = None,
    start: int | None = None,
) -> Replay:
    """Tiers and findings of the school year, or from column `start` on `after` an earlier state.

    Then the column before `start` tells how everybody stood, and the columns before that one tell nothing.
    """
    matrix, inputs = facts.matrix, _waiting(facts, inputs or Inputs())
    rows, days = matrix.cells.shape
    state = deepcopy(after) if after else State.at_start(rows)
    tier = np.full((days, rows), Tier.NONE, dtype=np.int8)
    active: dict[str, Bools] = {}
    counted: dict[str, Bools] = {}
    changes: list[Change] = []
    if after and start:
        tier[start - 1] = state.tier
        for key, found in state.active.items():
            active[key] = np.zeros((days, rows), dtype=bool)
            active[key][start - 1] = found
    for col in range(matrix.first if start is None else start, days):
        in_force = policy.on(matrix.days[col].astype(date))
        step = _follow_bands if in_force.by_bands else _step
        changes += step(state, facts, in_force, inputs, col)
        tier[col] = state.tier
        _put(counted, _watch(state, facts, in_force, inputs, col), tier.shape, col)
        _put(active, state.active, tier.shape, col)
    return Replay(tier.T, _by_student(active), changes, state, _by_student(counted))


def _put(days: dict[str, Bools], found: dict[str, Bools], shape: tuple[int, ...], col: int) -> None:
    """Note for each rule for whom it stands on one day."""
    for key, here in found.items():
        days.setdefault(key, np.zeros(shape, dtype=bool))[col] = here


def _by_student(days: dict[str, Bools]) -> dict[str, Bools]:
    return {key: found.T for key, found in sorted(days.items())}


def _watch(state: State, facts: Facts, policy: PolicyInForce, inputs: Inputs, col: int) -> dict[str, Bools]:
    """For whom the rules are met that are only counted; what one of them began before it was is over."""
    if policy.by_bands:
        return {}
    for rule in policy.monitored:
        for kept in (state.active, state.last_met):
            kept.pop(rule.key, None)
    return {rule.key: met(rule, facts, inputs, col) for rule in policy.monitored}


def _waiting(facts: Facts, inputs: Inputs) -> Inputs:
    """The tier waits from the first day whose code nobody has mapped, or from where the inputs say, if earlier."""
    unmapped = status(facts.matrix.cells[:, facts.matrix.first :]) == Status.UNKNOWN_CODE
    if not unmapped.any():
        return inputs
    days = facts.matrix.cells.shape[1]
    first = np.where(unmapped.any(axis=1), facts.matrix.first + unmapped.argmax(axis=1), days)
    return replace(inputs, waits_from=first if inputs.waits_from is None else np.minimum(first, inputs.waits_from))


def _may_move(inputs: Inputs, col: int) -> Bools | np.bool_:
    return np.True_ if inputs.waits_from is None else col < inputs.waits_from


def _follow_bands(state: State, facts: Facts, policy: PolicyInForce, inputs: Inputs, col: int) -> list[Change]:
    """One day without memory: the tier is what the day's rate says."""
    enrolled, absent = facts.enrolled[:, col], facts.absent[:, col]
    before, today = state.tier, inputs.today(col)
    state.tier = np.where(_may_move(inputs, col), rate_tier(policy, enrolled, absent, today), before).astype(np.int8)
    state.active = {line.key: line_met(line, enrolled, absent, today) for line in policy.lines}
    causes = {line.key: state.active[line.key] & (state.tier == line.level.tier) for line in policy.lines}
    return _changes(before, state.tier, causes, col)


def _step(state: State, facts: Facts, policy: PolicyInForce, inputs: Inputs, col: int) -> list[Change]:
    """One day: findings first, then the tier, up before down."""
    days = facts.member_days[:, col]
    member = status(facts.matrix.cells[:, col]) == Status.MEMBER
    moves = member & _may_move(inputs, col)
    before = np.where(member & (state.tier == Tier.NONE), Tier.ONE, state.tier).astype(np.int8)
    arrived = before != state.tier
    holds = {rule.key: met(rule, facts, inputs, col) for rule in policy.acting}
    raises = list(_raises(policy, holds))
    fires = {key: _unblocked(state, key, found, facts.absent[:, col]) for key, found in raises}
    target = np.max([np.where(found, key[1], 0) for key, found in fires.items()], axis=0, initial=0)
    resting = state.stepped_down & (days - state.entered <= exits_of(policy).rest_days)
    up = moves & ~resting & (target > before)
    down = moves & ~up & may_leave(state, before, facts, policy, inputs, col)
    after = np.where(up, target, before - down).astype(np.int8)
    _find(state, policy, holds, fires, before, days, facts.plan_changed[:, col])
    _clear(state, policy, inputs, facts, holds, after, down, col)
    _block(state, raises, facts.absent[:, col] + exits_of(policy).again_after_absences, after, down)
    causes = _causes(policy, holds, fires, after)
    changes = _changes(state.tier, after, causes, col)
    moved = up | down | arrived
    state.entered = np.where(moved, days, state.entered)
    state.stepped_down = np.where(moved, down, state.stepped_down)
    state.tier = after
    return changes


def _raises(policy: PolicyInForce, holds: dict[str, Bools]) -> Iterator[tuple[tuple[str, int], Bools]]:
    """((rule, tier it raises to), met): a rule may raise higher together with another."""
    for rule in policy.acting:
        if rule.level.tier:
            yield (rule.key, rule.level.tier), holds[rule.key]
        if rule.level_with:
            others, level = rule.level_with
            both = [holds[key] for key in others if key in holds]
            yield (rule.key, level.tier), holds[rule.key] & np.any(both, axis=0)


def _unblocked(state: State, key: tuple[str, int], found: Bools, absent: Ints) -> Bools:
    """Met and not waiting for more absences; a rule that is no longer met waits no more."""
    waits = state.blocked.get(key)
    if waits is None:
        return found
    waits[~found | (absent >= waits)] = FREE
    free: Bools = waits == FREE
    return found & free


def _find(
    state: State, policy: PolicyInForce, holds: dict[str, Bools], fires: dict[tuple[str, int], Bools],
    tier: Tiers, days: Ints, plan_changed: Bools,
) -> None:  # fmt: skip
    """Findings become active on the day they are met, and tasks stay for their owner's days."""
    nobody = np.zeros(len(tier), dtype=bool)
    for rule in policy.acting:
        active = state.active.get(rule.key, nobody)
        if rule.level.tier:
            fired = np.any([found for (key, _), found in fires.items() if key == rule.key], axis=0)
            waiting = active & (tier < rule.level.tier)
            state.active[rule.key] = fired | (active & ~(waiting & ~holds[rule.key]))
        elif rule.clears == "plan":
            state.active[rule.key] = holds[rule.key] | (active & ~plan_changed)
        else:
            last = np.where(holds[rule.key], days, state.last_met.get(rule.key, np.int32(NEVER)))
            state.last_met[rule.key] = last
            state.active[rule.key] = holds[rule.key] | (days - last < rule.open_for_days)


def _clear(
    state: State, policy: PolicyInForce, inputs: Inputs, facts: Facts, holds: dict[str, Bools],
    after: Tiers, down: Bools, col: int,
) -> None:  # fmt: skip
    """A step down clears what asked for more; a leaver is no longer looked for, nor is anybody asked about one."""
    for rule in policy.acting:
        if rule.level.tier:
            state.active[rule.key] = state.active[rule.key] & ~(down & (after < rule.level.tier))
        elif rule.level in (Level.CASE, Level.TASK):
            state.active[rule.key] = state.active[rule.key] & ~inputs.gone(facts.matrix.days[col])


def _block(
    state: State, raises: list[tuple[tuple[str, int], Bools]], waits_for: Ints, after: Tiers, down: Bools
) -> None:
    """A rule still met on the day of an exit waits for more absences before it raises the tier again."""
    if not down.any():
        return
    for key, found in raises:
        blocked = state.blocked.setdefault(key, np.full(len(after), FREE, dtype=np.int32))
        blocked[:] = np.where(down & found & (key[1] > after), waits_for, blocked)


def _causes(
    policy: PolicyInForce, holds: dict[str, Bools], fires: dict[tuple[str, int], Bools], after: Tiers
) -> dict[str, Bools]:
    """rule -> for whom it asks for the tier of today."""
    causes: dict[str, Bools] = {}
    for (key, level), found in fires.items():
        asks = found & (after == level)
        causes[key] = causes.get(key, False) | asks
        together = policy.rule(key).level_with
        if together and together[1].tier == level:
            for other in (key for key in together[0] if key in holds):
                causes[other] = causes.get(other, False) | (asks & holds[other])
    return causes


def _changes(before: Tiers, after: Tiers, causes: dict[str, Bools], col: int) -> list[Change]:
    moved = np.flatnonzero((before != after) & ~((before == Tier.NONE) & (after == Tier.ONE)))
    found = []
    for row in moved.tolist():
        rules = tuple(sorted(key for key, asks in causes.items() if asks[row])) if after[row] > before[row] else (EXIT,)
        found.append(Change(row, col, Tier(before[row]), Tier(after[row]), rules))
    return found


def _spans(key: str, active: Bools) -> list[Span]:
    """The runs of True in each row."""
    edges = np.diff(active.astype(np.int8), axis=1, prepend=np.int8(0))
    begins, ends = np.argwhere(edges == 1), np.argwhere(edges == -1)
    until = {(row, nth): col for row, nth, col in _numbered(ends)}
    return [Span(row, key, col, until.get((row, nth), -1)) for row, nth, col in _numbered(begins)]


def _numbered(edges: NDArray[np.intp]) -> Iterator[tuple[int, int, int]]:
    """(row, how many edges of that row came before, column)."""
    row_before, nth = -1, 0
    for row, col in edges.tolist():
        nth = nth + 1 if row == row_before else 0
        row_before = row
        yield row, nth, col


__all__ = ["EXIT", "Change", "HasPolicy", "Inputs", "Replay", "Span", "replay"]
