"""What a review kept, in words for its page: how a place stood, what moved, its groups and causes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from ew_app.kernel import day_text, today
from models.queries.reviews import Asked
from models.reviews import Review, ReviewLine
from rules.counting import are, many
from rules.suppression import HIDDEN
from rules.vocabulary import vocabulary

TIERS = (("Tier 1", "tier_1"), ("Watch", "watch"), ("Tier 2", "tier_2"), ("Tier 3", "tier_3"), ("No tier yet", "none"))


def told(numbers: Mapping[str, Any]) -> dict[str, Any]:
    """How the place stood when the review began."""
    now, then = numbers.get("now"), numbers.get("then")
    causes = {code: cause.label for code, cause in vocabulary().causes.items()}
    return {
        "since": _day(numbers.get("since")),
        "through": _day(numbers.get("through")),
        "silent": numbers.get("silent", []),
        "tiers": [
            (label, now[key], now[key] - then[key] if then else None)
            for label, key in TIERS
            if now and (now[key] or (then and then[key]))
        ],
        "work": numbers.get("work", {}),
        "steps": numbers.get("steps") or {},
        "steps_since": _day((numbers.get("steps") or {}).get("since")),
        "causes": [(causes.get(code, code), count) for code, count in numbers.get("causes", [])],
        "groups": numbers.get("groups", []),
        "groups_day": _day(numbers.get("groups_day")),
    }


def _day(text: str | None) -> str:
    return day_text(date.fromisoformat(text)) if text else ""


def line(one: ReviewLine, *, exact: bool) -> dict[str, Any]:
    """A line to walk past, with what stood there that day; exact: for whoever may open the students of the place."""
    numbers = one.numbers
    return {
        "position": one.position,
        "name": one.name,
        "facts": facts(numbers, exact=exact),
        "looked": one.looked_at,
        "looked_by": one.looked_by,
        "note": one.note,
    }


def facts(numbers: Mapping[str, Any], *, exact: bool) -> list[str]:
    """What stood on a line, the most pressing first."""
    if "exact" in numbers:
        return _grade(*(numbers["exact"] if exact else numbers["told"] or (HIDDEN, HIDDEN)))
    if "needing" in numbers:  # kept before those who may open the students had their own
        return _grade(numbers["students"], numbers["needing"])
    now, then, work = numbers.get("now"), numbers.get("then"), numbers.get("work") or {}
    found = list(numbers.get("needs", []))
    if numbers.get("schools", 1) > 1 and numbers.get("in_need"):
        needy = numbers["in_need"]
        found.append(f"{needy} of {many(numbers['schools'], 'school')} {are(needy, 'needs', 'need')} help")
    if now:
        needing = now["tier_2"] + now["tier_3"]
        moved = needing - then["tier_2"] - then["tier_3"] if then else None
        change = "" if moved is None else ", as many as before" if not moved else f", {moved:+d}".replace("-", "−")
        found.append(f"{needing:,} in Tier 2 or 3{change}")
    if work.get("asked"):
        found.append(f"{work['in_time']} of {work['asked']} families reached in time")
    return found


def _grade(students: int | str, needing: int | str) -> list[str]:
    told = f"Tier 2 or 3 {HIDDEN}" if needing == HIDDEN else f"{needing} in Tier 2 or 3"
    return [told, *([] if students == HIDDEN else [f"{students} students"])]


def reason(one: ReviewLine) -> str:
    """Why something is asked about it: the most pressing thing that stood there, as every reader may know it."""
    return next(iter(facts(one.numbers, exact=False)), "")


def asked_lines(found: Sequence[Asked], names: Mapping[str, str]) -> list[dict[str, Any]]:
    """What was asked, of whom, by when, and what was answered."""
    on = today()
    return [
        {
            "id": one.nudge.id, "place": names.get(one.nudge.place, one.nudge.place), "words": one.nudge.words,
            "reason": one.nudge.reason, "owner": one.owner, "due": one.nudge.due, "by": one.nudge.asked_by,
            "position": one.nudge.position, "answer": one.nudge.answer, "at": one.nudge.answered_at,
            "late": one.late(on),
        }
        for one in found
    ]  # fmt: skip


def answer(review: Review, lines: Sequence[ReviewLine], agreed: int) -> str:
    """The first thing to know about a review."""
    looked = sum(one.looked_at is not None for one in lines)
    if review.ended_at:
        return f"{looked} of {many(len(lines), 'line')} looked at, {many(agreed, 'thing')} agreed"
    left = len(lines) - looked
    return f"{many(left, 'line')} {are(left)} still to be looked at" if left else "Everything was looked at"
