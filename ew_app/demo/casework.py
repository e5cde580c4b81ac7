"""What invented staff do about an invented case on the day it is due: whom they reach, what they hear and agree."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from random import Random
from typing import TypeVar

T = TypeVar("T")

# Share of its cases that a school looks after, by its place in the district: most keep up, some are behind.
CARE = (0.85, 1.0, 0.8, 1.0, 1.0, 0.4, 0.7, 0.9, 1.0, 1.0, 1.0, 1.0)
MOST_A_DAY = 12  # cases, and as many tasks, that one person gets to
DONE_A_DAY = 0.35  # of the tasks that are due
NOTED_INSIDE = 0.4  # of the liaisons' tasks leave a note in the compartment
REPAIRED = "The aunt gave us the new number."
HOUSED = (
    "Moved in with relatives for now. Bus cards asked for, uniform given out.",
    "Stays at this school; the fare is settled until the end of term.",
    "Second move since August. Asks that letters go to the mother's phone only.",
)


class Deed(StrEnum):
    CONTACT = "contact"
    CAUSE = "cause"
    PLAN = "plan"
    NOTE = "note"
    CLOSE = "close"


@dataclass(frozen=True, slots=True)
class Act:
    """One deed. Keys are those of the vocabulary; `ahead` is in school days from the day it is done."""

    deed: Deed
    method: str = ""
    outcome: str = ""
    key: str = ""  # of the cause, or of the reason for closing
    words: str = ""
    ahead: int = 0


@dataclass(frozen=True, slots=True)
class Due:
    """A case that waits: `school` is its place in the district, `reached` whether the family was since it opened."""

    student: str
    school: int
    tier: int
    status: str
    reached: bool
    late: bool


REACHED: Sequence[tuple[str, str, int]] = (
    ("call", "reached_agreed", 60), ("text", "reached_agreed", 8), ("visit", "visited_spoke", 10),
    ("in_person", "student_spoken", 12), ("call", "reached_declined", 7), ("conference", "reached_agreed", 3),
)  # fmt: skip
MISSED: Sequence[tuple[str, str, int]] = (
    ("call", "left_voicemail", 38), ("call", "no_answer", 30), ("text", "message_delivered", 10),
    ("visit", "visited_card_left", 6), ("call", "number_not_working", 8), ("letter_mail", "letter_returned", 4),
    ("call", "reached_wrong_person", 3), ("call", "interpreter_needed", 1),
)  # fmt: skip
CAUSES: Sequence[tuple[str, int]] = (
    ("B-TRANSPORT", 20), ("B-HLTH-ACUTE", 14), ("B-CARE", 10), ("M-FEW", 12), ("A-ANX", 9), ("D-RELATION", 6),
    ("B-FAMILY", 8), ("A-ACADEMIC", 6), ("B-SAFETY", 5), ("M-SICK", 5), ("B-HLTH-MENTAL", 4), ("U-UNKNOWN", 3),
)  # fmt: skip
AGREED = (
    "Look at the days together again", "Ask how the mornings go", "See whether the bus card works",
    "Talk with the homeroom teacher", "Hear how the check-ins go", "Bring the note from the clinic",
)  # fmt: skip
HEARD = (
    "The mornings are hard since the older sister changed schools.",
    "Works nights; an aunt brings the children. Best reached after 2 pm.",
    "Was not aware how many days it adds up to. Grateful for the call.",
    "Missed the bus twice and then stayed home. Asked about the bus card.",
    "Says it is quiet in class and that lunch is the hard part.",
    "Has a new phone; the number on the card is still right.",
)
NOTED = (
    "Homeroom teacher has noticed the empty seat on Mondays too. We look at it in two weeks.",
    "Came in on time all of last week. Told him that we saw it.",
    "Asked the office to take calls for this family in Spanish.",
    "Brother is at the same school and rarely absent; they can walk together.",
    "Likes the robotics club. Ms. Ortega keeps a place on Thursdays.",
)
GOALS = (
    "In class by 8:00 on four of five days until winter break, with a morning text from the counselor.",
    "Walks with the neighbor's daughter; the office calls by 9:00 if they are not here.",
    "Two check-ins a week with the coach, and lunch in the library on hard days.",
    "Doctor's visits after 2 pm where possible; make-up work goes home on the same day.",
)
FAILED = (("call", "number_not_working"), ("call", "reached_wrong_person"), ("letter_mail", "letter_returned"))
CALLED_IN = (
    "Fever since last night. Asks for the make-up work.",
    "Can the bus card be picked up in the office on Monday?",
    "Will be at the dentist tomorrow morning and comes after that.",
    "Wants to talk about the mornings; best reached after 3 pm.",
)
CLOSED: Sequence[tuple[str, int]] = (
    ("not_needed", 45), ("stepped_down", 25), ("recovered", 12), ("family_declined", 10), ("goals_met", 8),
)  # fmt: skip
USEFUL = ("yes", "yes", "yes", "no", "cannot_tell")


def is_left(seed: int, student: str, school: int) -> bool:
    """Whether nobody has come to this student's case yet."""
    return Random(f"{seed} {student}").random() >= CARE[school % len(CARE)]


def called_in(seed: int, student: str) -> str:
    """What a family has left on the machine; mostly nothing."""
    rng = Random(f"{seed} {student} calls")
    return rng.choice(CALLED_IN) if rng.random() < 0.04 else ""


def failed(seed: int, student: str) -> tuple[str, str] | None:
    """Of a few families the number or address turns out to be wrong: method and outcome."""
    rng = Random(f"{seed} {student} fails")
    return rng.choice(FAILED) if rng.random() < 0.02 else None


def called(seed: int, on: date, student: str) -> tuple[str, str]:
    """How a call about a student who is watched went: method and outcome."""
    rng = Random(f"{seed} {student} {on} watched")
    method, outcome, _ = rng.choices(ways := REACHED[:2] if rng.random() < 0.8 else MISSED[:2], [w for *_, w in ways])[
        0
    ]
    return method, outcome


def acts(seed: int, on: date, case: Due) -> list[Act]:
    """What is done about a case that is due, in order; nothing when it has to wait for another day."""
    if is_left(seed, case.student, case.school):
        return []
    rng = Random(f"{seed} {case.student} {on}")
    if rng.random() < (0.1 if not case.reached else 0.3 if case.late else 0.2):
        return []
    if not case.reached:
        return _first_contact(rng, case)
    lot = rng.random()
    if lot < 0.16 and case.status in ("contacting", "assigned"):
        return [Act(Deed.PLAN, words=rng.choice(GOALS), ahead=rng.randint(12, 22))]
    if lot < 0.46 and case.tier < 3:
        return [_closed(rng)]
    return [_contact(rng, REACHED, case)]


def _first_contact(rng: Random, case: Due) -> list[Act]:
    if rng.random() < 0.2:
        return [_contact(rng, MISSED, case)]
    more = [_cause(rng)] if rng.random() < 0.12 else []
    more += [Act(Deed.NOTE, words=rng.choice(NOTED))] if rng.random() < 0.06 else []
    return [_contact(rng, REACHED, case), *more]


def _contact(rng: Random, ways: Sequence[tuple[str, str, int]], case: Due) -> Act:
    method, outcome, _ = rng.choices(ways, [weight for *_, weight in ways])[0]
    if ways is MISSED:
        return Act(Deed.CONTACT, method, outcome)
    ahead = rng.randint(10, 24) if case.tier == 3 else rng.randint(14, 30)
    words = rng.choice(HEARD) if rng.random() < 0.3 else ""
    return Act(Deed.CONTACT, method, outcome, key=rng.choice(AGREED), words=words, ahead=ahead)


def _cause(rng: Random) -> Act:
    return Act(Deed.CAUSE, key=_drawn(rng, CAUSES))


def _closed(rng: Random) -> Act:
    return Act(Deed.CLOSE, key=_drawn(rng, CLOSED))


def _drawn(rng: Random, lots: Sequence[tuple[T, int]]) -> T:
    return rng.choices([lot for lot, _ in lots], [weight for _, weight in lots])[0]
