"""Which parts of a policy speak of some ages or grades alone: counted by school, what they find is a small cut.

Whole schools may be counted exactly. A policy that treats grade 6 otherwise makes of the same count one of grade 6, and
two trials that differ in that alone, subtracted, tell it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from rules.audiences import Audience
from rules.policy_values import PolicyInForce, Rule, TierExit, WatchExit
from rules.scopes import Scope

Cut = tuple[str, Any]


def cuts(policies: Iterable[PolicyInForce]) -> frozenset[Cut]:
    """(where, form) of everything in them that holds for some ages or grades alone."""
    return frozenset(cut for policy in policies for cut in _cuts(policy))


def may_be_exact(candidate: frozenset[Cut], in_force: frozenset[Cut], *, published: bool) -> bool:
    """Whether whole-school counts under a candidate may be told exactly beside those of the policy in force.

    So they may where neither makes a cut, or where both make the same and the candidate is no one's own making
    (`published`: shipped, or in force at some time), so that it cannot have been built around a child.
    """
    return not candidate | in_force or (published and candidate == in_force)


def _cuts(policy: PolicyInForce) -> Iterator[Cut]:
    for rule in policy.rules:
        if (rule.scope is not None and _of_some(rule.scope)) or _for_some(rule):
            yield rule.key, rule
    if policy.exits is not None:
        ways = (("watch", policy.exits.watch), ("2", policy.exits.tier_2), ("3", policy.exits.tier_3))
        yield from ((name, way) for name, way in ways if _for_some(way))


def _for_some(form: Rule | WatchExit | TierExit) -> bool:
    groups: list[Audience] = [group for group, _ in form.instead]
    return any(_of_some(group.scope) for group in groups)


def _of_some(scope: Scope) -> bool:
    """Whether it is about ages or grades, and not about whole schools."""
    return bool(scope.grades or scope.not_grades) or scope.from_age is not None or scope.below_age is not None
