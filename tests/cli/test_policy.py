"""Policy files from the command line."""

from __future__ import annotations

from pathlib import Path

import pytest

from rules.policy import Policy
from tests.cli.conftest import CommandLine


@pytest.mark.parametrize("preset", Policy.presets())
def test_shipped_policies_pass_by_name(fresh: CommandLine, preset: str) -> None:
    said = fresh("policy", "check", preset).stdout
    assert Policy.preset(preset).version in said
    assert ("Please note: Rules of the shipped policy that this one leaves out" in said) == (preset == "rates")


def test_a_wrong_file_is_named_with_its_line(fresh: CommandLine, tmp_path: Path) -> None:
    file = tmp_path / "ours.yaml"
    file.write_text("name: ours\nlabel: Ours\nextends: default\nbands:\n  tier_2:\n    at_leest: {2000-01-01: 0.1}\n")
    refused = fresh("policy", "check", file, code=1)
    assert refused.stderr.startswith("ours.yaml, line 6, bands.tier_2.at_leest: at_leest is not known here; allowed:")
    assert fresh("policy", "check", tmp_path / "gone.yaml", code=1).stderr.startswith("There is no policy file")


def test_the_policy_in_force_is_shown_in_plain_words(fresh: CommandLine) -> None:
    said = fresh("policy", "show", "--on", "2026-09-01").stdout
    assert Policy.preset("default").version in said
    assert "Tier 2 when absent 10% or more of this year's days" in said
    assert "Ways down" in said


def test_another_policy_holds_from_its_day_on(cli: CommandLine) -> None:
    before, version = cli.rows("tiers"), Policy.preset("rates").version
    said = cli("policy", "activate", "rates", "--from", "2026-10-02").stdout
    assert version in said and "from 2026-10-02" in said
    assert version not in cli("policy", "show", "--on", "2026-10-01").stdout
    assert version in cli("policy", "show", "--on", "2026-10-02").stdout
    cli("policy", "activate", "default", "--from", "2026-10-02")
    assert cli.rows("tiers") == before


def test_two_policies_are_told_apart_in_sentences(fresh: CommandLine) -> None:
    said = fresh("policy", "diff", "default", "five-ten").stdout
    assert "Tier 2 starts at 10% → 5%." in said and "Watch is gone: Watch when absent 5% or more" in said
    assert fresh("policy", "diff", "now", "default").stdout == "They say the same.\n"


def test_a_plan_is_listed_and_can_be_taken_back(fresh: CommandLine) -> None:
    fresh("policy", "activate", "five-ten", "--from", "2199-08-01", "--reason", "Agreed on in May")
    version = Policy.preset("five-ten").version
    assert f"2199-08-01  {version[:12]}  five-ten, by operator: Agreed on in May" in fresh("policy", "list").stdout
    sooner = fresh("policy", "activate", "rates", "--from", "2198-08-01").stdout
    assert "holds from 2198-08-01 through 2199-07-31; from 2199-08-01 on five-ten takes over" in sooner
    assert "will not hold from 2199-08-01 on" in fresh("policy", "withdraw", version[:12]).stdout
    assert "taken back by operator" in fresh("policy", "list").stdout
    assert "is not planned" in fresh("policy", "withdraw", version[:12], code=1).stderr
    shown = fresh("policy", "show", "--version", version[:12]).stdout
    assert "Support from five percent" in shown and "because nobody sends last year's days" in shown


def test_a_policy_is_tried_beside_the_one_in_force(cli: CommandLine) -> None:
    """What it says of the policy in force is what stands; trying changes nothing of it."""
    before = cli.rows("tiers")
    told = cli.json("policy", "simulate", "five-ten", "--json")
    stands = {tier: sum(int(row[column]) for row in before) for tier, column in (("2", "tier_2"), ("3", "tier_3"))}
    assert {tier: told["tiers"][tier]["in_force"] for tier in stands} == stands
    assert told["candidate"]["version"] == Policy.preset("five-ten").version
    assert told["students"] >= sum(int(row["students"]) for row in before)
    said = cli("policy", "simulate", told["candidate"]["version"][:12], "--place", "district").stdout
    assert "Cases opened in the year" in said
    assert cli.rows("tiers") == before
    assert (
        "Nothing is known of the school year before."
        in cli("policy", "simulate", "rates", "--last-year", code=1).stderr
    )
