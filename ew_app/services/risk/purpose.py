"""What a risk model is for and what never, written on everything of it that leaves the program."""

from __future__ import annotations

from typing import Any

from ew_app.kernel import Actor, now

WHAT_FOR = (
    "It orders students within a tier and brings students forward whom no rule has reached. It opens, closes and moves"
    " nothing: tiers, cases and tasks come from the rules alone. Never for discipline, placement or grading."
)
NEVER_FOR = (
    "For support alone. Never for discipline, law enforcement, grading, retention, placement or enrolment, and never to"
    " be handed on to anybody who does any of it."
)
NEVER_INPUTS = (
    "Not looked at: race and ethnicity, sex, language, income, disability, living situation, addresses, discipline,"
    " and anything staff did or wrote."
)


def stamp(by: Actor) -> dict[str, Any]:
    """For the head of a file: its purpose, who took it and when."""
    return {"purpose": NEVER_FOR, "taken_by": by.name, "position": by.position, "taken_at": now()}
