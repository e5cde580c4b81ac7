"""A model is tried on years it has not seen, and is refused with a sentence for each thing it has not shown."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from rules.risk import backtest, fairness, gates, trial
from rules.risk.backtest import Judged, folds, to_train
from rules.risk.cohort import Cohort
from rules.risk.fairness import TOO_FEW, Group, Listed
from rules.risk.figures import Figure
from rules.risk.gates import as_good, conclude
from rules.risk.judging import Against, DayFigures, Measured
from rules.risk.trial import Trial
from rules.suppression import HIDDEN
from tests.rules.risk_trials import DRAWS, TESTED, outcome, town, trials
from tests.rules.risk_years import district


def cohorts(day: int = 20) -> list[Cohort]:
    return [town().cohort(year, day) for year in TESTED]


# -- how it is tried ---------------------------------------------------------------------------------------------------


def test_each_year_is_tested_by_the_years_before_it() -> None:
    assert [(fold.trained, fold.tested) for fold in folds(cohorts())] == [((2023,), 2024), ((2023, 2024), 2025)]
    assert folds(cohorts()[:1]) == ()


def test_a_first_year_without_any_past_is_neither_learned_from_nor_the_only_base_of_a_test() -> None:
    every = [town().cohort(0, 20), *cohorts()]
    assert [one.year for one in to_train(every, 20, [2022, 2023, 2024])] == [2023, 2024]
    assert [fold.tested for fold in folds(every)] == [2024, 2025]
    assert [one.year for one in to_train(every[:1], 20, [2022])] == [2022]


def test_boosted_steps_need_more_students_than_a_weighted_sum() -> None:
    assert backtest.kinds(cohorts()) == ("shrunken", "logistic")
    many = [replace_rows(cohort, 5) for cohort in cohorts()]
    assert backtest.kinds(many) == backtest.SERVED


def replace_rows(cohort: Cohort, times: int) -> Cohort:
    """The same students several times over."""
    return cohort.of(np.tile(np.arange(len(cohort.students)), times))


@cache
def mixed_trial() -> Trial:
    rng = np.random.default_rng(9)
    mixed = [cohort.of(rng.permutation(len(cohort.students))) for cohort in cohorts()]
    return trial.run([*reversed(mixed)], seed=7, draws=DRAWS)


def test_the_order_of_years_and_students_changes_no_figure() -> None:
    assert trial.packed(mixed_trial()) == trial.packed(trials()[0])


def test_a_trial_is_kept_and_read_back_whole() -> None:
    again = trial.unpacked(trial.packed(trials()[0]))
    assert trial.packed(again) == trial.packed(trials()[0])
    assert again.figures is not None and again.figures.day == 20 and again.lists == trials()[0].lists


def test_a_day_tried_year_by_year_is_the_same_day() -> None:
    told = [trial.score(cohorts(), nth, 7) for nth in range(backtest.FOLDS + 1)]
    assert told[-1] is None
    scored = dict(one for one in told if one is not None)
    assert sorted(scored) == [2024, 2025]
    assert trial.packed(trial.run(cohorts(), 7, DRAWS, scored)) == trial.packed(trials()[0])


def test_groups_are_looked_at_and_never_learned_from() -> None:
    leak = [replace(cohort, groups={"leak": cohort.chronic}) for cohort in cohorts()]
    found = trial.run(leak, seed=7, draws=5)
    assert found.models == trials()[0].models
    assert found.figures is not None and found.figures.groups_gain is not None and found.figures.groups_gain > 0.05
    assert trials()[0].figures is not None and abs(trials()[0].figures.groups_gain or 0) < 0.005


def test_the_lists_of_a_model_are_as_long_as_the_rules() -> None:
    (judged,) = backtest.run(cohorts(), 7)
    for year in np.unique(judged.years):
        here = judged.years == year
        assert {int(judged.lists(kind)[here].sum()) for kind in ("rule", "rate", "logistic")} == {
            int(judged.listed[here].sum())
        }


# -- what has to be shown ----------------------------------------------------------------------------------------------


def test_a_model_that_foresees_more_than_the_rule_passes() -> None:
    found = outcome()
    assert found.passed and found.kind == "logistic" and found.tried["logistic"] == ()
    day = trials()[0].figures
    assert day is not None and day.measured["logistic"].auc and day.measured["rate"].auc
    assert day.measured["logistic"].auc.low > day.measured["rate"].auc.high
    assert found.lists["logistic"].ever_listed < found.lists["rule"].ever_listed


def test_where_no_year_is_like_the_last_nothing_is_better_than_the_rule_and_the_model_is_refused() -> None:
    found = outcome(memory=0.0)
    assert not found.passed and found.kind is not None
    keys = {refusal.key for refusal in found.refusals}
    assert {"brier_to_rate", "beyond_chance", "sensitivity_gain", "ever_listed"} <= keys
    assert all(refusal.sentence.endswith(".") and refusal.got for refusal in found.refusals)


def test_too_few_years_or_students_are_refused_before_anything_is_compared() -> None:
    alone = conclude([trial.run([town().cohort(2, 20)], seed=7)])
    assert (alone.kind, [one.key for one in alone.refusals]) == (None, ["years"])
    assert alone.refusals[0].sentence.endswith("one is known.")
    small = district(students=90)
    few = conclude([trial.run([small.cohort(year, 20) for year in TESTED], seed=7, draws=5)])
    assert (few.kind, [one.key for one in few.refusals]) == (None, ["student_years"])
    assert [one.key for one in conclude([]).refusals] == ["years", "student_years"]


def test_a_year_in_which_hardly_anybody_was_chronically_absent_teaches_nothing() -> None:
    rare = [replace(cohort, chronic=np.arange(len(cohort.students)) < 29) for cohort in cohorts()]
    found = conclude([trial.run(rare, seed=7)])
    assert [one.key for one in found.refusals] == ["of_each"] and "29" not in str(found.refusals)


def test_a_late_day_that_only_one_year_has_is_left_out() -> None:
    alone = trial.run([town().cohort(3, 120)], seed=7)
    assert alone.figures is None and alone.models == {}
    assert conclude([*trials(), alone]).passed


def test_a_day_that_no_year_can_be_tested_on_is_told() -> None:
    found = conclude(trials()[:2])
    assert [one.key for one in found.refusals] == ["days"] and "60 and 90" in found.refusals[0].sentence


def spoiled(what: str, **parts: object) -> tuple[Trial, ...]:
    """The trials, but one figure of the logistic model on day 40 is another."""
    first, second, *others = trials()
    figures = second.figures
    assert figures is not None
    if what == "day":
        figures = replace(figures, **parts)  # type: ignore[arg-type]
    else:
        models = dict(getattr(figures, what))
        models["logistic"] = replace(models["logistic"], **parts)
        figures = replace(figures, **{what: models})  # type: ignore[arg-type]
    return (first, replace(second, figures=figures), *others)


def sure(value: float) -> Figure:
    return Figure(value, value - 0.01, value + 0.01)


@pytest.mark.parametrize(
    ("what", "parts", "key"),
    [
        ("against", {"brier_to_rate": sure(0.88)}, "brier_to_rate"),
        ("against", {"brier_to_rate": Figure(0.8, 0.5, 1.01)}, "beyond_chance"),
        ("against", {"brier_to_last_year": sure(0.97)}, "brier_to_last_year"),
        ("against", {"unlisted_to_rate": sure(1.2)}, "unlisted_to_rate"),
        ("against", {"sensitivity_gain": sure(0.01)}, "sensitivity_gain"),
        ("against", {"sensitivity_gain": Figure(float("nan"), 0, 0)}, "sensitivity_gain"),
        ("against", {"kept": sure(0.8)}, "kept"),
        ("measured", {"ece": 0.051}, "ece"),
        ("measured", {"gap": -0.06}, "gap"),
        ("measured", {"slope": 0.8}, "slope"),
        ("measured", {"slope": float("nan")}, "slope"),
        ("day", {"groups_gain": 0.006}, "groups_gain"),
    ],
)
def test_each_gate_refuses_by_itself(what: str, parts: dict[str, object], key: str) -> None:
    over = trial.lists(trials())
    found = gates.judge(spoiled(what, **parts), "logistic", over)
    assert [(one.key, one.day) for one in found] == [(key, 40)]
    assert not conclude(spoiled(what, **parts)).passed


def test_lists_that_name_too_many_or_change_too_much_are_refused() -> None:
    over = trial.lists(trials())
    rule = over["rule"]
    worse = over | {"logistic": replace(rule, ever_listed=round(0.95 * rule.ever_listed), alike=rule.alike - 0.01)}
    assert [one.key for one in gates.judge(trials(), "logistic", worse)] == ["ever_listed", "alike"]


def test_on_a_day_without_targets_a_model_must_lose_nothing() -> None:
    (first, *others) = trials()
    assert first.figures is not None
    early = replace(first, day=10, figures=replace(first.figures, day=10))
    over = trial.lists(trials())
    assert gates.judge([early, *others], "logistic", over) == ()
    lost = dict(early.figures.against if early.figures else {})
    lost["logistic"] = replace(lost["logistic"], brier_to_rate=sure(1.01))
    worse = replace(early, figures=replace(early.figures, against=lost))  # type: ignore[type-var]
    assert [one.key for one in gates.judge([worse, *others], "logistic", over)] == ["no_worse"]


# -- the simplest that is as good -------------------------------------------------------------------------------------


def day_of(**models: tuple[float, float]) -> DayFigures:
    """A day on which models have these AUC and Brier figures."""

    def measured(auc: float, brier: float) -> Measured:
        return Measured(sure(auc), sure(brier), None, sure(0.5), None)

    against = Against(*[sure(1.0)] * 5)
    told = {name: measured(*pair) for name, pair in models.items()}
    return DayFigures(20, 1000, 300, 250, told, dict.fromkeys(told, against), {})


def test_the_simplest_model_near_the_best_is_taken() -> None:
    kinds = backtest.SERVED
    near = day_of(shrunken=(0.850, 0.120), logistic=(0.8571, 0.1115), steps=(0.860, 0.110))
    assert as_good([near], kinds) == ("logistic", "steps")
    even = day_of(shrunken=(0.8571, 0.1119), logistic=(0.8571, 0.1115), steps=(0.860, 0.110))
    assert as_good([even], kinds) == kinds
    assert as_good([even, near], kinds) == ("logistic", "steps")
    honest = day_of(shrunken=(0.85, 0.12), logistic=(0.8571, 0.1125), steps=(0.860, 0.110))
    assert as_good([honest], kinds) == ("steps",)


# -- groups ------------------------------------------------------------------------------------------------------------


def group(name: str = "every third", **parts: object) -> Group:
    whole = Group(name, 400, 600, 100, Listed(120, 80), Listed(120, 78), 0.85, 0.78, 0.01, 10, 12)
    return replace(whole, **parts)  # type: ignore[arg-type]


def test_a_model_that_finds_fewer_of_a_group_than_the_rule_is_not_served() -> None:
    assert fairness.blocked([group()], 40) == ()
    ((_, why),) = fairness.blocked([group("iep: yes", model=Listed(120, 72))], 40)
    assert why.sentence == (
        "On school day 40, with lists of the same length, it finds fewer students with an IEP than the rule alone: 72%"
        " of those who became chronically absent, and the rule 78%; it may find at most 5 of every 100 fewer."
    )
    assert fairness.blocked([group(model=Listed(120, 73))], 40) == ()
    ((_, off),) = fairness.blocked([group("race_ethnicity: Black", gap=0.06)], 40)
    assert "too often of Black students: of 6.0 more of every 100 than it came to" in off.sentence
    blocked = (*trials()[:1], replace(trials()[1], groups={"logistic": (group(gap=-0.06),)}), *trials()[2:])
    assert [one.key for one in gates.judge(blocked, "logistic", trial.lists(trials()))] == ["groups"]


def test_a_small_group_gets_no_verdict_and_two_groups_together_one_beyond_chance() -> None:
    fewer = {"model": Listed(120, 60)}
    assert fairness.blocked([group(students=99, **fewer), group(chronic=29, **fewer)], 40) == ()
    assert fairness.blocked([group("a + b", model=Listed(120, 70), lost=14, won=6)], 40) == ()
    assert len(fairness.blocked([group("a + b", model=Listed(120, 70), lost=10, won=2)], 40)) == 1
    assert len(fairness.blocked([group("a and b", model=Listed(120, 70), lost=14, won=6)], 40)) == 1, "one group"


def test_figures_of_fewer_than_ten_are_kept_back_also_by_subtraction() -> None:
    assert set(list(group(students=9).words().values())[1:]) == {HIDDEN, TOO_FEW}
    assert set(list(group(others=9).words().values())[1:]) == {HIDDEN, TOO_FEW}
    words = group(chronic=9, model=Listed(30, 8), rule=Listed(30, 7)).words()
    assert (words["auc"], words["gap"], words["found"], words["chronic"]) == (HIDDEN, HIDDEN, HIDDEN, "under 3%")
    assert group().words() == {
        "name": "every third", "students": "about 400", "chronic": "25%", "flagged": "30%", "flagged_by_rule": "30%",
        "found": "80%", "found_by_rule": "78%", "right": "67%", "right_by_rule": "65%", "auc": "0.85", "gap": "+0.01",
        "found_difference": "+2", "right_difference": "+2", "verdict": "as asked",
    }  # fmt: skip
    assert words["found_difference"] == HIDDEN, "a difference tells no more than the shares it is made of"
    assert group(model=Listed(120, 72), gap=-0.06).verdict == "finds fewer than the rule, expects it too seldom"


def test_groups_of_a_backtest_are_counted_beside_the_rule() -> None:
    (judged,) = backtest.run(cohorts(), 7)
    rows = np.arange(len(judged.students))
    twice = Judged(**{**vars_of(judged), "groups": {"odd": rows % 2 == 1, "third": rows % 3 == 0, "few": rows < 50}})
    found = {one.name: one for one in fairness.audit(twice, "logistic")}
    assert set(found) == {"odd", "third", "few", "odd + third"}
    odd = found["odd"]
    assert odd.students + odd.others == len(rows) and odd.chronic == int(judged.chronic[1::2].sum())
    assert odd.rule.flagged == int(judged.listed[1::2].sum())
    assert odd.model.found - odd.rule.found == odd.won - odd.lost
    assert odd.auc > odd.auc_rate
    parts = {one.name: one for one in fairness.breakdown(judged, "logistic")}
    assert parts["new"].students == int((judged.x[:, 8] == 0).sum()) > 0
    assert sum(one.students for name, one in parts.items() if name.startswith("school")) == len(rows)


def vars_of(judged: Judged) -> dict[str, object]:
    return {name: getattr(judged, name) for name in Judged.__dataclass_fields__}
