"""Refusals say what was asked and what came, in one unit, to people who run schools."""

from __future__ import annotations

import re

import pytest

from rules.risk import gates, wording
from rules.risk.group_names import said
from tests.rules.risk_trials import outcome

NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
JARGON = re.compile(r"\b(AUC|Brier|ECE|slope|calibrat\w+|logit\w*|baseline|stls|iep|nan)\b|_", re.IGNORECASE)


def test_every_sentence_holds_what_was_asked_and_what_came() -> None:
    found = [one for memory in (0.0, 0.35) for tried in outcome(memory).tried.values() for one in tried]
    assert len({one.key for one in found}) >= 7
    for one in found:
        figures = set(NUMBER.findall(one.sentence))
        assert set(NUMBER.findall(one.wanted)) <= figures and set(NUMBER.findall(one.got)) <= figures, one
        assert one.sentence[0].isupper() and one.sentence.endswith(".") and not JARGON.search(one.sentence), one
        assert (one.day is None) == (f"school day {one.day}" not in one.sentence)


@pytest.mark.parametrize(
    ("told", "sentence"),
    [
        (
            wording.error_of_rate(60, 0.91, 0.922),
            "On school day 60 its estimates are not enough better than the plain absence rate: their error was 92.2% of"
            " the rate's, and at most 91% is allowed.",
        ),
        (
            wording.more_found(20, 0.04, -0.012),
            "On school day 20, with a list as long as the rule's, it found 1.2 fewer of every 100 students who became"
            " chronically absent than the rule did; at least 4 more are asked.",
        ),
        (
            wording.expects(20, 0.05, 0.0634),
            "On school day 20 it expected chronic absence of 6.3 more of every 100 students than it came to; at most 5"
            " more or fewer are allowed.",
        ),
        (
            wording.spread(40, (0.85, 1.15), 0.8),
            "On school day 40 its chances are too bold: too near to none and to all. They would have fitted what came"
            " with 80% of their distance from the average; 85% to 115% is allowed.",
        ),
    ],
)
def test_sentences_are_for_people(told: wording.Told, sentence: str) -> None:
    assert told.sentence == sentence


def test_a_miss_by_a_hair_does_not_read_as_kept() -> None:
    assert wording.error_of_rate(20, 0.85, 0.85004).got == "85.004%"
    assert wording.numbers(85, 85.04) == ("85.00", "85.04")
    assert wording.numbers(5, float("nan")) == ("5", "unknown")


def test_groups_are_named_as_people_say_them_and_not_to_everybody() -> None:
    assert said("stls: yes") == "students in temporary living situations"
    assert said("race_ethnicity: Black + english_learner: yes") == "Black students who are also English learners"
    assert said("race_ethnicity: Asian and White") == "Asian and White students"
    assert [said(f"grade {grade}") for grade in (-1, 0, 9)] == ["grade PK", "grade K", "grade 9"]
    assert said("school 12") == "school 12"
    told = wording.expects_of_group(20, said("stls: yes"), 0.05, -0.08).sentence
    assert "temporary" in told and "temporary" not in gates.for_everybody("groups", told)
    assert gates.for_everybody("kept", told) == told
