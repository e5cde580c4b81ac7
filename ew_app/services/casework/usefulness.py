"""Which rules earn the work they make: what people said at closing, rule by rule, over the last year."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta

from ew_app.kernel import settings, today
from models.queries import usefulness as rows
from rules.routing import compartment_of
from rules.usefulness import Usefulness, Wanted

LOOKED_BACK = timedelta(days=365)


def wanted() -> Wanted:
    """What the district asks of a rule."""
    return Wanted(answers=settings().useful_answers, percent=settings().useful_percent)


def of_rules(rules: Collection[str]) -> dict[str, Usefulness]:
    """Rule -> what people answered; nothing of rules whose work stays inside a compartment."""
    found = rows.answers(today() - LOOKED_BACK)
    return {rule: Usefulness.of(rule, found.get(rule, {})) for rule in rules if compartment_of(rule) is None}
