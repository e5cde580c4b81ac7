"""Students who come and stay away by turns all year: the tier follows, and never goes to and fro."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from rules import cells as c
from rules.cells import Excuse, Status
from rules.facts import compute
from rules.matrix import Matrix
from rules.policy import Policy
from rules.replay import replay
from tests.rules.year import weekdays

DAYS = 176
REST = 10
AT_ONCE = 2_000


def alternating(students: int, chance: np.random.Generator) -> Matrix:
    """Each student stays away for some days, comes for some, and so on all year; turns grow, shrink and slip by a day.

    A turn away is made of full days or of half ones, with or without an excuse; some days do not count at all.
    """
    away, here = chance.integers(1, 7, students), chance.integers(1, 45, students)
    begins, slip = chance.integers(0, 40, students), chance.random(students) < 0.5
    day = np.arange(DAYS) + begins[:, None] + slip[:, None] * np.cumsum(chance.random((students, DAYS)) < 0.05, axis=1)
    absent = day % (away + here)[:, None] < away[:, None]
    absent &= chance.random((students, DAYS)) < chance.choice([0.6, 1.0], students)[:, None]
    fraction = np.where(absent, chance.choice([500, 1000, 1000, 1000], students)[:, None], 0)
    excuse = np.where(absent, chance.choice([Excuse.EXCUSED, Excuse.UNEXCUSED], students)[:, None], Excuse.OTHER)
    status = np.where(chance.random((students, DAYS)) < 0.02, Status.HELD_OUT, Status.MEMBER)
    cells = c.pack(np.where(status == Status.MEMBER, fraction, 0), status, excuse, np.zeros_like(absent))
    worth = np.full((students, DAYS), 1000, dtype=np.int32)
    return Matrix(np.arange(1, students + 1), weekdays(DAYS), worth, cells, 0)


def to_and_fro(matrix: Matrix, policy: Policy) -> tuple[int, NDArray[np.int64]]:
    """How often a tier moved, and for each step up after a step down the student's school days in between."""
    facts = compute(matrix)
    changes = sorted(replay(facts, policy).changes, key=lambda change: (change.row, change.col))
    between = [
        facts.member_days[two.row, two.col] - facts.member_days[one.row, one.col]
        for one, two in zip(changes, changes[1:], strict=False)
        if one.row == two.row and one.after < one.before and two.after > two.before
    ]
    return len(changes), np.array(between, dtype=np.int64)


@pytest.mark.parametrize("students", [AT_ONCE, pytest.param(200_000, marks=pytest.mark.deep)])
@pytest.mark.parametrize("preset", ["default", "five-ten"])
def test_no_tier_goes_down_and_up_again_within_ten_school_days(
    preset: str, students: int, capsys: pytest.CaptureFixture[str]
) -> None:
    policy, chance = Policy.preset(preset), np.random.default_rng(students)
    steps, returns = 0, np.zeros(0, dtype=np.int64)
    for _ in range(0, students, AT_ONCE):
        moved, between = to_and_fro(alternating(AT_ONCE, chance), policy)
        steps, returns = steps + moved, np.concatenate([returns, between])
    early = int((returns <= REST).sum())
    with capsys.disabled():
        print(
            f"\n{preset}: {students:,} students by turns, {steps:,} steps, {len(returns):,} of them up after a "
            f"step down, the soonest after {returns.min()} school days; {early} within ten"
        )
    assert early == 0
    assert len(returns) > students // 10
