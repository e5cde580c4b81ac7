"""The counts of the long run; `python -m tests.durability.run --full` prints the same with its durations."""

from __future__ import annotations

import pytest

from tests.durability import run


@pytest.mark.deep
def test_nothing_is_lost_by_200_kills_20_faults_of_the_broker_and_10_restarts_of_the_database() -> None:
    told = run.run(run.FULL, seed=2026)
    assert [loss for kind in told for loss in kind.losses] == []
    assert [kind.faults for kind in told[1:]] == list(run.FULL.values())
