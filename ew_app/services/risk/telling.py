"""What is kept of a score, in words for whoever works with the student."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date

from models.risk import RiskScore
from rules.risk import bands, card, reasons
from rules.risk.card import Card
from rules.risk.reasons import Reason


@dataclass(frozen=True, slots=True)
class Said:
    """What a model says of a student, in words. `logit` orders and is never shown; None where it abstained."""

    student_id: int
    day: date
    range: str  # "3 to 5 of 10 similar students", or why nothing is said
    sentence: str  # the same for the student's own page
    reasons: tuple[Reason, ...]
    stale: bool  # of an earlier evening, because the school's attendance has not come in
    logit: int | None


class Teller:
    """Scores of one model in words; its card is read once."""

    def __init__(self, made: Card) -> None:
        self._card = made
        self._years = [f"{year}-{(year + 1) % 100:02d}" for year in made.years]

    def said(self, score: RiskScore) -> Said:
        """One score."""
        if score.logit is None:
            why = card.ABSTAINS[json.loads(score.reasons)]
            return Said(score.student_id, score.day, why, why, (), score.stale, None)
        band = self._card.bands_on(score.number)[int(score.range_key)]
        sentence, why_so = bands.sentence(band, self._years), reasons.told(score.reasons)
        return Said(score.student_id, score.day, band.words, sentence, why_so, score.stale, score.logit)
