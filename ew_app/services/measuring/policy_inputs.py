"""Which rules of a policy lack what they look at, because nobody sends it to this district's system."""

from __future__ import annotations

from ew_app.kernel import today
from models.queries import measuring, reasons
from models.queries import policies as rows
from rules.policy import PolicyInForce
from rules.policy_schema import FED_BY_REASONS, OUTSIDE
from rules.policy_words import INPUTS, needs
from rules.stints import school_year_start


def not_fed(policy: PolicyInForce) -> dict[str, str]:
    """Rule key -> what it would need, in words. Such a rule is never met."""
    wanted = {rule.key: need for rule in policy.rules if (need := needs(rule))}
    lacking = {need for need in set(wanted.values()) if not _is_fed(need)}
    return {key: INPUTS[need] for key, need in wanted.items() if need in lacking}


def _is_fed(need: str) -> bool:
    if need == "prior_year_rate":
        return rows.has_last_year(school_year_start(today()))
    if need in FED_BY_REASONS:
        return reasons.feeds_reasons()
    return need not in OUTSIDE and measuring.feeds_flag(need)
