"""Runs tests/spec/rules.yaml: each rule of the shipped policy at its bound, around it, and where it is cleared."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from rules.facts import compute
from rules.matrix import Matrix
from rules.policy import Policy
from rules.replay import HasPolicy, replay
from tests.rules.test_spec import inputs_of, spelled_out
from tests.rules.year import matrix_of, weekdays

SPEC = Path(__file__).parents[1] / "spec" / "rules.yaml"
RULES: dict[str, dict[str, Any]] = yaml.safe_load(SPEC.read_text(encoding="utf-8"))
DEFAULT = Policy.preset("default")
BANDS = {"R07": "tier_2", "R08": "tier_3"}
SHORT = {"below": False, "at": True, "above": True, "stays": True, "gone": False}
NEW, OLD = dt.date(2000, 1, 1), dt.date(2025, 9, 1)


def case_of(said: dict[str, Any], name: str) -> dict[str, Any]:
    """What is known of the student in one of the short cases of a rule."""
    case = said[name] if isinstance(said[name], dict) else {"days": said[name]}
    return said.get("given", {}) | case


def cases() -> list[tuple[str, str, dict[str, Any]]]:
    """(rule, why, case with days and whether it is met)."""
    found = []
    for rule, said in RULES.items():
        found += [(rule, name, case_of(said, name) | {"met": met}) for name, met in SHORT.items() if name in said]
        found += [(rule, case["why"], said.get("given", {}) | case) for case in said.get("also", ())]
    return found


def is_met(rule: str, case: dict[str, Any], policy: HasPolicy = DEFAULT) -> bool:
    """Whether the rule stands at the end of the last day."""
    known = {name: value for name, value in case.items() if value != ""}
    matrix = matrix_of(spelled_out(case["days"]))
    caused = np.array(case.get("district_on", ()), dtype=np.intp)
    matrix = matrix.with_a_cause(np.zeros_like(caused), caused - 1)
    plan = plan_of(known, matrix)
    outside = {name: numbers(value) for name, value in known.get("outside", {}).items()}
    inputs = replace(inputs_of(known, 0, len(matrix.days)), outside=outside, plan=plan)
    run = replay(compute(matrix, plan=plan), policy, inputs)
    return bool(run.active[rule][0, -1]) if rule in run.active else False


def numbers(days: str) -> np.ndarray:
    """'0*3 1' -> a row of 0, 0, 0, 1."""
    return np.array([[int(number) for number in spelled_out(str(days))]])


def plan_of(case: dict[str, Any], matrix: Matrix) -> np.ndarray | None:
    """[1, D] the day of the plan in force, -1 for none."""
    if "plan_on_day" not in case:
        return None
    plan = np.full((1, len(matrix.days)), -1)
    begun = case["plan_on_day"] - 1
    plan[0, begun : case.get("plan_until_day", len(matrix.days) + 1) - 1] = matrix.days[begun].astype(int)
    return plan


def changed(folder: Path, rule: str, bound: object, starts: dt.date) -> Policy:
    """The shipped policy with another bound of one rule from a day on."""
    place = f"bands:\n  {BANDS[rule]}:\n" if rule in BANDS else f"rules:\n  {rule}:\n"
    how = "at_least" if DEFAULT.on(OLD).rule(rule).at_least is not None else "more_than"
    text = f"extends: default\nname: next\n{place}    {how}: {{{starts}: {bound}}}\n"
    (folder / "next.yaml").write_text(text, encoding="utf-8")
    return Policy.load(folder / "next.yaml")


@pytest.mark.parametrize(("rule", "why", "case"), cases(), ids=lambda part: part if isinstance(part, str) else "")
def test_the_rule_does_what_the_case_says(rule: str, why: str, case: dict[str, Any]) -> None:
    assert is_met(rule, case) == case["met"], why


@pytest.mark.parametrize("rule", RULES)
def test_a_new_version_counts_from_its_day_on(rule: str, tmp_path: Path) -> None:
    case = case_of(RULES[rule], "at")
    last = weekdays(len(spelled_out(case["days"])))[-1].astype(dt.date)
    bound = RULES[rule]["next"]
    assert is_met(rule, case, changed(tmp_path, rule, bound, last + dt.timedelta(days=1)))
    assert not is_met(rule, case, changed(tmp_path, rule, bound, last))


def test_every_rule_of_the_policy_has_its_cases() -> None:
    asked = {rule.key for rule in DEFAULT.on(OLD).of_students} - {"BAND"}
    assert set(RULES) == asked
