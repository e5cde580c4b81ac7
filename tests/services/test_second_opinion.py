"""Invented districts, loaded as real ones are: every published number agrees with the oracle's."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date

import pytest

from ew_app.config import Settings
from tests.oracle.district import NEVER_SENT
from tests.oracle.histories import History, invented
from tests.services.second_opinion import Witness, differences_on, law_differences, ledger_differences, open_on

EDGE_CASES = range(1, 79)
"""The numbers of the cases in tests/spec/edge_cases.yaml: the inventor of histories brings about every one of them."""
A_HISTORY = 300  # students
OFTEN = 20


def agree(history: History, settings: Settings) -> int:
    """Load a history and compare everything; returns how many students were compared."""
    witness = Witness()
    plan = history.plan
    with open_on(settings, plan.today):
        witness.lives_through(history)
        witness.goes_to_the_lines(plan)
        oracle = witness.oracle(plan.today)
        asked: list[date | None] = [None, plan.days[len(plan.days) // 2], plan.days[-8], NEVER_SENT[-1]]
        found = [line for as_of in asked for line in differences_on(as_of, oracle, history.happened)]
        assert not found + ledger_differences(oracle) + law_differences(oracle, history.happened)
    return len(plan.students) + len(plan.newcomers)


@pytest.mark.parametrize("seed", [101, pytest.param(102, marks=pytest.mark.deep)])
def test_every_number_of_a_few_hundred_students(settings: Settings, seed: int) -> None:
    assert agree(invented(seed, 150), settings) >= 150  # whose id changes has two


@pytest.fixture
def on_its_own(
    settings: Settings, new_database: Callable[[], str], drop_database: Callable[[str], None]
) -> Iterator[Callable[[], Settings]]:
    """Settings on another empty database with every call; the one before is dropped."""
    made: list[str] = []

    def fresh() -> Settings:
        while made:
            drop_database(made.pop())
        made.append(new_database())
        return replace(settings, database_url=made[0])

    yield fresh
    for url in made:
        drop_database(url)


@pytest.mark.deep
def test_every_number_of_ten_thousand_students(
    on_its_own: Callable[[], Settings], capsys: pytest.CaptureFixture[str]
) -> None:
    """And each edge case that can be brought about happened often enough to mean something."""
    students, happened = 0, Counter[int]()
    seed = 1000
    while students < 10_000:
        history = invented(seed, A_HISTORY)
        students += agree(history, on_its_own())
        happened += history.happened
        seed += 1
    with capsys.disabled():
        print(f"\n{students} students compared. Edge cases: " + told(happened))
    assert [case for case in EDGE_CASES if happened[case] < OFTEN] == []


def told(happened: Counter[int]) -> str:
    return ", ".join(f"{case}: {happened[case]}" for case in sorted(happened))
