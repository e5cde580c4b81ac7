"""Why a score is what it is: exact parts of the sum, beside the middle student of the same grade, with their facts.

Features that say one thing to a person stand together (the rate and the count to date are one reason). Parts of all
reasons add up to the distance between the two students' logits, checked for everybody each time. A reason tells what
is on record and never what may be behind it.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from rules.counting import agreeing
from rules.risk.features import COLUMN, NAMES, Features, Floats, Ints, Seen
from rules.risk.models import Grid
from rules.suppression import LEAST
from rules.tiers import days_text, rate_text

# reason -> its features (the first is the one that is compared), and the columns of Seen that are its facts
MADE_OF: Mapping[str, tuple[tuple[str, ...], str, str]] = {
    "to_date": (("rate", "absences"), "absent", "enrolled"),
    "lately": (("rate_last_20",), "absent_last_20", "enrolled_last_20"),
    "unexcused": (("unexcused_share",), "unexcused", "enrolled"),
    "marked": (("marked_share",), "marked_days", "member_days"),
    "last_year": (("last_year_rate", "has_last_year"), "last_absent", "last_enrolled"),
    "last_year_late": (("last_year_late_rate",), "late_absent", "late_enrolled"),
    "year_before": (("year_before_rate",), "before_absent", "before_enrolled"),
    "school": (("school_rate",), "school_absent", "school_enrolled"),
    "grade": (("grade",), "grade", "grade"),  # the middle student has the same one: adds nothing
}
KINDS = tuple(MADE_OF)
RAISING, LOWERING = 3, 1  # so many are told
LEAST_TOLD = 0.02  # logit: less is no reason
EXACT = 1e-9
NOT_USED = (
    "Race, sex, language, lunch, special education, health, housing, address, discipline, marks in class, notes, and "
    "everything people did to help are not looked at."
)
UNKNOWN = (
    "Not every earlier year is on record here. For one that is not, the model goes by what is usual for students "
    "without it; that is nothing about this student."
)

_SUMS = np.array([[name in features for features, *_ in MADE_OF.values()] for name in NAMES], dtype=np.float64)
_MAIN = np.array([COLUMN[features[0]] for features, *_ in MADE_OF.values()])
_LAST, _LATE = KINDS.index("last_year"), KINDS.index("last_year_late")


class NotExact(ArithmeticError):
    """Reasons do not add up to the score: nothing may be shown."""


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason of one student."""

    kind: str
    weight: float  # logit beyond the middle student of the grade
    sentence: str
    beside: str  # the middle student's, empty where either is not known
    known: bool = True  # False: it is that nothing is on record


@dataclass(frozen=True, slots=True, eq=False)
class Reasons:
    """Scores and reasons of S students: up to three that raise, the strongest first, then up to one that lowers."""

    logits: Floats  # [S]
    typical: Floats  # [S] the middle student of the grade
    kinds: NDArray[np.int8]  # [S, 4] place in KINDS; -1 where there is none
    weights: Floats  # [S, 4] logit
    facts: NDArray[np.int64]  # [S, 4, 2] part and whole: mils, or days for `marked`; -1 not known
    middle: NDArray[np.int64]  # [S, 4] the middle student's share in thousandths; -1 not known
    rest: Floats  # [S] all reasons that are not told, together

    def of(self, row: int) -> tuple[Reason, ...]:
        """The reasons of one student in words."""
        chosen = slice(row, row + 1)
        return told(replace(self, **{name: getattr(self, name)[chosen] for name in self.__slots__}).compact()[0])

    def compact(self) -> list[str]:
        """[S] for the database: JSON [[kind, weight in thousandths, part, whole, middle in thousandths], ...]."""
        row, at = np.nonzero(self.kinds >= 0)
        numbers = [np.rint(1000 * self.weights), self.facts[:, :, 0], self.facts[:, :, 1], self.middle]
        columns = [column[row, at].astype(np.int64).tolist() for column in numbers]
        kinds = [KINDS[kind] for kind in self.kinds[row, at].tolist()]
        parts = [f'["{kind}",{w},{p},{q},{m}]' for kind, w, p, q, m in zip(kinds, *columns, strict=True)]
        ends = np.cumsum(np.bincount(row, minlength=len(self.kinds))).tolist()
        return [f"[{','.join(parts[begin:end])}]" for begin, end in itertools.pairwise([0, *ends])]


def explain(grid: Grid, day: int, known: Seen, x: Features) -> Reasons:
    """Scores of everybody who is asked about on a day, and why. `x` are their features.

    The middle student of a grade is made of the medians of those who are asked about; where they are fewer than ten,
    of everybody's. Raises NotExact, LookupError outside the grid.
    """
    rows, place = _middle_students(x, known.grade)
    intercept, terms = grid.terms(x, day)
    logits: Floats = intercept + terms.sum(axis=1)
    typical = grid.logit(rows, day)[place]
    parts = (terms - grid.terms(rows, day)[1][place]) @ _SUMS
    new = x[:, COLUMN["has_last_year"]] == 0  # of whom no last year is known: that is one reason and not two
    parts[new, _LAST] += parts[new, _LATE]
    parts[new, _LATE] = 0
    if len(x) and not np.abs(typical + parts.sum(axis=1) - logits).max() < EXACT:
        raise NotExact("the reasons do not add up to the scores")
    return _chosen(parts, logits, typical, known, x, rows[place])


def _chosen(parts: Floats, logits: Floats, typical: Floats, known: Seen, x: Features, middle: Features) -> Reasons:
    order = np.argsort(-parts, axis=1, kind="stable")
    kinds = np.concatenate([order[:, :RAISING], order[:, : -LOWERING - 1 : -1]], axis=1)
    weights = np.take_along_axis(parts, kinds, axis=1)
    raises = np.arange(RAISING + LOWERING) < RAISING
    kept = np.where(raises, weights >= LEAST_TOLD, weights <= -LEAST_TOLD)
    weights = np.where(kept, weights, 0.0)
    shares = np.take_along_axis(middle, _MAIN[kinds], axis=1) * 1000.0
    known_of = ~np.isnan(np.take_along_axis(x, _MAIN[kinds], axis=1))
    facts = np.stack([np.where(known_of, found, -1) for found in _facts(known, kinds)], axis=2)
    return Reasons(
        logits, typical, np.where(kept, kinds, -1).astype(np.int8), weights, facts,
        middle=np.rint(np.nan_to_num(shares, nan=-1)).astype(np.int64), rest=parts.sum(axis=1) - weights.sum(axis=1),
    )  # fmt: skip


def _facts(known: Seen, kinds: NDArray[np.intp]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    part, whole = np.zeros(kinds.shape, dtype=np.int64), np.zeros(kinds.shape, dtype=np.int64)
    for place, (_, of, among) in enumerate(MADE_OF.values()):
        row, at = np.nonzero(kinds == place)
        part[row, at], whole[row, at] = getattr(known, of)[row], getattr(known, among)[row]
    return part, whole


def _middle_students(x: Features, grade: Ints) -> tuple[Features, NDArray[np.intp]]:
    """[G, 11] the medians of each grade, and [S] which of them is a student's."""
    grades, place = np.unique(grade, return_inverse=True)
    everybody, order = _medians(x), np.argsort(place, kind="stable")
    ends = np.cumsum(np.bincount(place, minlength=len(grades)))
    rows = np.zeros((len(grades), x.shape[1]), dtype=np.float32)
    for number, of_grade in enumerate(np.split(x[order], ends[:-1]) if len(grades) else []):
        rows[number] = _medians(of_grade) if len(of_grade) >= LEAST else everybody
        rows[number, COLUMN["grade"]] = of_grade[0, COLUMN["grade"]]
    return rows, place


def _medians(x: Features) -> Features:
    """[11] of what is known, the lower of two in the middle; NaN where nothing is."""
    ordered, counts = np.sort(x, axis=0), (~np.isnan(x)).sum(axis=0)  # what is not known sorts last
    if not len(x):
        return np.full(x.shape[1], np.nan, dtype=np.float32)
    found: Features = ordered[np.maximum(counts - 1, 0) // 2, np.arange(x.shape[1])]
    return found


# -- words -----------------------------------------------------------------------------------------------------------


def told(compact: str) -> tuple[Reason, ...]:
    """Stored reasons in words. ValueError, TypeError or KeyError for what is none.

    A reason is several features together (share and count): where the share alone speaks for the other side, or stands
    as the middle student's does, it would be read as its contrary, and is left out.
    """
    parts = json.loads(compact)
    if not all(isinstance(number, int) for _, *numbers in parts for number in numbers):
        raise ValueError("reasons are whole numbers")
    if any(part > whole for _, _, part, whole, _ in parts):
        raise ValueError("a part is larger than its whole")
    return tuple(
        Reason(
            kind,
            weight / 1000,
            _sentence(kind, part, whole),
            _beside(kind, middle if part >= 0 else -1),
            part >= 0 and whole > 0,
        )  # fmt: skip
        for kind, weight, part, whole, middle in parts
        if not _misread(weight, part, whole, middle)
    )


def _misread(weight: int, part: int, whole: int, middle: int) -> bool:
    if part < 0 or whole <= 0 or middle < 0:
        return False
    beyond = 1000 * part // whole - middle  # both as they are shown
    return beyond * weight <= 0


def _sentence(kind: str, part: int, whole: int) -> str:
    if part < 0 or whole <= 0:
        return _UNKNOWN[kind]
    days = (1000 * part, 1000 * whole) if kind == "marked" else (part, whole)
    some = "" if days[0] else "none_"
    named = {"part": days_text(days[0]), "whole": days_text(days[1]), "rate": rate_text(days[1], days[0])}
    return agreeing(_WORDS.get(some + kind, _WORDS[kind]).format_map(named))


def _beside(kind: str, middle: int) -> str:
    if middle < 0 or kind == "grade":
        return ""
    return f"the middle student of the grade: {middle // 10}.{middle % 10}%"


_WORDS: Mapping[str, str] = {
    "to_date": "{part} absences in {whole} days so far ({rate}%)",
    "none_to_date": "no absence in {whole} days so far",
    "lately": "{part} absences in the last {whole} days ({rate}%)",
    "none_lately": "no absence in the last {whole} days",
    "unexcused": "{part} days without an excuse on record, of {whole} so far ({rate}%)",
    "none_unexcused": "no day without an excuse on record",
    "marked": "late, or away for some or all of the day, on {part} of {whole} days ({rate}%)",
    "none_marked": "never late and never away in {whole} days",
    "last_year": "last year {rate}% of days missed ({part} of {whole})",
    "none_last_year": "last year no day missed",
    "last_year_late": "{rate}% of the last {whole} days of last year missed",
    "none_last_year_late": "no absence in the last {whole} days of last year",
    "year_before": "two years ago {rate}% of days missed",
    "none_year_before": "two years ago no day missed",
    "school": "the whole school has missed {rate}% of its days so far",
    "grade": "the grade",
}
_UNKNOWN: Mapping[str, str] = {
    "to_date": "no school day is known yet",
    "lately": "no school day is known yet",
    "unexcused": "no school day is known yet",
    "marked": "no school day is known yet",
    "last_year": "last year is not known here",
    "last_year_late": "the end of last year is not known here",
    "year_before": "the year before last is not known here",
    "school": "no school day is known yet",
    "grade": "the grade is not known",
}
