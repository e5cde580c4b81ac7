"""What each rule of a trial did, in words: whom nobody feeds, and what stays in its compartment, is not counted out."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from ew_app.kernel import Actor
from ew_app.services.deciding.simulation_lines import RuleLine
from ew_app.services.deciding.simulation_telling import Telling
from ew_app.services.measuring import policies, policy_inputs, policy_texts
from models.queries import simulating as rows
from models.simulations import Simulation
from rules import access
from rules.access import FieldClass
from rules.places import Place
from rules.policy import BAND, Mode, Rule
from rules.suppression import count_words

Side = Mapping[str, Any]
NOT_TOLD, NOT_FED, NOT_THERE = "not told", "not fed", "not in it"


def rule_lines(trial: Simulation, sides: Sequence[Side], telling: Telling, by: Actor) -> list[RuleLine]:
    """The rules of both policies by their keys."""
    asked = (policies.timeline().on(trial.through), policy_texts.stored(trial.version).on(trial.through))
    rules = [{rule.key: rule for rule in policy.of_students if rule.key != BAND} for policy in asked]
    lacking = [policy_inputs.not_fed(policy) for policy in asked]
    readable = _readable(trial, by)
    lines = []
    for key in sorted({*rules[0], *rules[1]}):
        both = [of_side.get(key) for of_side in rules]
        said = {}
        for name in ("met", "opened"):
            counts = [_count(side, key, name) for side in sides]
            words = (count_words(counts[0]), telling.words(counts[1]))
            told = [_told(*one, readable) for one in zip(words, both, lacking, strict=True)]
            said[name] = (told[0], told[1])
        lines.append(_line(both[0], both[1], said["met"], said["opened"]))
    return lines


def met_in_force(trial: Simulation, rule: Rule, by: Actor) -> str:
    """For how many students a rule of the policy in force was met in the year; in words, small ones kept back."""
    met = _count((rows.figures(trial.id) or {}).get("in_force", {}), rule.key, "met")
    lacking = policy_inputs.not_fed(policies.timeline().on(trial.through))
    return _told(count_words(met), rule, lacking, _readable(trial, by))


def _line(before: Rule | None, now: Rule | None, met: tuple[str, str], opened: tuple[str, str]) -> RuleLine:
    told = now or before
    assert told is not None
    renamed = before.label if before and before.label != told.label else ""
    counted = [rule is not None and rule.mode is Mode.MONITOR for rule in (before, now)]
    words = {(True, True): "only counted", (True, False): "only counted in force"}
    mode = words.get((counted[0], counted[1]), "only counted by the candidate" if counted[1] else "")
    return RuleLine(told.key, told.label, renamed, mode, met, opened)


def _told(count: str, rule: Rule | None, lacking: Collection[str], readable: Collection[str]) -> str:
    """A count of a rule. Of one in a compartment nothing is told outside it: two trials would tell its students."""
    if rule is None:
        return NOT_THERE
    if rule.restricted is not None and rule.restricted not in readable:
        return NOT_TOLD
    return NOT_FED if rule.key in lacking else count


def _readable(trial: Simulation, by: Actor) -> frozenset[FieldClass]:
    return access.readable_classes(by.grants, Place.parse(trial.place))


def _count(side: Side, rule: str, name: str) -> int:
    found = side.get("rules", {}).get(rule, {}).get(name, 0)
    assert isinstance(found, int)
    return found
