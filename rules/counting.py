"""A number and what it counts, in words that agree: the one place where a plural is made."""

from __future__ import annotations

import re


def many(number: int, noun: str, plural: str = "") -> str:
    """`1 student`, `1,204 students`, `2 tries`."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def are(number: int, one: str = "is", more: str = "are") -> str:
    """The verb that agrees with a number."""
    return one if number == 1 else more


def agreeing(sentence: str) -> str:
    """A sentence of a policy with its numbers filled in: `1 school days` becomes `1 school day`."""
    return _ONE.sub(lambda found: found[0][:-1], sentence)


_ONE = re.compile(
    r"(?<![\d.,])1 (?:(?:school|full|attendance) )?(?:days|times|months|rows|cases|students|schools|absences)\b"
)
