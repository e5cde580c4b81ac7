"""The words of the product: root causes, outreach, languages, reasons, labels (policies/vocabulary.yaml)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from rules.roles import FieldClass

VOCABULARY_FILE = Path(__file__).parent / "policies" / "vocabulary.yaml"


class Way(StrEnum):
    """How an attempt goes; it says which outcomes are possible."""

    TALK = "talk"
    MESSAGE = "message"
    VISIT = "visit"


class Reaches(StrEnum):
    FAMILY = "family"
    STUDENT = "student"
    NOBODY = "nobody"


@dataclass(frozen=True, slots=True)
class Cause:
    """A root cause. `restricted` names its compartment; a limited one is shown only where notes are."""

    code: str
    label: str
    family: str
    hint: str
    restricted: FieldClass | None
    limited: bool

    @property
    def known(self) -> bool:
        return self.family != "unknown"


@dataclass(frozen=True, slots=True)
class Method:
    """A way of reaching out. An automatic one is never a personal attempt."""

    key: str
    label: str
    way: Way
    automatic: bool


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of an attempt."""

    key: str
    label: str
    ways: frozenset[Way]
    reaches: Reaches
    contact_problem: bool

    @property
    def counts_as_contact(self) -> bool:
        """Somebody was spoken with; a voicemail or a delivered message is none."""
        return self.reaches is not Reaches.NOBODY

    @property
    def reached_family(self) -> bool:
        return self.reaches is Reaches.FAMILY


@dataclass(frozen=True, slots=True)
class CloseReason:
    """Why a case ends. With asks_plan_review, goals must be reviewed and the family told before it can.

    by_system: given where an undo closes a case, never chosen for one.
    """

    key: str
    label: str
    asks_plan_review: bool
    by_system: bool


@dataclass(frozen=True, slots=True)
class Decision:
    """How a plan goes on after a look at it: when to look again (school days), and what stands on the case then."""

    key: str
    label: str
    look_again: int
    next_step: str

    @property
    def asks_anew(self) -> bool:
        """Whether the plan is to be agreed anew."""
        return self.key in ("change", "intensify")


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """`labels` holds every kind of word: kind -> key -> label, in the order for screens.

    `district_causes`: why the district caused a day away -> the compartment that keeps it, or None.
    """

    labels: Mapping[str, Mapping[str, str]]
    causes: Mapping[str, Cause]
    methods: Mapping[str, Method]
    outcomes: Mapping[str, Outcome]
    close_reasons: Mapping[str, CloseReason]
    decisions: Mapping[str, Decision]
    district_causes: Mapping[str, FieldClass | None]

    def label(self, kind: str, key: str) -> str:
        """The word for a key; KeyError with a sentence when there is none."""
        return self.labels[kind][self.known(kind, key)]

    def known(self, kind: str, key: str) -> str:
        """The key itself if it exists; KeyError with a sentence that lists the keys otherwise."""
        if key in self.labels[kind]:
            return key
        raise KeyError(f"{key!r} is not a {kind.replace('_', ' ')}. Choose one of: {', '.join(self.labels[kind])}.")

    def choices(self, kind: str) -> tuple[tuple[str, str], ...]:
        """(key, label) pairs for a form."""
        return tuple(self.labels[kind].items())

    def closing_choices(self) -> tuple[tuple[str, str], ...]:
        """(key, label) of the reasons for which a person closes a case."""
        return tuple((one.key, one.label) for one in self.close_reasons.values() if not one.by_system)

    def outcomes_for(self, method: str) -> tuple[Outcome, ...]:
        """The outcomes that can follow a method."""
        way = self.methods[self.known("method", method)].way
        return tuple(outcome for outcome in self.outcomes.values() if way in outcome.ways)

    def is_attempt(self, method: str) -> bool:
        """Whether it counts as a personal attempt to reach the family."""
        return not self.methods[self.known("method", method)].automatic

    def causes_shown(self, readable: frozenset[FieldClass]) -> tuple[Cause, ...]:
        """The causes somebody may choose or see who reads these classes."""
        return tuple(cause for cause in self.causes.values() if _shown(cause, readable))


def _shown(cause: Cause, readable: frozenset[FieldClass]) -> bool:
    if cause.restricted is not None:
        return cause.restricted in readable
    return FieldClass.NOTES in readable or not cause.limited


@cache
def vocabulary() -> Vocabulary:
    """The shipped vocabulary, read once."""
    document: dict[str, dict[str, Any]] = yaml.safe_load(VOCABULARY_FILE.read_text(encoding="utf-8"))
    return Vocabulary(
        labels={kind: {key: _label(entry) for key, entry in words.items()} for kind, words in document.items()},
        causes={code: _cause(code, entry) for code, entry in document["cause"].items()},
        methods={key: _method(key, entry) for key, entry in document["method"].items()},
        outcomes={key: _outcome(key, entry) for key, entry in document["outcome"].items()},
        close_reasons={
            key: CloseReason(key, entry["label"], entry.get("asks_plan_review", False), entry.get("by_system", False))
            for key, entry in document["close_reason"].items()
        },
        decisions={key: Decision(key, **entry) for key, entry in document["plan_decision"].items()},
        district_causes={
            key: FieldClass(entry["restricted"]) if "restricted" in entry else None
            for key, entry in document["district_cause"].items()
        },
    )


def _label(entry: str | dict[str, Any]) -> str:
    return entry if isinstance(entry, str) else str(entry["label"])


def _cause(code: str, entry: dict[str, Any]) -> Cause:
    restricted = FieldClass(entry["restricted"]) if "restricted" in entry else None
    return Cause(code, entry["label"], entry["family"], entry["hint"], restricted, entry.get("limited", False))


def _method(key: str, entry: dict[str, Any]) -> Method:
    return Method(key, entry["label"], Way(entry["way"]), entry.get("automatic", False))


def _outcome(key: str, entry: dict[str, Any]) -> Outcome:
    return Outcome(
        key=key,
        label=entry["label"],
        ways=frozenset(Way(way) for way in entry["ways"]),
        reaches=Reaches(entry["reaches"]),
        contact_problem=entry.get("contact_problem", False),
    )
