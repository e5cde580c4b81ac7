"""Attendance policy as dated data: what each rule asks, on which day, and how a tier is left again."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import re
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

from rules import policy_schema as schema
from rules.audiences import Audience
from rules.policy_file import Dated, Entry, PolicyError, merged, read
from rules.policy_groups import FOR
from rules.policy_sense import check_sense, notices
from rules.policy_values import Exits, Level, Line, Mode, PolicyInForce, Rule, TierExit, WatchExit
from rules.statutes import of_state

__all__ = [
    "BAND",
    "Exits",
    "Level",
    "Line",
    "Mode",
    "Policy",
    "PolicyError",
    "PolicyInForce",
    "Rule",
    "TierExit",
    "WatchExit",
]

PRESETS = Path(__file__).parent / "policies"
BESIDE = re.compile(r"\w[\w. -]*")  # the name of a file, and no way to another folder
MOST_STARTS = 100  # days on which something in one file changes
BAND = "BAND"  # the watch band: a line like R07 and R08, but no rule of its own on screens
BAND_RULES = {"watch": BAND, "tier_2": "R07", "tier_3": "R08"}

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
        if len(self._starts) > MOST_STARTS:
            told = f"something changes on {len(self._starts)} days; allowed: on up to {MOST_STARTS}"
            raise root.wrong(told)
        self._stages = tuple(self._stage(day) for day in self._starts)

    @classmethod
    def load(cls, path: Path | str) -> Policy:
        """The policy in a file; PolicyError names file, line, key and what is allowed."""
        policy = cls.kept(path)
        check_sense(policy.entry, policy._content)
        return policy

    @classmethod
    def kept(cls, path: Path | str) -> Policy:
        """The policy in a file that was taken in before, perhaps when less was asked of one: it stays readable."""
        return cls(_with_base(Path(path), ()))

    def notices(self) -> tuple[str, ...]:
        """What is allowed in it and may still not be meant, in sentences."""
        return tuple(notices(self.entry, Policy.preset("default").entry))

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
        others = tuple(_rule(key, content["rules"], groups) for key in content["rules"])
        return PolicyInForce(
            name=self.name,
            label=self.label,
            version=self.version,
            by_bands=content["moves"] == "bands",
            lines=lines,
            rules=tuple(sorted(lines + others, key=lambda rule: rule.key)),
            exits=_exits(content["exits"], groups) if content["exits"] else None,
            no_show_exit_codes=content["no_show_exit_codes"],
            absence_reasons=content["absence_reasons"],
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
    named = BESIDE.fullmatch(str(extends.value)) is not None
    if not named or not base.is_file() or base.resolve() == path.resolve() or str(base) in seen:
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


def _rule(key: str, rules: dict[str, dict[str, Any]], groups: Groups) -> Rule:
    values = rules[key]
    raised = values.get("level_with")
    level_with = (raised["rules"], Level(raised["level"])) if raised else None
    lines = {name: _lines(values.get(name, {})) for name in ("also", "either")}
    given = {"fact": "", "clears": "owner"} | _alone(values) | lines | {"mode": Mode(values.get("mode", "active"))}
    labels = tuple(rules[other]["label"] for other in raised["rules"]) if raised else ()
    raising = {"level": Level(values["level"]), "level_with": level_with, "level_with_labels": labels}
    rule = Rule(key=key, **given | raising)
    return _with_groups(rule, values, groups)


def _lines(facts: dict[str, dict[str, Any]]) -> tuple[Line, ...]:
    return tuple(Line(fact, how, bound) for fact, asked in facts.items() for how, bound in asked.items())


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
