"""Which parts of a policy speak of some ages or grades alone: counted by school, what they find is a small cut.

Whole schools may be counted exactly. A policy that treats grade 6 otherwise makes of the same count one of grade 6, and
two trials that differ in that alone, subtracted, tell it. A cut that the policy in force makes as well stays the same
in every trial, and what changes then tells nothing of it, as long as no other rule is made of the same facts: moved to
the line of the cut, but for everybody, such a rule would count whom the cut leaves out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from rules.policy_values import PolicyInForce, Rule, TierExit, WatchExit
from rules.scopes import Scope

Cut = tuple[str, Any]
Form = Rule | WatchExit | TierExit


class Exactly(StrEnum):
    """How exactly the counts of a trial may be told."""

    EVERYWHERE = "everywhere"
    TOGETHER = "together"  # of the whole district; of its parts in tens
    NOWHERE = "nowhere"


class Kind(StrEnum):
    """What a fact counts. Whoever has days without an excuse has days absent, and never the other way round."""

    ABSENT = "absent"
    NO_EXCUSE = "no_excuse"
    OTHER = "other"  # days enrolled and the like, which whoever is absent has as well


NARROWER = {Kind.ABSENT: (Kind.ABSENT, Kind.NO_EXCUSE), Kind.NO_EXCUSE: (Kind.NO_EXCUSE,), Kind.OTHER: tuple(Kind)}
OF_ABSENCE = ("absen", "streak", "prior_year", "rate_", "days_on_plan", "days_not_arrived", "returned_after", "illness")


@dataclass(frozen=True, slots=True)
class Makeup:
    """What a policy is made of, as far as it matters for what a trial may tell."""

    cuts: frozenset[Cut]  # what holds for some ages or grades alone
    schools: frozenset[Cut]  # what holds for some schools alone
    by_kind: frozenset[tuple[Kind, Cut]]  # all rules and ways down, by what they look at


def makeup(policies: Iterable[PolicyInForce]) -> Makeup:
    """Of all of them together, such as the days of one policy."""
    forms = [form for policy in policies for form in _forms(policy)]
    return Makeup(
        frozenset((where, form) for where, form in forms if _any(form, _of_some)),
        frozenset((where, form) for where, form in forms if _any(form, _of_schools)),
        frozenset((kind, (where, form)) for where, form in forms for kind in _kinds(form)),
    )


def may_be_told(candidate: Makeup, in_force: Makeup, *, published: bool) -> Exactly:
    """How exactly counts under a candidate may be told beside those of the policy in force.

    `published`: the candidate is shipped, or was in force at some time, and so was not built around a child.
    """
    if not candidate.cuts | in_force.cuts:
        return Exactly.EVERYWHERE
    if candidate.cuts != in_force.cuts:
        return Exactly.NOWHERE
    if published:
        return Exactly.EVERYWHERE
    narrow = {kind for _, form in in_force.cuts for one in _each(form) for kind in _narrower(one)}
    alike = _of_kind(candidate, narrow) == _of_kind(in_force, narrow)
    return Exactly.TOGETHER if alike and candidate.schools == in_force.schools else Exactly.NOWHERE


def _of_kind(made: Makeup, kinds: set[Kind]) -> set[Cut]:
    return {cut for kind, cut in made.by_kind if kind in kinds}


def _forms(policy: PolicyInForce) -> Iterator[tuple[str, Form]]:
    yield from ((rule.key, rule) for rule in policy.of_students)
    if policy.exits is not None:
        yield from (("watch", policy.exits.watch), ("2", policy.exits.tier_2), ("3", policy.exits.tier_3))


def _kinds(form: Form) -> set[Kind]:
    """What a rule looks at in any of its forms; a way down looks at days absent."""
    return {_kind(fact) for one in _each(form) for fact in (one.facts if isinstance(one, Rule) else ("absent",))}


def _narrower(form: Form) -> set[Kind]:
    """What a rule has to look at to be met by nobody but whom this one is met by, had it no ages or grades."""
    if not isinstance(form, Rule):
        return set(NARROWER[Kind.ABSENT])
    any_of = {kind for fact in (form.fact, *(line.fact for line in form.either)) for kind in NARROWER[_kind(fact)]}
    all_of = [NARROWER[_kind(line.fact)] for line in form.also if line.how in ("at_least", "more_than")]
    return any_of.intersection(*all_of)


def _each(form: Form) -> list[Form]:
    return [form, *(other for _, other in form.instead)]


def _kind(fact: str) -> Kind:
    if fact.startswith(("unexcused", "unexplained")):
        return Kind.NO_EXCUSE
    return Kind.ABSENT if fact.startswith(OF_ABSENCE) or fact == "mental_health_days" else Kind.OTHER


def _any(form: Form, asked: Any) -> bool:
    scopes = [group.scope for group, _ in form.instead]
    own = form.scope if isinstance(form, Rule) else None
    return any(asked(scope) for scope in (*scopes, *([own] if own is not None else [])))


def _of_some(scope: Scope) -> bool:
    """Whether it is about ages or grades, and not about whole schools."""
    return bool(scope.grades or scope.not_grades) or scope.from_age is not None or scope.below_age is not None


def _of_schools(scope: Scope) -> bool:
    return bool(scope.schools or scope.not_schools)
