"""What must never be written into a student's record, found in free text before it is stored.

Immigration or citizenship status, place of birth and social security numbers help no child come to school
and can harm a family (P.A. 104-0288). The text is refused with advice; nothing of it is kept or logged.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum


class Subject(StrEnum):
    IMMIGRATION = "immigration"
    BIRTHPLACE = "birthplace"
    SSN = "ssn"


@dataclass(frozen=True, slots=True)
class Finding:
    """A place in a text: characters start to end, and what to write instead."""

    subject: Subject
    start: int
    end: int
    advice: str


class UnfitWords(ValueError):
    """The text holds what must not be stored; str() is advice and repeats nothing of it."""


ADVICE = {
    Subject.IMMIGRATION: (
        "Please leave out anything about immigration or citizenship. Write what the family needs instead, "
        "for example an interpreter, a safe way to school, or a talk with the social worker."
    ),
    Subject.BIRTHPLACE: (
        "Please leave out where someone was born or comes from. The home language and the need of an "
        "interpreter have fields of their own."
    ),
    Subject.SSN: "Please leave out the social security number. The student ID is enough.",
}

# English and Spanish, because notes are written in both. Word edges keep "ice cream" and "visa card" out.
_PATTERNS: tuple[tuple[Subject, str], ...] = (
    (
        Subject.IMMIGRATION,
        r"\b(?:im|e)?migrants?\b|\bimmigration\b|\binmigra(?:ntes?|ci[oó]n|tori[oa]s?)\b|\bmigratori[oa]s?\b"
        r"|\bcitizenship\b|\bciudadan[ií]a\b|\bnon-?citizens?\b|\b(?:us|u\.s\.|american)\s+citizens?\b"
        r"|\bundocumented\b|\bindocumentad[oa]s?\b|\bunauthorized\s+(?:alien|resident)s?\b|\billegal\s+aliens?\b"
        r"|\b(?:here|country|is|are)\s+illegally\b|\b(?:is|are|was|were)\s+(?:an?\s+)?illegals?\b"
        r"|\bdeport(?:ed|ation|ations|able|ing|ad[oa]s?|aci[oó]n)?\b|\basylum\b|\basilo\b|\brefugees?\b|\brefugiad[oa]s?\b"
        r"|\bgreen\s?cards?\b|\bdaca\b|\bdreamers?\b|\buscis\b|\bi-?94\b"
        r"|\b(?:(?:overstayed|expired|student|work|tourist|no|without|their|his|her)\s+visas?|visa\s+status)\b"
        r"|\b(?:no|without|doesn'?t\s+have|don'?t\s+have|sin)\s+papers\b|\bsin\s+papeles\b"
        r"|\b(?:legal|residency)\s+status\b|\bla\s+migra\b",
    ),
    (
        Subject.BIRTHPLACE,
        r"\b(?:place|country|city)\s+of\s+birth\b|\bbirth\s?(?:place|country)\b|\blugar\s+de\s+nacimiento\b"
        r"|\bforeign[- ]born\b|\bnationality\b|\bnacionalidad\b"
        r"|\bpa[ií]s\s+de\s+origen\b|\bcountry\s+of\s+origin\b",
    ),
    (
        Subject.SSN,
        r"\bssn\b|\bsocial\s+security\s+(?:number|no\.?|card|#)|\bseguro\s+social\b"
        r"|(?<![\d-])(?!000|666|9)\d{3}[- ](?!00)\d{2}[- ](?!0000)\d{4}(?![\d-])",
    ),
)
_ANY_CASE = tuple((subject, re.compile(pattern, re.IGNORECASE)) for subject, pattern in _PATTERNS)

_MONTHS = r"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)(?:[a-z]*ber|[a-z]*ary|ch|il|e|y|ust|t)?\b"

# Here the capital letter carries the meaning: a place after "born in", the agency rather than frozen water.
_CAPITALS = (
    (
        Subject.BIRTHPLACE,
        re.compile(rf"\b[Bb]orn in (?:the )?(?!{_MONTHS})[A-Z]\w+|\b[Nn]aci[oó] en [A-ZÁÉÍÓÚ]\w+"),
    ),
    (Subject.IMMIGRATION, re.compile(r"\bICE\b")),
)


# Words of punishment, which never meet a family, a student or a colleague.
NOT_SAID = re.compile(
    r"\b(police|court|courts|ticket|tickets|ticketed|fine|fines|fined|truant|truants|truancy|violation|violations"
    r"|offender|offenders|immigra\w+|birthplace|citizenship|nationality|social security|ssn)\b",
    re.IGNORECASE,
)
_PUNISHING = re.compile(
    r"\b(expel\w*|expuls\w*|punish\w*|delinquen\w*|arrest\w*|prosecut\w*|crim(?:e|es|inal\w*))\b", re.I
)


def unkind(text: str) -> tuple[str, ...]:
    """Words of a text that a rule must not say to staff or families: of punishment, or of what is never stored."""
    found = [hit for pattern in (NOT_SAID, _PUNISHING) for hit in pattern.finditer(text)]
    never = [text[one.start : one.end] for one in findings(text)]
    return (*(hit[0] for hit in sorted(found, key=lambda hit: hit.start())), *never)


def findings(text: str) -> tuple[Finding, ...]:
    """Everything in the text that must not be stored, in the order it stands there."""
    found = [
        Finding(subject, hit.start(), hit.end(), ADVICE[subject])
        for subject, pattern in (*_ANY_CASE, *_CAPITALS)
        for hit in pattern.finditer(text)
    ]
    return tuple(sorted(found, key=lambda one: (one.start, one.end)))


def check_words(text: str) -> None:
    """Raises UnfitWords with advice, once for each subject found."""
    subjects = dict.fromkeys(one.subject for one in findings(text))
    if subjects:
        raise UnfitWords("This was not saved. " + " ".join(ADVICE[subject] for subject in subjects))
