"""Thresholds set in a form, written into the file as somebody wrote it, and checked like any file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date

from ew_app.kernel import Actor, Refused
from ew_app.services.measuring import policy_texts
from rules.policy import Policy, PolicyError
from rules.policy_edit import Edit, as_meant, edited, thresholds

LONGEST_LABEL = 120


@dataclass(frozen=True, slots=True)
class Wanted:
    """What somebody filled in: the first day, why, what the policy is called, and thresholds by key, as typed."""

    starts: date
    note: str = ""
    label: str = ""
    typed: Mapping[str, str] = field(default_factory=dict)


class NotFit(Refused):
    """Values that cannot be: `wrong` says for each key why, in the words of the policy's own check."""

    def __init__(self, wrong: Mapping[str, str], together: str = "") -> None:
        self.wrong = dict(wrong)
        super().__init__(together or "Some values cannot be used. Nothing was saved yet.")


def written(base: str, wanted: Wanted, *, by: Actor) -> str:
    """The version that a base gives with what was filled in; it is kept. NotFit where a value cannot be."""
    content = policy_texts.text_row(base).content
    policy = policy_texts.thawed(content)
    asked = dict(_asked(policy, wanted))
    if wrong := {key: words for key, edit in asked.items() if (words := _wrong(content, edit, key))}:
        raise NotFit(wrong)
    edits = [*asked.values(), *_renamed(policy, wanted)]
    try:
        kept = policy_texts.keep(_with(content, edits), by=by)
    except PolicyError as error:
        theirs = next((key for key in asked if error.key.startswith(key)), None)
        if theirs is not None:
            raise NotFit({theirs: _reason(error)}) from error
        raise NotFit({}, f"{_reason(error)}. Nothing was saved yet.") from error
    if not as_meant(policy, kept, edits):
        raise NotFit({}, "This file uses one value in several places. Change the file itself and upload it.")
    return kept.version


def _asked(policy: Policy, wanted: Wanted) -> Iterator[tuple[str, Edit]]:
    """What differs from what the policy says for the day."""
    for one in thresholds(policy):
        typed = wanted.typed.get(one.key)
        if typed is None or (not typed.strip() and one.part.on(wanted.starts) is None):
            continue
        edit = one.edit(typed, wanted.starts)
        if edit.value != one.part.on(wanted.starts):
            yield one.key, edit


def _renamed(policy: Policy, wanted: Wanted) -> list[Edit]:
    label = " ".join(wanted.label.split())[:LONGEST_LABEL]
    return [Edit(("label",), None, label)] if label and label != policy.label else []


def _wrong(content: str, edit: Edit, key: str) -> str | None:
    """Why one value alone cannot be, in the words of the check; None where the trouble, if any, is not its own."""
    try:
        policy_texts.thawed(_with(content, [edit]))
    except PolicyError as error:
        return _reason(error) if error.key.startswith(key) else None
    return None


def _with(content: str, edits: list[Edit]) -> str:
    return policy_texts.with_main(content, edited(policy_texts.main_text(content), edits))


def _reason(error: PolicyError) -> str:
    """The sentence of the check without the place, which the form shows itself."""
    said = str(error).removeprefix(f"{error.file}, line {error.line}").removeprefix(f", {error.key}")
    words = said.removeprefix(": ")
    return words[0].upper() + words[1:]
