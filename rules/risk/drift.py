"""Whether the running year still looks like those a model was made from; if not, the rules work alone that day.

Not the spread of the scores, which hardly moves when a third of the schools fall silent, but what breaks in practice:
ids, joins, codes, submissions, and a year that is unlike any before.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from rules.risk.cohort import Cohort
from rules.risk.features import COLUMN, Features

LOST_LAST_YEAR = 0.15  # of all students
LEAST_CORRELATION = 0.20
CORRELATED_FROM = 20  # taught days: before, a few days say nothing either way
LEAST_TOGETHER = 100  # students with both years, to tell a correlation
MARKS = (0.5, 2.0)
RARE = 0.002  # of all member days: the share of a rarer kind of mark swings by itself
MEAN_RATE, MEAN_RATE_WARNS = (0.75, 1.33), (0.85, 1.18)
SUBMITTED = 0.98


KINDS: Mapping[str, str] = {
    "tardy": "Marks for coming late", "partial": "Marks for a part of a day", "excused": "Excused absences",
    "unexcused": "Absences without an excuse", "other": "Absences of other kinds",
}  # fmt: skip


class Effect(StrEnum):
    """What an alarm does."""

    STOP = "stop"  # no score is shown; rules alone
    SCHOOLS = "schools"  # the schools named keep their last list, told as old
    WARN = "warn"


@dataclass(frozen=True, slots=True)
class Usual:
    """What a cohort looked like on one grid day."""

    has_last_year: float  # share of students
    mean_rate: float
    marked: Mapping[str, float]  # shares of member days by kind of mark


@dataclass(frozen=True, slots=True)
class Alarm:
    """Something that does not look like the years a model was made from."""

    key: str
    effect: Effect
    sentence: str
    wanted: str
    got: str
    schools: tuple[int, ...] = ()


def usual(cohort: Cohort) -> Usual:
    """To keep beside a model."""
    marked = {name: round(float(share), 6) for name, share in sorted(cohort.marked.items())}
    return Usual(_mean(cohort.x, "has_last_year"), _mean(cohort.x, "rate"), marked)


def between(kept: Mapping[int, Usual], day: int) -> Usual:
    """What is usual on any day from the first grid day to the last, by the days on either side."""
    days = sorted(kept)
    if day in kept:
        return kept[day]
    before, after = next((one, two) for one, two in itertools.pairwise(days) if one < day < two)
    share, one, two = (day - before) / (after - before), kept[before], kept[after]

    def mean(first: float, second: float) -> float:
        return first + share * (second - first)

    names = sorted(set(one.marked) | set(two.marked))
    marked = {name: mean(one.marked.get(name, 0.0), two.marked.get(name, 0.0)) for name in names}
    return Usual(mean(one.has_last_year, two.has_last_year), mean(one.mean_rate, two.mean_rate), marked)


def alarms(
    x: Features, marked: Mapping[str, float], kept: Usual, day: int, submitted: Mapping[int, float]
) -> tuple[Alarm, ...]:
    """What is unlike on a day: of all who would be scored, the shares of marks, the days each school submitted."""
    found = [_last_year(x, kept), _joined(x, day), *_marks(marked, kept), _rate(x, kept), _silent(submitted)]
    return tuple(alarm for alarm in found if alarm is not None)


def stops(found: Sequence[Alarm]) -> bool:
    """Whether the rules work alone."""
    return any(alarm.effect is Effect.STOP for alarm in found)


def _last_year(x: Features, kept: Usual) -> Alarm | None:
    now, least = _mean(x, "has_last_year"), kept.has_last_year - LOST_LAST_YEAR
    if now >= least:
        return None
    return Alarm(
        "has_last_year", Effect.STOP,
        f"Only {now:.0%} of students have a last year on record; on the same day a year ago {kept.has_last_year:.0%}"
        f" had, and at least {least:.0%} are asked. Student IDs may have been given anew: check the roster before"
        " anything else.",
        f"at least {least:.0%}", f"{now:.0%}",
    )  # fmt: skip


def _joined(x: Features, day: int) -> Alarm | None:
    both = x[:, [COLUMN["last_year_rate"], COLUMN["rate"]]].astype(np.float64)
    both = both[~np.isnan(both).any(axis=1)]
    if day < CORRELATED_FROM or len(both) < LEAST_TOGETHER:
        return None
    away = both - both.mean(axis=0)
    spread = float(np.sqrt((away**2).sum(axis=0).prod()))
    found = float(away.prod(axis=1).sum()) / spread if spread > 0 else 0.0
    if found >= LEAST_CORRELATION:
        return None
    return Alarm(
        "correlation", Effect.STOP,
        f"Last year's attendance has next to nothing to do with this year's: they go together by {found:.2f} (1 is"
        f" wholly, 0 not at all), and at least {LEAST_CORRELATION:.2f} is asked. It may have been joined to the"
        " wrong students: compare one student's last year with the student system.",
        f"at least {LEAST_CORRELATION:.2f}", f"{found:.2f}",
    )  # fmt: skip


def _marks(marked: Mapping[str, float], kept: Usual) -> list[Alarm]:
    found = []
    for name in sorted(set(kept.marked) | set(marked)):
        then, now = kept.marked.get(name, 0.0), marked.get(name, 0.0)
        if max(then, now) < RARE or MARKS[0] * then <= now <= MARKS[1] * then:
            continue
        found.append(
            Alarm(
                f"marks:{name}", Effect.STOP,
                f"{KINDS.get(name, name)} stand on {now:.1%} of days; on the same day a year ago it was {then:.1%}, and"
                f" {MARKS[0] * then:.1%} to {MARKS[1] * then:.1%} is allowed. A code may be missing from the feed, or"
                " mean something else now: look at the codes.",
                f"{MARKS[0] * then:.1%} to {MARKS[1] * then:.1%}", f"{now:.1%}",
            )
        )  # fmt: skip
    return found


def _rate(x: Features, kept: Usual) -> Alarm | None:
    now = _mean(x, "rate")
    ratio = now / kept.mean_rate if kept.mean_rate > 0 else float("inf")
    if MEAN_RATE_WARNS[0] <= ratio <= MEAN_RATE_WARNS[1]:
        return None
    low, high = MEAN_RATE
    return Alarm(
        "mean_rate", Effect.WARN if low <= ratio <= high else Effect.STOP,
        f"Students missed {now:.1%} of days so far; on the same day a year ago it was {kept.mean_rate:.1%}: {ratio:.2f}"
        f" times as much, and {low:.2f} to {high:.2f} times is allowed. What a model learned from earlier years may not"
        " hold; if a school's file is wrong, mend that first.",
        f"{low:.2f} to {high:.2f} times a year ago", f"{ratio:.2f} times",
    )  # fmt: skip


def _silent(submitted: Mapping[int, float]) -> Alarm | None:
    schools = tuple(sorted(school for school, share in submitted.items() if share < SUBMITTED))
    if not schools:
        return None
    least = min(submitted[school] for school in schools)
    many = "One school has" if len(schools) == 1 else f"{len(schools)} schools have"
    its, them = ("its", "it") if len(schools) == 1 else ("their", "them")
    return Alarm(
        "submitted", Effect.SCHOOLS,
        f"{many} not submitted {SUBMITTED:.0%} of {its} days; the least is {least:.0%}. Nothing new is said of {its}"
        f" students until the days come in; what was said of {them} before, if anything, stands marked as old.",
        f"at least {SUBMITTED:.0%} of days", f"{least:.0%}", schools,
    )  # fmt: skip


def _mean(x: Features, name: str) -> float:
    return round(float(np.nanmean(x[:, COLUMN[name]], dtype=np.float64)), 6) if len(x) else 0.0
