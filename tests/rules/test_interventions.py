"""The list of supports and the guide for the talk: whole, kind, and without a question about protected matters."""

from __future__ import annotations

import re

import pytest

from rules import roles
from rules.access import FieldClass
from rules.interventions import catalogue, in_groups, intervention, kept_in, offered
from rules.interviewing import guide
from rules.tiers import Tier
from rules.vocabulary import vocabulary
from tests.rules.test_vocabulary import UNKIND

FOR_NO_FAMILY = {"I15", "I16", "I19", "I32", "I33", "I34", "I37", "I39"}
RESTRICTED = {"I15": "health", "I16": "health", "I19": "counseling", "I32": "stls", "I33": "counseling",
              "I34": "health", "I37": "protected"}  # fmt: skip
# What a talk with a student or a family never asks about.
PROTECTED = re.compile(
    r"\b(income|earn|money|salary|belie[fv]\w*|relig\w*|church|vote\w*|politic\w*|sex\w*|gun\w*|drug\w*|alcohol"
    r"|arrest\w*|diagnos\w*|medication|therap\w*|depress\w*|suicid\w*|born|papers|status|lawyer|marri\w*|divorc\w*)\b",
    re.IGNORECASE,
)


def test_the_list_is_whole_and_every_entry_can_be_used() -> None:
    assert len(catalogue()) == 32
    for key, one in catalogue().items():
        assert re.fullmatch(r"I\d\d", key) and one.label and one.what.endswith(".") and one.measure, key
        assert one.owner in roles.all_roles() and one.dose.times >= 1 and one.dose.days >= 1 and one.dose.words, key
    assert len({one.label for one in catalogue().values()}) == 32


def test_every_known_cause_has_a_support_of_its_own() -> None:
    unmet = [
        code
        for code, cause in vocabulary().causes.items()
        if cause.known and not any(one.answers([code]) for one in catalogue().values())
    ]
    assert unmet == ["B-HLTH-MENTAL", "B-FAMILY", "B-TECH", "A-DISABILITY", "A-ADULT"]  # those for all fit them


def test_a_support_for_causes_of_one_compartment_lives_there() -> None:
    assert {key: str(one.restricted) for key, one in catalogue().items() if one.restricted} == RESTRICTED
    assert kept_in(intervention("I13"), "A-ANX") is FieldClass.COUNSELING
    assert kept_in(intervention("I13"), "A-CLIMATE") is None
    assert kept_in(intervention("I32"), None) is FieldClass.STLS


def test_only_those_who_write_a_class_are_offered_what_lives_in_it() -> None:
    assert not {one.key for one in offered(Tier.THREE, ())} & RESTRICTED.keys()
    nurse = {one.key for one in offered(Tier.THREE, [FieldClass.HEALTH])}
    assert nurse & RESTRICTED.keys() == {"I15", "I16", "I34"}


@pytest.mark.parametrize(
    ("tier", "most"), [(Tier.NONE, 1), (Tier.ONE, 1), (Tier.WATCH, 1), (Tier.TWO, 2), (Tier.THREE, 3)]
)
def test_a_tier_is_offered_its_supports_and_those_below(tier: Tier, most: int) -> None:
    levels = {Tier.ONE: 1, Tier.TWO: 2, Tier.THREE: 3}
    assert max(levels[one.tier] for one in offered(tier, list(FieldClass))) == most


def test_what_fits_the_cause_comes_first_and_the_strongest_first() -> None:
    groups = dict(in_groups(offered(Tier.TWO, ()), ["B-TRANSPORT"]))
    assert [one.key for one in groups["For what gets in the way"]] == ["I17", "I05"]
    assert "For what gets in the way" not in dict(in_groups(offered(Tier.TWO, ()), []))


def test_families_read_kind_short_sentences_without_restricted_supports() -> None:
    told = {key: one.for_family("Ana") for key, one in catalogue().items()}
    assert {key for key, text in told.items() if not text} == FOR_NO_FAMILY
    for key, text in told.items():
        words = text.split()
        assert len(words) <= 20 and not UNKIND.search(text) and "{" not in text, key
        assert sum(len(word.strip(".,:;")) > 10 for word in words) <= 1, key


def test_the_guide_asks_nothing_about_protected_matters() -> None:
    talk = [*guide().begin, *guide().families, *guide().end]
    asked = [line for part in talk for line in part.lines]
    assert [line for line in asked if PROTECTED.search(line) or UNKIND.search(line)] == []
    assert len(guide().families) == len(vocabulary().labels["cause_family"])
    assert len(guide().leave_alone.lines) >= 4
