"""When the counts of a trial may be told exactly: where no policy makes a cut by age or grade of somebody's own."""

from __future__ import annotations

from pathlib import Path

from rules.policy import Policy
from rules.policy_cuts import Cut, cuts, may_be_exact


def made(one: Policy) -> frozenset[Cut]:
    return cuts(one.on(day) for day in one.starts)


def ours(folder: Path, body: str) -> frozenset[Cut]:
    (folder / "ours.yaml").write_text(f"extends: default\nname: ours\nlabel: Ours\n{body}\n", encoding="utf-8")
    return made(Policy.load(folder / "ours.yaml"))


def test_policies_that_treat_ages_and_grades_alike_are_told_exactly(tmp_path: Path) -> None:
    default, five, rates = (made(Policy.preset(name)) for name in ("default", "five-ten", "rates"))
    assert may_be_exact(five, default, published=True)
    assert may_be_exact(rates, rates, published=False)
    own = ours(tmp_path, "rules: {R03: {scope: {not_schools: [S1]}}}")  # whole schools may be counted
    assert own == default


def test_a_cut_of_ones_own_is_told_in_tens(tmp_path: Path) -> None:
    default = made(Policy.preset("default"))
    for body in (
        "rules: {R03: {scope: {grades: [K]}}}",
        "rules: {R03: {scope: {below_age: 7}}}",
        "groups: {k: {label: the little, grades: [K]}}\nbands: {tier_2: {for: {k: {at_least: {2026-08-24: 0.09}}}}}",
        "groups: {k: {label: the little, grades: [K]}}\nexits: {tier_2: {for: {k: {rate_below: {2026-08-24: 0.04}}}}}",
    ):
        own = ours(tmp_path, body)
        assert own != default and not may_be_exact(own, default, published=False)
        assert not may_be_exact(default, own, published=True)  # the district's own, beside a shipped one
        assert may_be_exact(own, own, published=True)
