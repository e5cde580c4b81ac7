"""The one thing a training leaves: a page of numbers that says all of itself, sealed, and refused when touched.

Canonical JSON (sorted keys, no spaces, no number that is none), its SHA-256 and a signature by a key that the caller
brings. Opening it checks the seal before a single number is read, then whether it was made for this year, by this
definition of features and label.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np

from rules.risk import cohort, features
from rules.risk.backtest import BASELINES, CHALLENGER, RULE
from rules.risk.bands import Band
from rules.risk.drift import Usual, between
from rules.risk.features import Ints, Seen
from rules.risk.gates import Outcome
from rules.risk.models import Grid, from_json
from rules.risk.plain import from_plain, to_plain
from rules.risk.trial import Trial

FORMAT = 2
LABEL = (
    "Absent on a tenth or more of the enrolled days when the school year was over, excused or not; ten days or more."
)
_SEALED_FOR = b"risk card\n"


class Refused(ValueError):
    """A card that must not be used. str() is a sentence for whoever answers for the model."""

    def __init__(self, key: str, sentence: str) -> None:
        super().__init__(sentence)
        self.key = key


@dataclass(frozen=True, slots=True)
class Card:
    """A model, what it was made from, what it showed and how long it holds."""

    format: int
    school_year: int  # the calendar year in which the school year it serves began
    valid_until: str  # ISO date, the last day
    kind: str
    label: str
    features: tuple[str, ...]
    definition: str
    years: tuple[int, ...]  # trained on
    tested: tuple[int, ...]  # years it had not seen: what its ranges were counted in
    rows: int  # student-years of the cohort that has most
    seed: int
    versions: Mapping[str, str]
    schools: tuple[int, ...]
    grades: tuple[int, ...]
    models: Mapping[int, Mapping[str, Any]]  # by grid day
    bands: Mapping[int, tuple[Band, ...]]
    usual: Mapping[int, Usual]
    figures: Mapping[int, Mapping[str, Mapping[str, float]]]  # by day and model
    groups: Mapping[int, tuple[Mapping[str, Any], ...]]  # in words, only those large enough for a verdict
    shown: str = ""  # a hash of the figures that people agree by

    @property
    def grid(self) -> Grid:
        """The models, ready to score."""
        return Grid({day: from_json(plain) for day, plain in self.models.items()})

    @property
    def serves(self) -> tuple[int, int]:
        """The first and the last school day on which it may be asked."""
        return min(self.models), max(self.models)

    def usual_on(self, day: int) -> Usual:
        """What the running year is held against."""
        return between(self.usual, day)

    def bands_on(self, day: int) -> tuple[Band, ...]:
        """What came of similar students, as judged on the grid day next to this one, the earlier of two as near."""
        return self.bands[min(sorted(self.bands), key=lambda kept: abs(kept - day))]


@dataclass(frozen=True, slots=True)
class Sealed:
    """What is stored."""

    text: str
    sha256: str
    signature: str


def definition() -> str:
    """A hash of what features and label are: of the names, the bounds, and what the arithmetic makes of one example."""
    bounds = {
        "features": features.NAMES, "rising": features.RISING, "label": LABEL, "lately": features.LATELY,
        "year": features.LEAST_OF_A_YEAR, "grid": cohort.GRID, "days": cohort.ENOUGH_DAYS, "ahead": cohort.LEAST_AHEAD,
    }  # fmt: skip
    example = features.features(Seen(*(np.array(column) for column in _EXAMPLE)))
    return _hash(canonical(bounds) + example.astype("<f4").tobytes().hex())


_EXAMPLE: Sequence[Sequence[int]] = (
    (1, 2, 3), (3_500, 0, 20_000), (20_000, 12_000, 20_000), (3_000, 0, 20_000), (20_000, 12_000, 20_000),
    (1_000, 0, 7_000), (6, 1, 20), (20, 12, 20), (17_000, -1, 900), (170_000, -1, 9_000), (8_000, -1, 900),
    (44_000, -1, 9_000), (-1, -1, 30_000), (-1, -1, 171_000), (7, 7, 8), (3_500, 3_500, 20_000),
    (32_000, 32_000, 20_000), (5, 0, features.UNKNOWN_GRADE),
)  # fmt: skip


def card(
    outcome: Outcome, trials: Sequence[Trial], *, school_year: int, valid_until: date, seed: int,
    versions: Mapping[str, str], shown: str = "",
) -> Card:  # fmt: skip
    """The card of a model that passed its gates. Raises Refused for one that did not."""
    if not outcome.passed or outcome.kind is None:
        raise Refused("gates", "A model that has not shown enough gets no card.")
    trials = sorted((trial for trial in trials if trial.figures is not None), key=lambda one: one.day)
    kind, days = outcome.kind, {trial.day: trial for trial in trials}
    judged = {day: tuple(one.words() for one in trial.groups[kind] if one.judged) for day, trial in days.items()}
    return Card(
        format=FORMAT, school_year=school_year, valid_until=valid_until.isoformat(), kind=kind, label=LABEL,
        features=features.NAMES, definition=definition(), years=max((trial.trained for trial in trials), key=len),
        tested=_all((one.year for one in trial.figures.years) for trial in trials if trial.figures is not None),
        rows=max(trial.rows for trial in trials), seed=seed, versions=dict(versions),
        schools=_all(trial.schools for trial in trials), grades=_all(trial.grades for trial in trials),
        models={day: trial.models[kind] for day, trial in days.items()},
        bands={day: trial.bands[kind] for day, trial in days.items()},
        usual={day: trial.usual for day, trial in days.items()},
        figures={day: _figures(trial, kind) for day, trial in days.items()}, groups=judged,
        shown=shown,
    )  # fmt: skip


def _all(parts: Any) -> tuple[int, ...]:
    return tuple(sorted({value for part in parts for value in part}))


def _figures(trial: Trial, kind: str) -> dict[str, dict[str, float]]:
    if trial.figures is None:
        return {}
    found: dict[str, dict[str, float]] = {}
    for name in (RULE, *BASELINES, kind, CHALLENGER):
        measured = trial.figures.measured[name]
        told = {key: getattr(measured, key) for key in ("auc", "brier", "unlisted", "sensitivity")}
        found[name] = {key: round(figure.value, 4) for key, figure in told.items() if figure is not None}
        found[name] |= {
            key: round(value, 4) for key in ("ece", "gap", "slope") if (value := getattr(measured, key)) is not None
        }
    return found


# -- sealing and opening -----------------------------------------------------------------------------------------------


def canonical(value: Any) -> str:
    """JSON that is the same for the same value, letter by letter. ValueError for a number that is none."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def hash_of(report: Mapping[str, Any]) -> str:
    """Of the figures that people agree by, as a database gives them back."""
    return _hash(canonical(report))


def _signature(sha256: str, key: bytes) -> str:
    return hmac.new(key, _SEALED_FOR + sha256.encode(), hashlib.sha256).hexdigest()


def seal(made: Card, key: bytes) -> Sealed:
    """Write a card and sign it."""
    text = canonical(to_plain(made))
    return Sealed(text, _hash(text), _signature(_hash(text), key))


def opened(sealed: Sealed, *, keys: Sequence[bytes], school_year: int, today: date) -> Card:
    """The card, if it is what was sealed by one of these keys and holds today. Raises Refused with the reason."""
    if not hmac.compare_digest(_hash(sealed.text), sealed.sha256):
        raise Refused(
            "checksum", "The stored model was changed after it was made (its checksum differs). Have a new one made."
        )
    if not any(hmac.compare_digest(_signature(sealed.sha256, key), sealed.signature) for key in keys):
        raise Refused("signature", "The stored model was not signed by this installation. Have a new one made here.")
    return read(sealed.text, school_year=school_year, today=today)


def read(text: str, *, school_year: int, today: date) -> Card:
    """A card whose seal has been checked already. Raises Refused where it does not hold."""
    try:
        plain = json.loads(text)
        if plain.get("format") != FORMAT:
            raise Refused(
                "format", "The stored model was written by another release of this software. Have a new one made."
            )
        found = from_plain(Card, plain)
        grid, last = found.grid, date.fromisoformat(found.valid_until)
    except Refused:
        raise
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        raise Refused("unreadable", "The stored model can't be read. Have a new one made.") from error
    return _holds(found, grid, school_year, last >= today)


def _holds(found: Card, grid: Grid, school_year: int, runs: bool) -> Card:
    checks: tuple[tuple[str, Callable[[], bool], str], ...] = (
        ("features", lambda: found.features == features.NAMES, "The model looks at other facts than this release."),
        (
            "definition",
            lambda: found.definition == definition(),
            "This release counts a fact the model looks at in another way.",
        ),
        ("school_year", lambda: found.school_year == school_year, "The model was made for another school year."),
        ("expired", lambda: runs, f"The model ended on {found.valid_until}."),
        ("grid", lambda: set(grid.models) == set(found.bands) == set(found.usual), "A part of the model is missing."),
    )
    for key, holds, sentence in checks:
        if not holds():
            raise Refused(key, f"{sentence} Have a new one made.")
    return found


# -- serving -----------------------------------------------------------------------------------------------------------

TOO_LITTLE, UNSEEN_GRADE, UNSEEN_SCHOOL = "too_little", "unseen_grade", "unseen_school"
ABSTAINS: Mapping[str, str] = {
    TOO_LITTLE: (
        "The model says nothing of this student yet: fewer than ten school days here and no last year on record."
    ),
    UNSEEN_GRADE: "The model says nothing of this student: it was made from years without students of this grade.",
    UNSEEN_SCHOOL: "The model says nothing of this student: it was made from years without students of this school.",
}


def abstains(made: Card, known: Seen) -> np.ndarray[tuple[int, ...], np.dtype[np.str_]]:
    """[S] why nothing is said of a student, a key of ABSTAINS; empty where something is."""
    few = (known.member_days < cohort.ENOUGH_DAYS) & (known.last_enrolled < features.LEAST_OF_A_YEAR)
    found = np.where(_unseen(known.school, made.schools), UNSEEN_SCHOOL, "")
    found = np.where(_unseen(known.grade, made.grades), UNSEEN_GRADE, found)
    return np.where(few, TOO_LITTLE, found)


def _unseen(values: Ints, seen: tuple[int, ...]) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    return ~np.isin(values, np.array(seen, dtype=np.int64))
