"""Tables and named queries: what is known, by whom, since when. No thresholds, no roles, no commit.

Importing this package registers every table with the metadata.
"""

from __future__ import annotations

from models import (
    attendance,
    audit,
    cases,
    crisis,
    cuts,
    duty,
    hand_overs,
    jobs,
    letters,
    lists,
    meetings,
    merges,
    notices,
    org,
    outreach,
    people,
    plans,
    policies,
    promises,
    pulls,
    quality,
    reviews,
    simulations,
    staff,
    staged,
    tiers,
    visits,
)
from models.base import db

__all__ = [
    "attendance",
    "audit",
    "cases",
    "crisis",
    "cuts",
    "db",
    "duty",
    "hand_overs",
    "jobs",
    "letters",
    "lists",
    "meetings",
    "merges",
    "notices",
    "org",
    "outreach",
    "people",
    "plans",
    "policies",
    "promises",
    "pulls",
    "quality",
    "reviews",
    "simulations",
    "staff",
    "staged",
    "tiers",
    "visits",
]
