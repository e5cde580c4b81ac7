"""Words for the pages of the risk model: methods, figures, evenings and steps, as people who run schools read them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask import url_for

from ew_app.kernel import day_text, local
from ew_app.services.risk.answers import ANSWERS
from ew_app.services.risk.calendar import SchoolYear
from models.risk import RiskModel, RiskNight, RiskStep
from rules.counting import many
from rules.risk.fairness import AS_ASKED, TOO_FEW
from rules.suppression import LEAST, count_words

METHODS: Mapping[str, str] = {
    "rule": "The rule alone",
    "rate": "The absence rate so far",
    "last_year": "Last year's rate",
    "rate_and_last_year": "Both rates together",
    "shrunken": "A rate drawn toward earlier years",
    "logistic": "A weighted sum",
    "steps": "Steps added up",
    "challenger": "Full boosting, only to compare",
}
LOOKED_AT: Mapping[str, str] = {
    "rate": "share of days absent so far this year",
    "absences": "days absent so far this year",
    "rate_last_20": "absences in the last 20 school days",
    "unexcused_share": "how many absences are unexcused",
    "marked_share": "days with any mark: late, absent for a part, or absent",
    "last_year_rate": "last year's share of days absent",
    "last_year_late_rate": "absences in the last weeks of last year",
    "year_before_rate": "the share of the year before that",
    "has_last_year": "whether a last year is known",
    "school_rate": "the whole school's share so far",
    "grade": "grade",
}
STEPS: Mapping[str, tuple[str, str]] = {
    "shadow": ("Put on trial", "clock"),
    "approved": ("Agreed", "done"),
    "serving": ("Began its work", "done"),
    "off": ("Switched off", "warning"),
    "ended": ("Ended", "info"),
}
MOST_NAMED = 6
NO_TROUBLE = (AS_ASKED, TOO_FEW)  # what is made of a group that is no trouble
OUTCOMES: Mapping[str, tuple[str, str]] = {
    "scored": ("as usual", "good"),
    "refused": ("held back", "late"),
    "outside": ("not asked", "plain"),
}


def year_name(model: RiskModel) -> str:
    """Like 2026-27."""
    return SchoolYear(model.school_year, ()).name


def tabs(number: int | None, *, audits: bool) -> list[tuple[str, str, str]]:
    """(words, address, key) of the pages about the model; only the first where there is none."""
    found = [("How it stands", url_for("risk_model.show"), "show")]
    if number is None:
        return found
    found.append(("Model card", url_for("risk_model_card.card", number=number), "card"))
    found.append(("On past years", url_for("risk_model_card.past", number=number), "past"))
    if audits:
        found.append(("Groups of students", url_for("risk_model_card.groups", number=number), "groups"))
    return found


def names(people: Sequence[str]) -> str:
    """Who may do something: the first few by name."""
    more = len(people) - MOST_NAMED
    return "; ".join(people[:MOST_NAMED]) + (f"; and {more} more" if more > 0 else "")


def came_of(model: RiskModel) -> tuple[str, str]:
    """What became of a model, in words with their colour."""
    if model.stage == "serving":
        return "at work", "good"
    if model.stage == "shadow":
        return "on trial", "wait"
    if model.status == "trained":
        return "kept what is asked, off", "plain"
    return {"refused": ("refused", "late")}.get(model.status, ("being made", "wait"))


def history(steps: Sequence[RiskStep], *, named: bool = True) -> list[dict[str, str]]:
    """Decisions as a timeline; `named`: with the model that each is about."""
    found = []
    for one in steps:
        told, icon = STEPS[one.kind]
        at = local(one.written_at)
        about = f", model {one.model_id}" if named else ""
        found.append({
            "kind": f"{told}{about}", "icon": icon, "who": one.author, "position": one.position, "text": one.words,
            "when": f"{day_text(at.date())} {at.year}, {at:%H:%M}", "when_iso": at.isoformat(timespec="minutes"),
        })  # fmt: skip
    return found


def answers(found: Mapping[str, int]) -> list[tuple[str, str]]:
    """(answer, how many) of what staff said; small numbers are kept back."""
    return [(told, count_words(found[key])) for key, told in ANSWERS.items() if key in found]


def _without(abstained: int) -> str:
    """Of whom nothing was said, and why."""
    if not abstained:
        return ""
    return f"too little is known of {f'{abstained:,}' if abstained >= LEAST else 'a few'}"


def evening(night: RiskNight) -> dict[str, Any]:
    """What came of an evening, and what its checks found."""
    told, kind = ("as usual, but for some schools", "wait") if night.stale else OUTCOMES[night.outcome]
    alarms = [one for one in (night.figures or {}).get("alarms", ())]
    noticed: Sequence[str] = [str(one["sentence"]) for one in alarms] or [str(reason) for reason in night.reasons]
    scored = f"{many(night.scored, 'student')}" if night.outcome == "scored" else "nobody"
    return {
        "day": night.day, "number": night.number, "told": told, "kind": kind, "scored": scored,
        "without": _without(night.abstained), "stale": len(night.stale),
        "noticed": noticed, "asked": [(str(one["wanted"]), str(one["got"])) for one in alarms],
    }  # fmt: skip
