"""The form of thresholds: what each rule asks as fields, what was typed, and what the check says of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from flask import request

from ew_app.kernel import Refused, today
from ew_app.services.measuring import policies, policy_changes
from ew_app.services.measuring.policy_writing import NotFit, Wanted
from models.policies import PolicyChange
from rules.policy import BAND_RULES, Policy
from rules.policy_edit import Threshold, thresholds
from rules.policy_parts import LINES, Path, subject, subject_words
from rules.policy_words import ways_down
from rules.sentences import describe

SECTIONS = {
    "bands": ("Lines by share of days absent", "Whoever reaches a line stands in its tier from that day on."),
    "rules": ("Rules", "Each looks at something of its own."),
    "exits": ("Ways down", "How a tier is left again. Up goes at once; down takes its time, so that nobody bounces."),
}


@dataclass(frozen=True, slots=True)
class Box:
    """One threshold as a field."""

    id: str
    name: str
    label: str
    value: str
    hint: str
    error: str
    changed: bool  # it says otherwise than the version the change began from


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule, line or way down with its fields."""

    name: str
    asks: str
    boxes: tuple[Box, ...]
    open: bool  # a line everybody knows, or one that is being changed


@dataclass(frozen=True, slots=True)
class Form:
    """Everything the page shows. `number` is None for a change that is not kept yet."""

    base: str
    label: str
    starts: str
    note: str
    sections: tuple[tuple[str, str, tuple[Rule, ...]], ...]
    errors: tuple[tuple[str | None, str], ...] = ()
    number: int | None = None
    revision: int = 0

    @classmethod
    def of(cls, policy: Policy, *, starts: date) -> Form:
        """A new change: what the version says for the chosen day."""
        asked = {one.key: one.asked(starts) for one in thresholds(policy)}
        sections = _sections(policy, starts, asked, {}, {})
        return cls(policy.version, policy.label, str(starts), "", sections)

    @classmethod
    def of_change(cls, base: Policy, now: Policy, change: PolicyChange) -> Form:
        """A change as it was saved last."""
        asked = {one.key: one.asked(change.starts) for one in thresholds(now)}
        sections = _sections(base, change.starts, asked, {}, {})
        return cls(
            base.version, now.label, str(change.starts), change.note, sections,
            number=change.id, revision=change.revision,
        )  # fmt: skip

    @classmethod
    def again(
        cls, base: Policy, refusal: Exception, *, change: PolicyChange | None = None, theirs: PolicyChange | None = None
    ) -> Form:
        """What was typed, with what is wrong; after a conflict what the other wrote stands beside."""
        wrong = refusal.wrong if isinstance(refusal, NotFit) else {}
        starts = _day_or(request.form.get("starts", ""), change.starts if change else today())
        typed = _typed(base)
        other = _others(theirs, typed) if theirs is not None else {}
        sections = _sections(base, starts, typed, wrong, other)
        boxes = {box.name: (box.id, rule.name) for _, _, told in sections for rule in told for box in rule.boxes}
        fields = tuple((boxes[f"t.{key}"][0], f"{boxes[f't.{key}'][1]}: {words}") for key, words in wrong.items())
        shown = theirs or change
        return cls(
            base.version, request.form.get("label", ""), request.form.get("starts", ""), request.form.get("note", ""),
            sections, errors=fields or ((None, str(refusal)),), number=change.id if change else None,
            revision=shown.revision if theirs and shown else request.form.get("revision", 0, type=int),
        )  # fmt: skip


def wanted(base: Policy) -> Wanted:
    """What the posted form holds. Refused where the day is none."""
    starts = chosen_day(request.form.get("starts", ""))
    note, label = request.form.get("note", "")[: policy_changes.LONGEST_NOTE], request.form.get("label", "")
    return Wanted(starts, note, label, _typed(base))


def chosen_day(text: str) -> date:
    """The day somebody chose. Refused where it is none."""
    try:
        return date.fromisoformat(text.strip())
    except ValueError as error:
        raise Refused("Choose the first day on which it holds, such as 2027-02-01.") from error


def _typed(base: Policy) -> dict[str, str]:
    given = {one.key: request.form.get(f"t.{one.key}") for one in thresholds(base)}
    return {key: value[:40] for key, value in given.items() if value is not None}


def _others(theirs: PolicyChange, typed: Mapping[str, str]) -> dict[str, str]:
    """What somebody else saved where it differs from what was typed."""
    saved = {one.key: one.asked(theirs.starts) for one in thresholds(policies.stored(theirs.version))}
    return {key: saved[key] for key, value in typed.items() if key in saved and saved[key] != value.strip()}


def _sections(
    policy: Policy, starts: date, asked: Mapping[str, str], wrong: Mapping[str, str], others: Mapping[str, str]
) -> tuple[tuple[str, str, tuple[Rule, ...]], ...]:
    rules: dict[Path, list[Box]] = {}
    for number, one in enumerate(thresholds(policy)):
        box = _box(number, one, starts, asked, wrong, others)
        rules.setdefault(subject(one.part.path), []).append(box)
    return tuple(
        (
            title,
            hint,
            tuple(
                Rule(
                    subject_words(at, policy),
                    _asks(at, policy, starts),
                    tuple(boxes),
                    section == "bands" or any(box.error or box.changed for box in boxes),
                )
                for at, boxes in rules.items()
                if at[0] == section
            ),
        )
        for section, (title, hint) in SECTIONS.items()
        if any(at[0] == section for at in rules)
    )


def _box(
    number: int,
    one: Threshold,
    starts: date,
    asked: Mapping[str, str],
    wrong: Mapping[str, str],
    others: Mapping[str, str],
) -> Box:
    phrase = one.part.phrase.replace("{}", "…")
    label = f"{phrase[0].upper()}{phrase[1:]}{f' ({one.part.unit})' if one.part.unit else ''}"
    hints = [f"From {day.day} {day:%b %Y} the file itself says {value}." for day, value in one.later(starts)]
    if one.key in others:
        hints.append(f"Saved meanwhile: {others[one.key] or 'empty'}.")
    if one.part.on(starts) is None:
        hints.append("Empty: everybody's.")
    value = asked.get(one.key, one.asked(starts))
    changed = value.strip() != one.asked(starts) or one.key in others
    return Box(f"t{number}", f"t.{one.key}", label, value, " ".join(hints), wrong.get(one.key, ""), changed)


def _asks(at: Path, policy: Policy, starts: date) -> str:
    """The rule as it stands, so that people see what a number is part of."""
    if at[0] == "exits":
        named = LINES.get(at[1], "") if len(at) > 1 else "After every step"
        return dict(ways_down(policy.on(starts))).get(named, "")
    if len(at) < 2:
        return ""
    key = BAND_RULES.get(at[1], at[1])
    rule = next((one for one in policy.on(starts).rules if one.key == key), None)
    return describe(rule) if rule is not None else ""


def _day_or(text: str, otherwise: date) -> date:
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        return otherwise
