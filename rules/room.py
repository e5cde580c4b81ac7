"""How much new work a person can begin well in a week, by the hours they state."""

from __future__ import annotations

from rules.routing_table import routing_table

EXACT = 1000  # weights are whole numbers, in thousandths of a full week's case


def hours_of(stated: int | None) -> int:
    """Hours a week; who states none is there for the whole week."""
    return routing_table().full_week if stated is None else stated


def new_cases_a_week(stated: int | None) -> int:
    """New cases that somebody with so many hours a week can begin well; at least one for whoever has any hours."""
    table, hours = routing_table(), hours_of(stated)
    return max(1, table.new_cases * hours // table.full_week) if hours else 0


def weight(work: int, stated: int | None) -> int:
    """How heavily so much open work lies on somebody with these hours; without any hours it lies heaviest."""
    hours = hours_of(stated)
    return work * EXACT * routing_table().full_week // hours if hours else 10**12 + work
