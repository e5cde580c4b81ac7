"""How to talk with a student or a family about what gets in the way (policies/interview.yaml)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml

from rules.vocabulary import vocabulary

INTERVIEW_FILE = Path(__file__).parent / "policies" / "interview.yaml"


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the talk: a heading, when it is for, and sentences that can be said."""

    heading: str
    hint: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Guide:
    """The whole talk in its order; `families` in the order of the causes they belong to."""

    begin: tuple[Section, ...]
    families: tuple[Section, ...]
    end: tuple[Section, ...]
    leave_alone: Section


@cache
def guide() -> Guide:
    """The shipped guide, read once."""
    document = yaml.safe_load(INTERVIEW_FILE.read_text(encoding="utf-8"))
    labels = vocabulary().labels["cause_family"]
    families = {key: document["families"][key] for key in labels if key in document["families"]}
    return Guide(
        begin=tuple(map(_section, document["begin"])),
        families=tuple(_section({"heading": labels[key], **entry}) for key, entry in families.items()),
        end=tuple(map(_section, document["end"])),
        leave_alone=_section(document["leave_alone"]),
    )


def _section(entry: Mapping[str, str | list[str]]) -> Section:
    return Section(str(entry["heading"]), str(entry.get("hint", "")), tuple(entry["lines"]))
