"""The replay's promises: rest after a step down, resumable, the same for one as for all, causes named."""

from __future__ import annotations

import datetime as dt
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.facts import compute
from rules.findings import Inputs
from rules.policy import Policy
from rules.replay import EXIT, Change, Replay, Span, replay
from rules.tiers import Tier, current, rate_tier
from tests.rules.year import matrix_of, weekdays

DEFAULT, FIVE_TEN, RATES = (Policy.preset(name) for name in Policy.presets())
DAY = dt.date(2025, 9, 1)
DAYS = 90

stretches = st.sampled_from(["P", "P" * 8, "P" * 20, "P" * 35, "A", "AA", "EEEEE", "a", "e", "H", "M", "_", "."])
students = st.lists(stretches, min_size=1, max_size=14).map(lambda parts: "".join(parts).ljust(DAYS, "P")[:DAYS])
classes = st.lists(students, min_size=6, max_size=6)


def run(*years: str, policy: Policy = DEFAULT, inputs: Inputs | None = None) -> Replay:
    return replay(compute(matrix_of(*years)), policy, inputs)


def prior(*rates: int) -> Inputs:
    """Last year's percent absent for each student, -1 for not fed."""
    return Inputs(prior_absent=np.array(rates) * 1000, prior_enrolled=np.full(len(rates), 100_000))


def parts_of(result: Replay) -> tuple[list[list[int]], list[Span], list[object]]:
    return result.tier.tolist(), sorted(result.spans(), key=repr), list(result.changes)


@settings(max_examples=15, deadline=None)
@given(st.lists(students, min_size=2, max_size=3))
def test_one_student_alone_is_the_same_as_in_the_district(years: list[str]) -> None:
    rates = [12, *[-1] * (len(years) - 1)]
    together = run(*years, inputs=prior(*rates))
    for row, year in enumerate(years):
        alone = run(year, inputs=prior(rates[row]))
        assert alone.tier[0].tolist() == together.tier[row].tolist()
        for rule, active in alone.active.items():
            assert active[0].tolist() == together.active[rule][row].tolist()


@settings(max_examples=25, deadline=None)
@given(students, st.integers(1, DAYS - 1))
def test_a_replay_goes_on_from_any_day(year: str, stop: int) -> None:
    facts, whole = compute(matrix_of(year)), run(year, inputs=prior(12))
    first = replay(compute(matrix_of(year[:stop])), DEFAULT, prior(12))
    before = parts_of(first)
    rest = replay(facts, DEFAULT, prior(12), after=first.state, start=stop)
    assert rest.tier[0, stop:].tolist() == whole.tier[0, stop:].tolist()
    assert first.changes + rest.changes == whole.changes
    assert parts_of(first) == before


@settings(max_examples=30, deadline=None)
@given(classes, st.sampled_from([DEFAULT, FIVE_TEN]))
def test_no_tier_goes_down_and_up_again_within_ten_days(years: list[str], policy: Policy) -> None:
    facts = compute(matrix_of(*years))
    for changes in _by_student(replay(facts, policy)):
        for one, two in pairwise(changes):
            if one.after < one.before and two.after > two.before:
                assert facts.member_days[one.row, two.col] - facts.member_days[one.row, one.col] > 10


@settings(max_examples=30, deadline=None)
@given(classes)
def test_a_step_down_is_one_step_by_an_exit_on_a_member_day(years: list[str]) -> None:
    for change in run(*years).changes:
        assert years[change.row][change.col] in "PAEaeT"
        assert (change.rules == (EXIT,)) == (change.after < change.before)
        assert change.before - change.after <= 1


@settings(max_examples=30, deadline=None)
@given(classes)
def test_by_rates_the_tier_is_the_rate_tier_every_day(years: list[str]) -> None:
    facts = compute(matrix_of(*years))
    expected = rate_tier(RATES.on(DAY), facts.enrolled, facts.absent)
    assert replay(facts, RATES).tier.tolist() == expected.tolist()


@settings(max_examples=30, deadline=None)
@given(classes)
def test_changes_tell_the_tier_and_name_active_findings(years: list[str]) -> None:
    result = run(*years)
    for row, changes in enumerate(_by_student(result)):
        told = {change.col: change for change in changes}
        for col, (before, now) in enumerate(pairwise([-1, *result.tier[row].tolist()])):
            if col in told:
                assert (told[col].before, told[col].after) == (before, now)
                assert all(rule == EXIT or result.active[rule][row, col] for rule in told[col].rules)
            elif now != before:
                assert (before, now) == (Tier.NONE, Tier.ONE)


def _by_student(result: Replay) -> list[list[Change]]:
    return [[change for change in result.changes if change.row == row] for row in range(len(result.tier))]


def test_spans_begin_and_end_where_the_finding_does() -> None:
    result = run("A" + "P" * 5)
    assert result.spans("R20") == [Span(row=0, rule="R20", since=0, until=1)]
    assert run("AA").spans("R20") == [Span(row=0, rule="R20", since=0, until=-1)]


def test_a_leaver_is_no_longer_looked_for() -> None:
    inputs = Inputs(left_on=weekdays(2)[-1:].astype(int))
    assert run("AA..", inputs=inputs).spans("R20") == [Span(0, "R20", 0, 2)]


def test_two_rules_together_are_both_named() -> None:
    (watch, two) = run("EEPPP", inputs=prior(12)).changes
    assert (watch.after, watch.rules) == (Tier.WATCH, ("R06",))
    assert (two.after, two.rules) == (Tier.TWO, ("R04", "R06"))


def test_a_task_stays_for_its_owner_twenty_days_after_it_was_last_met() -> None:
    active = run("P" * 30 + "EE" + "P" * 60, inputs=Inputs(stls=np.array([True]))).active["R22"][0]
    last_met = 30 + 19  # the first absence leaves the window of twenty on the next day
    assert np.flatnonzero(active).tolist() == list(range(31, last_met + 20))


def test_days_of_history_have_no_tier() -> None:
    facts = compute(matrix_of("E" * 10 + "P" * 5, first=10))
    assert replay(facts, DEFAULT).tier.tolist() == [[-1] * 10 + [0] * 5]


def test_the_range_while_days_are_missing() -> None:
    facts = compute(matrix_of("E" * 2 + "P" * 18 + "M" * 5, "E" * 2 + "P" * 18 + "H" * 5))
    tier = replay(facts, RATES).tier
    standing = current(facts, tier, RATES.on(DAY), 24)
    assert standing.tier.tolist() == [Tier.WATCH, Tier.WATCH]
    assert standing.tier_min.tolist() == [Tier.WATCH, Tier.WATCH]
    assert standing.tier_max.tolist() == [Tier.THREE, Tier.WATCH]
    with pytest.raises(KeyError):
        RATES.on(DAY).rule("R17")
