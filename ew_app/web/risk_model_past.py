"""What a model and everything beside it would have done in past years, as rows of pictures and tables.

Every share that rests on few students leaves through rules.suppression: here nothing is told more precisely.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from ew_app.web.risk_model_words import METHODS
from rules.risk.judging import CAPACITIES
from rules.suppression import HIDDEN, share_words

Plain = Mapping[str, Any]
PREFERRED = 20  # school day
BASES = ("rate_and_last_year", "rate", "last_year", "rule")
DEFAULT_PLACES = CAPACITIES.index(0.1)
TARGETS: Sequence[tuple[str, str, bool]] = (  # key, what is asked, whether at most
    ("brier_to_rate", "Error of its chances, beside the absence rate's", True),
    ("brier_to_last_year", "The same, beside both rates together", True),
    ("unlisted_to_rate", "Found among students not listed yet, beside the rate", False),
    ("sensitivity_gain", "More found than by the rule, of 100, with a list as long", False),
    ("kept", "Kept of what a larger model gains", False),
)
COLUMNS: Sequence[tuple[str, str]] = (
    ("auc", "Pairs in the right order, of 100"),
    ("brier", "Error of its chances"),
    ("unlisted", "Right among 10 not listed by the rule"),
    ("sensitivity", "Found of 100, with a list as long as the rule's"),
    ("ece", "Chances off by, of 100"),
)


def name(method: str, kind: str | None) -> str:
    """What a method is called; the model's own comes first by its name."""
    return f"This model ({METHODS[method][0].lower()}{METHODS[method][1:]})" if method == kind else METHODS[method]


def order(methods: Sequence[str], kind: str | None) -> list[str]:
    """The model, what is beside it, then the other models that were tried."""
    known = [method for method in (kind or "", *BASES) if method in methods]
    return [*known, *(method for method in METHODS if method in methods and method not in known)]


def chosen(figures: Sequence[Plain], asked: int | None) -> Plain | None:
    """The grid day that was asked for, else the one that lists matter most on."""
    told = {one["day"]: one for one in figures}
    return told.get(asked) or told.get(PREFERRED) or next(iter(told.values()), None)


# -- pictures --------------------------------------------------------------------------------------------------------


def _of_ten(words: str) -> tuple[float | None, str]:
    """(where it is drawn, words) of a share as whole percent or as a band."""
    number = words.removeprefix("under ").removeprefix("over ").removesuffix("%")
    if not number.isdigit():
        return None, words
    band = next((band for band in ("under ", "over ") if words.startswith(band)), "")
    return int(number) / 10, f"{band}{int(number) / 10:.1f} of 10"


def _beside(told: Mapping[str, Any], kind: str | None) -> list[str]:
    """What a picture shows: the model and what a list could be made by without it."""
    return [method for method in order(list(told), kind) if method == kind or method in BASES]


def not_listed(day: Plain, kind: str | None) -> list[dict[str, Any]]:
    """Of 10 students whom the rule had not listed and a method puts first: how many were chronic in the end."""
    first = (day["students"] - day["listed"]) // 10
    found = []
    for method in _beside(day["measured"], kind):
        told = day["measured"][method]["unlisted"]
        if told is None or told["value"] is None:
            continue
        value, said = _of_ten(share_words(round(told["value"] * first), first))
        ends = [told[end] * 10 if told[end] is not None and said[:1].isdigit() else None for end in ("low", "high")]
        found.append({
            "name": name(method, kind), "ours": method == kind, "value": value, "words": said,
            "low": ends[0], "high": ends[1], "method": method,
        })  # fmt: skip
    return found


def at_capacity(day: Plain, kind: str | None, place: int) -> list[dict[str, Any]]:
    """Of 10 places on a list of that length at each school: how many were chronic in the end."""
    found = []
    for method in _beside(day["capacity"], kind):
        on, right = day["capacity"][method][place]
        value, said = _of_ten(share_words(right, on))
        found.append({"name": name(method, kind), "ours": method == kind, "value": value, "words": said,
                      "method": method})  # fmt: skip
    return found


def capacities(day: Plain, kind: str | None) -> list[tuple[str, int, list[str]]]:
    """(length of the lists, places in all, right of 10 by each method) for every length."""
    methods = order(list(day["capacity"]), kind)
    return [
        (f"{share * 100:g} of 100 students", day["capacity"][methods[0]][place][0],
         [_of_ten(share_words(*reversed(day["capacity"][method][place])))[1] for method in methods])
        for place, share in enumerate(CAPACITIES)
    ] if methods else []  # fmt: skip


def calibration(day: Plain, method: str | None) -> list[dict[str, Any]]:
    """Ten parts of the students from the lowest chance to the highest: expected and come, in percent."""
    found = []
    for part in day["measured"].get(method or "", {}).get("bins") or ():
        words = share_words(round(part["came"] * part["students"]), part["students"])
        value = _of_ten(words)[0]
        found.append({
            "students": part["students"], "expected": 100 * part["expected"], "words": words,
            "came": None if value is None else 100 * part["came"] if words[:1].isdigit() else value * 10,
        })  # fmt: skip
    return found


def churn(lists: Mapping[str, Plain], kind: str | None) -> list[dict[str, Any]]:
    """How many of 100 students on a list or the next stand on both, by method and pair of days."""
    found = []
    for method in order([one for one in ("rule", kind or "") if one in lists], kind):
        for day, after, alike in lists[method].get("steps") or ():
            found.append({
                "name": f"Day {day} to {after}", "who": "this model" if method == kind else "the rule alone",
                "ours": method == kind, "value": 100 * alike,
                "words": f"{100 * alike:.0f} of 100", "days": (day, after),
            })  # fmt: skip
    return sorted(found, key=lambda one: (one["days"], not one["ours"]))


def told(rows: Sequence[Plain]) -> str:
    """What bars show, as a sentence."""
    named = [f"{one['name'][:1].lower()}{one['name'][1:]} {one['words']}" for one in rows]
    return f"{'; '.join(named)}.".capitalize() if named else "No figure can be told."


def told_of_chances(parts: Sequence[Plain]) -> str:
    """What the points show: how far expected and come are apart at most."""
    apart = [abs(one["expected"] - one["came"]) for one in parts if one["came"] is not None]
    if not apart:
        return "Too few students stand behind each part to tell."
    return f"In no part were what was expected and what came more than {math.ceil(max(apart))} of 100 apart."


def told_of_churn(rows: Sequence[Plain]) -> str:
    """How much of a list stays, of the model and of the rule."""
    parts = []
    for ours, who in ((True, "this model"), (False, "the rule alone")):
        shares = [round(one["value"]) for one in rows if one["ours"] is ours]
        if shares:
            parts.append(f"with {who} {min(shares)} to {max(shares)} of 100 students stay")
    return f"From one day looked at to the next, {', '.join(parts)}."


# -- tables ----------------------------------------------------------------------------------------------------------


def asked(figures: Sequence[Plain], kind: str | None) -> list[dict[str, Any]]:
    """What was asked on each day and what came, with whether it was kept."""
    days = [one for one in figures if one["targets"] and kind in one["against"]]
    rows = []
    for key, words, at_most in TARGETS:
        cells = []
        for one in days:
            told, wanted = one["against"][kind][key], one["targets"][key]
            kept = told["value"] is not None and (told["value"] <= wanted if at_most else told["value"] >= wanted)
            cells.append({
                "day": one["day"], "kept": kept, "told": _in_unit(key, told["value"]), "wanted": _in_unit(key, wanted),
                "range": f"{_bare(_in_unit(key, told['low']))} to {_in_unit(key, told['high'])}",
            })  # fmt: skip
        rows.append({"words": words, "how": "at most" if at_most else "at least", "cells": cells})
    return rows if days else []


def _bare(words: str) -> str:
    return words.removesuffix("%").removesuffix(" times")


def _in_unit(key: str, number: float | None) -> str:
    if number is None:
        return "unknown"
    if key == "unlisted_to_rate":
        return f"{number:.2f} times"
    return f"{100 * number:.1f}" + ("" if key == "sensitivity_gain" else "%")


def methods(day: Plain, kind: str | None) -> list[tuple[str, bool, list[tuple[str, str]]]]:
    """(method, whether it is the model, its figures each with its range or nothing) of one day."""
    return [
        (name(method, kind), method == kind, [_figure(key, day["measured"][method][key]) for key, _ in COLUMNS])
        for method in order(list(day["measured"]), kind)
    ]


def _figure(key: str, told: Any) -> tuple[str, str]:
    if told is None or (isinstance(told, Mapping) and told["value"] is None):
        return "–", ""
    if not isinstance(told, Mapping):
        return _number(key, told), ""
    known = told["low"] is not None and told["high"] is not None
    return _number(key, told["value"]), f"{_number(key, told['low'])} to {_number(key, told['high'])}" if known else ""


def _number(key: str, number: float) -> str:
    if key == "brier":
        return f"{number:.3f}"
    return f"{number * (10 if key == 'unlisted' else 100):.1f}"


def years(day: Plain, kind: str | None) -> list[dict[str, Any]]:
    """Each test year by itself: the model, the rate and the rule."""
    shown = [method for method in (kind or "", "rate", "rule") if method in day["measured"]]
    found = []
    for year in day["years"]:
        told = year["measured"]
        found += [
            {
                "year": f"{year['year']}-{(year['year'] + 1) % 100:02d}", "students": year["students"],
                "chronic": year["chronic"], "first": not nth, "many": len(shown), "name": name(method, kind),
                "figures": [
                    _number(key, told[method][key]) if told.get(method, {}).get(key) is not None else "–"
                    for key, _ in COLUMNS[:4]
                ],
            }
            for nth, method in enumerate(shown)
        ]  # fmt: skip
    return found


def answer(day: Plain, kind: str | None) -> str:
    """The one sentence that the page is about."""
    rows = {one["method"]: one for one in not_listed(day, kind)}
    ours, rate = rows.get(kind or ""), rows.get("rate")
    if ours is None or rate is None or HIDDEN in (ours["words"], rate["words"]):
        return f"What it would have found on school day {day['day']} of past years"
    return (
        f"Of 10 students it would have brought forward on school day {day['day']}, "
        f"{ours['words'].removesuffix(' of 10')} were chronically absent in the end; by the absence rate "
        f"{rate['words'].removesuffix(' of 10')}"
    )
