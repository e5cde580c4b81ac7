"""Files of states: what is shipped is whole, and what cannot be is refused with file, line, key and what is allowed."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from rules import statutes
from rules.policy import Policy, PolicyError

FILE = """\
state: XX
label: Nowhere
measures:
  XX_TEN:
    label: Ten days
    unit: days
    window: {calendar_days: 90}
    counts: [unexcused]
    at_least: {2020-01-01: 10}
    effective_from: 2020-01-01
    source: a law
    verified_on: 2026-11-22
    verified_against: nothing
"""


def load(tmp_path: Path, text: str) -> tuple[statutes.Measure, ...]:
    (tmp_path / "XX.yaml").write_text(text, encoding="utf-8")
    return statutes.load(tmp_path / "XX.yaml")


@pytest.mark.parametrize("state", statutes.states())
def test_every_shipped_measure_names_its_source_and_the_day_it_was_looked_at(state: str) -> None:
    found = statutes.of_state(state)
    assert found and len({one.key for one in found}) == len(found)
    for one in found:
        assert one.key.startswith(f"{state}_") and one.verified_on > one.effective_from
        assert one.source and one.verified_against
        assert one.scope is not None and one.bounds(date(2026, 9, 1))


def test_a_law_that_was_repealed_is_not_in_force_from_that_day() -> None:
    gone = next(one for one in statutes.of_state("OH") if one.key == "OH_65_HOURS_IN_A_YEAR")
    assert (gone.in_force(date(2025, 9, 29)), gone.in_force(date(2025, 9, 30))) == (True, False)


@pytest.mark.parametrize(
    ("wrong", "right", "said"),
    [
        (
            "unit: days",
            "unit: weeks",
            "line 6, measures.XX_TEN.unit: weeks is not known here; allowed: days, day_parts",
        ),
        ("{calendar_days: 90}", "{moons: 3}", "line 7, measures.XX_TEN.window: expected one of attendance_days"),
        ("{calendar_days: 90}", "{calendar_days: 0}", "a window is at least one long"),
        ("[unexcused]", "[bored]", "bored is not known here; allowed: unexcused, unknown, excused, other"),
        ("    source: a law\n", "", "line 5, measures.XX_TEN: source is missing"),
        ("    at_least: {2020-01-01: 10}\n", "", "a bound is needed"),
        ("effective_from: 2020-01-01", "effective_from: long ago", "expected a date such as 2025-09-30"),
        ("label: Ten days", "title: Ten days", "line 5, measures.XX_TEN.title: title is not known here"),
        ("source: a law", "scope: {reached_by: '09-01'}\n    source: a law", "from_age is missing"),
    ],
)
def test_what_cannot_be_is_refused_with_its_place(tmp_path: Path, wrong: str, right: str, said: str) -> None:
    assert wrong in FILE
    with pytest.raises(PolicyError) as refused:
        load(tmp_path, FILE.replace(wrong, right))
    assert said in str(refused.value) and "XX.yaml" in str(refused.value)


def test_a_policy_names_the_states_it_wants_told(tmp_path: Path) -> None:
    day = date(2026, 9, 1)
    assert Policy.preset("default").on(day).statutes == ()
    mine = tmp_path / "mine.yaml"
    mine.write_text("extends: default\nname: mine\nlabel: Mine\nstatutes: [FL, OH]\n", encoding="utf-8")
    assert {one.state for one in Policy.load(mine).on(day).statutes} == {"FL", "OH"}
    mine.write_text("extends: default\nname: mine\nlabel: Mine\nstatutes: [ZZ]\n", encoding="utf-8")
    with pytest.raises(PolicyError, match="line 4, statutes: ZZ is not known here; allowed: FL, IL, OH, TX"):
        Policy.load(mine)
