"""How exactly the counts of a trial may be told: by the cuts of age or grade that its policies make."""

from __future__ import annotations

from pathlib import Path

import pytest

from rules.policy import Policy
from rules.policy_cuts import Exactly, Makeup, makeup, may_be_told

EVERYWHERE, TOGETHER, NOWHERE = Exactly.EVERYWHERE, Exactly.TOGETHER, Exactly.NOWHERE
GRADES = "groups: {k: {label: the little, grades: [K]}}\n"


def made(one: Policy) -> Makeup:
    return makeup(one.on(day) for day in one.starts)


def ours(folder: Path, body: str, extends: str = "default") -> Makeup:
    (folder / "ours.yaml").write_text(f"extends: {extends}\nname: ours\nlabel: Ours\n{body}\n", encoding="utf-8")
    return made(Policy.load(folder / "ours.yaml"))


def test_policies_that_treat_ages_and_grades_alike_are_told_exactly(tmp_path: Path) -> None:
    default, five, rates = (made(Policy.preset(name)) for name in ("default", "five-ten", "rates"))
    assert may_be_told(five, default, published=True) is EVERYWHERE
    assert may_be_told(rates, rates, published=False) is EVERYWHERE
    whole_schools = ours(tmp_path, "bands: {tier_2: {at_least: {2000-01-01: 0.12}}}", extends="rates")
    assert may_be_told(whole_schools, rates, published=False) is EVERYWHERE


@pytest.mark.parametrize(
    "body",
    [
        "bands: {tier_2: {at_least: {2000-01-01: 0.12}}}",
        "bands: {tier_3: }",
        "rules: {R17: {at_least: {2000-01-01: 7}}, R12: {at_least: {2027-01-01: 6}}, R10: }",
        "exits: {tier_2: {rate_below: {2000-01-01: 0.06}}}",
        "rules: {R05: {mode: {2000-01-01: monitor}}}",
    ],
)
def test_a_cut_that_is_in_force_anyway_tells_nothing_new_of_the_whole_district(tmp_path: Path, body: str) -> None:
    """R15 and R16 leave out pre-K under either; what changes looks at other days."""
    assert may_be_told(ours(tmp_path, body), made(Policy.preset("default")), published=False) is TOGETHER


@pytest.mark.parametrize(
    "body",
    [
        "rules: {R19: {at_least: {2000-01-01: 9}}}",  # nine without an excuse, but for everybody: the rest is pre-K
        "rules: {R17: {fact: unexcused_last_180, at_least: {2000-01-01: 9}, unless: }}",
        "rules: {R17: {also: {unexcused_last_180: {at_least: {2000-01-01: 9}}}}}",
        "rules: {R12: {either: {unexplained_streak: {at_least: {2000-01-01: 9}}}}}",
        "rules: {R19: }",
        "rules: {R16: {at_least: {2000-01-01: 8}}}",
        "rules: {R16: {scope: {not_grades: [PK, K]}}}",
        "rules: {R17: {scope: {schools: ['0412']}}}",  # the whole district would tell of this school
    ],
)
def test_a_rule_beside_the_cut_would_count_whom_it_leaves_out(tmp_path: Path, body: str) -> None:
    assert may_be_told(ours(tmp_path, body), made(Policy.preset("default")), published=False) is NOWHERE


def test_days_without_an_excuse_are_days_absent(tmp_path: Path) -> None:
    """Where the cut is one of days absent, a rule on days without an excuse may count whom it leaves out."""
    little = GRADES + "bands: {tier_2: {for: {k: {at_least: {2026-08-24: 0.09}}}}}"
    in_force = ours(tmp_path, little, extends="rates")
    late = ours(tmp_path, f"{little}\nno_show_exit_codes: [No show]", extends="rates")
    assert may_be_told(late, in_force, published=False) is TOGETHER
    other = little.replace("0.09}}}", "0.09}}}, at_least: {2000-01-01: 0.11}")
    assert may_be_told(ours(tmp_path, other, extends="rates"), in_force, published=False) is NOWHERE
    higher = little.replace("tier_2:", "tier_3: {at_least: {2000-01-01: 0.3}}, tier_2:")
    assert may_be_told(ours(tmp_path, higher, extends="rates"), in_force, published=False) is NOWHERE


@pytest.mark.parametrize(
    "body",
    [
        "rules: {R03: {scope: {grades: [K]}}}",
        "rules: {R03: {scope: {below_age: 7}}}",
        GRADES + "bands: {tier_2: {for: {k: {at_least: {2026-08-24: 0.09}}}}}",
        GRADES + "exits: {tier_2: {for: {k: {rate_below: {2026-08-24: 0.04}}}}}",
    ],
)
def test_a_cut_of_ones_own_is_told_in_tens(tmp_path: Path, body: str) -> None:
    default, own = made(Policy.preset("default")), ours(tmp_path, body)
    assert may_be_told(own, default, published=False) is NOWHERE
    assert may_be_told(default, own, published=True) is NOWHERE  # the district's own, beside a shipped one
    assert may_be_told(own, own, published=True) is EVERYWHERE
