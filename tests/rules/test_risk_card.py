"""The artefact: sealed, whole, of this year and of these definitions, or refused with the reason."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest

from rules.risk import card as cards
from rules.risk import cohort, features, gates, trial
from rules.risk.card import Card, Refused, Sealed, canonical, opened, read, seal
from rules.risk.features import NAMES, UNKNOWN_GRADE
from tests.rules.risk_trials import outcome, town, trials

KEY, OLD_KEY = b"a key of this installation", b"the key before"
TODAY, LAST = dt.date(2026, 11, 2), dt.date(2027, 6, 30)


@cache
def made() -> Card:
    return cards.card(outcome(), trials(), school_year=2026, valid_until=LAST, seed=7, versions={"numpy": "2"})


@cache
def sealed() -> Sealed:
    return seal(made(), KEY)


def refusal(what: Sealed, **parts: Any) -> str:
    with pytest.raises(Refused) as caught:
        opened(what, **{"keys": [KEY], "school_year": 2026, "today": TODAY, **parts})
    assert str(caught.value).endswith(("Have a new one made.", "Have a new one made here."))
    return caught.value.key


def test_a_card_reads_back_whole_and_scores_alike() -> None:
    found = opened(sealed(), keys=[OLD_KEY, KEY], school_year=2026, today=LAST)
    assert found == made()
    x = features.features(town().seen(3, 33))
    assert np.array_equal(found.grid.logit(x, 33), made().grid.logit(x, 33))
    assert found.usual_on(33).mean_rate == made().usual_on(33).mean_rate
    assert found.bands_on(30) == found.bands[20] and found.bands_on(31) == found.bands[40]


def test_it_serves_the_days_that_were_tested() -> None:
    alone = trial.run([town().cohort(3, 120)], seed=7)
    later = cards.card(outcome(), [*trials(), alone], school_year=2026, valid_until=LAST, seed=7, versions={})
    assert later.serves == made().serves == (20, 90)


def test_the_text_is_canonical_and_small() -> None:
    text = sealed().text
    assert text == canonical(json.loads(text)) and "NaN" not in text and '": ' not in text
    assert len(text) / len(made().grid.models) < 10_000
    assert seal(made(), KEY) == sealed() and seal(made(), OLD_KEY).signature != sealed().signature


def leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The way to every single value of the text."""
    if isinstance(value, dict):
        for key, part in value.items():
            yield from leaves(part, (*path, key))
    elif isinstance(value, list) and value:
        for place, part in enumerate(value):
            yield from leaves(part, (*path, place))
    else:
        yield path


def touched(path: tuple[Any, ...]) -> str:
    """The text with one value changed a little."""
    plain = json.loads(sealed().text)
    at = plain
    for step in path[:-1]:
        at = at[step]
    value = at[path[-1]]
    at[path[-1]] = f"{value}x" if isinstance(value, str) else 1 if value in (None, [], {}) else value + 1
    return canonical(plain)


def test_a_change_of_any_value_is_noticed_with_or_without_a_new_checksum() -> None:
    every = list(leaves(json.loads(sealed().text)))
    assert len(every) > 300
    for path in every:
        text = touched(path)
        assert refusal(replace(sealed(), text=text)) == "checksum", path
        assert refusal(Sealed(text, cards._hash(text), sealed().signature)) == "signature", path


def test_another_key_and_half_a_text_are_refused() -> None:
    assert refusal(sealed(), keys=[OLD_KEY]) == refusal(sealed(), keys=[]) == "signature"
    assert refusal(replace(sealed(), text=sealed().text[:-1])) == "checksum"
    assert refusal(replace(sealed(), signature="")) == "signature"
    for text in ("", "[]", "{}", '{"format":1}'):
        with pytest.raises(Refused):
            read(text, school_year=2026, today=TODAY)


def test_a_card_ends_with_its_school_year() -> None:
    assert refusal(sealed(), today=LAST + dt.timedelta(days=1)) == "expired"
    assert refusal(sealed(), school_year=2027) == "school_year"


@pytest.mark.parametrize(
    ("parts", "key"),
    [
        ({"features": NAMES[::-1]}, "features"),
        ({"definition": "0" * 64}, "definition"),
        ({"format": 1}, "format"),
        ({"valid_until": "2026-11-01"}, "expired"),
        ({"bands": {}}, "grid"),
        ({"valid_until": "never"}, "unreadable"),
        ({"models": {20: {"kind": "forest"}}}, "unreadable"),
        ({"models": {20: {"kind": "logistic", "intercept": 0.0}}}, "unreadable"),
    ],
)
def test_a_well_signed_card_of_another_kind_is_refused(parts: dict[str, Any], key: str) -> None:
    assert refusal(seal(replace(made(), **parts), KEY)) == key


def test_other_arithmetic_of_a_feature_or_another_label_is_another_definition(monkeypatch: pytest.MonkeyPatch) -> None:
    before = cards.definition()
    assert before == cards.definition() and len(before) == 64
    with monkeypatch.context() as patch:
        patch.setattr(features, "LEAST_OF_A_YEAR", 20_000)
        assert cards.definition() != before
    with monkeypatch.context() as patch:
        patch.setattr(cohort, "LEAST_AHEAD", 30)
        assert cards.definition() != before
    with monkeypatch.context() as patch:
        plain = features.features
        patch.setattr(features, "features", lambda known: plain(known) * np.float32(1.001))
        assert cards.definition() != before


def test_no_protected_attribute_is_in_the_artefact_as_an_input() -> None:
    plain = json.loads(sealed().text)
    assert tuple(plain["features"]) == NAMES
    for model in plain["models"].values():
        assert set(model.get("weights", model.get("tables"))) <= set(NAMES)
    protected = ("race", "sex", "lunch", "ell", "iep", "homeless", "language", "zip", "address", "discipline")
    assert not [name for name in NAMES if any(word in name.split("_") for word in protected)]


def test_a_model_that_showed_too_little_gets_no_card() -> None:
    with pytest.raises(Refused, match="gets no card"):
        cards.card(gates.conclude(trials()[:1]), trials()[:1], school_year=2026, valid_until=LAST, seed=7, versions={})


def test_of_whom_nothing_is_said() -> None:
    known = town().seen(3, 20)
    early = known.of(np.arange(4))
    few = replace(early, member_days=np.array([9, 9, 20, 20]), last_enrolled=np.array([-1, 170_000, -1, 170_000]))
    grades, schools = np.array([5, 5, UNKNOWN_GRADE, 5]), np.array([1, 1, 1, 99])
    asked = replace(few, grade=grades, school=schools)
    assert cards.abstains(replace(made(), grades=(5,), schools=(1, 2)), asked).tolist() == [
        cards.TOO_LITTLE, "", cards.UNSEEN_GRADE, cards.UNSEEN_SCHOOL,
    ]  # fmt: skip
    assert set(cards.ABSTAINS) == {cards.TOO_LITTLE, cards.UNSEEN_GRADE, cards.UNSEEN_SCHOOL}
