"""Supports before any sanction: every need of every step, with its source, and no step that punishes."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from rules.duty_of_care import FOUND, duty, is_whole, missing, search_due
from rules.vocabulary import vocabulary
from tests.rules.test_vocabulary import UNKIND

STEPS = list(duty().steps.values())
WHOLE = {key: 20 for key in duty().needs}


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.key)
def test_a_step_is_refused_for_exactly_what_is_missing(step) -> None:
    assert missing(step, WHOLE) == []
    assert [one.need for one in missing(step, {})] == list(step.least)
    for need, least in step.least.items():
        (one,) = missing(step, WHOLE | {need: least - 1})
        assert one.need == need and one.source and "{" not in one.sentence
        assert missing(step, dict(step.least)) == []


def test_every_step_asks_for_supports_first_and_names_its_source() -> None:
    for step in STEPS:
        assert next(iter(step.least)) == "supports" and step.source
    assert all(need.source for need in duty().needs.values())


def test_nothing_here_punishes() -> None:
    said = [step.label for step in STEPS] + [need.missing for need in duty().needs.values()]
    said += [step.label for step in duty().search.values()] + list(vocabulary().labels["district_cause"].values())
    said += [label for _, label in vocabulary().closing_choices()]
    assert [words for words in said if UNKIND.search(words)] == []


def test_withdrawal_is_no_question_before_fifteen_days_and_a_whole_search() -> None:
    withdrawal = duty().steps["withdrawal"]
    assert [one.need for one in missing(withdrawal, WHOLE | {"days_in_a_row": 14, "searched": 0})] == [
        "days_in_a_row", "searched",
    ]  # fmt: skip


def test_a_search_is_due_in_school_days_and_ends_whole_or_found() -> None:
    friday = date(2026, 11, 20)
    days = [friday + timedelta(days=n) for n in (0, 10, 11, 12, 13, 14, 17, 18)]  # a week without school
    assert search_due(duty().search["home_visit"], friday, days) == date(2026, 12, 1)
    assert not is_whole(["begun", *list(duty().search)[:-1]])
    assert is_whole(list(duty().search)) and is_whole(["begun", FOUND])
