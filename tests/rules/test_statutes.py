"""Files of states: what is shipped is whole, and what cannot be is refused with file, line, key and what is allowed."""

from __future__ import annotations

from datetime import date
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from rules import cells, statutes
from rules.cells import Excuse, Status
from rules.matrix import Matrix
from rules.policy import Policy, PolicyError
from rules.windows import Unit
from tests.rules.test_spec import spelled_out
from tests.rules.year import LETTERS, weekdays

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
        assert one.bounds(date(2026, 9, 1)) and (one.scope is not None or one.unit is Unit.SHARE)


def test_a_law_that_was_repealed_is_not_in_force_from_that_day() -> None:
    gone = next(one for one in statutes.of_state("OH") if one.key == "OH_65_HOURS_IN_A_YEAR")
    assert (gone.in_force(date(2025, 9, 29)), gone.in_force(date(2025, 9, 30))) == (True, False)


@pytest.mark.parametrize(
    ("wrong", "right", "said"),
    [
        (
            "unit: days",
            "unit: weeks",
            "line 6, measures.XX_TEN.unit: weeks is not known here; allowed: days, day_parts, whole_days",
        ),
        ("{calendar_days: 90}", "{moons: 3}", "line 7, measures.XX_TEN.window: expected one of attendance_days"),
        ("{calendar_days: 90}", "{calendar_days: 0}", "a window is at least one long"),
        ("[unexcused]", "[bored]", "bored is not known here; allowed: unexcused, unknown, excused, other"),
        ("    source: a law\n", "", "line 5, measures.XX_TEN: source is missing"),
        ("    at_least: {2020-01-01: 10}\n", "", "a bound is needed"),
        ("effective_from: 2020-01-01", "effective_from: long ago", "expected a date such as 2025-09-30"),
        ("label: Ten days", "title: Ten days", "line 5, measures.XX_TEN.title: title is not known here"),
        ("source: a law", "least_attended_days: 1\n    source: a law", "least_attended_days stands only beside"),
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
    with pytest.raises(
        PolicyError, match="line 4, statutes: ZZ is not known here; allowed: CA, FL, IL, IN, NJ, NY, OH, PA, TX, VA, WA"
    ):
        Policy.load(mine)


SPEC = yaml.safe_load((Path(__file__).parents[1] / "spec" / "statutes.yaml").read_text(encoding="utf-8"))
CASES = [(asked, *case) for asked in SPEC for case in asked["cases"]]
MORE_LETTERS = {
    "N": (1000, Status.MEMBER, Excuse.UNKNOWN, False),
    "b": (800, Status.MEMBER, Excuse.UNEXCUSED, False),
    "L": (80, Status.MEMBER, Excuse.UNEXCUSED, True),
    "l": (76, Status.MEMBER, Excuse.UNEXCUSED, True),
}


@pytest.mark.parametrize(
    ("asked", "days", "amount", "reached"),
    CASES,
    ids=[f"{asked['measure']} {days} {asked.get('born', '')}" for asked, days, *_ in CASES],
)
def test_what_a_law_counts(asked: dict[str, Any], days: str, amount: float, reached: bool) -> None:
    """The cases of tests/spec/statutes.yaml."""
    before, letters = spelled_out(asked.get("last_year", "")), spelled_out(days)
    last_june = np.busday_offset("2025-06-06", np.arange(-len(before), 0) + 1)
    dates = np.concatenate([last_june, weekdays(len(letters), asked.get("from", date(2025, 8, 18)))])
    parts = np.array([(LETTERS | MORE_LETTERS)[letter] for letter in before + letters])
    row = cells.pack(*parts.T)[None, :]
    matrix = Matrix(np.array([1]), dates, np.full(row.shape, 1000, np.int32), row, len(before))
    measure = next(one for one in statutes.of_state(asked["measure"][:2]) if one.key == asked["measure"])
    born, grade = np.array([asked.get("born", "2015-06-30")], dtype="datetime64[D]"), asked.get("grade", "5")
    place = np.zeros(row.shape, dtype=np.int64)
    inside = measure.scope.covers(born, [grade], place, dates) if measure.scope else None
    counted, met = statutes.found(measure, matrix, np.full(row.shape, asked.get("minutes", 390)), inside)
    scale = 60 if measure.unit is Unit.HOURS else 1000
    assert Fraction(int(counted.amount[0, -1]), scale) == Fraction(str(amount))
    assert bool(met[0, -1]) == reached


def test_every_measure_has_cases_below_and_at_its_bound() -> None:
    told = {(asked["measure"], reached) for asked, _, _, reached in CASES}
    every = {measure.key for state in statutes.states() for measure in statutes.of_state(state)}
    assert told == {(key, reached) for key in every for reached in (False, True)}
