"""Runs tests/spec/attendance.yaml, the cases a policy person can read, on the pure engine."""

from __future__ import annotations

import datetime as dt
import re
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from rules.facts import Facts, compute
from rules.findings import Inputs, not_fed
from rules.policy import Policy
from rules.policy_schema import is_count
from rules.replay import Replay, replay
from rules.tiers import Tier, current, rate_text
from tests.rules.year import matrix_of, weekdays

SPEC = Path(__file__).parents[1] / "spec" / "attendance.yaml"
CASES: list[dict[str, Any]] = yaml.safe_load(SPEC.read_text(encoding="utf-8"))
PRESETS = {name: Policy.preset(name) for name in Policy.presets()}
DAY = dt.date(2025, 9, 1)


def spelled_out(days: str) -> str:
    """'P*3 A' -> 'PPPA'."""
    return re.sub(r"(\S)\*(\d+)", lambda run: run[1] * int(run[2]), days).replace(" ", "")


def mils(days: str) -> np.ndarray:
    return np.array([int(Fraction(days) * 1000)])


def inputs_of(case: dict[str, Any], first: int, days: int) -> Inputs:
    """The inputs a case names; what it leaves out is not fed."""
    absent, enrolled = case.get("last_year", " of ").split(" of ")
    contact = None
    if "contact_on_day" in case:
        contact = np.full((1, days), -1)
        on = first + case["contact_on_day"] - 1
        contact[0, on:] = weekdays(days)[on].astype(int)
    return Inputs(
        prior_absent=mils(absent) if absent else None,
        prior_enrolled=mils(enrolled) if enrolled else None,
        stls=np.array([case["stls"]]) if "stls" in case else None,
        last_contact=contact,
        case_open=np.full((1, days), case["case_open"]) if "case_open" in case else None,
        barrier_owned=np.full((1, days), case["barrier_owned"]) if "barrier_owned" in case else None,
    )


def outcome(key: str, facts: Facts, run: Replay, policy: Policy, inputs: Inputs, col: int) -> Any:
    """What the engine says about one expected word."""
    standing = current(facts, run.tier, policy.on(DAY), col)
    named = {
        "tier": lambda: Tier(run.tier[0, col]).text,
        "rate_tier": lambda: Tier(standing.rate_tier[0]).text,
        "band": lambda: str(standing.band[0]),
        "too_early": lambda: bool(standing.too_early[0]),
        "absence_rate": lambda: rate_text(int(facts.enrolled[0, col]), int(facts.absent[0, col])),
        "not_fed": lambda: list(not_fed(policy.on(DAY), inputs, 1)),
    }
    if key in named:
        return named[key]()
    value = int(facts.named(key)[0, col])
    return value if is_count(key) else Fraction(value, 1000)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_the_policy_does_what_the_case_says(case: dict[str, Any]) -> None:
    history, days = spelled_out(case.get("last_year_days", "")), spelled_out(case["days"])
    letters = history + days
    matrix = matrix_of(letters, weights=[case.get("weight", 1000)] * len(letters), first=len(history))
    policy, inputs = PRESETS[case.get("policy", "default")], inputs_of(case, len(history), len(letters))
    facts = compute(matrix)
    run = replay(facts, policy, inputs)
    col = len(letters) - 1
    active = {key for key, found in run.active.items() if found[0, col]}
    expect = dict(case["expect"])
    assert set(expect.pop("findings", [])) <= active
    assert not set(expect.pop("without", [])) & active
    for key, wanted in expect.items():
        found = outcome(key, facts, run, policy, inputs, col)
        assert found == (type(found)(str(wanted)) if isinstance(found, str | Fraction) else wanted), key


def test_the_cases_have_names_of_their_own() -> None:
    names = [case["name"] for case in CASES]
    assert len(names) == len(set(names))
