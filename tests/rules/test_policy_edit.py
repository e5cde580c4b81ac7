"""Thresholds changed in the text that a person wrote: only what was meant changes, and comments stay."""

from __future__ import annotations

import datetime as dt
from fractions import Fraction
from pathlib import Path

import pytest

from rules.policy import PRESETS, Policy, PolicyError
from rules.policy_edit import Edit, Threshold, as_meant, edited, thresholds

DAY, FEBRUARY = dt.date(2026, 11, 1), dt.date(2027, 2, 1)
WRITTEN = """\
# ours
extends: default   # all else as shipped
name: ours
label: Ours
bands:
  tier_2:
    at_least:
      2000-01-01: 0.10   # as in the law
      2026-08-01: 0.09   # since August

  tier_3: {at_least: {2000-01-01: 0.2}}
rules:
  R03:
    sentence: >
      {value} days without an excuse.
# the end
"""


def policy(folder: Path, text: str) -> Policy:
    (folder / "ours.yaml").write_text(text, encoding="utf-8")
    return Policy.load(folder / "ours.yaml")


def found(one: Policy, key: str) -> Threshold:
    return next(threshold for threshold in thresholds(one) if threshold.key == key)


@pytest.mark.parametrize(
    ("key", "typed", "line"),
    [
        ("bands.tier_2.at_least", "8.5", "      2027-02-01: 0.085"),
        ("bands.tier_3.at_least", "18%", "  tier_3: {at_least: {2000-01-01: 0.2, 2027-02-01: 0.18}}"),
        ("bands.tier_2.at_least_absences", "4.5", "    at_least_absences: {2027-02-01: 4.5}"),
        ("bands.tier_3.at_least_absences", "6",
         "  tier_3: {at_least: {2000-01-01: 0.2}, at_least_absences: {2027-02-01: 6}}"),
        ("rules.R03.at_least", "4", "    at_least: {2027-02-01: 4}"),
        ("rules.R05.from_member_day", "30", "  R05: {from_member_day: {2027-02-01: 30}}"),
        ("exits.tier_2.rate_below", "4", "exits: {tier_2: {rate_below: {2027-02-01: 0.04}}}"),
    ],
)  # fmt: skip
def test_a_value_goes_in_where_a_person_would_write_it(tmp_path: Path, key: str, typed: str, line: str) -> None:
    before = policy(tmp_path, WRITTEN)
    edit = found(before, key).edit(typed, FEBRUARY)
    text = edited(WRITTEN, [edit])
    assert line in text.splitlines()
    kept = [one for one in text.splitlines() if one != line]
    assert [one for one in WRITTEN.splitlines() if one not in kept] == ([] if "{at_least:" not in line else
        ["  tier_3: {at_least: {2000-01-01: 0.2}}"])  # fmt: skip
    after = policy(tmp_path, text)
    assert as_meant(before, after, [edit])
    assert found(after, key).part.on(FEBRUARY) == edit.value
    assert found(after, key).part.on(DAY) == found(before, key).part.on(DAY)


@pytest.mark.parametrize("preset", Policy.presets())
def test_every_threshold_of_a_shipped_policy_can_be_set(tmp_path: Path, preset: str) -> None:
    text, before = (PRESETS / f"{preset}.yaml").read_text(encoding="utf-8"), Policy.preset(preset)
    for one in thresholds(before):
        edit = one.edit(one.asked(DAY), FEBRUARY)
        assert edit.value == one.part.on(DAY)
        assert as_meant(before, policy(tmp_path, edited(text, [edit])), [edit]), one.key


def test_a_value_of_the_same_day_is_written_over(tmp_path: Path) -> None:
    before = policy(tmp_path, WRITTEN)
    line = found(before, "bands.tier_2.at_least")
    text = edited(WRITTEN, [line.edit("8", dt.date(2026, 8, 1))])
    assert "      2026-08-01: 0.08   # since August" in text.splitlines()
    assert line.later(dt.date(2026, 1, 1)) == ((dt.date(2026, 8, 1), "9%"),)


@pytest.mark.parametrize(
    ("key", "typed", "said"),
    [
        ("bands.tier_2.at_least", "150", "expected a share between 0 and 1, which is 0% to 100%"),
        ("bands.tier_2.at_least", "a tenth", "expected a share"),
        ("rules.R03.at_least", "-1", "expected a number of days, 0 or more"),
        ("rules.R05.from_member_day", "2.5", "expected a whole number"),
        ("rules.R03.at_least", '}}, {x: "', "expected a number of days"),
        ("rules.R03.at_least", "", "expected a number of days"),
    ],
)
def test_what_cannot_be_is_refused_at_its_own_key(tmp_path: Path, key: str, typed: str, said: str) -> None:
    edit = found(policy(tmp_path, WRITTEN), key).edit(typed, FEBRUARY)
    with pytest.raises(PolicyError, match=said) as refused:
        policy(tmp_path, edited(WRITTEN, [edit]))
    assert refused.value.key == f"{key}.{FEBRUARY}"


def test_words_are_quoted_and_a_shared_value_is_noticed(tmp_path: Path) -> None:
    before = policy(tmp_path, WRITTEN)
    named = Edit(("label",), None, 'Ours: "8%" # really')
    after = policy(tmp_path, edited(WRITTEN, [named]))
    assert after.label == named.value and as_meant(before, after, [named])
    shared = "{2000-01-01: 0.3}"
    text = WRITTEN.replace("{2000-01-01: 0.2}", f"&line {shared}").replace(
        "rules:", "exits: {tier_3: {rate_below: *line}}\nrules:"
    )
    one = policy(tmp_path, text)
    edit = Edit(("bands", "tier_3", "at_least"), FEBRUARY, Fraction(1, 4))
    assert not as_meant(one, policy(tmp_path, edited(text, [edit])), [edit])
