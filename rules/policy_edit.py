"""Thresholds of a policy file changed from a day on, in the text as a person wrote it: comments and order stay."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import yaml

from rules.policy import Policy
from rules.policy_file import ExactLoader
from rules.policy_parts import Part, Path, number_text, parts

NUMBER = re.compile(r"\d{1,9}(\.\d{1,9})?")
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True, slots=True)
class Threshold:
    """A number of the policy that may be set from a day on."""

    part: Part

    @property
    def key(self) -> str:
        """Its place as errors name it: bands.tier_2.at_least."""
        return ".".join(map(str, self.part.path))

    def asked(self, day: dt.date) -> str:
        """The value of a day as the form shows it: 10 for ten percent; empty where a group has everybody's."""
        value = self.part.on(day)
        if value is None:
            return ""
        return number_text(value * 100 if self.part.share else value)

    def edit(self, typed: str, starts: dt.date) -> Edit:
        """What somebody typed, from a day on; what is no number stays words, which the check of the policy refuses."""
        bare = typed.strip().removesuffix("%").strip() if self.part.share else typed.strip()
        if not NUMBER.fullmatch(bare):
            return Edit(self.part.path, starts, typed.strip())
        return Edit(self.part.path, starts, Fraction(bare) / 100 if self.part.share else Fraction(bare))

    def later(self, day: dt.date) -> tuple[tuple[dt.date, str], ...]:
        """(from, value) of what the file already says for later days."""
        return tuple(
            (start, self.part.shown(value)) for start, value in self.part.values if start is not None and start > day
        )


@dataclass(frozen=True, slots=True)
class Edit:
    """One value to write: from a day on, or without a date."""

    path: Path
    starts: dt.date | None
    value: Fraction | str

    @property
    def literal(self) -> str:
        """As it stands in a file."""
        return json.dumps(self.value, ensure_ascii=False) if isinstance(self.value, str) else number_text(self.value)


def thresholds(policy: Policy) -> tuple[Threshold, ...]:
    """Every dated number of a policy, in the order of its file."""
    found = (part for part in parts(policy).values() if part.dated and part.is_number)
    return tuple(Threshold(part) for part in found if not any(isinstance(step, int) for step in part.path))


def as_meant(before: Policy, after: Policy, edits: Iterable[Edit]) -> bool:
    """Whether a policy says what the edits ask for and otherwise what it said: a file may use a value twice."""
    meant = {path: dict(part.values) for path, part in parts(before).items()}
    for edit in edits:
        meant.setdefault(edit.path, {})[edit.starts] = edit.value
    said = {path: dict(part.values) for path, part in parts(after).items()}
    return said == meant


def edited(text: str, edits: Iterable[Edit]) -> str:
    """The text with these values written in, one after the other. The text must be readable as YAML."""
    for edit in edits:
        text = _edited(text, edit)
    return text


def _edited(text: str, edit: Edit) -> str:
    loader = ExactLoader(text)
    root = loader.get_single_node()
    assert root is not None
    path = (*edit.path, *([edit.starts] if edit.starts else []))
    node, rest = _deepest(loader, root, path)
    if not rest or not isinstance(node, yaml.CollectionNode):
        return text[: node.start_mark.index] + edit.literal + text[node.end_mark.index :]
    return _inserted(text, node, _written(rest, edit.literal))


def _deepest(loader: yaml.SafeLoader, node: yaml.Node, path: Path) -> tuple[yaml.Node, Path]:
    """The last node on the way that is there, and the steps that are not."""
    for at, step in enumerate(path):
        below = node.value if isinstance(node, yaml.MappingNode) else []
        found = next((value for key, value in below if loader.construct_object(key) == step), None)
        if found is None or (at + 1 < len(path) and not isinstance(found, yaml.MappingNode)):
            return node, path[at:]
        node = found
    return node, ()


def _written(steps: Path, literal: str) -> str:
    """`at_least: {2027-02-01: 0.08}` for steps below a mapping."""
    first, *rest = steps
    return f"{_key(first)}: {f'{{{_written(tuple(rest), literal)}}}' if rest else literal}"


def _key(step: Any) -> str:
    if isinstance(step, str) and (not _PLAIN.fullmatch(step) or not isinstance(yaml.safe_load(step), str)):
        return json.dumps(step, ensure_ascii=False)
    return str(step)


def _inserted(text: str, mapping: yaml.CollectionNode, line: str) -> str:
    """One more entry at the end of a mapping, written as its others are."""
    last = mapping.value[-1] if mapping.value else None
    if mapping.flow_style or last is None:
        at = last[1].end_mark.index if last else mapping.start_mark.index + 1
        return f"{text[:at]}{', ' if last else ''}{line}{text[at:]}"
    at = _end(last[0], last[1])
    end = text.find("\n", at)
    end = len(text) if end < 0 else end
    indent = " " * mapping.value[0][0].start_mark.column
    return f"{text[:end]}\n{indent}{line}{text[end:]}"


def _end(key: yaml.Node, value: yaml.Node) -> int:
    """Where the last written letter of an entry stands, before blank lines and comments that follow."""
    if isinstance(value, yaml.MappingNode) and value.value and not value.flow_style:
        return _end(*value.value[-1])
    if isinstance(value, yaml.SequenceNode) and value.value and not value.flow_style:
        return _end(key, value.value[-1])
    if isinstance(value, yaml.ScalarNode) and value.style in ("|", ">"):
        return int(value.end_mark.index) - 1
    return int(max(value.end_mark.index, key.end_mark.index))
