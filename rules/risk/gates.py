"""What a model has to show on the district's own past years before anybody may let it work; and which one is asked.

Ratios inside the same run, never an absolute figure: base rates differ too much between districts. The simplest model
that is as good as the best is taken. Whoever is refused is told why, in a sentence.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from rules.counting import are, many
from rules.risk import fairness, wording
from rules.risk.backtest import BASELINES, LEAST_OF_EACH, RULE
from rules.risk.judging import Against, DayFigures, Measured
from rules.risk.trial import Lists, Trial, lists
from rules.risk.wording import Told

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
    """One thing that was not shown. `sentence` says all of it; `wanted` and `got` are its figures for a table."""

    key: str
    day: int | None
    sentence: str
    wanted: str
    got: str


OF_GROUPS = ("groups", "groups_gain")
GROUP_UNNAMED = (
    "It does less well for a group of students than is allowed. Whoever audits the model sees which group it is."
)


def _refused(key: str, day: int | None, told: Told) -> Refusal:
    return Refusal(key, day, told.sentence, told.wanted, told.got)


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
        days = " and ".join(str(day) for day in missing)
        sentence = f"No two completed years reach far enough to try a model on school day {days}."
        few = (Refusal("days", None, sentence, "two years", "fewer"),)
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
        found.append(too_few_years(years))
    if rows < LEAST_STUDENT_YEARS:
        sentence = (
            f"There are too few students to learn from: {rows:,} in all completed years together, each counted once a"
            f" year; at least {LEAST_STUDENT_YEARS} are needed."
        )
        found.append(Refusal("student_years", None, sentence, f"at least {LEAST_STUDENT_YEARS}", f"{rows:,}"))
    fewest = min((trial.fewest for trial in trials), default=LEAST_OF_EACH)
    if not found and fewest < LEAST_OF_EACH:
        sentence = (
            "In one of the completed years too few students were chronically absent, or too few were not: at least"
            f" {LEAST_OF_EACH} of each are needed to learn from."
        )
        found.append(Refusal("of_each", None, sentence, f"{LEAST_OF_EACH} of each", "fewer"))
    return tuple(found)


def too_few_years(years: int) -> Refusal:
    """Said before anything is read, and where what was read is not enough."""
    known = {0: "none", 1: "one"}.get(years, str(years))
    sentence = (
        "A model needs one completed school year to learn from and another to be tried on;"
        f" {known} {are(years or 1)} known."
    )
    return Refusal("years", None, sentence, many(LEAST_YEARS, "year"), known)


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
            found += [_refused("groups", day.day, why) for _, why in fairness.blocked(trial.groups[kind], day.day)]
        else:
            found += _no_worse(day, kind)
        found += _hidden_groups(day)
    return (*found, *_lists(over, kind))


# name of the figure, whether it may be that at most (else at least), and how it is said
_ASKED = (
    ("brier_to_rate", True, wording.error_of_rate),
    ("brier_to_last_year", True, wording.error_of_last_year),
    ("unlisted_to_rate", False, wording.unlisted),
    ("sensitivity_gain", False, wording.more_found),
    ("kept", False, wording.kept),
)


def _targets(day: int, against: Against, target: Target) -> Iterator[Refusal]:
    for key, at_most, said in _ASKED:
        got, wanted = float(getattr(against, key).value), float(getattr(target, key))
        shown = got <= wanted if at_most else got >= wanted
        if not shown:
            yield _refused(key, day, said(day, wanted, got))
    if day <= SURE_UNTIL and not against.brier_to_rate.high < 1:
        yield _refused("beyond_chance", day, wording.may_be_chance(day, against.brier_to_rate.high))


def _honest(day: int, ours: Measured, rate: Measured) -> Iterator[Refusal]:
    most = min(MOST_ECE, (rate.ece if rate.ece is not None else MOST_ECE) + ECE_BEYOND_RATE)
    if ours.ece is None or not ours.ece <= most:
        yield _refused("ece", day, wording.does_not_match(day, most, _number(ours.ece)))
    if ours.gap is None or not abs(ours.gap) <= MOST_GAP:
        yield _refused("gap", day, wording.expects(day, MOST_GAP, _number(ours.gap)))
    if ours.slope is None or not SLOPE[0] <= ours.slope <= SLOPE[1]:
        yield _refused("slope", day, wording.spread(day, SLOPE, _number(ours.slope)))


def _number(found: float | None) -> float:
    return float("nan") if found is None else found


def _no_worse(day: DayFigures, kind: str) -> Iterator[Refusal]:
    """On days without targets of their own a model must lose nothing against the plain rate."""
    lost = _value(day.measured[BASELINES[0]], "auc") - _value(day.measured[kind], "auc")
    brier = day.against[kind].brier_to_rate.value
    if not brier <= 1:
        yield _refused("no_worse", day.day, wording.worse_error(day.day, brier))
    elif not lost <= NO_WORSE:
        yield _refused("no_worse", day.day, wording.worse_order(day.day, NO_WORSE, lost))


def _hidden_groups(day: DayFigures) -> Iterator[Refusal]:
    gain = day.groups_gain
    if gain is not None and not gain <= MOST_FROM_GROUPS:
        yield _refused("groups_gain", day.day, wording.groups_tell_more(day.day, MOST_FROM_GROUPS, gain))


def _lists(over: Mapping[str, Lists], kind: str) -> Iterator[Refusal]:
    ours, rule = over[kind], over[RULE]
    if not ours.ever_listed <= EVER_LISTED * rule.ever_listed:
        share = ours.ever_listed / rule.ever_listed if rule.ever_listed else float("nan")
        yield _refused("ever_listed", None, wording.names_too_many(EVER_LISTED, share))
    if not ours.alike >= rule.alike:
        yield _refused("alike", None, wording.changes_more(rule.alike, ours.alike))


# -- in words ----------------------------------------------------------------------------------------------------------


def for_everybody(key: str, sentence: str) -> str:
    """A refusal as whoever does not audit models reads it: without the name of a group."""
    return GROUP_UNNAMED if key in OF_GROUPS else sentence
