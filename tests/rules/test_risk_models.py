"""The models themselves: what is compiled is what was fitted, terms add up, and no mark made worse lowers a score."""

from __future__ import annotations

import json
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.risk import backtest, estimator
from rules.risk.cohort import Cohort
from rules.risk.features import COLUMN, NAMES, RISING, Features
from rules.risk.models import Grid, Logistic, Model, Shrunken, Steps, Table, chance, from_json, logit
from tests.rules.risk_years import district
from tests.rules.test_risk_features import WORSE, looked_at

KINDS = backtest.SERVED


@cache
def cohort(day: int = 20) -> Cohort:
    """A year of 1,400 students who have two years behind them."""
    return district(students=1600).cohort(2, day)


@cache
def fitted(kind: str, day: int = 20) -> Model:
    return backtest.fit(kind, [cohort(day)], day, seed=7)


def grid(kind: str) -> Grid:
    return Grid({day: fitted(kind, day) for day in (20, 40)})


def blanked(x: Features, *names: str) -> Features:
    """The same features, some of them known of nobody."""
    bare = x.copy()
    for name in names:
        bare[:, COLUMN[name]] = 0 if name == "has_last_year" else np.nan
    return bare


# -- what was fitted -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("empty", [(), ("year_before_rate",), ("last_year_rate", "last_year_late_rate", "grade")])
def test_tables_say_what_scikit_learn_says(empty: tuple[str, ...]) -> None:
    x = blanked(cohort().x, *empty)
    stumps = estimator.fit_stumps(x, cohort().chronic, seed=7)
    tables = estimator.compiled(stumps)
    rng = np.random.default_rng(5)
    holes = np.where(rng.random(x.shape) < 0.2, np.float32(np.nan), x)
    cuts = np.concatenate([table.cuts for table in tables.tables.values()])
    edges = np.stack([np.concatenate([cuts, np.nextafter(cuts, 1)]).astype(np.float32)] * len(NAMES), axis=1)
    for asked in (x, holes, edges):
        assert np.abs(logit(tables, asked) - stumps.logit(asked)).max() < 1e-9
    assert not set(empty) & set(tables.tables)


def test_tables_that_say_something_else_are_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    def shifted(stumps: estimator.Stumps) -> Steps:
        found = compiled(stumps)
        return Steps(found.intercept + 1e-6, found.tables)

    compiled = estimator.compiled
    monkeypatch.setattr(estimator, "compiled", shifted)
    with pytest.raises(estimator.NotTheSame):
        estimator.fit_steps(cohort().x, cohort().chronic, seed=7)


def test_features_in_another_precision_are_refused_because_cuts_lie_between_floats() -> None:
    with pytest.raises(TypeError, match="float32"):
        fitted("steps").terms(cohort().x.astype(np.float64))  # type: ignore[arg-type]


def test_unbounded_weights_are_those_of_scikit_learn() -> None:
    from sklearn.linear_model import LogisticRegression

    x = np.nan_to_num(cohort().x).astype(np.float64)
    names = ("rate", "last_year_rate", "has_last_year")
    columns = x[:, [COLUMN[name] for name in names]]
    standard = (columns - columns.mean(axis=0)) / columns.std(axis=0)
    theirs = LogisticRegression(C=1.0, tol=1e-10, max_iter=1000).fit(standard, cohort().chronic)
    ours = estimator.fit_logistic(x.astype(np.float32), cohort().chronic, names, rising=False)
    assert np.abs(logit(ours, x.astype(np.float32)) - theirs.decision_function(standard)).max() < 1e-3


@pytest.mark.parametrize("kind", KINDS)
def test_a_first_year_in_which_nobody_has_a_past_is_harmless(kind: str) -> None:
    bare = blanked(cohort().x, "last_year_rate", "last_year_late_rate", "year_before_rate", "has_last_year")
    first = Cohort(**{name: getattr(cohort(), name) for name in Cohort.__slots__} | {"x": bare})
    model = backtest.fit(kind, [first], 20, seed=7)
    assert np.isfinite(logit(model, bare)).all() and np.isfinite(logit(model, cohort().x)).all()
    assert chance(logit(model, bare)).mean() == pytest.approx(cohort().chronic.mean(), abs=0.02)


@pytest.mark.parametrize("kind", KINDS)
def test_the_order_of_rows_changes_nothing(kind: str) -> None:
    mixed = cohort().of(np.random.default_rng(3).permutation(len(cohort().students)))
    (ordered,) = backtest.to_train([mixed], 20, [mixed.year])
    assert backtest.fit(kind, [ordered], 20, seed=7).to_json() == fitted(kind).to_json()


def test_no_attendance_feature_has_a_weight_under_nothing_or_a_step_down() -> None:
    weights, tables = fitted("logistic"), fitted("steps")
    assert isinstance(weights, Logistic) and isinstance(tables, Steps)
    assert (weights.weights[list(RISING)] >= 0).all() and 6 <= np.count_nonzero(weights.weights) <= 11
    for name, table in tables.tables.items():
        assert not RISING[COLUMN[name]] or (np.diff(table.adds) >= 0).all(), name


def test_a_shrunken_rate_is_the_formula() -> None:
    model = fitted("shrunken")
    assert isinstance(model, Shrunken)
    known = 3 * (model.k_last * 0.2 + model.k_before * 0.1 + model.k_all * model.everybody + 4) / 3
    estimate = known / (model.k_last + model.k_before + model.k_all + 20)
    x = np.zeros((1, len(NAMES)), np.float32)
    for name, value in {"rate": 0.2, "absences": 4, "last_year_rate": 0.2, "year_before_rate": 0.1}.items():
        x[0, COLUMN[name]] = value
    assert logit(model, x)[0] == pytest.approx(model.intercept + model.slope * (estimate - model.everybody), abs=1e-6)
    assert model.k_last > 1 and model.slope > 1


# -- what is kept ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_a_model_reads_back_from_its_numbers_to_the_last_bit(kind: str) -> None:
    text = json.dumps(fitted(kind).to_json(), allow_nan=False, separators=(",", ":"))
    again = from_json(json.loads(text))
    assert np.array_equal(again.terms(cohort().x), fitted(kind).terms(cohort().x))
    assert len(text) < 10_000


def test_what_is_no_model_is_refused() -> None:
    steps = {
        "kind": "steps",
        "intercept": 0.0,
        "tables": {"rate": {"cuts": [0.2, 0.1], "adds": [0, 1, 2], "missing": 0}},
    }
    for plain in ({"kind": "forest"}, steps):
        with pytest.raises(ValueError):
            from_json(plain)
    with pytest.raises(KeyError):
        from_json({"kind": "logistic", "intercept": 0.0, "weights": {}, "instead": {}})


@pytest.mark.parametrize("kind", KINDS)
def test_between_two_grid_days_the_score_is_their_mean(kind: str) -> None:
    x, models = cohort().x, grid(kind)
    twenty, forty = (models.logit(x, day) for day in (20, 40))
    assert np.allclose(models.logit(x, 25), 0.75 * twenty + 0.25 * forty, atol=1e-12)
    assert np.array_equal(twenty, logit(fitted(kind), x))
    for outside in (19, 41):
        with pytest.raises(LookupError):
            models.logit(x, outside)


# -- how it behaves --------------------------------------------------------------------------------------------------


@settings(max_examples=120, deadline=None)
@given(st.text("PPPPPPPTAEUXaeq?M", min_size=26, max_size=26), st.integers(0, 25), st.sampled_from(KINDS), st.data())
def test_a_mark_made_worse_lowers_no_score(marks: str, at: int, kind: str, data: st.DataObject) -> None:
    worse = data.draw(st.sampled_from(WORSE.get(marks[at], marks[at])))
    others = ("P" * 26, "PPPPPPTPPA" * 2 + "PPPPAP")
    before, after = looked_at(marks, *others), looked_at(marks[:at] + worse + marks[at + 1 :], *others)
    models = grid(kind)
    assert (models.logit(after, 26) >= models.logit(before, 26) - 1e-12).all()


def test_a_table_reads_its_cuts_from_below() -> None:
    table = Table(np.array([0.1, 0.2], np.float32), np.array([-1.0, 0.0, 2.0]), 0.5)
    values = np.array([0.0, 0.1, 0.15, 0.2, 0.3, np.nan], np.float32)
    assert table.of(values).tolist() == [-1, -1, 0, 0, 2, 0.5]
