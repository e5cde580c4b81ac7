"""Supports before any sanction, and the search for a student who cannot be found (policies/duty_of_care.yaml)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path

import yaml

from rules.roles import all_roles
from rules.school_days import add_school_days

DUTY_FILE = Path(__file__).parent / "policies" / "duty_of_care.yaml"
BEGUN, FOUND = "begun", "found"  # the steps that begin a search, and end it at any moment

Record = Mapping[str, int]  # need -> how much of it stands in the record


@dataclass(frozen=True, slots=True)
class Need:
    """Something the record must hold. `missing` is the sentence for a record that lacks it."""

    key: str
    missing: str
    source: str


@dataclass(frozen=True, slots=True)
class LegalStep:
    """A step outside the product that is asked about first. `least`: need -> the least number of it."""

    key: str
    label: str
    least: Mapping[str, int]
    source: str


@dataclass(frozen=True, slots=True)
class SearchStep:
    """One step of a search: the role it is for, due so many school days after the search began."""

    key: str
    label: str
    who: str
    due: int


@dataclass(frozen=True, slots=True)
class Duty:
    """The whole file. The order of steps is the order in which they are shown."""

    needs: Mapping[str, Need]
    steps: Mapping[str, LegalStep]
    search: Mapping[str, SearchStep]


@dataclass(frozen=True, slots=True)
class Missing:
    """What a record lacks before a step: a sentence that says what to do, and the source that asks for it."""

    need: str
    sentence: str
    source: str


@cache
def duty() -> Duty:
    """The shipped duties, read once. ValueError for a step that asks for what nobody counts."""
    document = yaml.safe_load(DUTY_FILE.read_text(encoding="utf-8"))
    needs = {key: Need(key, one["missing"], one["source"]) for key, one in document["needs"].items()}
    steps = {key: LegalStep(key, one["label"], one["needs"], one["source"]) for key, one in document["steps"].items()}
    search = {key: SearchStep(key, **one) for key, one in document["search"].items()}
    asked = {need for step in steps.values() for need in step.least}
    if unknown := (asked - needs.keys()) | ({step.who for step in search.values()} - all_roles().keys()):
        raise ValueError(f"duty_of_care.yaml asks for what nothing else names: {sorted(unknown)}.")
    return Duty(needs, steps, search)


def missing(step: LegalStep, record: Record) -> list[Missing]:
    """What the record lacks before the step, in the order of the file; nothing when it is whole."""
    found = []
    for key, least in step.least.items():
        have = record.get(key, 0)
        if have < least:
            need = duty().needs[key]
            found.append(Missing(key, need.missing.format(least=least, have=have), need.source))
    return found


def search_due(step: SearchStep, began: date, school_days: Sequence[date]) -> date:
    """By which day a step of a search is to be done."""
    return add_school_days(began, step.due, school_days)


def is_whole(done: Sequence[str]) -> bool:
    """Whether a search has ended: every step is done, or the student was found."""
    return FOUND in done or duty().search.keys() <= set(done)
