"""Vocabulary: permanent keys, kind words, and the flags that programs rely on."""

from __future__ import annotations

import re

import pytest

from rules.access import FieldClass
from rules.case_flow import Status
from rules.roles import RESTRICTED
from rules.vocabulary import Way, vocabulary

WORDS = vocabulary()
UNKIND = re.compile(
    r"\b(police|court|fine[ds]?|ticket|truan\w*|violat\w*|offen[cds]\w*|punish\w*|delinquen\w*)\b", re.I
)


def test_no_label_is_unkind():
    labels = [label for words in WORDS.labels.values() for label in words.values()]
    labels += [cause.hint for cause in WORDS.causes.values()]
    assert [label for label in labels if UNKIND.search(label)] == []


def test_labels_within_a_kind_are_told_apart():
    for kind, words in WORDS.labels.items():
        assert len(set(words.values())) == len(words), kind


def test_every_status_and_class_has_its_word():
    assert set(WORDS.labels["status"]) == set(Status)
    assert set(WORDS.labels["field_class"]) == set(FieldClass)
    assert set(WORDS.labels["restricted"]) == RESTRICTED | {"flag"}
    assert list(WORDS.labels["tier"]) == ["none", "1", "watch", "2", "3"]
    assert list(WORDS.labels["useful"]) == ["yes", "no", "cannot_tell"]


def test_causes_kept_in_compartments():
    kept = {code: cause.restricted for code, cause in WORDS.causes.items() if cause.restricted}
    assert kept == {
        "B-HLTH-CHRON": "health",
        "B-HLTH-ORAL": "health",
        "B-HLTH-VISION": "health",
        "B-HLTH-ACCESS": "health",
        "B-HLTH-MENTAL": "counseling",
        "A-BULLY": "counseling",
        "A-ANX": "counseling",
        "B-HOUSING": "stls",
        "A-DISABILITY": "iep_504",
        "B-PROTECTED": "protected",
    }
    assert len(WORDS.causes) == 34


def test_families_of_causes():
    assert {cause.family for cause in WORDS.causes.values()} == set(WORDS.labels["cause_family"])
    assert [code for code, cause in WORDS.causes.items() if not cause.known] == ["U-UNKNOWN", "U-DECLINED"]


@pytest.mark.parametrize(
    ("outcome", "contact", "family", "problem"),
    [
        ("reached_agreed", True, True, False),
        ("student_spoken", True, False, False),
        ("left_voicemail", False, False, False),
        ("message_delivered", False, False, False),
        ("number_not_working", False, False, True),
        ("letter_returned", False, False, True),
    ],
)
def test_what_an_outcome_means(outcome: str, contact: bool, family: bool, problem: bool):
    one = WORDS.outcomes[outcome]
    assert (one.counts_as_contact, one.reached_family, one.contact_problem) == (contact, family, problem)


def test_an_automatic_call_is_no_attempt():
    assert not WORDS.is_attempt("robocall")
    assert WORDS.is_attempt("call")


def test_every_method_has_a_good_and_a_bad_outcome():
    for method in WORDS.methods:
        reached = {outcome.counts_as_contact for outcome in WORDS.outcomes_for(method)}
        assert reached == {True, False}, method
    assert all(Way.VISIT in outcome.ways for outcome in WORDS.outcomes_for("visit"))


def test_a_reader_is_offered_only_causes_of_their_classes():
    teacher = {cause.code for cause in WORDS.causes_shown(frozenset({FieldClass.ROSTER}))}
    assert teacher.isdisjoint({"B-HOUSING", "A-ANX", "B-FAMILY"}) and "M-FEW" in teacher
    liaison = {cause.code for cause in WORDS.causes_shown(frozenset({FieldClass.STLS}))}
    assert "B-HOUSING" in liaison and "B-HLTH-CHRON" not in liaison


def test_a_label_and_a_sentence_for_a_wrong_key():
    assert WORDS.label("outcome", "left_voicemail") == "Left a voicemail"
    with pytest.raises(KeyError, match="'maybe' is not a confidence. Choose one of: said, likely, guess."):
        WORDS.label("confidence", "maybe")


def test_closing_as_better_asks_for_the_plan():
    assert WORDS.close_reasons["recovered"].asks_plan_review
    assert not WORDS.close_reasons["moved_district"].asks_plan_review
