"""Which rules of a policy lack what they look at, because nobody sends it to this district's system."""

from __future__ import annotations

from ew_app.kernel import today
from models.queries import measuring, reasons
from models.queries import policies as rows
from rules.policy import PolicyInForce
from rules.policy_schema import FED_BY_REASONS, OUTSIDE
from rules.policy_words import INPUTS, needs
from rules.stints import school_year_start

# What no file tells that is read here, in whichever district: what would have to come for rules on it.
UNREAD = {
    "care_transitions": "who came back from care, hospital or a placement, and on which day",
    "core_marks_below": "the marks of each course",
}


def not_fed(policy: PolicyInForce) -> dict[str, str]:
    """Rule key -> what it waits for, in a sentence. Such a rule is never met."""
    wanted = {rule.key: need for rule in policy.rules if (need := needs(rule))}
    lacking = {need: _waits_for(need) for need in set(wanted.values()) if not _is_fed(need)}
    return {key: lacking[need] for key, need in wanted.items() if need in lacking}


def _waits_for(need: str) -> str:
    if need in UNREAD:
        return f"It waits for data: no file that is read here yet tells {UNREAD[need]}. Until then it finds nobody."
    return f"Never met so far, because nobody sends {INPUTS[need]}."


def _is_fed(need: str) -> bool:
    if need == "prior_year_rate":
        return rows.has_last_year(school_year_start(today()))
    if need in FED_BY_REASONS:
        return reasons.feeds_reasons()
    return need not in OUTSIDE and measuring.feeds_flag(need)
