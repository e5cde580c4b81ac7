"""Reasons are exact parts of the score, kindly said, with facts that are on record."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from rules.risk import backtest, reasons
from rules.risk.features import NAMES, Features, Past, Seen, features
from rules.risk.models import Grid, Steps, Table
from rules.risk.reasons import KINDS, MADE_OF, NotExact, explain, told
from rules.words import unkind
from tests.rules.risk_years import district

TOWN = district(students=1200)
DAYS = (20, 40)


@cache
def grid(kind: str) -> Grid:
    return Grid({day: backtest.fit(kind, [TOWN.cohort(2, day)], day, seed=7) for day in DAYS})


def asked(day: int) -> tuple[Seen, Features]:
    known = TOWN.seen(3, day)
    return known, features(known)


@pytest.mark.parametrize("kind", backtest.SERVED)
@pytest.mark.parametrize("day", [20, 31, 40])
def test_reasons_and_the_rest_add_up_to_the_distance_from_the_middle_student(kind: str, day: int) -> None:
    known, x = asked(day)
    found = explain(grid(kind), day, known, x)
    assert np.abs(found.typical + found.weights.sum(axis=1) + found.rest - found.logits).max() < 1e-9
    assert np.array_equal(found.logits, grid(kind).logit(x, day))
    raises = found.weights[:, :3]
    assert (np.diff(raises, axis=1) <= 0).all() and (raises >= 0).all() and (found.weights[:, 3] <= 0).all()
    assert (found.kinds[:, 0] >= 0).mean() > 0.5 and KINDS.index("grade") not in found.kinds


def test_a_sum_that_does_not_come_out_shows_nothing() -> None:
    class Wrong(Grid):
        def logit(self, x: Features, day: int) -> np.ndarray:  # type: ignore[type-arg]
            return super().logit(x, day) + 1e-6

    with pytest.raises(NotExact):
        explain(Wrong(grid("steps").models), 20, *asked(20))


def test_every_feature_stands_in_one_reason() -> None:
    assert sorted(name for made, *_ in MADE_OF.values() for name in made) == sorted(NAMES)


def test_the_facts_are_those_on_record() -> None:
    known, x = asked(20)
    found = explain(grid("steps"), 20, known, x)
    row = int(np.argmax(found.logits))
    for reason in found.of(row):
        assert reason.weight != 0 and reason.beside.startswith("the middle student of the grade")
    assert told('[["last_year",402,-1,-1,35]]')[0].beside == "", "what is not known is compared with nothing"
    texts = {reason.kind: reason.sentence for reason in found.of(row)}
    absent = known.absent[row] // 1000
    if "to_date" in texts:
        assert texts["to_date"].startswith(f"{absent} absences in 20 days so far ({5 * absent}.0%)")
    assert found.compact()[row] == json.dumps(json.loads(found.compact()[row]), separators=(",", ":"))
    assert [reason.kind for reason in told(found.compact()[row])] == [reason.kind for reason in found.of(row)]


def test_a_last_year_that_is_not_known_is_one_reason_and_told_as_such() -> None:
    known, _ = asked(20)
    none = Past.none(len(known.students))
    bare = replace(known, **{name: getattr(none, name) for name in Past.__slots__})
    half = np.arange(len(known.students)) % 2 == 0
    mixed = replace(
        known, **{name: np.where(half, getattr(known, name), getattr(bare, name)) for name in Past.__slots__}
    )
    found = explain(grid("steps"), 20, mixed, features(mixed))
    new = np.flatnonzero(~half)
    assert KINDS.index("last_year_late") not in found.kinds[new]
    sentences = [reason.sentence for row in new.tolist() for reason in found.of(row) if reason.kind == "last_year"]
    assert sentences and set(sentences) == {"last year is not known here"}


def test_sentences_say_numbers_with_their_nouns() -> None:
    def say(*part: object) -> str:
        return told(json.dumps([part]))[0].sentence

    assert say("to_date", 900, 5_000, 20_000, 100) == "5 absences in 20 days so far (25.0%)"
    assert say("to_date", 900, 1_000, 20_000, 10) == "1 absence in 20 days so far (5.0%)"
    assert say("to_date", -900, 0, 20_000, 100) == "no absence in 20 days so far"
    assert say("lately", 900, 2_500, 20_000, 100) == "2.5 absences in the last 20 days (12.5%)"
    assert say("marked", 900, 8, 20, 100) == "late, or away for some or all of the day, on 8 of 20 days (40.0%)"
    assert say("last_year", 900, 24_000, 170_000, 100) == "last year 14.1% of days missed (24 of 170)"
    assert say("year_before", 900, -1, -1, -1) == "the year before last is not known here"
    assert told('[["school",60,90000,900000,-1]]')[0].beside == ""


def test_a_share_that_speaks_for_the_other_side_is_no_reason() -> None:
    for weight, middle, told_of in ((900, 49, 1), (900, 50, 0), (900, 51, 0), (-900, 51, 1), (-900, 49, 0)):
        assert len(told(json.dumps([("to_date", weight, 1_000, 20_000, middle)]))) == told_of, (weight, middle)
    assert [one.known for one in told('[["last_year",900,-1,-1,-1]]')] == [False]


def test_no_word_is_unkind_and_none_guesses_a_cause() -> None:
    every = [*reasons._WORDS.values(), *reasons._UNKNOWN.values(), reasons.NOT_USED, reasons.UNKNOWN]
    assert [text for text in every if unkind(text)] == []
    guesses = ("because", "due to", "risk", "likely", "unmotivated", "parent", "family")
    assert [text for text in every if any(word in text.casefold() for word in guesses)] == []


def test_a_grade_of_few_is_not_its_own_measure() -> None:
    known, x = asked(20)
    few = replace(known, grade=np.where(np.arange(len(x)) < 9, 12, 5))
    found = explain(grid("steps"), 20, few, features(few))
    everybody = explain(grid("steps"), 20, replace(known, grade=np.full(len(x), 5)), features(few))
    to_date = KINDS.index("to_date")
    row, at = np.argwhere(found.kinds[:9] == to_date)[0]
    assert found.middle[row, at] == round(1000 * float(np.median(x[:, 0])))
    assert len(everybody.logits) == len(x)


def test_a_tiny_weight_is_no_reason_and_stays_in_the_rest() -> None:
    table = Table(np.array([0.01], np.float32), np.array([0.0, 0.01]), 0.0)
    found = explain(Grid({20: Steps(-1.0, {"rate": table})}), 20, *asked(20))
    assert (found.kinds == -1).all() and (found.weights == 0).all() and np.abs(found.rest).max() == pytest.approx(0.01)
    assert set(found.compact()) == {"[]"}
