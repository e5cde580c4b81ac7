"""What members of staff are told: the kinds of notices, their sentences, what may be left out of e-mails."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any

import yaml

NOTICES_FILE = Path(__file__).parent / "policies" / "notices.yaml"


class About(StrEnum):
    """What a notice is about; whoever may not see that one any more does not see the notice either."""

    CASE = "case"
    TASK = "task"
    SCHOOL = "school"
    VISIT = "visit"
    HAND_OVER = "hand_over"
    OPENING = "opening"  # of a shut part of a record, in a crisis
    PERSON = "person"  # the reader alone


@dataclass(frozen=True, slots=True)
class Group:
    """Notices that are left out of e-mails together; never those that come `always`."""

    key: str
    label: str
    always: bool = False


@dataclass(frozen=True, slots=True)
class NoticeKind:
    """One thing that staff are told. `urgent`: by an e-mail of its own at once.

    one: the sentence where the count is one. waits: the states of what it is about in which there is something to do;
    in any other it is over. None where there never was anything to do. told: seen by whoever was told, whatever else
    they may see.
    """

    key: str
    about: About
    group: Group
    says: str
    urgent: bool
    told: bool
    one: str
    waits: tuple[str, ...] | None

    def sentence(self, **said: Any) -> str:
        """The sentence with its numbers and the name of the school; never the name of a student."""
        words = self.one if self.one and said.get("count") == 1 else self.says
        return words.format_map(_Said(said))

    def is_over(self, state: str | None) -> bool:
        """Whether nothing is left to do about it, by the state of its task, hand-over, visit or opening."""
        return self.waits is not None and state not in self.waits


class _Said(dict[str, Any]):
    def __missing__(self, name: str) -> str:
        return "some"


@dataclass(frozen=True, slots=True)
class Notices:
    """`kinds` and `groups` by their permanent keys, in the order for screens."""

    groups: Mapping[str, Group]
    kinds: Mapping[str, NoticeKind]

    def kind(self, key: str) -> NoticeKind:
        """The kind with that key; KeyError with a sentence that lists those there are."""
        if key in self.kinds:
            return self.kinds[key]
        raise KeyError(f"There is no notice {key!r}. Choose one of: {', '.join(self.kinds)}.")

    def choices(self) -> tuple[tuple[str, str], ...]:
        """(key, label) of the groups that a person may leave out of the e-mails."""
        return tuple((group.key, group.label) for group in self.groups.values() if not group.always)

    def told(self) -> tuple[str, ...]:
        """The keys of the kinds that whoever was told sees, whatever else they may see."""
        return tuple(key for key, kind in self.kinds.items() if kind.told)

    def mailed(self, left_out: tuple[str, ...]) -> frozenset[str]:
        """The keys of the kinds that go into the e-mails of somebody who leaves these groups out."""
        return frozenset(key for key, kind in self.kinds.items() if kind.group.always or kind.group.key not in left_out)


@cache
def notices() -> Notices:
    """Everything that staff can be told, as notices.yaml says."""
    document = yaml.safe_load(NOTICES_FILE.read_text(encoding="utf-8"))
    groups = {key: Group(key, **entry) for key, entry in document["groups"].items()}
    kinds = {key: _kind(key, entry, groups) for key, entry in document["kinds"].items()}
    return Notices(groups, kinds)


def _kind(key: str, entry: dict[str, Any], groups: Mapping[str, Group]) -> NoticeKind:
    about = About(entry["about"])
    waits = entry.get("waits", ["open"] if about is About.TASK else None)
    return NoticeKind(
        key,
        about,
        groups[entry["group"]],
        entry["says"],
        urgent=entry.get("urgent", False),
        told=entry.get("told", False),
        one=entry.get("one", ""),
        waits=None if waits is None else tuple(waits),
    )
