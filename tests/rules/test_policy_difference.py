"""Two policies told apart in sentences, and a policy told in plain words."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from rules.policy import Policy
from rules.policy_difference import coming, difference
from rules.policy_words import INPUTS, by_role, groups, ways_down

FEBRUARY, MARCH = dt.date(2027, 2, 1), dt.date(2027, 3, 1)


@pytest.fixture
def ours(tmp_path: Path) -> Policy:
    """Default with other lines from February and March on, one rule more and one fewer."""
    (tmp_path / "ours.yaml").write_text(
        """\
extends: default
name: ours
label: Ours
statutes: [IL]
bands:
  tier_2:
    at_least: {2000-01-01: 0.10, 2027-02-01: 0.08, 2027-03-01: 0.075}
rules:
  R03:
    at_least_absences: {2000-01-01: 2}
  R06:
    level_with: {rules: [R05], level: 2}
  R17:
  R30:
    label: Late often
    fact: tardies_last_10
    at_least: {2000-01-01: 4}
    level: file
    clears: unmet
    sentence: "Late {value} times."
exits:
  watch:
    at_most_absences: {2000-01-01: 1, 2027-02-01: 2}
""",
        encoding="utf-8",
    )
    return Policy.load(tmp_path / "ours.yaml")


def sentences(old: Policy, new: Policy, since: dt.date | None = None) -> list[str]:
    return [line.sentence for line in difference(old, new, since)]


def test_every_kind_of_difference_is_one_sentence(ours: Policy) -> None:
    told = sentences(Policy.preset("default"), ours)
    assert told == [
        "The policy is called “Early watch, then two tiers of support” → “Ours”.",
        "The policy tells what the law counts in none → IL.",
        "Tier 2 starts at 10% → 8% from 1 Feb 2027.",
        "Tier 2 starts at 10% → 7.5% from 1 Mar 2027.",
        "R03 Three unexcused days now asks for at least 2 days absent.",
        "R06 Chronic absence last year weighs more together with R04, R05 → R05.",
        "R17 Five days in a row and no contact is gone: Tier 3 when absent 5 or more full days in a row, unless "
        "somebody has reached the family since the run began.",
        "The way down from Watch asks for at most 1 → 2 days absent from 1 Feb 2027.",
        "R30 Late often is new: A note on record when late 4 or more times in the last 10 school days.",
    ]


def test_from_a_day_on_only_what_differs_from_then_is_told(ours: Policy) -> None:
    told = sentences(Policy.preset("default"), ours, MARCH)
    assert "Tier 2 starts at 10% → 7.5% from 1 Mar 2027." in told
    assert not any("8%" in one for one in told)
    assert sentences(ours, ours, MARCH) == [] == sentences(Policy.preset("rates"), Policy.preset("rates"))


def test_a_whole_difference_read_backwards_names_the_same_places(ours: Policy) -> None:
    there, back = difference(Policy.preset("default"), ours), difference(ours, Policy.preset("default"))
    assert len(there) == len(back)
    assert {line.about for line in there} - {line.about for line in back} == set()


def test_what_a_policy_itself_says_for_later_days_is_told_ahead(ours: Policy) -> None:
    assert [line.sentence for line in coming(ours, dt.date(2026, 11, 1))] == [
        "Tier 2 starts at 10% → 8% from 1 Feb 2027.",
        "Tier 2 starts at 8% → 7.5% from 1 Mar 2027.",
        "The way down from Watch asks for at most 1 → 2 days absent from 1 Feb 2027.",
    ]
    assert coming(ours, MARCH) == ()


def test_a_further_question_of_a_rule_is_told_by_what_it_looks_at(tmp_path: Path) -> None:
    further = "rules: {R10: {also: {absence_rate_30_before_last_10: {below: {2027-02-01: 0.04}}}}}"
    (tmp_path / "a.yaml").write_text(f"extends: default\n{further}\n", encoding="utf-8")
    assert sentences(Policy.preset("default"), Policy.load(tmp_path / "a.yaml")) == [
        "R10 A sharp change also asks for this: absent under 3% → 4% of the 30 school days before the last 10 "
        "from 1 Feb 2027."
    ]


def test_bounds_of_groups_are_told_with_the_name_of_the_group(tmp_path: Path) -> None:
    text = """\
extends: default
name: groups
label: With groups
groups:
  early: {label: the early grades, grades: [K-2]}
  lincoln: {label: Lincoln, schools: [S1]}
bands:
  tier_2:
    for:
      early: {at_least: {2027-02-01: 0.08}}
"""
    (tmp_path / "a.yaml").write_text(text, encoding="utf-8")
    (tmp_path / "b.yaml").write_text(
        text.replace("0.08}}", "0.08, 2027-03-01: 0.07}, at_least_absences: {2027-02-01: 2}}").replace(
            "  early: {label: the early grades, grades: [K-2]}\n  lincoln: {label: Lincoln, schools: [S1]}\n",
            "  lincoln: {label: Lincoln, schools: [S1, S2]}\n  early: {label: the early grades, grades: [K-2]}\n",
        ),
        encoding="utf-8",
    )
    plain, one, other = (Policy.preset("default"), Policy.load(tmp_path / "a.yaml"), Policy.load(tmp_path / "b.yaml"))
    assert "Tier 2 starts at everybody's → 8% for the early grades from 1 Feb 2027." in sentences(plain, one)
    assert "Tier 2 starts at 8% → everybody's for the early grades from 1 Mar 2027." in sentences(one, plain, MARCH)
    assert sentences(one, other) == [
        "Tier 2 starts at 8% → 7% for the early grades from 1 Mar 2027.",
        "Tier 2 asks for at least everybody's → 2 days absent for the early grades from 1 Feb 2027.",
        "The group “Lincoln” takes in the schools S1 → S1, S2.",
        "The policy asks for its groups in the order Lincoln, the early grades.",
    ]
    told = [one for group in groups(other.on(MARCH)) for one in group.rules if one.key == "R07"]
    assert [words.partition(":")[0] for words in told[0].others] == ["For the early grades"]


@pytest.mark.parametrize("name", Policy.presets())
def test_every_rule_of_a_shipped_policy_has_its_place_in_the_plain_words(name: str) -> None:
    policy = Policy.preset(name).on(FEBRUARY)
    told = [one for group in groups(policy) for one in group.rules]
    assert sorted(one.key or "BAND" for one in told) == [rule.key for rule in policy.rules]
    assert all(one.asks.endswith(".") and one.needs in (None, *INPUTS) for one in told)
    assert all("None" not in words for _, words in ways_down(policy))


def test_who_has_to_act_by_which_rule() -> None:
    found = {who: {one.key: asked for one, asked in rows} for who, rows in by_role(Policy.preset("default").on(MARCH))}
    assert found["Attendance clerk"]["R17"] == "Call every contact today"
    assert found["School social worker"]["R17"] == "Visit the family at home"
    assert set(found["STLS liaison"]) == {"R22"}
