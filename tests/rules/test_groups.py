"""Bounds for some grades and schools: tests/spec/groups.yaml on the pure engine, and files that cannot be."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from rules.facts import compute
from rules.findings import Inputs
from rules.grades import grade_of, grades_in
from rules.policy import Policy, PolicyError
from rules.policy_file import Later
from rules.replay import replay
from rules.scopes import Scope
from rules.sentences import describe_each, exit_sentence, numbers, sentence
from rules.tiers import Tier, current, rate_text
from tests.rules.test_spec import spelled_out
from tests.rules.year import matrix_of

SPEC = yaml.safe_load((Path(__file__).parents[1] / "spec" / "groups.yaml").read_text(encoding="utf-8"))
BORN = np.array(["NaT"], dtype="datetime64[D]")
DAY = dt.date(2025, 9, 1)


def policy_of(tmp_path: Path, text: str) -> Policy:
    (tmp_path / "mine.yaml").write_text(text, encoding="utf-8")
    return Policy.load(tmp_path / "mine.yaml")


@pytest.fixture(scope="module")
def policy(tmp_path_factory: pytest.TempPathFactory) -> Policy:
    return policy_of(tmp_path_factory.mktemp("policy"), SPEC["policy"])


def inputs_of(policy: Policy, parts: list[dict[str, str]], days: np.ndarray) -> Inputs:
    """Who is in which group, by the grade and school of each part."""
    lengths = [len(spelled_out(part["days"])) for part in parts]
    words = [[part[name] for part in parts] for name in ("grade", "school")]
    at = np.repeat(np.arange(len(parts)), lengths)[None, :]
    stages = (policy.on(start) for start in policy.starts)
    scopes = {scope for stage in stages for scope in stage.scopes}
    return Inputs(within={scope: scope.covers(BORN, words[0], at, days, words[1], at) for scope in scopes})


@pytest.mark.parametrize("case", SPEC["cases"], ids=lambda case: case["name"])
def test_everybody_has_the_bounds_of_their_grade_and_school(case: dict[str, Any], policy: Policy) -> None:
    matrix = matrix_of("".join(spelled_out(part["days"]) for part in case["parts"]))
    inputs, facts, col = inputs_of(policy, case["parts"], matrix.days), compute(matrix), len(matrix.days) - 1
    run = replay(facts, policy, inputs)
    in_force = policy.on(matrix.days[col].astype(dt.date))
    standing = current(facts, run.tier, in_force, col, inputs.within)
    active, expect = {key for key, found in run.active.items() if found[0, col]}, dict(case["expect"])
    assert set(expect.pop("findings", [])) <= active
    assert not set(expect.pop("without", [])) & active
    if "absence_rate" in expect:
        assert rate_text(int(facts.enrolled[0, col]), int(facts.absent[0, col])) == expect.pop("absence_rate")
    assert {name: Tier(getattr(standing, name)[0]).text for name in expect} == expect
    for key, words in case.get("says", {}).items():
        rule = in_force.rule(key)
        assert sentence(rule, numbers(rule, facts, inputs, 0, col)).endswith(words)


def test_a_policy_is_shown_with_what_differs_for_whom(policy: Policy) -> None:
    said = describe_each(policy.on(dt.date(2025, 10, 6)).rule("R07"))
    assert [line.split(",")[0] for line in said] == [
        "Tier 2 when absent 10% or more of this year's days",
        "For the early grades: Tier 2 when absent 8% or more of this year's days",
        "For Lincoln: Tier 2 when absent 15% or more of this year's days",
        "For Grade 1 at Lincoln: Tier 2 when absent 10% or more of this year's days",
    ]
    assert len(describe_each(policy.on(dt.date(2025, 10, 5)).rule("R07"))) == 3
    assert policy.schools == ("S1",)


def test_a_step_down_names_the_line_of_the_group(policy: Policy) -> None:
    parts = [{"grade": "2", "school": "S2", "days": "P*17 E*3 P*30"}]
    matrix = matrix_of(spelled_out(parts[0]["days"]))
    facts, inputs = compute(matrix), inputs_of(policy, parts, matrix.days)
    words = exit_sentence(policy.on(DAY), Tier.TWO, facts, inputs, 0, 49)
    assert words.endswith("under 3%, the line for the early grades, so support steps from Tier 2 to Watch.")


def test_a_school_may_have_a_file_of_its_own_over_the_districts(tmp_path: Path) -> None:
    (tmp_path / "district.yaml").write_text(SPEC["policy"], encoding="utf-8")
    own = """\
extends: district
name: with-carver
label: The district with Carver
groups:
  carver: {label: Carver, schools: [S3]}
bands:
  tier_2:
    for:
      carver: {at_least: {2000-01-01: 0.12}}
"""
    found = policy_of(tmp_path, own).on(DAY).rule("R07")
    assert [group.key for group, _ in found.instead] == ["lincoln", "first_of_lincoln", "carver"]
    assert found.instead[-1][1].at_least_absences == 3000


def test_the_order_of_groups_is_part_of_the_version(tmp_path: Path) -> None:
    line = "    lincoln: {label: Lincoln, schools: [S1]}\n"
    text = "\n".join(SPEC["policy"].splitlines()) + "\n"
    other = text.replace(line[2:], "").replace("groups:\n", "groups:\n" + line[2:])
    assert other != text and policy_of(tmp_path, text).version != policy_of(tmp_path, other).version


@pytest.mark.parametrize(
    ("right", "wrong", "said"),
    [
        ("[K-2]", "[K-2, 13]", "line 5, groups.early_grades.grades: 13 is no grade; allowed: PK, TK, K, 1, 2,"),
        ("[K-2]", "[2-K]", "2-K is no grade"),
        ("[K-2]", "K-2", "expected a list"),
        ("[S1]}\n  first", "[101]}\n  first", "101 is no key of a school; write it in quotes"),
        ("label: Lincoln, schools", "label: Lincoln, school", "school is not known here; allowed: label, from_age"),
        ("label: Lincoln, schools: [S1]", "label: Lincoln", "line 6, groups.lincoln: an age, grades or schools"),
        ("label: Lincoln, ", "", "line 6, groups.lincoln: label is missing"),
        ("    lincoln: {at_least: {2000-01-01: 2}", "    linclon: {at_least: {2000-01-01: 2}",
         "line 17, rules.R03.for.linclon: linclon is no group of this policy; allowed: early_grades, lincoln, first"),
        ("{at_least: {2000-01-01: 2}}", "{more_than: {2000-01-01: 2}}",
         "more_than cannot differ for a group here; allowed: at_least_absences, after_days_enrolled"),
        ("{at_least: {2000-01-01: 2}}", "{at_least: 2}", "expected a value for each start date"),
        ("{at_least: {2000-01-01: 2}}", "{}", "what holds for this group is missing"),
        ("{2000-01-01: 0.15}", "{2000-01-01: 0.2}",
         "on 2000-01-01 the bands do not rise for Lincoln: watch, tier_2, tier_3 must"),
        ("early_grades: {label", "Early Grades: {label", "Early Grades cannot be the name of a group"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_with_its_place(tmp_path: Path, right: str, wrong: str, said: str) -> None:
    text = SPEC["policy"]
    assert right in text
    with pytest.raises(PolicyError) as refused:
        policy_of(tmp_path, text.replace(right, wrong))
    assert said in str(refused.value) and "mine.yaml" in str(refused.value)


def test_the_bands_rise_for_whoever_is_in_two_groups(tmp_path: Path) -> None:
    two = """\
extends: default
name: two
label: Two
groups:
  little: {label: the little ones, grades: [K]}
  north: {label: the north, schools: [N1]}
bands:
  watch: {for: {little: {at_least: {2026-08-24: 0.09}}}}
  tier_2: {for: {north: {at_least: {2026-08-24: 0.08}}}}
"""
    with pytest.raises(PolicyError, match="on 2026-08-24 the bands do not rise for the little ones and the north"):
        policy_of(tmp_path, two)
    assert policy_of(tmp_path, two.replace("schools: [N1]", "grades: [1]"))


def test_grades_have_one_spelling() -> None:
    spelled = ("PreK", "Pre-K", "PK4", "-1", "KG", "0", "04", "Grade 4", "4th", "Ninth grade", "12", "13", "", "UG")
    assert [grade_of(one) for one in spelled] == [
        *("PK", "PK", "PK", "PK", "K", "K", "4", "4", "4", "9", "12", "", "", ""),
    ]
    assert grades_in("Pre-K-1") == ("PK", "TK", "K", "1") and grades_in("9") == ("9",) and grades_in("9-8") == ()


def test_a_later_value_begins_on_its_day() -> None:
    value = Later(((DAY, 1),))
    assert (value.begun(DAY - dt.timedelta(days=1)), value.begun(DAY)) == (False, True)


def test_an_age_reached_by_a_leap_day_is_looked_at_on_the_first_of_march_in_other_years() -> None:
    days = np.array(["2026-09-01", "2027-09-01"], dtype="datetime64[D]")  # 2027 has no leap day, 2028 has one
    born = np.array(["2021-03-01", "2021-03-02", "2022-02-28"], dtype="datetime64[D]")
    at = np.zeros((3, 2), dtype=np.int64)
    inside = Scope(from_age=6, reached_by=(2, 29)).covers(born, ["K"], at, days)
    assert inside.tolist() == [[True, True], [False, True], [False, True]]
