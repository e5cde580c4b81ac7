"""Tiers day by day, as if every mark had always stood: up on the day a rule is met, down only by its exit.

A replay is a pure function of the state at the end of one day and the facts of the next, for all students at
once. Nothing moves on a day that is not a member day of the student, nor while a code waits to be mapped.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Protocol

import numpy as np

from rules.cells import Status, status
from rules.daily import Bools, Ints
from rules.facts import Facts
from rules.findings import Inputs, met
from rules.matrix import Matrix
from rules.policy import Level, PolicyInForce, Rule
from rules.replay_state import FREE, NEVER, State
from rules.spans import Span, spans_of
from rules.tiers import Tier, Tiers, line_met, rate_tier
from rules.ways_down import WayOut, exits_of, may_leave, ways_out

EXIT = "exit"
_ASKS_SOMEBODY = (Level.CASE, Level.TASK)
AT_ONCE = 4096  # places of the matrix for which every rule is asked together


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
        return [span for key in keys for span in spans_of(key, self.active[key])]


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
    for in_force, cols in _stretches(policy, matrix, matrix.first if start is None else start):
        held = _held(in_force, facts, inputs, cols)
        at_work = [] if in_force.by_bands else _at_work(state, in_force.acting, held)
        raised = dict(_raises(at_work, held))
        ways = {} if in_force.by_bands else ways_out(facts, in_force, inputs, cols)
        for col in range(cols.start, cols.stop):
            holds = {key: found[:, col - cols.start] for key, found in held.items()}
            raises = {key: found[:, col - cols.start] for key, found in raised.items()}
            if in_force.by_bands:
                changes += _follow_bands(state, facts, in_force, inputs, col)
            else:
                changes += _step(state, facts, in_force, inputs, at_work, holds, raises, ways, cols.start, col)
            tier[col] = state.tier
            _put(counted, _watch(state, in_force, holds), tier.shape, col)
            _put(active, state.active, tier.shape, col)
    return Replay(tier.T, _by_student(active), changes, state, _by_student(counted))


def _stretches(policy: HasPolicy, matrix: Matrix, start: int) -> Iterator[tuple[PolicyInForce, slice]]:
    """The columns from `start` on, as many together as one policy holds on and `AT_ONCE` allows."""
    most, until = max(1, AT_ONCE // max(1, len(matrix.students))), len(matrix.days)
    in_force = [policy.on(day) for day in matrix.days[start:].astype(date).tolist()]
    while start < until:
        here = in_force[start - until]
        stop = start + 1
        while stop < min(start + most, until) and in_force[stop - until] is here:
            stop += 1
        yield here, slice(start, stop)
        start = stop


def _held(policy: PolicyInForce, facts: Facts, inputs: Inputs, cols: slice) -> dict[str, Bools]:
    """rule -> [S, days] where it is met."""
    if policy.by_bands:
        return {}
    return {rule.key: met(rule, facts, inputs, cols) for rule in (*policy.acting, *policy.monitored)}


def _at_work(state: State, acting: Sequence[Rule], held: dict[str, Bools]) -> list[Rule]:
    """The rules of which anything is to be done on these days; the others are met by nobody and stand for nobody."""
    blocked, found = {key for key, _ in state.blocked}, []
    for rule in acting:
        stands = state.active.setdefault(rule.key, np.zeros(len(state.tier), dtype=bool))
        if rule.key in blocked or stands.any() or held[rule.key].any():
            found.append(rule)
        elif not rule.level.tier and rule.clears != "plan":
            state.last_met.setdefault(rule.key, np.full(len(state.tier), NEVER, dtype=np.int32))
    return found


def _put(days: dict[str, Bools], found: dict[str, Bools], shape: tuple[int, ...], col: int) -> None:
    """Note for each rule for whom it stands on one day."""
    for key, here in found.items():
        days[key] = days[key] if key in days else np.zeros(shape, dtype=bool)
        days[key][col] = here


def _by_student(days: dict[str, Bools]) -> dict[str, Bools]:
    return {key: found.T for key, found in sorted(days.items())}


def _watch(state: State, policy: PolicyInForce, holds: dict[str, Bools]) -> dict[str, Bools]:
    """For whom the rules are met that are only counted; what one of them began before it was is over."""
    if policy.by_bands:
        return {}
    for rule in policy.monitored:
        for kept in (state.active, state.last_met):
            kept.pop(rule.key, None)
    return {rule.key: holds[rule.key] for rule in policy.monitored}


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


def _step(
    state: State, facts: Facts, policy: PolicyInForce, inputs: Inputs, acting: Sequence[Rule],
    holds: dict[str, Bools], raises: dict[tuple[str, int], Bools], ways: dict[int, WayOut], first: int, col: int,
) -> list[Change]:  # fmt: skip
    """One day: findings first, then the tier, up before down."""
    days = facts.member_days[:, col]
    member = status(facts.matrix.cells[:, col]) == Status.MEMBER
    moves = member & _may_move(inputs, col)
    before = np.where(member & (state.tier == Tier.NONE), Tier.ONE, state.tier).astype(np.int8)
    arrived = before != state.tier
    fires = {key: _unblocked(state, key, found, facts.absent[:, col]) for key, found in raises.items()}
    target = np.max([np.where(found, key[1], 0) for key, found in fires.items()], axis=0, initial=0)
    resting = state.stepped_down & (days - state.entered <= exits_of(policy).rest_days)
    up = moves & ~resting & (target > before)
    down = moves & ~up & may_leave(state, before, days, ways, col - first)
    after = np.where(up, target, before - down).astype(np.int8)
    _find(state, acting, holds, fires, before, days, facts.plan_changed[:, col])
    _clear(state, acting, inputs.gone(facts.matrix.days[col]), after, down)
    _block(state, raises, facts.absent[:, col] + exits_of(policy).again_after_absences, after, down)
    moved = up | down | arrived
    causes = _causes(policy, holds, fires, after) if moved.any() else {}
    changes = _changes(state.tier, after, causes, col) if moved.any() else []
    state.entered = np.where(moved, days, state.entered)
    state.stepped_down = np.where(moved, down, state.stepped_down)
    state.tier = after
    return changes


def _raises(acting: Sequence[Rule], holds: dict[str, Bools]) -> Iterator[tuple[tuple[str, int], Bools]]:
    """((rule, tier it raises to), met on each day): a rule may raise higher together with another."""
    for rule in acting:
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
    state: State, acting: Sequence[Rule], holds: dict[str, Bools], fires: dict[tuple[str, int], Bools],
    tier: Tiers, days: Ints, plan_changed: Bools,
) -> None:  # fmt: skip
    """Findings become active on the day they are met, and tasks stay for their owner's days."""
    nobody = np.zeros(len(tier), dtype=bool)
    fired: dict[str, Bools] = {}
    for (key, _), found in fires.items():
        fired[key] = fired[key] | found if key in fired else found
    for rule in acting:
        active, held = state.active.get(rule.key, nobody), holds[rule.key]
        if rule.level.tier:
            state.active[rule.key] = fired[rule.key] | (active & ((tier >= rule.level.tier) | held))
        elif rule.clears == "plan":
            state.active[rule.key] = held | (active & ~plan_changed)
        else:
            last = np.where(held, days, state.last_met.get(rule.key, np.int32(NEVER)))
            state.last_met[rule.key] = last
            state.active[rule.key] = held | (days - last < rule.open_for_days)


def _clear(state: State, acting: Sequence[Rule], gone: Bools | np.bool_, after: Tiers, down: Bools) -> None:
    """A step down clears what asked for more; a leaver is no longer looked for, nor is anybody asked about one."""
    if down.any():
        for rule in acting:
            if rule.level.tier:
                state.active[rule.key] = state.active[rule.key] & ~(down & (after < rule.level.tier))
    if gone.any():
        for rule in acting:
            if rule.level in _ASKS_SOMEBODY:
                state.active[rule.key] = state.active[rule.key] & ~gone


def _block(state: State, raises: dict[tuple[str, int], Bools], waits_for: Ints, after: Tiers, down: Bools) -> None:
    """A rule still met on the day of an exit waits for more absences before it raises the tier again."""
    if not down.any():
        return
    for key, found in raises.items():
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


__all__ = ["EXIT", "Change", "HasPolicy", "Inputs", "Replay", "Span", "replay"]
