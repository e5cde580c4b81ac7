"""What a change does to people, in sentences: the same words wherever an effect is shown."""

from __future__ import annotations

from collections.abc import Mapping

from rules.counting import many

WORDS = (
    ("enter_3", "student", "enter Tier 3"),
    ("enter_2", "student", "enter Tier 2"),
    ("enter_watch", "student", "enter Watch"),
    ("leave_3", "student", "leave Tier 3"),
    ("leave_2", "student", "leave Tier 2"),
    ("cases_opened", "case", "open"),
)
PAST = {"enter": "entered", "leave": "left", "open": "opened"}


def sentences(effect: Mapping[str, int], *, done: bool = False) -> list[str]:
    """`3 students would enter Tier 2`, or once it is done `3 students entered Tier 2`; empty: nothing moves."""
    return [f"{many(effect[key], noun)} {_verb(words, done)}" for key, noun, words in WORDS if effect.get(key)]


def _verb(words: str, done: bool) -> str:
    verb, _, rest = words.partition(" ")
    return f"{PAST[verb]} {rest}".strip() if done else f"would {words}"
