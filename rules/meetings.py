"""The agenda of a team meeting: why a student is on it, in which order, how many fit, how long each part takes."""

from __future__ import annotations

from collections.abc import Collection
from enum import StrEnum

AT_ONCE = 8  # students a team can decide about well, three minutes each
LONG = 40  # more than that is a caseload and no agenda
EVERY_DAYS = 14  # a team meets every two weeks; that far back a first meeting looks
TRIES = 3  # so many attempts without reaching anybody are no response
SMALLEST_COUNT = 10  # a cause that fewer cases share is nobody's pattern and somebody's secret


class Why(StrEnum):
    """Why a team looks at a student today, the most pressing first."""

    UNTRIED = "untried"
    NEW_TIER_3 = "new_tier_3"
    NO_ANSWER = "no_answer"
    RETURNED = "returned"
    CARRIED = "carried"
    REVIEW = "review"
    ADDED = "added"


WORDS = {
    Why.UNTRIED: "In Tier 3, and nobody has tried to reach the family in time",
    Why.NEW_TIER_3: "New in Tier 3",
    Why.NO_ANSWER: f"Nobody reached in {TRIES} tries or more",
    Why.RETURNED: "Back after a long absence",
    Why.CARRIED: "Left over from last time",
    Why.REVIEW: "The plan is due for a look",
    Why.ADDED: "Added by the team",
}

PARTS = (
    (5, "How the school stands, and what moved"),
    (5, "What we agreed last time"),
    (25, "Students: one action each, with a name and a day"),
    (5, "What keeps many away"),
    (5, "Who is doing better"),
)


def rank(why: Collection[Why]) -> int:
    """The place of a student by the most pressing reason; 0 comes first."""
    return min(list(Why).index(one) for one in why)
