"""Whether a policy is written so that it can be read and reckoned with: its numbers, labels and sentences."""

from __future__ import annotations

import re
import unicodedata
from fractions import Fraction
from string import Formatter
from typing import Any

from rules.policy_file import Entry
from rules.words import unkind

LONGEST = {"name": 60, "label": 100, "sentence": 300, "reference": 200}  # characters
SPOKEN = ("label", "sentence")
MOST = 9_999  # of days or times; facts are reckoned in thirty-two bits
PLACES = 10_000  # four places: rates are reckoned as whole numbers, numerator by numerator
WORD = re.compile(r"\w+")


def check_wording(entry: Entry, name: Any = "") -> None:
    """PolicyError at the first number or text of the file that nobody can mean, read or be told."""
    if isinstance(entry.value, dict):
        for key, below in entry.value.items():
            check_wording(below, name if isinstance(key, int) else key)
    elif isinstance(entry.value, list):
        for below in entry.value:
            check_wording(below, name)
    elif isinstance(entry.value, str):
        _check_text(entry, name)
    elif isinstance(entry.value, int | Fraction):
        _check_number(entry)


def _check_number(entry: Entry) -> None:
    if entry.value > MOST:
        raise entry.wrong(f"this is more than any year has; allowed: up to {MOST:,}")
    if (entry.value * PLACES) % 1:
        raise entry.wrong("this is finer than anybody counts; allowed: up to four places, such as 0.0825")


def _check_text(entry: Entry, name: Any) -> None:
    """No text is longer than a screen takes, or says what staff and families are never told."""
    if name not in LONGEST:
        return
    if len(entry.value) > LONGEST[name]:
        raise entry.wrong(f"{len(entry.value):,} characters are too many; allowed: up to {LONGEST[name]}")
    if name in SPOKEN:
        _check_letters(entry)
        if words := unkind(_without_accents(entry.value)):
            raise entry.wrong(f"“{words[0]}” is not said to staff or families here; allowed: words of help, without it")
    if name == "sentence":
        _check_blanks(entry)


def _check_letters(entry: Entry) -> None:
    """No letter only looks like the one that is meant, and none is hidden."""
    if any(unicodedata.category(letter) in ("Cc", "Cf", "Co") and letter != "\n" for letter in entry.value):
        raise entry.wrong("a character in it cannot be seen; allowed: letters, digits and what stands between them")
    for word in WORD.findall(entry.value):
        scripts = {unicodedata.name(letter, "").split(" ")[0] for letter in word if letter.isalpha()}
        if len(scripts) > 1 or scripts & {"FULLWIDTH", "MATHEMATICAL"}:
            raise entry.wrong(f"“{word}” mixes letters of several scripts; allowed: letters of one")


def _check_blanks(entry: Entry) -> None:
    for _, name, layout, turned in Formatter().parse(entry.value):
        if layout or turned:
            raise entry.wrong(f"{{{name}}} is filled in as it is; allowed: {{{name}}}, with nothing behind it")


def _without_accents(text: str) -> str:
    return "".join(letter for letter in unicodedata.normalize("NFKD", text) if not unicodedata.combining(letter))
