"""How often the cases of a rule were judged useful when they were closed, and what follows from it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from rules.suppression import LEAST, share_of_tens, tens_words


@dataclass(frozen=True, slots=True)
class Wanted:
    """From how many answers on something is said, and which percent of them at least are to be yes."""

    answers: int
    percent: int


@dataclass(frozen=True, slots=True)
class Usefulness:
    """The answers for one rule. Who could not tell is in neither side of the share."""

    rule: str
    yes: int = 0
    no: int = 0
    cannot_tell: int = 0

    @classmethod
    def of(cls, rule: str, answers: Mapping[str, int]) -> Usefulness:
        """From answer -> how often."""
        return cls(rule, answers.get("yes", 0), answers.get("no", 0), answers.get("cannot_tell", 0))

    @property
    def asked(self) -> bool:
        """Whether anybody was asked about it yet."""
        return self.judged + self.cannot_tell > 0

    @property
    def judged(self) -> int:
        """Answers that say yes or no."""
        return self.yes + self.no

    def too_rarely(self, wanted: Wanted) -> bool:
        """Whether enough people answered, and too few of them said yes; on the line is not too few."""
        enough = self.judged >= max(wanted.answers, LEAST)
        return enough and 100 * self.yes < wanted.percent * self.judged

    @property
    def words(self) -> str:
        """As a page says it, in tens and bands; of few answers only that they are few."""
        if self.judged < LEAST:
            return f"Too few answers yet to say whether its flags were useful (under {LEAST})."
        unsure = f"; {tens_words(self.cannot_tell)} answers could not tell" if self.cannot_tell >= LEAST else ""
        shown = [count if count >= LEAST else None for count in (self.yes, self.no)]
        share = share_of_tens(self.yes, self.no, shown)
        return f"Useful in {share} of {tens_words(self.judged)} closed cases{unsure}."

    def proposal(self, wanted: Wanted) -> str:
        """What is proposed to the policy lead; '' where nothing is."""
        if not self.too_rarely(wanted):
            return ""
        return (
            f"That is under {wanted.percent}%. Think about letting it run in monitor mode for a while: it is then "
            "counted, and opens nothing."
        )
