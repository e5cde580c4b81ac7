"""Attendance policy as dated data: what each rule asks, on which day, and how a tier is left again."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from dataclasses import dataclass, replace
from enum import StrEnum
from fractions import Fraction
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

from rules import policy_schema as schema
from rules.audiences import Audience
from rules.policy_file import Dated, Entry, PolicyError, merged, read
from rules.policy_groups import FOR
from rules.scopes import Scope
from rules.statutes import Measure, of_state

__all__ = [
    "BAND",
    "Exits",
    "Level",
    "Policy",
    "PolicyError",
    "PolicyInForce",
    "Rule",
    "TierExit",
    "WatchExit",
]

PRESETS = Path(__file__).parent / "policies"
BAND = "BAND"  # the watch band: a line like R07 and R08, but no rule of its own on screens
BAND_RULES = {"watch": BAND, "tier_2": "R07", "tier_3": "R08"}


class Level(StrEnum):
    """What a finding asks for."""

    WATCH = "watch"
    TWO = "2"
    THREE = "3"
    TASK = "task"
    CASE = "case"

    @property
    def tier(self) -> int:
        """The tier it raises to: 1 watch, 2, 3; 0 for a task or a did-not-arrive case."""
        return {"watch": 1, "2": 2, "3": 3}.get(self.value, 0)


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule as it stands on one day. Days are thousandths, shares are fractions, None asks nothing."""

    key: str
    label: str
    fact: str
    level: Level
    clears: str
    sentence: str
    at_least: Fraction | int | None = None
    more_than: Fraction | int | None = None
    for_each: str | None = None  # the bound counts once for each of these
    at_least_absences: int | None = None
    after_days_enrolled: int | None = None
    from_member_day: int | None = None
    to_member_day: int | None = None
    only_for: str | None = None
    unless: str | None = None
    level_with: tuple[tuple[str, ...], Level] | None = None
    open_for_days: int = 0
    restricted: str | None = None
    reference: str = ""
    scope: Scope | None = None  # whom the rule speaks of; None: everybody
    instead: tuple[tuple[Audience, Rule], ...] = ()  # the same rule with other bounds, for groups; the last that fits
    whose: str = ""  # the group of such a form, as a sentence names it

    @property
    def bound(self) -> Fraction | int:
        """The threshold, inclusive or not."""
        bound = self.at_least if self.at_least is not None else self.more_than
        assert bound is not None
        return bound


@dataclass(frozen=True, slots=True)
class WatchExit:
    """Watch is left after so many member days with at most so many absences (thousandths)."""

    at_most_absences: int
    in_last_days: int
    after_days_in_tier: int
    after_days_stepped_down: int
    instead: tuple[tuple[Audience, WatchExit], ...] = ()
    whose: str = ""


@dataclass(frozen=True, slots=True)
class TierExit:
    """A tier is left when the rate of the last days is below a line."""

    rate_below: Fraction
    in_last_days: int
    after_days_in_tier: int
    open_case: str
    instead: tuple[tuple[Audience, TierExit], ...] = ()
    whose: str = ""


@dataclass(frozen=True, slots=True)
class Exits:
    """The only ways down."""

    watch: WatchExit
    tier_2: TierExit
    tier_3: TierExit
    early_margin: Fraction
    again_after_absences: int
    rest_days: int


@dataclass(frozen=True, slots=True)
class PolicyInForce:
    """The policy on one day, with plain values."""

    name: str
    label: str
    version: str
    by_bands: bool
    lines: tuple[Rule, ...]  # the bands, lowest first: BAND, R07, R08
    rules: tuple[Rule, ...]  # all rules by key, the bands among them
    exits: Exits | None
    no_show_exit_codes: tuple[str, ...]
    statutes: tuple[Measure, ...] = ()  # of the states that the policy names; they count and decide nothing

    def rule(self, key: str) -> Rule:
        """A rule by its key; KeyError when the policy has none such."""
        found = next((rule for rule in self.rules if rule.key == key), None)
        if found is None:
            raise KeyError(key)
        return found

    @property
    def scopes(self) -> set[Scope]:
        """Everything that is asked about a student's age, grade and school."""
        ways = (self.exits.watch, self.exits.tier_2, self.exits.tier_3) if self.exits else ()
        forms: tuple[Rule | WatchExit | TierExit, ...] = (*self.rules, *ways)
        groups = {audience.scope for form in forms for audience, _ in form.instead}
        return groups | {rule.scope for rule in self.rules if rule.scope is not None}


Groups = tuple[Audience, ...]
Form = TypeVar("Form", Rule, WatchExit, TierExit)


class Policy:
    """A policy file, checked; `on(day)` gives what held that day."""

    def __init__(self, root: Entry) -> None:
        self.entry = root  # as it is written, for whoever describes it
        self._content = schema.checked(root)
        self.name: str = self._content["name"]
        self.label: str = self._content["label"]
        canonical = json.dumps(_told(root), sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        self.version = hashlib.sha256(canonical.encode()).hexdigest()
        self._stages = tuple(self._stage(day) for day in self._starts)

    @classmethod
    def load(cls, path: Path | str) -> Policy:
        """The policy in a file; PolicyError names file, line, key and what is allowed."""
        return cls(_with_base(Path(path), ()))

    @classmethod
    def preset(cls, name: str) -> Policy:
        """A shipped policy: default, five-ten or rates; LookupError for any other name."""
        if name not in cls.presets():
            raise LookupError(f"There is no policy called {name}. Shipped: {', '.join(cls.presets())}.")
        return cls.load(PRESETS / f"{name}.yaml")

    @staticmethod
    def presets() -> tuple[str, ...]:
        """Names of the shipped policies."""
        return ("default", "five-ten", "rates")

    def on(self, day: dt.date) -> PolicyInForce:
        """What held on `day`; the same object for every day between two changes."""
        return Dated(tuple(zip(self._starts, self._stages, strict=True))).on(day)

    @property
    def starts(self) -> tuple[dt.date, ...]:
        """Days from which something in this policy changed."""
        return self._starts

    @property
    def schools(self) -> tuple[str, ...]:
        """The keys of all schools that are named anywhere."""
        scopes = {scope for stage in self._stages for scope in stage.scopes}
        return tuple(sorted({key for scope in scopes for key in (*scope.schools, *scope.not_schools)}))

    @cached_property
    def _starts(self) -> tuple[dt.date, ...]:
        return tuple(sorted(_dates(self._content))) or (dt.date(2000, 1, 1),)

    def _stage(self, day: dt.date) -> PolicyInForce:
        content, groups = _on(self._content, day), tuple(self._content["groups"].values())
        lines = tuple(_line(name, content["bands"][name], groups) for name in BAND_RULES if name in content["bands"])
        others = tuple(_rule(key, content["rules"][key], groups) for key in content["rules"])
        return PolicyInForce(
            name=self.name,
            label=self.label,
            version=self.version,
            by_bands=content["moves"] == "bands",
            lines=lines,
            rules=tuple(sorted(lines + others, key=lambda rule: rule.key)),
            exits=_exits(content["exits"], groups) if content["exits"] else None,
            no_show_exit_codes=content["no_show_exit_codes"],
            statutes=tuple(measure for state in content["statutes"] for measure in of_state(state)),
        )


def _with_base(path: Path, seen: tuple[str, ...]) -> Entry:
    """The file laid over the one it extends: a shipped policy, or a file beside it."""
    root = read(path)
    extends = root.mapping().pop("extends", None)
    if extends is None:
        return root
    beside = path.parent / f"{extends.value}.yaml"
    base = beside if beside.is_file() else PRESETS / f"{extends.value}.yaml"
    if not base.is_file() or base.resolve() == path.resolve() or str(base) in seen:
        raise extends.wrong(f"nothing to extend; allowed: {', '.join(Policy.presets())}, or a file beside this one")
    return merged(_with_base(base, (*seen, str(path))), root)


def _dates(content: Any) -> set[dt.date]:
    if isinstance(content, Dated):
        return {start for start, _ in content.values}
    below = content.values() if isinstance(content, dict) else ()
    return set().union(*(_dates(value) for value in below))


def _told(root: Entry) -> Any:
    """What the version is counted over: the values, and the order of groups, which decides."""
    plain = root.plain()
    return plain | {"groups": list(plain["groups"].items())} if "groups" in plain else plain


def _on(content: Any, day: dt.date) -> Any:
    """The checked content with every dated value replaced by the one in force, if one is."""
    if isinstance(content, Dated):
        return content.on(day)
    if not isinstance(content, dict):
        return content
    begun = {key: value for key, value in content.items() if not isinstance(value, Dated) or value.begun(day)}
    return {key: _on(value, day) for key, value in begun.items()}


def _line(name: str, values: dict[str, Any], groups: Groups) -> Rule:
    level = Level(name.removeprefix("tier_"))
    clears = "watch_exit" if level is Level.WATCH else "tier_exit"
    told = _alone(values)
    line = Rule(key=BAND_RULES[name], fact="absence_rate", level=level, clears=clears, **told)
    return _with_groups(line, values, groups)


def _rule(key: str, values: dict[str, Any], groups: Groups) -> Rule:
    raised = values.get("level_with")
    level_with = (raised["rules"], Level(raised["level"])) if raised else None
    rule = Rule(key=key, **_alone(values) | {"level": Level(values["level"]), "level_with": level_with})
    return _with_groups(rule, values, groups)


def _exits(values: dict[str, Any], groups: Groups) -> Exits:
    ways = {name: TierExit(**_alone(values[name])) for name in ("tier_2", "tier_3")}
    tiers = {name: _with_groups(way, values[name], groups) for name, way in ways.items()}
    watch = _with_groups(WatchExit(**_alone(values["watch"])), values["watch"], groups)
    return Exits(**values | tiers | {"watch": watch})


def _alone(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if name != FOR}


def _with_groups(form: Form, values: dict[str, Any], groups: Groups) -> Form:
    """The form with those that hold for groups, in the order of the groups."""
    said = values.get(FOR, {})
    others = [(group, said[group.key]) for group in groups if said.get(group.key)]
    return replace(form, instead=tuple((group, replace(form, whose=group.label, **told)) for group, told in others))
