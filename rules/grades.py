"""Grades in one spelling, whatever a roster calls them: PK, TK, K, 1 to 12."""

from __future__ import annotations

import re

GRADES = ("PK", "TK", "K", *(str(number) for number in range(1, 13)))
_EARLY = {
    "pk": "PK", "pk3": "PK", "pk4": "PK", "prek": "PK", "prek3": "PK", "prek4": "PK", "prekindergarten": "PK",
    "preschool": "PK", "tk": "TK", "transitionalkindergarten": "TK", "k": "K", "kg": "K", "kindergarten": "K",
}  # fmt: skip
_NAMES = ("first", "second", "third", "fourth", "fifth", "sixth")
_LATER = ("seventh", "eighth", "ninth", "tenth", "eleventh", "twelfth")
_NAMED = {name: str(number) for number, name in enumerate((*_NAMES, *_LATER), start=1)}
_BEFORE_ONE = {"0": "K", "00": "K", "-1": "PK", "-2": "PK", "-3": "PK"}  # as systems write it that count grades
_NUMBER = re.compile(r"(?:grade)?0?(\d{1,2})(?:st|nd|rd|th)?")


def grade_of(words: str) -> str:
    """One of GRADES, or empty where nobody could say which: 'Pre-K' -> PK, '04' -> 4, 'Ninth grade' -> 9."""
    bare = re.sub(r"[^a-z0-9]", "", words.casefold())
    without = bare.removesuffix("grade")
    number = _NUMBER.fullmatch(without)
    found = _BEFORE_ONE.get(words.strip()) or _EARLY.get(bare) or _NAMED.get(without) or (number[1] if number else "")
    return found if found in GRADES else ""


def grade_order(grade: str) -> tuple[int, str]:
    """PK, TK, K, 1 to 12, then anything else: a key to sort by."""
    return GRADES.index(grade) if grade in GRADES else len(GRADES), grade


def grades_in(words: str) -> tuple[str, ...]:
    """The grades that 'K-3' or '9' names, lowest first; none where it names no grade, or runs backwards."""
    alone = grade_of(words)
    if alone:
        return (alone,)
    for dash in re.finditer("-", words):
        low, high = grade_of(words[: dash.start()]), grade_of(words[dash.end() :])
        if low and high:
            return GRADES[GRADES.index(low) : GRADES.index(high) + 1]
    return ()
