"""The rhythm of reviews: when the next one is due, and whom a late one is shown to. Numbers: policies/reviews.yaml."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml

from rules.places import PlaceKind

REVIEWS_FILE = Path(__file__).parent / "policies" / "reviews.yaml"


@dataclass(frozen=True, slots=True)
class Rhythm:
    """In school days; what each means stands in reviews.yaml."""

    every: int
    to_network: int
    to_district: int
    answer: int


@cache
def rhythm() -> Rhythm:
    """As reviews.yaml says. ValueError where a review would be shown above before it is late, or never be due."""
    said = Rhythm(**yaml.safe_load(REVIEWS_FILE.read_text(encoding="utf-8")))
    if not 0 < said.to_network <= said.to_district or said.every < 1 or said.answer < 1:
        raise ValueError(f"{REVIEWS_FILE.name}: days must be above zero, and to_district not before to_network.")
    return said


def shown_to(kind: PlaceKind, late: int) -> tuple[PlaceKind, ...]:
    """Whose list a review is on that is so many school days late (0: due today): its own place's, then above."""
    levels = [kind]
    if kind is PlaceKind.SCHOOL and late >= rhythm().to_network:
        levels.append(PlaceKind.NETWORK)
    if kind is not PlaceKind.DISTRICT and late >= rhythm().to_district:
        levels.append(PlaceKind.DISTRICT)
    return tuple(levels)
