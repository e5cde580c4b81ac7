"""Work that does not go on rises: first to the principal of the school, then to its network."""

from __future__ import annotations

from enum import IntEnum, StrEnum

from rules.routing_table import routing_table


class Waits(StrEnum):
    """Why work does not go on. The keys stand in routing.yaml and are labelled in the vocabulary."""

    UNOWNED = "unowned"
    UNCLAIMED = "unclaimed"
    OVERDUE = "overdue"
    UNANSWERED = "unanswered"
    AWAY = "away"


class Level(IntEnum):
    """Who is shown it. A network sees the number, the school and the days, and no name."""

    SCHOOL = 0
    PRINCIPAL = 1
    NETWORK = 2


def level(why: Waits, school_days: int) -> Level:
    """Where work stands that has waited so many school days; a day counts once it is over."""
    rises = routing_table().rising[why]
    if school_days >= rises.network:
        return Level.NETWORK
    return Level.PRINCIPAL if school_days >= rises.principal else Level.SCHOOL
