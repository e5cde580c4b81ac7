"""What a model has to show on the district's own past years before anybody may let it work; and which one is asked.

Ratios inside the same run, never an absolute figure: base rates differ too much between districts. The simplest model
that is as good as the best is taken. Whoever is refused is told why, in a sentence.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from rules.risk import fairness
from rules.risk.backtest import BASELINES, LEAST_OF_EACH, RULE
from rules.risk.judging import Against, DayFigures, Measured
from rules.risk.trial import Lists, Trial, lists

LEAST_YEARS = 2  # one to train on, one to test
LEAST_STUDENT_YEARS = 300
AS_GOOD_AUC, AS_GOOD_BRIER = 0.003, 0.002  # so near the best the simpler model is taken
MOST_ECE, ECE_BEYOND_RATE, MOST_GAP, SLOPE = 0.05, 0.005, 0.05, (0.85, 1.15)
EVER_LISTED = 0.90
MOST_FROM_GROUPS = 0.005  # AUC
NO_WORSE = 0.002  # AUC
SURE_UNTIL = 60  # school days: up to here the gain must be beyond chance


@dataclass(frozen=True, slots=True)
class Target:
    """What is asked on a grid day."""

    brier_to_rate: float  # at most
    brier_to_last_year: float  # at most
    unlisted_to_rate: float  # at least
    sensitivity_gain: float  # at least
    kept: float  # at least


TARGETS: Mapping[int, Target] = {
    20: Target(0.85, 0.96, 1.40, 0.04, 0.90),
    40: Target(0.87, 0.96, 1.25, 0.02, 0.82),
    60: Target(0.91, 0.97, 1.15, 0.015, 0.78),
    90: Target(0.95, 0.98, 1.05, 0.003, 0.65),
}


@dataclass(frozen=True, slots=True)
class Refusal:
    """One thing that was not shown."""

    key: str
    day: int | None
    sentence: str
    wanted: str
    got: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """Which model is the one, and what speaks against serving it: nothing, or a list."""

    kind: str | None
    refusals: tuple[Refusal, ...]
    tried: Mapping[str, tuple[Refusal, ...]]  # of every model that was tried
    lists: Mapping[str, Lists]

    @property
    def passed(self) -> bool:
        """Whether it may be put before two people."""
        return self.kind is not None and not self.refusals


def conclude(trials: Sequence[Trial]) -> Outcome:
    """Choose among the models of all grid days, and judge the choice.

    Of the models that are as good as the best, the simplest that keeps every gate; where none does, the simplest of
    them is the one that is refused.
    """
    few = enough(trials)
    trials = [trial for trial in trials if trial.figures is not None]  # a day that no year has tested is not served
    told = {trial.day: trial.figures for trial in trials if trial.figures is not None}
    missing = [day for day in TARGETS if day not in told]
    if not few and missing:
        days = ", ".join(str(day) for day in missing)
        few = (Refusal("days", None, f"No completed year can be tested on school day {days}.", "every day", "none"),)
    if few:
        return Outcome(None, few, {}, {})
    over = lists(trials)
    good = as_good([told[day] for day in TARGETS], _kinds(trials))
    tried = {kind: judge(trials, kind, over) for kind in _kinds(trials)}
    chosen = next((kind for kind in good if not tried[kind]), good[0])
    return Outcome(chosen, tried[chosen], tried, over)


def enough(trials: Sequence[Trial]) -> tuple[Refusal, ...]:
    """What is missing before anything can be tried."""
    years = max((len(trial.years) for trial in trials), default=0)
    rows = max((trial.rows for trial in trials), default=0)
    found = []
    if years < LEAST_YEARS:
        sentence = (
            "A model needs one completed school year to learn from and another to be tested on."
            f" There {'is' if years == 1 else 'are'} {years or 'none'}."
        )
        found.append(Refusal("years", None, sentence, f"{LEAST_YEARS} years", str(years)))
    if rows < LEAST_STUDENT_YEARS:
        sentence = f"There are too few students to learn from: {rows} in all completed years together."
        found.append(Refusal("student_years", None, sentence, f"{LEAST_STUDENT_YEARS} student-years", str(rows)))
    fewest = min((trial.fewest for trial in trials), default=LEAST_OF_EACH)
    if not found and fewest < LEAST_OF_EACH:
        sentence = "In one of the completed years too few students were chronically absent, or too few were not."
        found.append(Refusal("of_each", None, sentence, f"{LEAST_OF_EACH} of each", "fewer"))
    return tuple(found)


def _kinds(trials: Sequence[Trial]) -> tuple[str, ...]:
    return tuple(kind for kind in trials[0].kinds if all(kind in trial.kinds for trial in trials))


def as_good(days: Sequence[DayFigures], kinds: Sequence[str]) -> tuple[str, ...]:
    """The models that are as good as the best on every one of the days, the simplest first."""

    def near(kind: str, day: DayFigures) -> bool:
        best_auc = max(_value(day.measured[one], "auc") for one in kinds)
        best_brier = min(_value(day.measured[one], "brier") for one in kinds)
        ours = day.measured[kind]
        near_auc = _value(ours, "auc") >= best_auc - AS_GOOD_AUC
        return near_auc and _value(ours, "brier") <= best_brier + AS_GOOD_BRIER

    return tuple(kind for kind in kinds if all(near(kind, day) for day in days)) or tuple(kinds[-1:])


def _value(measured: Measured, name: str) -> float:
    figure = getattr(measured, name)
    return float("nan") if figure is None else float(figure.value)


def judge(trials: Sequence[Trial], kind: str, over: Mapping[str, Lists]) -> tuple[Refusal, ...]:
    """All that one model has not shown."""
    found: list[Refusal] = []
    for trial in sorted(trials, key=lambda one: one.day):
        if trial.figures is None:
            continue
        day = trial.figures
        if day.day in TARGETS:
            found += _targets(day.day, day.against[kind], TARGETS[day.day])
            found += _honest(day.day, day.measured[kind], day.measured[BASELINES[0]])
            found += [Refusal("groups", day.day, why, "", "") for _, why in fairness.blocked(trial.groups[kind])]
        else:
            found += _no_worse(day, kind)
        found += _hidden_groups(day)
    return (*found, *_lists(over, kind))


# key, name of the figure, whether at most, sentence
_ASKED = (
    ("brier_to_rate", True, "Its chances are not enough better than those from the plain rate."),
    ("brier_to_last_year", True, "Its chances are not enough better than those from the rate and last year's rate."),
    (
        "unlisted_to_rate",
        False,
        "Among students whom the rule has not listed it finds too few more than the plain rate.",
    ),
    ("sensitivity_gain", False, "With a list as long as the rule's it finds too few more students than the rule."),
    ("kept", False, "Too little is left of what a larger model would gain."),
)


def _targets(day: int, against: Against, target: Target) -> Iterator[Refusal]:
    for key, at_most, sentence in _ASKED:
        got, wanted = float(getattr(against, key).value), float(getattr(target, key))
        shown = got <= wanted if at_most else got >= wanted
        if not shown:
            words = f"{'at most' if at_most else 'at least'} {wanted:.3f}"
            yield Refusal(key, day, f"School day {day}: {sentence}", words, f"{got:.3f}")
    if day <= SURE_UNTIL and not against.brier_to_rate.high < 1:
        sentence = f"School day {day}: that it is better than the plain rate may be chance."
        yield Refusal("beyond_chance", day, sentence, "under 1.000", f"up to {against.brier_to_rate.high:.3f}")


def _honest(day: int, ours: Measured, rate: Measured) -> Iterator[Refusal]:
    most = min(MOST_ECE, (rate.ece if rate.ece is not None else MOST_ECE) + ECE_BEYOND_RATE)
    if ours.ece is None or not ours.ece <= most:
        sentence = f"School day {day}: what it expects of groups of similar students is too far from what came."
        yield Refusal("ece", day, sentence, f"at most {most:.3f}", f"{ours.ece or float('nan'):.3f}")
    if ours.gap is None or not abs(ours.gap) <= MOST_GAP:
        sentence = f"School day {day}: it expects too {'much' if (ours.gap or 0) > 0 else 'little'} of all together."
        yield Refusal("gap", day, sentence, f"within {MOST_GAP:.3f}", f"{ours.gap or float('nan'):+.3f}")
    if ours.slope is None or not SLOPE[0] <= ours.slope <= SLOPE[1]:
        sentence = f"School day {day}: its chances are too {'bold' if (ours.slope or 0) < 1 else 'timid'}."
        yield Refusal("slope", day, sentence, f"{SLOPE[0]} to {SLOPE[1]}", f"{ours.slope or float('nan'):.2f}")


def _no_worse(day: DayFigures, kind: str) -> Iterator[Refusal]:
    """On days without targets of their own a model must lose nothing against the plain rate."""
    lost = _value(day.measured[BASELINES[0]], "auc") - _value(day.measured[kind], "auc")
    brier = day.against[kind].brier_to_rate.value
    if not (lost <= NO_WORSE and brier <= 1):
        sentence = f"School day {day.day}: it is worse than the plain rate."
        yield Refusal("no_worse", day.day, sentence, "at most 1.000", f"{brier:.3f}")


def _hidden_groups(day: DayFigures) -> Iterator[Refusal]:
    if day.groups_gain is not None and not day.groups_gain <= MOST_FROM_GROUPS:
        sentence = (
            f"School day {day.day}: which group a student belongs to would foretell more than attendance tells."
            " Find out why before any model is used."
        )
        yield Refusal("groups_gain", day.day, sentence, f"at most {MOST_FROM_GROUPS:.3f}", f"{day.groups_gain:.3f}")


def _lists(over: Mapping[str, Lists], kind: str) -> Iterator[Refusal]:
    ours, rule = over[kind], over[RULE]
    if not ours.ever_listed <= EVER_LISTED * rule.ever_listed:
        sentence = "Its lists name too many students who were not chronically absent when the year was over."
        yield Refusal("ever_listed", None, sentence, f"at most {EVER_LISTED:.2f} of the rule's", _of(ours, rule))
    if not ours.alike >= rule.alike:
        sentence = "Its lists change more from one time to the next than the rule's."
        yield Refusal("alike", None, sentence, f"at least {rule.alike:.3f}", f"{ours.alike:.3f}")


def _of(ours: Lists, rule: Lists) -> str:
    return f"{ours.ever_listed / rule.ever_listed:.2f}" if rule.ever_listed else "none of the rule's"
