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
    """How the task that asks for it stands. Over: it has come to its end before."""

    NONE = "none"
    OPEN = "open"
    RAISED = "raised"
    OVER = "over"


class Asks(StrEnum):
    """Whom a missing day asks: its school; where a source brought nothing for any of its schools, whoever keeps it,
    once, with one of them; then nobody at the others."""

    SCHOOL = "school"
    KEEPERS = "keepers"
    NOBODY = "nobody"


class Move(StrEnum):
    """What is to be done about it now."""

    ASK = "ask"
    ASK_KEEPERS = "ask keepers"
    ASK_AGAIN = "ask again"
    RAISE = "raise"
    END = "end"
    LEAVE = "leave"


def next_move(day: DayIs, task: TaskIs, passed: int, raise_after: int, asks: Asks = Asks.SCHOOL) -> Move:
    """What a missing day asks for. passed: school days after it whose hour has passed as well.

    A day is asked for once, raised once, and asked for again only where it had come in and was taken back.
    """
    if day is DayIs.MISSING:
        return _while_missing(task, passed, raise_after, asks)
    ends = day in (DayIs.IN, DayIs.NO_SCHOOL) and task in (TaskIs.OPEN, TaskIs.RAISED)
    return Move.END if ends else Move.LEAVE


def _while_missing(task: TaskIs, passed: int, raise_after: int, asks: Asks) -> Move:
    if task in (TaskIs.NONE, TaskIs.OVER) and asks is Asks.NOBODY:
        return Move.LEAVE
    if task is TaskIs.NONE:
        return Move.ASK if asks is Asks.SCHOOL else Move.ASK_KEEPERS
    if task is TaskIs.OVER:
        return Move.ASK_AGAIN
    return Move.RAISE if task is TaskIs.OPEN and passed >= raise_after else Move.LEAVE
