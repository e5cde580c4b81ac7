"""A school day that has not come in: when its school is asked, when the question goes up, and when it is over."""

from __future__ import annotations

from enum import StrEnum


class DayIs(StrEnum):
    """How a school day stands. Missing: its hour has passed and nothing has come."""

    IN = "in"
    NO_SCHOOL = "no school"
    MISSING = "missing"
    NOT_DUE = "not due"


class TaskIs(StrEnum):
    """How the task that asks for it stands. Look: somebody was asked to look at a file of it that is held. Over: it
    has come to its end before."""

    NONE = "none"
    OPEN = "open"
    RAISED = "raised"
    LOOK = "look"
    OVER = "over"


class Asks(StrEnum):
    """Whom a missing day asks: its school; where a source brought nothing for any of its schools, whoever keeps it,
    once, with one of them; where a file of it came and is held, whoever may let it in, once with one of its days; then
    nobody at the others."""

    SCHOOL = "school"
    KEEPERS = "keepers"
    LOOK = "look"
    NOBODY = "nobody"


class Move(StrEnum):
    """What is to be done about it now."""

    ASK = "ask"
    ASK_KEEPERS = "ask keepers"
    ASK_TO_LOOK = "ask to look"
    HAND_ON = "hand on"
    HAND_BACK = "hand back"
    ASK_AGAIN = "ask again"
    RAISE = "raise"
    END = "end"
    LEAVE = "leave"


FIRST = {Asks.SCHOOL: Move.ASK, Asks.KEEPERS: Move.ASK_KEEPERS, Asks.LOOK: Move.ASK_TO_LOOK}


def next_move(day: DayIs, task: TaskIs, passed: int, raise_after: int, asks: Asks = Asks.SCHOOL) -> Move:
    """What a missing day asks for. passed: school days after it whose hour has passed as well.

    A day is asked for once, raised once, and asked for again only where it had come in and was taken back. Nobody is
    asked to send what came and is held: the question is handed on to whoever may let it in, and back without the file.
    """
    if day is DayIs.MISSING:
        return _while_missing(task, passed, raise_after, asks)
    ends = day in (DayIs.IN, DayIs.NO_SCHOOL) and task in (TaskIs.OPEN, TaskIs.RAISED, TaskIs.LOOK)
    return Move.END if ends else Move.LEAVE


def _while_missing(task: TaskIs, passed: int, raise_after: int, asks: Asks) -> Move:
    if task in (TaskIs.NONE, TaskIs.OVER) and asks is Asks.NOBODY:
        return Move.LEAVE
    if task is TaskIs.NONE:
        return FIRST[asks]
    if task is TaskIs.OVER:
        return Move.ASK_AGAIN
    if (task is TaskIs.LOOK) != (asks is Asks.LOOK):
        return Move.HAND_ON if asks is Asks.LOOK else Move.HAND_BACK
    return Move.RAISE if task is TaskIs.OPEN and passed >= raise_after else Move.LEAVE
