"""`ew why` as a page to read: the arithmetic, each rule that is met with its days, then the files and lines."""

from __future__ import annotations

from collections.abc import Iterator

from ew_app.services.measuring.why import Explanation, Reason
from rules.counting import many

STANDING = {"1": "Tier 1", "watch": "Watch", "2": "Tier 2", "3": "Tier 3", "none": "no tier yet"}


def lines(found: Explanation) -> Iterator[str]:
    """The page, line by line."""
    if not found.measures:
        yield f"Student {found.student}: no school day is known yet, so nothing is measured or decided."
        return
    yield from _head(found)
    for reason in found.reasons:
        yield ""
        yield from _reason(reason)
    if not found.reasons:
        yield ""
        yield "No rule is met."
    yield from _listed("These days, and where each was said", _days_used(found))
    yield from _listed("How the tier moved", _steps(found))
    yield from _listed("Cases that are open", _cases(found))
    yield from _listed("Days that are not counted, or are not known", _odd_days(found))
    if found.not_fed:
        yield ""
        yield f"Not fed, so never met: {', '.join(found.not_fed)}."
    yield ""
    yield f"Decided by: {found.policy}, version {found.policy_version}."


def _head(found: Explanation) -> Iterator[str]:
    here = found.measures
    yield f"Student {found.student}: {STANDING.get(here['tier'], here['tier'])} as of {here['as_of']}"
    if not here["absence_rate"]:
        yield "No enrolled day has been counted yet."
        return
    late = many(int(here["tardies"]), "time")
    yield (
        f"Absent {here['absent_days']} of {here['enrolled_days']} enrolled days = {here['absence_rate']}% "
        f"({here['excused_days']} excused, {here['unexcused_days']} unexcused); late {late}."
    )
    yield f"Attendance is in through {here['data_through'] or 'no day yet'}."
    if found.outlook:
        yield found.outlook.sentence
    if here["missing_days"] != "0" or here["unknown_days"] != "0":
        yield (
            f"{here['missing_days']} days were not submitted and {here['unknown_days']} are not known; depending on "
            f"them the tier is between {here['tier_min']} and {here['tier_max']}."
        )
    if here["too_early"] == "true":
        yield "It is too early in the year to judge by the rate."


def _reason(reason: Reason) -> Iterator[str]:
    yield f"{reason.rule} {reason.label}, since {reason.since}"
    yield f"  {reason.sentence}"
    yield f"  Asks: {reason.asks}"
    if reason.reference:
        yield f"  Source: {reason.reference}"
    if reason.dates:
        yield f"  Days: {', '.join(map(str, reason.dates))}"


def _steps(found: Explanation) -> Iterator[str]:
    for step in found.steps:
        rules = f" [{', '.join(step.rules)}]" if step.rules else ""
        yield f"{step.day}  {step.before} -> {step.after}{rules}  {step.sentence}"


def _cases(found: Explanation) -> Iterator[str]:
    for case in found.cases:
        rests = "; ".join(f"{rule} since {day}: {sentence}" for rule, day, sentence in case.reasons)
        yield f"Case {case.number}, {STANDING[case.tier]}, opened {case.opened}. {rests or 'Nothing holds it now.'}"


def _days_used(found: Explanation) -> Iterator[str]:
    return (day.text for day in found.days if day.used_by)


def _odd_days(found: Explanation) -> Iterator[str]:
    return (day.text for day in found.days if day.state in ("missing", "unknown", "homebound"))


def _listed(title: str, rows: Iterator[str]) -> Iterator[str]:
    """A titled list; nothing at all when it is empty."""
    for number, row in enumerate(rows):
        if number == 0:
            yield ""
            yield title
        yield f"  {row}"
