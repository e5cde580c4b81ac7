"""The card of a model as lines of text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from rules.counting import many
from rules.risk.group_names import ALSO, said
from rules.suppression import count_words

NAMES = {
    "rule": "the rule", "rate": "the rate", "rate_and_last_year": "rate and last year", "shrunken": "shrunken rate",
    "logistic": "weighted sum", "steps": "steps", "challenger": "full boosting",
}  # fmt: skip


def short_lines(told: Mapping[str, Any]) -> list[str]:
    """What a command tells of a model, as lines of text."""
    head = f"Model {told['model']} for {told['school_year']}"
    match told["status"]:
        case "trained":
            return [f"{head} kept every promise on past years and is off. `ew risk report` prints its card."]
        case "refused":
            return [f"{head} may not be used:", *(f"  {one['sentence']}" for one in told["refusals"])]
        case "stopped":
            return [f"{head} was given up."]
    return [f"{head} is being made: {told['done']} of {told['steps']} steps."]


def lines(card: Mapping[str, Any]) -> Iterator[str]:
    """The whole card."""
    yield f"Model {card['model']} for {card['school_year']}: {card['status']}, {card['stage']}"
    yield card["state"]
    yield card["purpose"]
    yield card["not_looked_at"]
    if card["refusals"]:
        yield ""
        yield "It may not be used:"
        for one in card["refusals"]:
            yield f"  {one['sentence']}"
    yield from _data(card)
    for figures in card["figures"]:
        yield from _figures(figures, card["kind"])
    yield from _fairness(card)
    yield from _in_touch(card)
    yield from _running(card)
    yield ""
    yield "Limits"
    yield from (f"  {limit}" for limit in card["limits"])
    yield from _since(card)


def _data(card: Mapping[str, Any]) -> Iterator[str]:
    yield ""
    yield "Made from"
    for year in card["data"]:
        counts = next(iter(year["counts"].values()), None)
        students = f"; {many(counts['kept'], 'student')}" if counts else ""
        yield (
            f"  {year['school_year']}: {year['taught_days']} school days, known {year['known']}"
            f" ({year['came_in_time']:,} of {year['school_days']:,} school-days in time){students}"
        )
        if counts:
            few, no_end = (count_words(counts[key]) if counts[key] else "none" for key in ("few_days", "no_end"))
            left_out = f"{few} with too few days, {no_end} whose year's end is not known"
            yield f"    left out: {left_out}"


def _figures(figures: Mapping[str, Any], kind: str | None) -> Iterator[str]:
    yield ""
    yield (
        f"School day {figures['day']}: {many(figures['students'], 'student')}, {figures['chronic']:,} chronically"
        f" absent in the end, {figures['listed']:,} listed by the rule"
    )
    yield f"  {'':<22}{'AUC':>20}{'Brier':>22}{'of 10 not listed':>22}{'found':>20}{'ECE':>8}"
    for name in (name for name in NAMES if name in figures["measured"]):
        found = figures["measured"][name]
        mark = "*" if name == kind else " "
        cells = "".join(f"{_cell(found[key]):>{wide}}" for key, wide in _WIDE.items())
        yield f" {mark}{NAMES[name]:<22}{cells}"
    for key, wanted in figures["targets"].items():
        got = figures["against"].get(kind or "", {}).get(key)
        yield f"    {key:<22}{_cell(got):>24}   asked {'at most' if key.startswith('brier') else 'at least'} {wanted}"


_WIDE = {"auc": 20, "brier": 22, "unlisted": 22, "sensitivity": 20, "ece": 8}


def _cell(found: Any) -> str:
    if found is None:
        return "-"
    if isinstance(found, Mapping):
        if found["value"] is None:
            return "-"
        low, high = (f"{found[end]:.3f}" if found[end] is not None else "?" for end in ("low", "high"))
        return f"{found['value']:.3f} ({low}-{high})"
    return f"{found:.3f}"


def _fairness(card: Mapping[str, Any]) -> Iterator[str]:
    for day in card["fairness"]:
        if not day["groups"]:
            continue
        yield ""
        yield f"Groups on school day {day['day']} (the model; the rule alone), on lists of the same length"
        for group in (one for one in day["groups"] if ALSO not in one["name"]):  # two at once: in the JSON
            yield (
                f"  {group['name']:<40}{group['students']:>14} students, chronic {group['chronic']};"
                f" found {group['found']}; {group['found_by_rule']}, right {group['right']}; {group['right_by_rule']}"
            )


def _in_touch(card: Mapping[str, Any]) -> Iterator[str]:
    """Students whom staff were in touch with beside the others, where any of it was logged."""
    for day in card["parts"]:
        apart = [group for group in day["groups"] if group["name"] in (said("in touch"), said("not in touch"))]
        if apart:
            yield ""
            yield f"Help on record, school day {day['day']} (the model; the rule alone)"
        for group in apart:
            yield (
                f"  {group['name']}: {group['students']}, chronic {group['chronic']};"
                f" right {group['right']}; {group['right_by_rule']}"
            )


def _running(card: Mapping[str, Any]) -> Iterator[str]:
    if not card["running"]:
        return
    yield ""
    yield f"Groups this year, counted on {card['running']['day']} (listed by the model; by the rule alone; expected)"
    yield card["running"]["how_to_read"]
    for group in card["running"]["groups"]:
        yield (
            f"  {group['name']:<60}{group['students']:>14} {group['flagged']:>10} {group['flagged_by_rule']:>10}"
            f" {group['expected']:>10}"
        )


def year_lines(told: Mapping[str, Any]) -> Iterator[str]:
    """A finished year looked back on."""
    yield f"{told['school_year']}: what models told, and what came"
    yield told["how_to_read"]
    for model in told["models"]:
        for evening in model["evenings"]:
            yield ""
            yield f"Model {model['model']}, school day {evening['school_day']} ({evening['day']})"
            yield f"  {'expected':<16}{'students':>14}{'came':>12}{'in touch':>12}{'others':>12}"
            for one in evening["ranges"]:
                yield (
                    f"  {one['range']:<16}{one['students']:>14}{one['came']:>12}{one['came_in_touch']:>12}"
                    f"{one['came_others']:>12}"
                )
            for one in evening["groups"]:
                yield (
                    f"  {one['name']:<60}{one['students']:>14} found {one['found']};"
                    f" by the rule {one['found_by_rule']}, right {one['right']}; {one['right_by_rule']}"
                )
    yield told["stamp"]["purpose"]


def _since(card: Mapping[str, Any]) -> Iterator[str]:
    yield ""
    yield "Since then"
    for step in card["decisions"]:
        yield f"  {step['at']:%Y-%m-%d} {step['what']}, {step['by']} ({step['position']}): {step['words']}"
    evenings = card["evenings"]
    yield (
        f"  {many(evenings['scored'], 'evening')} with scores, {evenings['refused']} refused,"
        f" {evenings['outside']} outside its days"
    )
    if evenings["last"] and evenings["last"]["reasons"]:
        yield f"  Last: {' '.join(evenings['last']['reasons'])}"
    told = ", ".join(f"{count} {answer.replace('_', ' ')}" for answer, count in sorted(card["answers"].items()))
    yield f"  Answers of staff: {told or 'none yet'}"
