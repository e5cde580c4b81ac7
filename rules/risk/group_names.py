"""Groups, schools and grades as people say them; what a figure is stored under stays short."""

from __future__ import annotations

from collections.abc import Mapping

from rules.risk.features import UNKNOWN_GRADE

BOTH = " + "  # between the keys of two groups that a hundred students or more share; a word may be part of a key
ALSO = " who are also "

_SAID: Mapping[str, str] = {
    "english_learner: yes": "English learners",
    "english_learner: no": "students who are not English learners",
    "low_income: yes": "students of families with a low income",
    "low_income: no": "students of families without a low income",
    "iep: yes": "students with an IEP",
    "section_504: yes": "students with a 504 plan",
    "stls: yes": "students in temporary living situations",
    "new": "students without a last year on record",
    "in touch": "students whom staff reached or supported that year, as logged here",
    "not in touch": "students of those years without a contact or support logged here",
}
_GRADES = {-1: "grade PK", 0: "grade K", UNKNOWN_GRADE: "students whose grade is not known"}


def said(key: str) -> str:
    """`Black students`, `English learners who are also students with an IEP`, `grade K`; an unknown key as it is."""
    if BOTH in key:
        return ALSO.join(said(part) for part in key.split(BOTH))
    kind, _, value = key.partition(": ")
    if kind == "race_ethnicity" and value:
        return f"{value} students"
    what, _, number = key.partition(" ")
    if what == "grade" and number.lstrip("-").isdigit():
        return _GRADES.get(int(number), key)
    return _SAID.get(key, key)
