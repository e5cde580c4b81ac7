"""What the pictures of a backtest are drawn from: lists of one length, each year by itself, lists of two days."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from rules.risk import backtest, figures, trial
from rules.risk.backtest import RULE
from rules.risk.card import canonical
from rules.risk.features import COLUMN
from rules.risk.judging import CAPACITIES, LAST_YEAR, judge
from rules.risk.plain import from_plain, to_plain
from rules.risk.trial import Trial
from tests.rules.risk_trials import DRAWS, TESTED, town, trials


def test_every_list_of_a_capacity_is_as_long_and_the_rule_fills_its_own_in_no_order() -> None:
    (judged,) = backtest.run([town().cohort(year, 40) for year in TESTED], 7)
    told = judge(judged, DRAWS).capacity
    assert {RULE, LAST_YEAR, "rate", "logistic"} <= set(told)
    for place in range(len(CAPACITIES)):
        assert len({found[place][0] for found in told.values()}) == 1
    whole_lists = [int(judged.listed[judged.school == school].sum()) for school in np.unique(judged.school)]
    on, found = told[RULE][0]
    assert on < sum(whole_lists), "the smallest lists hold only some of whom the rule lists"
    share = judged.chronic[judged.listed].mean()
    assert found / on == pytest.approx(share, abs=0.15), "as many are right as of all whom the rule lists"


def test_a_list_by_last_year_puts_whoever_has_none_last() -> None:
    (judged,) = backtest.run([town().cohort(year, 40) for year in TESTED], 7)
    x = judged.x.copy()
    x[:, COLUMN["last_year_rate"]] = np.where(judged.chronic, 0.0, np.nan)
    on, found = judge(replace(judged, x=x), DRAWS).capacity[LAST_YEAR][0]
    assert on == found > 0, "a last year without one absence stands before an unknown one"


def test_the_years_of_a_day_are_parts_of_it() -> None:
    for one in trials():
        assert one.figures is not None
        assert [year.year for year in one.figures.years] == [2024, 2025]
        assert sum(year.students for year in one.figures.years) == one.figures.students
        assert sum(year.chronic for year in one.figures.years) == one.figures.chronic
        for name, measured in one.figures.measured.items():
            shares = [year.measured[name]["sensitivity"] for year in one.figures.years]
            assert min(shares) - 0.03 <= measured.sensitivity.value <= max(shares) + 0.03
        assert set(one.figures.years[0].measured[RULE]) == {"sensitivity"}


def test_from_each_day_to_the_next_as_many_stay_as_stand_on_both_lists() -> None:
    told = trial.lists(trials())[RULE]
    assert [(day, after) for day, after, _ in told.steps] == [(20, 40), (40, 60), (60, 90)]
    assert np.mean([share for _, _, share in told.steps]) == pytest.approx(told.alike)
    (first, second) = trials()[:2]
    by_hand = [
        figures.jaccard(np.array(one.lists[RULE]), np.array(other.lists[RULE]))
        for one, other in zip(first.lists, second.lists, strict=True)
    ]
    assert told.steps[0][2] == pytest.approx(np.mean(by_hand))


def test_a_trial_that_an_earlier_release_kept_without_them_still_opens() -> None:
    kept = to_plain(trials()[0])
    assert from_plain(Trial, kept) == trials()[0] and canonical(kept)
    del kept["figures"]["years"]
    opened = from_plain(Trial, kept)
    assert opened.figures is not None and opened.figures.years == ()
    del kept["figures"]["students"]
    with pytest.raises(KeyError):
        from_plain(Trial, kept)
    with pytest.raises(KeyError):
        from_plain(Trial, kept | {"more": 1})
