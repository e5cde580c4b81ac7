"""All rules of the shipped policy for one new day, beside working out the facts that they read and nothing else.

Students are made up, 20,000 at a time as evaluation takes them. Of each day the same students are gone on from what is
carried, early in the year and late.
"""

from __future__ import annotations

import datetime as dt
import resource
import statistics
import time
from collections.abc import Callable, Iterator

import numpy as np

from rules import carried as carrying
from rules import facts as measures
from rules.carried import Carried
from rules.cells import Excuse, Status, pack
from rules.facts import Facts
from rules.findings import Inputs, parts
from rules.matrix import Matrix
from rules.policy import Policy, PolicyInForce
from rules.policy_schema import OUTSIDE, is_rate
from rules.replay import replay
from rules.replay_state import State

CHUNK, AT_ONCE, TIMES = 20_000, 2_500, 9
FIRST = np.datetime64("2026-08-17")
AT = (20, 60, 120, 180)


def rows_of(students: int) -> Iterator[tuple[str, str]]:
    """(name, what was measured) for so many students."""
    policy = Policy.preset("default")
    chunks = max(round(students / CHUNK), 1)
    every = [_at(day, policy, chunks) for day in AT]
    for day, (facts, both, events) in zip(AT, every, strict=True):
        told = f"{both:6.2f} s, facts alone {facts:6.2f} s, {both / facts:.2f} times; {events:,} days carried"
        yield f"rules, day {day}", told
    yield "rules, last day / first", f"{every[-1][1] / every[0][1]:.2f}"
    yield "most memory", f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:,.0f} MB"


def _at(day: int, policy: Policy, chunks: int) -> tuple[float, float, int]:
    """Seconds for the facts of one more day, and for facts and rules, of everybody; days that are carried."""
    chance = np.random.default_rng(day)
    known = [_year(chance, AT_ONCE, day, policy) for _ in range(CHUNK // AT_ONCE)]
    carried, state = carrying.joined([one for one, _ in known]), State.at_start(CHUNK)
    for nth, (_, past) in enumerate(known):
        state.put(np.arange(AT_ONCE) + nth * AT_ONCE, past)
    today = _days(chance, CHUNK, day, 2)
    inputs = _inputs(CHUNK, 2)
    in_force = policy.on(today.days[1].astype(dt.date))
    facts = _seconds(lambda: _read(measures.compute(today, carried, inputs.plan), in_force, inputs))
    both = _seconds(lambda: _decide(today, carried, state, policy, inputs))
    return facts * chunks, both * chunks, len(carried.events.row)


def _year(chance: np.random.Generator, students: int, days: int, policy: Policy) -> tuple[Carried, State]:
    """What is known of some students at the end of so many days."""
    matrix, inputs = _days(chance, students, 0, days), _inputs(students, days)
    facts = measures.compute(matrix, plan=inputs.plan)
    return facts.carried(), replay(facts, policy, inputs).state


def _days(chance: np.random.Generator, students: int, first: int, count: int) -> Matrix:
    """Marks of a usual district: some who miss a lot, most who miss little; the first of later days is not taught."""
    shape = (students, count)
    away = chance.random(shape) < chance.beta(0.6, 8, (students, 1))
    kind = chance.choice([Excuse.EXCUSED, Excuse.UNEXCUSED, Excuse.UNKNOWN], shape, p=[0.5, 0.4, 0.1])
    status = np.full(shape, Status.MEMBER)
    status[:, : int(first > 0)] = Status.OUT
    cells = pack(np.where(away, 1000, 0) * (status == Status.MEMBER), status, np.where(away, kind, 0))
    days = np.busday_offset(FIRST, first + np.arange(count) - int(first > 0), roll="forward")
    return Matrix(np.arange(students), days, np.full(shape, 1000, dtype=np.int32), cells)


def _inputs(students: int, days: int) -> Inputs:
    """Everything that can be fed is fed, so that no rule rests."""
    shape = (students, days)
    nobody, never = np.zeros(shape, dtype=bool), np.full(shape, -1, dtype=np.int32)
    return Inputs(
        prior_absent=np.full(students, 9_000), prior_enrolled=np.full(students, 176_000),
        stls=np.arange(students) % 20 == 0, last_contact=never, case_open=nobody, barrier_owned=nobody, plan=never,
        outside={name: np.zeros(shape, dtype=np.int64) for name in OUTSIDE},
    )  # fmt: skip


def _read(facts: Facts, policy: PolicyInForce, inputs: Inputs) -> None:
    """Every fact that a rule looks at, for everybody on the last day."""
    for rule in policy.of_students:
        for name in rule.facts:
            if is_rate(name):
                parts(name, facts, inputs, -1)
            elif name not in OUTSIDE:
                facts.named(name)[:, -1].sum()


def _decide(today: Matrix, carried: Carried, state: State, policy: Policy, inputs: Inputs) -> None:
    """Facts, findings, tiers and their steps."""
    replay(measures.compute(today, carried, inputs.plan), policy, inputs, state, 1)


def _seconds(work: Callable[[], None]) -> float:
    """Of the processor, the middle of some times."""
    took = []
    for _ in range(TIMES):
        began = time.process_time()
        work()
        took.append(time.process_time() - began)
    return statistics.median(took)
