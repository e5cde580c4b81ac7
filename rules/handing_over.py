"""Work that passes from one person to another: what may follow what, and what whoever is asked would see."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum

from rules.case_flow import IllegalMove
from rules.roles import FieldClass, Permission, Right, Role


class Kind(StrEnum):
    """What is handed over. The keys are labelled in the vocabulary (hand_over_kind)."""

    ASSIGN = "assign"
    REFER = "refer"
    TRANSFER = "transfer"
    REQUEST = "request"
    SCHOOL_CHANGE = "school_change"


class State(StrEnum):
    TO_WRITE = "to_write"
    SENT = "sent"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    DONE = "done"
    TAKEN_BACK = "taken_back"


class Answer(StrEnum):
    WRITE = "write"
    ACCEPT = "accept"
    DECLINE = "decline"
    FINISH = "finish"
    TAKE_BACK = "take_back"


AFTER: dict[State, dict[Answer, State]] = {
    State.TO_WRITE: {Answer.WRITE: State.SENT, Answer.TAKE_BACK: State.TAKEN_BACK},
    State.SENT: {
        Answer.WRITE: State.SENT,
        Answer.ACCEPT: State.ACCEPTED,
        Answer.DECLINE: State.DECLINED,
        Answer.TAKE_BACK: State.TAKEN_BACK,
    },
    State.ACCEPTED: {Answer.FINISH: State.DONE, Answer.TAKE_BACK: State.TAKEN_BACK},
    State.DECLINED: {},
    State.DONE: {},
    State.TAKEN_BACK: {},
}
MOVES_THE_OWNER = frozenset({Kind.ASSIGN, Kind.TRANSFER, Kind.REQUEST, Kind.SCHOOL_CHANGE})
SAID = {
    State.TO_WRITE: "It is not written yet.",
    State.SENT: "It waits for an answer.",
    State.ACCEPTED: "It was accepted already.",
    State.DECLINED: "It was declined already.",
    State.DONE: "It is done already.",
    State.TAKEN_BACK: "It was taken back.",
}


def after(kind: Kind, state: State, answer: Answer) -> State:
    """The state after an answer. IllegalMove with a sentence where it does not fit."""
    moved = state is State.ACCEPTED and kind in MOVES_THE_OWNER
    if moved or answer not in AFTER[state] or (answer is Answer.WRITE and kind is not Kind.SCHOOL_CHANGE):
        raise IllegalMove(f"{SAID[state]} Nothing was changed; load the page and look again.")
    return AFTER[state][answer]


def may_help(role: Role) -> bool:
    """Whether somebody in this role can be asked to help with a case: they do tasks, and write to what is theirs."""
    return Permission.DO_TASKS in role.permissions and role.right(FieldClass.CASE, own=True).reaches(Right.WRITE)


def may_own(role: Role) -> bool:
    """Whether somebody in this role can own a case."""
    return role.assignable and Permission.SEE_CASE in role.permissions and may_help(role)


def asks_for_consent(role: Role) -> bool:
    """Whether the family must have agreed first: somebody from outside the district is asked."""
    return role.key == "partner"


_PARTS = {
    "name": "the name",
    "relation": "relation",
    "phone": "phone",
    "address": "address",
    "language": "language",
    "interpreter": "whether an interpreter is needed",
}


def would_see(role: Role, *, accepted: bool) -> tuple[str, ...]:
    """What whoever is asked sees of the student, in words, before and after saying yes."""
    first = ("the student's name, grade and school", "what you write here, who asks, and by when")
    return (*first, *_of_their_own(role)) if accepted else first


def _of_their_own(role: Role) -> Iterator[str]:
    """What the role may read of what is theirs."""
    contacts = role.right(FieldClass.CONTACTS, own=True)
    if contacts.reaches(Right.READ):
        yield "phones and addresses of the family"
    elif contacts is Right.PART:
        shown = role.parts.get(FieldClass.CONTACTS, frozenset())
        yield "of the family: " + ", ".join(words for key, words in _PARTS.items() if key in shown)
    if role.right(FieldClass.ROSTER, own=True).reaches(Right.READ):
        yield "attendance"
    if Permission.SEE_CASE in role.permissions:
        yield "the case, its tasks and the contacts made"
    if role.right(FieldClass.NOTES).reaches(Right.READ):
        yield "the notes on the case"
