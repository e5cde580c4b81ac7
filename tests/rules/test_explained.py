"""Every rule of the shipped policies can be explained: a whole sentence, its arithmetic, and the days it counted."""

from __future__ import annotations

import datetime as dt
import re

import numpy as np
import pytest

from rules import cells as c
from rules.cells import Status
from rules.facts import Facts, compute
from rules.findings import Inputs, fed, met
from rules.policy import Policy, PolicyInForce, Rule
from rules.routing_table import routing_table
from rules.sentences import bound_text, dates_used, describe, numbers, sentence
from tests.rules.test_flapping import alternating
from tests.rules.year import cell_row

DAY = dt.date(2025, 9, 1)
STUDENTS = 300
LAST_YEAR = ("prior_year_rate",)  # told by last year's totals: it has no days of this year to show
UNKIND = re.compile(r"\b(truan|violat|offen|court|police|fail(ed|ure)|punish)", re.IGNORECASE)


@pytest.fixture(scope="module")
def district() -> tuple[Facts, Inputs]:
    """Students who come by turns, some who never came, some late by turns; last year and homes are known."""
    matrix = alternating(STUDENTS, np.random.default_rng(27))
    matrix.cells[:5] = cell_row("A" * matrix.cells.shape[1])
    matrix.cells[5:25, ::2] = cell_row("T")[0]
    prior = np.where(np.arange(STUDENTS) % 3 == 0, 20_000, 1_000)
    enrolled, stls = np.full(STUDENTS, 170_000), np.arange(STUDENTS) % 2 == 0
    return compute(matrix), Inputs(prior_absent=prior, prior_enrolled=enrolled, stls=stls)


def rules_of(name: str) -> list[Rule]:
    return list(in_force(name).rules)


def in_force(name: str) -> PolicyInForce:
    return Policy.preset(name).on(DAY)


EVERY = [
    pytest.param(name, rule, id=f"{name}-{rule.key}-{place}")
    for name in Policy.presets()
    for place, rule in enumerate(rules_of(name))
]


@pytest.mark.parametrize(("name", "rule"), EVERY)
def test_a_rule_that_is_met_says_so_with_its_arithmetic_and_its_days(
    name: str, rule: Rule, district: tuple[Facts, Inputs]
) -> None:
    facts, inputs = district
    if rule.decided_by or not fed(rule, inputs, STUDENTS).any():
        assert describe(rule).endswith(".") and not UNKIND.search(describe(rule) + rule.label)
        return  # decided elsewhere, or without its input here: it can only be described
    row, col = _first_met(rule, facts, inputs)
    found = numbers(rule, facts, inputs, row, col)
    said = sentence(rule, found)
    assert said.endswith(".") and not said[0].islower() and "  " not in said and "{" not in said, said
    assert not UNKIND.search(said + describe(rule) + rule.label)
    assert re.search(r"\d", said), "a sentence without a number proves nothing"
    assert bound_text(rule) in describe(rule)
    days = dates_used(facts.matrix, facts, row, col, rule)
    if rule.fact not in LAST_YEAR:
        assert days, "the days that were counted are drawn on the strip"
    assert days == sorted(set(days))
    columns = np.searchsorted(facts.matrix.days, np.array(days, dtype="datetime64[D]"))
    assert (columns <= col).all()
    assert (c.status(facts.matrix.cells[row, columns]) == Status.MEMBER).all()


def _first_met(rule: Rule, facts: Facts, inputs: Inputs) -> tuple[int, int]:
    for col in range(facts.matrix.first, facts.matrix.cells.shape[1]):
        rows = np.flatnonzero(met(rule, facts, inputs, col))
        if len(rows):
            return int(rows[-1]), col
    raise AssertionError(f"nobody of this district meets {rule.key}: give it a student who does")


@pytest.mark.parametrize("name", Policy.presets())
def test_every_rule_that_is_named_by_its_key_is_known_to_the_routing_table(name: str) -> None:
    keys = {rule.key for rule in rules_of(name) if re.fullmatch(r"R\d\d", rule.key)}
    table = routing_table()
    assert {key for key in keys if key not in table.rules} <= {"R15"}, "R15 is for the file alone"
