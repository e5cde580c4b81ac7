"""What a training leaves of a model, made by hand: pages and cards are read from it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from ew_app.kernel import now
from models.risk import RiskModel
from rules.risk.backtest import CHALLENGER, RULE
from rules.risk.bands import Band
from rules.risk.drift import Usual
from rules.risk.fairness import Group, Listed
from rules.risk.figures import Bin, Figure
from rules.risk.gates import TARGETS, Outcome, Refusal
from rules.risk.group_names import BOTH
from rules.risk.judging import CAPACITIES, LAST_YEAR, Against, DayFigures, Measured, YearFigures
from rules.risk.plain import to_plain
from rules.risk.trial import Lists, Trial

KIND = "logistic"
STUDENTS, CHRONIC, LISTED = 2_000, 400, 300
EXPECTED = (0.02, 0.04, 0.06, 0.09, 0.12, 0.16, 0.22, 0.32, 0.5, 0.8)
RIGHT = {KIND: 0.46, "rate_and_last_year": 0.44, "rate": 0.3, CHALLENGER: 0.47}  # among students not listed
AT_CAPACITY = {KIND: 0.86, "rate_and_last_year": 0.84, "rate": 0.78, RULE: 0.66, LAST_YEAR: 0.7, CHALLENGER: 0.87}


def near(value: float, wide: float = 0.02) -> Figure:
    """A figure with a range around it."""
    return Figure(value, value - wide, value + wide)


def group(name: str, students: int = 400, chronic: int = 120, **parts: Any) -> Group:
    """A group of which the model finds a little more than the rule."""
    whole = Group(
        name, students, STUDENTS - students, chronic, Listed(100, 90), Listed(100, 84), 0.85, 0.8, 0.01, 10, 16
    )
    return replace(whole, **parts)


GROUPS = (
    group("english_learner: yes"), group("race_ethnicity: Black", model=Listed(100, 70)), group("stls: yes", 9, 4),
    group(f"english_learner: yes{BOTH}race_ethnicity: Black", 110, 31),
)  # fmt: skip
PARTS = (group("new"), group("grade 0"), group("grade 9"), group("school 1"), group("school 2", 8, 3))


def figures(day: int) -> DayFigures:
    """A day with two years."""
    bins = tuple(Bin(STUDENTS // 10, expected, expected) for expected in EXPECTED)
    measured = {
        name: Measured(near(0.88), near(0.12), near(right), near(0.74), 0.85, 0.01, 0.0, 1.0, bins)
        for name, right in RIGHT.items()
    }
    measured[RULE] = Measured(None, None, None, near(0.7), None)
    against = {KIND: Against(near(0.8), near(0.94), near(1.5, 0.1), near(0.05), near(0.95))}
    places = [int(STUDENTS * share) for share in CAPACITIES]
    capacity = {name: tuple((on, int(on * right)) for on in places) for name, right in AT_CAPACITY.items()}
    one = {"auc": 0.88, "brier": 0.12, "unlisted": 0.46, "sensitivity": 0.74}
    years = tuple(
        YearFigures(year, STUDENTS // 2, CHRONIC // 2, {KIND: one, "rate": one, RULE: {"sensitivity": 0.7}})
        for year in (2024, 2025)
    )
    return DayFigures(day, STUDENTS, CHRONIC, LISTED, measured, against, capacity, 0.001, years)


def trial(day: int, groups: Sequence[Group] = GROUPS) -> Trial:
    """One grid day as it is kept."""
    return Trial(
        day=day, years=(2023, 2024, 2025), trained=(2023, 2024, 2025), rows=3_000, fewest=200, schools=(1, 2),
        grades=(0, 9), usual=Usual(0.9, 0.06, {}), figures=figures(day), lists=(), groups={KIND: tuple(groups)},
        parts={KIND: PARTS}, bands={KIND: tuple(Band(200, 20 * tenth) for tenth in range(10))}, models={},
    )  # fmt: skip


def report(refusals: Sequence[Refusal] = ()) -> dict[str, Any]:
    """All of it, as a row holds it."""
    steps = ((20, 40, 0.7), (40, 60, 0.75), (60, 90, 0.8))
    lists = {KIND: Lists(1_600, 200, 0.75, steps), RULE: Lists(1_600, 250, 0.7, steps)}
    outcome = Outcome(KIND, tuple(refusals), {KIND: tuple(refusals)}, lists)
    counts = {"2025": {"kept": 1_000, "few_days": 4, "no_end": 8, "unknown_days": 60, "days": 20_000}}
    return {
        "counts": {str(day): counts for day in TARGETS}, "trials": [to_plain(trial(day)) for day in TARGETS],
        "outcome": to_plain(outcome),
    }  # fmt: skip


MISSED = (
    Refusal("brier_to_rate", 20, "On school day 20 its estimates are not enough better.", "at most 85%", "90.1%"),
    Refusal("groups", 20, "On school day 20 it finds fewer Black students than the rule alone.", "at most 5", "11"),
)
YEARS: Sequence[Mapping[str, Any]] = (
    {"start": "2024-07-01", "name": "2024-25", "live": False, "taught": 180, "days": {}, "school_days": 360,
     "in_time": 0},
    {"start": "2025-07-01", "name": "2025-26", "live": True, "taught": 181, "days": {}, "school_days": 362,
     "in_time": 360},
)  # fmt: skip


def model(status: str = "trained", *, refusals: Sequence[Refusal] = (), **parts: Any) -> RiskModel:
    """A row of a model for 2026-27, to be added."""
    row: dict[str, Any] = {
        "school_year": date(2026, 7, 1), "status": status, "asked_at": now(), "asked_by": "policy_editor",
        "asked_name": "Person policy_editor", "finished_at": now(), "plan": {"years": list(YEARS)}, "steps": 40,
        "done": 40, "refusals": [to_plain(one) for one in refusals], "report": report(refusals),
    }  # fmt: skip
    return RiskModel(**(row | parts))
