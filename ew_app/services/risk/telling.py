"""What is kept of a score, in words for whoever works with the student."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from datetime import date

import numpy as np

from models.risk import RiskScore
from rules.risk import bands, card, reasons
from rules.risk.card import Card
from rules.risk.models import chance
from rules.risk.reasons import Reason

log = logging.getLogger("ew.risk")
THOUSAND = 1000
ROUNDED = np.array([-0.5, 0.5])  # as far as a stored score may be from the one whose range was chosen
DAMAGED = "What the model said of this student can't be read any more. It is asked again on the next evening."


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
        self._years = [f"{year}-{(year + 1) % 100:02d}" for year in made.tested]

    def said(self, score: RiskScore) -> Said:
        """One score; one that was damaged in the database tells nothing, and everybody else's is told."""
        try:
            return self._read(score)
        except (ValueError, TypeError, LookupError):
            log.warning("what model %s said of student %s can't be read", score.model_id, score.student_id)
            return Said(score.student_id, score.day, DAMAGED, DAMAGED, (), score.stale, None)

    def _read(self, score: RiskScore) -> Said:
        if score.logit is None:
            why = card.ABSTAINS[json.loads(score.reasons)]
            return Said(score.student_id, score.day, why, why, (), score.stale, None)
        place = int(score.range_key)
        if place not in bands.place_of(chance(np.array(score.logit + ROUNDED) / THOUSAND)):
            raise ValueError("the range is none of this score")
        band = self._card.bands_on(score.number)[place]
        sentence, why_so = bands.sentence(band, self._years), reasons.told(score.reasons)
        return Said(score.student_id, score.day, band.words, sentence, why_so, score.stale, score.logit)
