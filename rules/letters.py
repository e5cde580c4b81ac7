"""Letters to families: what each says, and which rules ask for a draft of it (policies/letters.yaml)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml

LETTERS_FILE = Path(__file__).parent / "policies" / "letters.yaml"
FIELDS = ("first_name", "absent", "enrolled", "school")


@dataclass(frozen=True, slots=True)
class Template:
    """A letter before it is filled in."""

    key: str
    label: str
    rules: tuple[str, ...]
    text: str

    def filled(self, **fields: str) -> str:
        """The letter about one student; every one of FIELDS is given."""
        return self.text.format_map({name: fields[name] for name in FIELDS})


@cache
def templates() -> Mapping[str, Template]:
    """Every letter by key."""
    document = yaml.safe_load(LETTERS_FILE.read_text(encoding="utf-8"))
    return {key: Template(key, one["label"], tuple(one["rules"]), one["text"].strip()) for key, one in document.items()}


def drafted_by(rule: str) -> Template | None:
    """The letter that this rule asks for."""
    return next((one for one in templates().values() if rule in one.rules), None)
