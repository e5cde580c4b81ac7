"""Policies that cannot be meant are refused with the place; none opens a compartment, and none lets a tier flap."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from rules.policy import Policy, PolicyError

NEW = "label: New, fact: absent, at_least: {2000-01-01: 3}, sentence: 'Absent {value} days.'"


def policy(folder: Path, body: str) -> Policy:
    extends = "" if body.startswith("extends") else "extends: default\n"
    (folder / "ours.yaml").write_text(f"{extends}name: ours\nlabel: Ours\n{body}\n", encoding="utf-8")
    return Policy.load(folder / "ours.yaml")


def rule(key: str, changed: str) -> str:
    return f"rules: {{{key}: {{{changed}}}}}"


OPENED = [
    (rule("R22", "restricted: "), "rules.R22", "stls is kept in a compartment", "allowed here as restricted: stls"),
    (rule("R22", "restricted: health"), "rules.R22.restricted", "stls is kept", "allowed here as restricted: stls"),
    (rule("R13", "restricted: "), "rules.R13", "illness_spells_last_40 is kept", "restricted: health"),
    (rule("R14", "restricted: , level: 2, clears: tier_exit"), "rules.R14", "mental_health_days is kept", "counseling"),
    (rule("R22", "level: 3, clears: tier_exit, open_for_days: "), "rules.R22.level", "3 would be seen", "task"),
    (rule("R22", "level: watch, clears: watch_exit"), "rules.R22.level", "watch would be seen", "task"),
    (rule("R14", "level_with: {rules: [R22], level: 2}"), "rules.R14.level_with", "raises no tier", "take this away"),
    (rule("R06", "level_with: {rules: [R04, R22]}"), "rules.R06.level_with.rules", "would tell of it", "R22"),
    (rule("R03", "only_for: stls"), "rules.R03", "stls is kept in a compartment", "restricted: stls"),
    (rule("R03", "also: {illness_days_last_40: {at_least: {2000-01-01: 1}}}"), "rules.R03", "illness_days", "health"),
    (rule("R12", "either: {mental_health_days: {at_least: {2000-01-01: 1}}}"), "rules.R12", "mental_health", "couns"),
    (
        rule("R12", "only_for: stls, restricted: stls"),
        "rules.R12.restricted",
        "R12 asks people outside compartments",
        "none; use one of R13, R14, R22",
    ),
    (rule("R22", "only_for: , restricted: "), "rules.R22", "R22 asks people of the compartment stls", "stls"),
]


@pytest.mark.parametrize(("body", "key", "says", "allowed"), OPENED)
def test_no_policy_opens_a_compartment(tmp_path: Path, body: str, key: str, says: str, allowed: str) -> None:
    with pytest.raises(PolicyError) as refused:
        policy(tmp_path, body)
    assert str(refused.value).startswith("ours.yaml, line 4") and refused.value.key == key
    assert says in str(refused.value) and allowed in str(refused.value)


MANY_DAYS = ", ".join(f"20{year}-{month:02}-01: 0.{year}" for year in range(10, 20) for month in range(1, 13))
BOMB = "\n".join(["x0: &x0 [1]", *(f"x{n + 1}: &x{n + 1} [{', '.join([f'*x{n}'] * 10)}]" for n in range(6))])

WRONG = [
    # -- ways down
    ("exits: {rest_days: {2000-01-01: 9}}", "exits.rest_days", "allowed: 10 school days or more"),
    ("exits: {again_after_absences: {2000-01-01: 0}}", "exits.again_after_absences", "1 day absent or more"),
    ("exits: {tier_2: {after_days_in_tier: {2000-01-01: 9}}}", "exits.tier_2.after_days_in_tier", "10 school days"),
    ("exits: {tier_2: {rate_below: {2000-01-01: 0.11}}}", "exits.tier_2.rate_below", "allowed: up to 0.1"),
    ("exits: {tier_3: {rate_below: {2027-01-01: 0.21}}}", "exits.tier_3.rate_below", "allowed: up to 0.2"),
    ("bands: {tier_2: {at_least: {2027-01-01: 0.045}}, watch: }", "exits.tier_2.rate_below", "up to 0.045"),
    (
        "groups: {little: {label: the little ones, grades: [K]}}\n"
        "bands: {tier_2: {for: {little: {at_least: {2026-08-24: 0.06}}}}}\n"
        "exits: {tier_2: {for: {little: {rate_below: {2027-01-01: 0.07}}}}}",
        "exits.tier_2.for.little.rate_below",
        "allowed: up to 0.06",
    ),
    ("exits: {early_margin: {2000-01-01: 0.05}}", "exits.early_margin", "nobody could leave tier_2"),
    ("exits: {tier_2: {in_last_days: 0}}", "exits.tier_2.in_last_days", "allowed: 1 or more"),
    ("exits: {watch: {at_most_absences: {2000-01-01: 20}}}", "exits.watch.at_most_absences", "less than 20 days"),
    # -- bounds that nobody or everybody meets
    (rule("R03", "fact: unexcused_last_5, at_least: {2000-01-01: 6}"), "rules.R03.at_least", "up to 5"),
    (rule("R12", "at_least: {2027-01-01: 11}"), "rules.R12.at_least", "nobody can ever meet it"),
    (rule("R04", "at_least: {2000-01-01: 21}"), "rules.R04.at_least", "allowed: more than 0, up to 20"),
    (rule("R17", "at_least: {2000-01-01: 0}"), "rules.R17.at_least", "everybody would meet it"),
    ("bands: {watch: {at_least: {2000-01-01: 0}}}", "bands.watch.at_least", "everybody would meet it"),
    (rule("R10", "also: {absence_rate: {below: {2000-01-01: 0}}}"), "rules.R10.also.absence_rate.below", "nobody"),
    (rule("R10", "also: {absent_last_5: {at_most: {2000-01-01: 5}}}"), "rules.R10.also.absent_last_5.at_most", "every"),
    (
        rule("R15", "also: {unexcused_last_180: {below: {2000-01-01: 1}}}"),
        "rules.R15.also.unexcused_last_180.below",
        "nobody can ever meet it",
    ),
    (
        rule("R04", "from_member_day: {2000-01-01: 30}, to_member_day: {2000-01-01: 20}"),
        "rules.R04.to_member_day",
        "allowed: 30-366",
    ),
    (rule("R04", "to_member_day: {2000-01-01: 4}"), "rules.R04.to_member_day", "begins after 5 days enrolled"),
    (rule("R16", "scope: {from_age: 17, below_age: 6}"), "rules.R16.scope.below_age", "allowed: 18 or more"),
    (rule("R03", "scope: {grades: [K], not_grades: [K]}"), "rules.R03.scope.not_grades", "nobody is meant"),
    (rule("R09", "level_with: {rules: [R03], level: 2}"), "rules.R09.level_with", "no tier above 3"),
    (rule("R06", "level_with: {rules: [R06], level: 2}"), "rules.R06.level_with", "allowed: other rules"),
    # -- nobody asked
    (f"rules: {{XX1: {{{NEW}, level: 3, clears: tier_exit}}}}", "rules.XX1", "routing.yaml has no row XX1"),
    (rule("R12", "level: 3, clears: tier_exit, open_for_days: "), "rules.R12.level", "nobody would lead the case"),
    # -- words
    ("absence_reasons: {mental_health: [SICK]}", "absence_reasons.mental_health", "the word of illness as well"),
    ("statutes: [IL, IL]", "statutes", "IL stands twice"),
    (rule("R05", "from_member_day: {2000-01-01: 1:30}"), "rules.R05.from_member_day.2000-01-01", "a whole number"),
    (rule("R05", "from_member_day: {2000-01-01: 010}"), "rules.R05.from_member_day.2000-01-01", "a whole number"),
    (rule("R03", f"label: {'x' * 101}"), "rules.R03.label", "allowed: up to 100"),
    (rule("R03", f"sentence: {'x' * 301}"), "rules.R03.sentence", "allowed: up to 300"),
    (rule("R03", "sentence: 'Truant for {value} days.'"), "rules.R03.sentence", "“Truant” is not said"),
    (rule("R03", "label: Expelled"), "rules.R03.label", "“Expelled” is not said"),
    ("groups: {one: {label: undocumented, grades: [K]}}", "groups.one.label", "is not said"),
    (rule("R03", "sentence: 'Call the pol\u0456ce.'"), "rules.R03.sentence", "mixes letters of several scripts"),
    (rule("R03", "sentence: 'Call the po\u200blice.'"), "rules.R03.sentence", "cannot be seen"),
    (rule("R03", "sentence: 'Call the pol\u00edce.'"), "rules.R03.sentence", "“police” is not said"),
    (rule("R03", "sentence: '{value:>99999999} days'"), "rules.R03.sentence", "{value} is filled in as it is"),
    (rule("R03", "sentence: '{value!r} days'"), "rules.R03.sentence", "{value} is filled in as it is"),
    # -- numbers that nobody can reckon with
    (rule("R05", "at_least: {2000-01-01: 10000}"), "rules.R05.at_least.2000-01-01", "allowed: up to 9,999"),
    (rule("R12", f"open_for_days: {'9' * 30}"), "rules.R12.open_for_days", "allowed: up to 9,999"),
    (
        rule("R05", f"from_member_day: {{2000-01-01: {'9' * 5000}}}"),
        "rules.R05.from_member_day.2000-01-01",
        "whole num",
    ),
    ("bands: {tier_2: {at_least: {2000-01-01: 0.10001}}}", "bands.tier_2.at_least.2000-01-01", "up to four places"),
    ("bands: {tier_2: {at_least: {2000-01-01: 1.0e-99999999}}}", "bands.tier_2.at_least.2000-01-01", "between 0 and 1"),
    ("exits: {rest_days: {2000-01-01: 367}}", "exits.rest_days", "10 school days to 366"),
    ("exits: {again_after_absences: {2000-01-01: 367}}", "exits.again_after_absences", "1 day absent to 366"),
    ("exits: {tier_2: {in_last_days: 367}}", "exits.tier_2.in_last_days", "up to 366"),
    # -- files that are more than a policy
    ("bands: {tier_2: {at_least: {" + MANY_DAYS + "}}}", "", "allowed: on up to 100"),
    ("extends: ../default", "extends", "nothing to extend"),
    (BOMB, "x5", "far too much for a policy"),
]


@pytest.mark.parametrize(("body", "key", "says"), WRONG)
def test_what_cannot_be_meant_is_refused(tmp_path: Path, body: str, key: str, says: str) -> None:
    with pytest.raises(PolicyError) as refused:
        policy(tmp_path, body)
    assert refused.value.key == key and says in str(refused.value)
    assert refused.value.file in ("ours.yaml", "default.yaml") and refused.value.line > 0


MEANT = [
    rule("R12", "at_least: {2027-01-01: 10}"),
    rule("R22", "at_least: {2027-01-01: 3}, scope: {not_schools: ['0412']}"),
    f"rules: {{XX1: {{{NEW}, level: file, clears: unmet}}}}",
    f"rules: {{XX1: {{{NEW}, level: 2, clears: tier_exit, mode: {{2000-01-01: monitor}}}}}}",
    "exits: {tier_2: {rate_below: {2000-01-01: 0.1}}, rest_days: {2000-01-01: 10}}",
    "rules: {R20: }",
    rule("R16", "scope: {from_age: 6, reached_by: 02-29}"),  # the first of March where there is none
    "bands: {tier_2: {at_least: {2000-01-01: 1.0e-1, 2027-01-01: 0.0825}}}",
    rule("R03", "label: Señales tempranas"),
]


@pytest.mark.parametrize("body", MEANT)
def test_what_can_be_meant_is_taken(tmp_path: Path, body: str) -> None:
    assert policy(tmp_path, body).on(date(2027, 1, 1)).rules


def test_what_may_not_be_meant_is_told(tmp_path: Path) -> None:
    assert Policy.preset("default").notices() == Policy.preset("five-ten").notices() == ()
    (left_out,) = policy(tmp_path, "rules: {R20: }").notices()
    assert left_out == "Rules of the shipped policy that this one leaves out: R20 (Did not arrive)."
    assert policy(tmp_path, "bands: {tier_2: }").notices() == ("No share of days missed leads to Tier 2 by itself.",)
    (late,) = policy(tmp_path, rule("R10", "from_member_day: {2000-01-01: 300}")).notices()
    assert late == "R10 waits for 300 school days; a school year has about 180."
    (weaker,) = policy(tmp_path, rule("R16", "at_least: {2000-01-01: 90}")).notices()
    assert weaker.startswith("R16 still names 105 ILCS 5/26-2a")


def test_a_policy_taken_in_before_stays_readable(tmp_path: Path) -> None:
    """What was decided by it can still be explained; it is neither tried nor put in force again."""
    (tmp_path / "old.yaml").write_text("extends: default\nname: old\nlabel: Old\nexits: {rest_days: {2000-01-01: 3}}\n")
    assert Policy.kept(tmp_path / "old.yaml").label == "Old"
    with pytest.raises(PolicyError, match="10 school days or more"):
        Policy.load(tmp_path / "old.yaml")
