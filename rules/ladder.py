"""The order in which a family is tried: which rung is next after what was tried, and what may go by itself when."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, time
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from rules.school_days import add_school_days
from rules.vocabulary import vocabulary

LADDER_FILE = Path(__file__).parent / "policies" / "ladder.yaml"
TIERS = ("2", "3")
MOST_RUNGS = 10
LAST_DAY = 60
LONGEST_HINT = 60
# Ways that stand for one another on a ladder: who wrote an email need not send a text as well.
ALIKE = {
    "email": "text", "portal": "text", "letter_home": "letter_mail", "virtual": "call", "sibling": "call",
    "conference": "in_person",
}  # fmt: skip

Tries = Sequence[tuple[date, str]]
"""(day, method) of each personal try that reached nobody, in order."""


@dataclass(frozen=True, slots=True)
class Rung:
    """One way to try, from a school day after the opening on."""

    day: int
    method: str
    hint: str = ""

    @property
    def words(self) -> str:
        """`Phone call (another number, at another hour)`."""
        label = vocabulary().label("method", self.method)
        return f"{label} ({self.hint})" if self.hint else label


@dataclass(frozen=True, slots=True)
class Step:
    """A rung on its day: `tried` is the day of the try that stands for it, None while it is to come."""

    rung: Rung
    due: date
    tried: date | None = None
    left_out: bool = False


@dataclass(frozen=True, slots=True)
class Ladder:
    """Rungs by tier ("2", "3"), in order."""

    rungs: Mapping[str, tuple[Rung, ...]]

    def of(self, tier: int) -> tuple[Rung, ...]:
        """The rungs for a tier; whoever is below Tier 2 has those of Tier 2."""
        return self.rungs["3" if tier == 3 else "2"]

    def plain(self) -> dict[str, list[dict[str, Any]]]:
        """The same as a document that `parse` reads."""
        return {
            tier: [{"day": rung.day, "method": rung.method, "hint": rung.hint} for rung in rungs]
            for tier, rungs in self.rungs.items()
        }


@dataclass(frozen=True, slots=True)
class Manners:
    """What holds for every school: see policies/ladder.yaml."""

    tries: int
    ways: int
    touch_every: int
    begin: time
    end: time
    automatic_a_week: int

    def quiet(self, at: time) -> bool:
        """Whether families are left alone at this hour of their own clock."""
        return not self.begin <= at < self.end

    def enough(self, tries: int, ways: int) -> bool:
        """Whether it may be said that a family cannot be reached."""
        return tries >= self.tries and ways >= self.ways

    def bar(self, at: time, sent_in_seven_days: int, *, stopped: bool) -> str:
        """Why nothing may go to a household by itself now, as a sentence; '' where nothing stands against it."""
        if stopped:
            return "The family has asked not to be reached this way."
        if self.quiet(at):
            return f"Nothing goes out by itself before {self.begin:%H:%M} or after {self.end:%H:%M}."
        if sent_in_seven_days >= self.automatic_a_week:
            return f"This household has had {sent_in_seven_days} automatic messages in seven days; that is enough."
        return ""


def climb(
    rungs: Sequence[Rung], tries: Tries, *, opened: date, days: Sequence[date], stopped: Sequence[str] = ()
) -> list[Step]:
    """Every rung with the try that stands for it; a way that the family asked us to stop is left out.

    days: the school days from `opened` on, ascending. A try stands for one rung, the first of its kind.
    """
    left = [(day, ALIKE.get(method, method)) for day, method in tries]
    steps = []
    for rung in rungs:
        made = next((one for one in left if one[1] == rung.method), None)
        if made:
            left.remove(made)
        due = add_school_days(opened, rung.day, days)
        steps.append(Step(rung, due, made[0] if made else None, made is None and rung.method in stopped))
    return steps


def next_step(steps: Sequence[Step]) -> Step | None:
    """The first rung that is neither tried nor left out."""
    return next((step for step in steps if step.tried is None and not step.left_out), None)


def parse(document: Mapping[str, Any]) -> Ladder:
    """A ladder from plain values. ValueError with a sentence for whoever wrote it."""
    rungs = {}
    for tier in TIERS:
        rungs[tier] = tuple(_rung(entry) for entry in document.get(tier, ()))
        _check(tier, rungs[tier])
    return Ladder(rungs)


def _rung(entry: Mapping[str, Any]) -> Rung:
    day, method, hint = entry.get("day"), entry.get("method"), str(entry.get("hint", "")).strip()
    if not isinstance(day, int) or isinstance(day, bool) or not 0 <= day <= LAST_DAY:
        raise ValueError(f"Give the school day of each step as a number from 0 to {LAST_DAY}.")
    if not isinstance(method, str) or method not in vocabulary().methods or vocabulary().methods[method].automatic:
        raise ValueError("Choose a way from the list for each step; an automatic message is no step.")
    if len(hint) > LONGEST_HINT:
        raise ValueError(f"Keep the words beside a step under {LONGEST_HINT} characters.")
    return Rung(day, method, hint)


def _check(tier: str, rungs: Sequence[Rung]) -> None:
    if not 1 <= len(rungs) <= MOST_RUNGS:
        raise ValueError(f"Tier {tier} needs from 1 to {MOST_RUNGS} steps.")
    if [rung.day for rung in rungs] != sorted(rung.day for rung in rungs):
        raise ValueError(f"The steps of Tier {tier} are not in the order of their days.")
    if len(rungs) < manners().tries or len({rung.method for rung in rungs}) < manners().ways:
        least = f"{manners().tries} steps by {manners().ways} different ways"
        raise ValueError(f"Tier {tier} needs at least {least}, so that a family has a fair chance to be reached.")


@cache
def _document() -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load(LADDER_FILE.read_text(encoding="utf-8"))
    return document


@cache
def district_ladder() -> Ladder:
    """The shipped ladder, read once."""
    return parse(_document()["rungs"])


@cache
def manners() -> Manners:
    """What holds for every school, read once."""
    document = _document()
    reach, hours = document["unable_to_reach"], document["hours"]
    return Manners(
        reach["tries"], reach["ways"], document["touch_every"], time.fromisoformat(hours["begin"]),
        time.fromisoformat(hours["end"]), document["automatic_a_week"],
    )  # fmt: skip
