"""What was promised to a student, and its way from asked to in hand. The kinds and words stand in promises.yaml."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from rules.roles import FieldClass

PROMISES_FILE = Path(__file__).parent / "policies" / "promises.yaml"


class State(StrEnum):
    """How far a promise is; the first three are on the way."""

    ASKED = "asked"
    APPROVED = "approved"
    ISSUED = "issued"
    IN_HAND = "in_hand"
    NOT_WANTED = "not_wanted"
    REFUSED = "refused"

    @property
    def on_the_way(self) -> bool:
        return self in WAY


WAY = (State.ASKED, State.APPROVED, State.ISSUED)


class Whom(StrEnum):
    STUDENT = "student"
    CAREGIVER = "caregiver"


@dataclass(frozen=True, slots=True)
class Kind:
    """Something that can be promised. `due`: school days until it should be in hand.

    `district_cause`: why days away count as the district's until then; None where they do not.
    """

    key: str
    compartment: FieldClass
    label: str
    due: int
    caregiver: bool
    district_cause: str | None

    def words(self, whom: str) -> str:
        """Ventra card for the caregiver."""
        return f"{self.label} for the caregiver" if whom == Whom.CAREGIVER else self.label


@dataclass(frozen=True, slots=True)
class Promises:
    """Every kind by key, and the words of each state by compartment."""

    kinds: Mapping[str, Kind]
    states: Mapping[FieldClass, Mapping[State, str]]

    def of(self, compartment: FieldClass) -> tuple[Kind, ...]:
        """What can be asked for in a compartment."""
        return tuple(kind for kind in self.kinds.values() if kind.compartment is compartment)


class CannotMove(Exception):
    """The promise cannot take this step; str() says why and what to do."""


def check_step(now: State, then: State, *, note: str, settled: bool = False) -> None:
    """Raises CannotMove unless a promise may go from one state to the other.

    Forward freely, also past a state; back, out of a settled end, and to a refusal only with a word on why.
    """
    if now is then and not (then is State.REFUSED and not settled):
        raise CannotMove("That is how it stands already.")
    if note.strip():
        return
    if then is State.REFUSED:
        raise CannotMove("Write down the reason that was given. The family has a right to it in writing.")
    if not now.on_the_way and now is not then:
        raise CannotMove("This had ended. Say in a few words why it is taken up again.")
    if now.on_the_way and then.on_the_way and WAY.index(then) < WAY.index(now):
        raise CannotMove("This is a step back. Say in a few words what happened, such as a lost card.")


def is_settled(state: State, *, appeal_told: bool) -> bool:
    """Whether nothing waits any more; a refusal does until the family knows how to appeal."""
    return not state.on_the_way and (state is not State.REFUSED or appeal_told)


@cache
def promises() -> Promises:
    """The shipped kinds, read once."""
    document: dict[str, Any] = yaml.safe_load(PROMISES_FILE.read_text(encoding="utf-8"))
    kinds = {
        key: Kind(
            key, FieldClass(entry["compartment"]), entry["label"], entry["due"],
            entry.get("caregiver", False), entry.get("system"),
        )
        for key, entry in document["kinds"].items()
    }  # fmt: skip
    states = {
        FieldClass(name): {State(key): label for key, label in words.items()}
        for name, words in document["states"].items()
    }
    return Promises(kinds, states)
