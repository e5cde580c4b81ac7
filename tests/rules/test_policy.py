"""Policy files: exact numbers, dates, versions, and refusals that say what would be right."""

from __future__ import annotations

import datetime as dt
from fractions import Fraction
from pathlib import Path

import pytest

from rules.policy import Level, Line, Policy, PolicyError

BASE = """\
name: mine
label: Our own
moves: bands
bands:
  tier_2:
    label: Chronic absence
    at_least: {2000-01-01: 0.10, 2026-08-01: 0.09}
    at_least_absences: {2000-01-01: 3}
    sentence: "Absent {absent}."
"""
RULE = """\
rules:
  R12:
    label: Late often
    fact: tardies_last_10
    at_least: {2000-01-01: 4}
    level: task
    clears: unmet
    sentence: "Late {value} times."
"""


def policy(tmp_path: Path, text: str, name: str = "mine.yaml") -> Policy:
    (tmp_path / name).write_text(text, encoding="utf-8")
    return Policy.load(tmp_path / name)


@pytest.mark.parametrize("name", Policy.presets())
def test_shipped_policies_load_and_have_a_version(name: str) -> None:
    shipped = Policy.preset(name)
    assert shipped.name == name
    assert len(shipped.version) == 64
    assert shipped.version == Policy.preset(name).version


def test_shipped_lines() -> None:
    day = dt.date(2025, 9, 1)
    lines = {name: [str(line.bound) for line in Policy.preset(name).on(day).lines] for name in Policy.presets()}
    assert lines == {
        "default": ["1/20", "1/10", "1/5"],
        "five-ten": ["1/20", "1/10"],
        "rates": ["1/20", "1/10", "1/5"],
    }
    keys = [rule.key for rule in Policy.preset("default").on(day).rules]
    assert keys == ["BAND", *(f"R{number:02}" for number in range(1, 28))]
    assert [rule.key for rule in Policy.preset("rates").on(day).rules] == ["BAND", "R07", "R08"]
    assert Policy.preset("rates").on(day).exits is None


def test_numbers_are_exact_and_hold_from_their_date(tmp_path: Path) -> None:
    mine = policy(tmp_path, BASE)
    assert [mine.on(day).rule("R07").bound for day in (dt.date(1990, 1, 1), dt.date(2026, 7, 31))] == [
        Fraction(1, 10)
    ] * 2
    assert mine.on(dt.date(2026, 8, 1)).rule("R07").bound == Fraction(9, 100)
    assert mine.on(dt.date(2026, 8, 1)).rule("R07").at_least_absences == 3000
    assert mine.on(dt.date(2024, 1, 1)) is mine.on(dt.date(2026, 7, 31))
    assert mine.starts == (dt.date(2000, 1, 1), dt.date(2026, 8, 1))


def test_the_version_follows_the_content_and_not_the_layout(tmp_path: Path) -> None:
    version = policy(tmp_path, BASE).version
    assert policy(tmp_path, "# a comment\n" + BASE.replace("0.10", "0.1")).version == version
    assert policy(tmp_path, BASE.replace("0.10", "0.11")).version != version


def test_a_district_changes_one_thing(tmp_path: Path) -> None:
    change = "extends: default\nname: ours\nbands:\n  tier_2:\n    at_least: {2027-08-01: 0.08}\nrules:\n  R22:\n"
    ours = policy(tmp_path, change)
    assert ours.on(dt.date(2026, 9, 1)).rule("R07").bound == Fraction(1, 10)
    assert ours.on(dt.date(2027, 9, 1)).rule("R07").bound == Fraction(2, 25)
    with pytest.raises(KeyError):
        ours.on(dt.date(2027, 9, 1)).rule("R22")


def test_a_new_rule_on_a_known_fact_is_one_entry(tmp_path: Path) -> None:
    rule = policy(tmp_path, BASE + RULE).on(dt.date(2026, 1, 1)).rule("R12")
    assert (rule.fact, rule.bound, rule.level) == ("tardies_last_10", 4, Level.TASK)


WRONG = [
    ("clears: unmet", "clears: unmet\n    also: {absent: {below: {2000-01-01: 0.12345}}}", 17, "at most three places"),
    (
        "clears: unmet",
        "clears: unmet\n    also: {lateness: {below: {2000-01-01: 3}}}",
        17,
        "lateness is not known here",
    ),
    (
        "clears: unmet",
        "clears: unmet\n    either: {streak: {until: {2000-01-01: 3}}}",
        17,
        "until is not known here; allowed: at_least, more_than, at_most, below",
    ),
    ("clears: unmet", "clears: unmet\n    also: {streak: {}}", 17, "exactly one bound is needed: at_least, more_than"),
    ("at_least: {2000-01-01: 4}", "share_of: absent\n    at_least: {2000-01-01: 4}", 15, "ten percent is 0.10"),
    (
        "level: task\n    clears: unmet",
        "level: file\n    clears: owner",
        16,
        "at level file a finding clears by: unmet",
    ),
    ("fact: tardies_last_10", "decided_by: day_ledger", 14, "at_least is not known here; allowed: label, decided_by"),
    (
        "at_least: {2000-01-01: 0.10",
        "at_last: {2000-01-01: 0.10",
        7,
        "at_last is not known here; allowed: label, at_least",
    ),
    ("0.10", "10", 7, "ten percent is 0.10"),
    ("2000-01-01: 0.10", "soon: 0.10", 7, "soon is not a date"),
    ("{2000-01-01: 3}", "3", 8, "a value for each start date"),
    ("{2000-01-01: 3}", "{2000-01-01: 3.00001}", 8, "at most three places"),
    ("moves: bands", "moves: sideways", 3, "allowed: replay, bands"),
    ("moves: bands", "moves: replay", 1, "exits is needed"),
    ("name: mine\n", "", 1, "name is missing"),
    ("name: mine", "name: mine\nname: yours", 2, "this key stands twice"),
    ("{absent}", "{abesnt}", 9, "{abesnt} is not known here; allowed: value"),
    ("{absent}", "{absent", 9, "cannot be filled in"),
    ("label: Our own", "label: [", 4, "not readable as YAML"),
    ("bands:\n", "extends: nothing\nbands:\n", 4, "nothing to extend"),
    ("fact: tardies_last_10", "fact: lateness", 13, "lateness is not known here; allowed: absence_rate"),
    ("level: task", "level: police", 15, "allowed: watch, 2, 3, task, case, file"),
    ("clears: unmet", "clears: watch_exit", 16, "at level task a finding clears by: owner, unmet"),
    ("at_least: {2000-01-01: 4}", "at_least: {2000-01-01: 4.5}", 14, "a whole number"),
    ("at_least: {2000-01-01: 4}", "reference: none", 12, "exactly one bound"),
    ("R12", "R07", 12, "R07, R08 and BAND stand under bands"),
]


@pytest.mark.parametrize(("right", "wrong", "line", "says"), WRONG)
def test_a_wrong_file_is_refused_with_the_place(tmp_path: Path, right: str, wrong: str, line: int, says: str) -> None:
    text = BASE + RULE
    assert right in text
    with pytest.raises(PolicyError) as refused:
        policy(tmp_path, text.replace(right, wrong, 1))
    assert says in str(refused.value)
    assert str(refused.value).startswith(f"mine.yaml, line {line}")


def test_further_facts_have_lines_of_their_own(tmp_path: Path) -> None:
    more = "    also: {absence_rate_last_20: {at_most: {2000-01-01: 0.05, 2027-01-01: 0.04}}}\n"
    mine = policy(tmp_path, BASE + RULE + more)
    assert mine.on(dt.date(2026, 1, 1)).rule("R12").also == (Line("absence_rate_last_20", "at_most", Fraction(1, 20)),)
    assert mine.on(dt.date(2027, 1, 1)).rule("R12").also[0].bound == Fraction(1, 25)
    assert mine.on(dt.date(2026, 1, 1)).rule("R12").facts == ("tardies_last_10", "absence_rate_last_20")


def test_bands_must_rise_on_every_day(tmp_path: Path) -> None:
    rates = "{2000-01-01: 0.2, 2026-01-01: 0.05}"
    low = f'  tier_3:\n    label: Severe\n    at_least: {rates}\n    sentence: "Absent."\n'
    with pytest.raises(PolicyError, match="on 2026-01-01 the bands do not rise"):
        policy(tmp_path, BASE + low)


def test_an_empty_or_unreadable_file(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match="the file is empty"):
        policy(tmp_path, "")
    with pytest.raises(PolicyError, match="cannot be read"):
        Policy.load(tmp_path / "absent.yaml")
    with pytest.raises(PolicyError, match="expected keys"):
        policy(tmp_path, "- a list\n")


def test_files_that_extend_each_other_are_refused(tmp_path: Path) -> None:
    (tmp_path / "one.yaml").write_text("extends: two\n", encoding="utf-8")
    with pytest.raises(PolicyError, match="nothing to extend"):
        policy(tmp_path, "extends: one\n", "two.yaml")


def test_another_preset_is_named(tmp_path: Path) -> None:
    with pytest.raises(LookupError, match="Shipped: default, five-ten, rates"):
        Policy.preset("strict")
