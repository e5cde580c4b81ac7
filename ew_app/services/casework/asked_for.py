"""Tasks and letters that there already are: which finding each answers, and whether it still rests on one.

Pure, like `following`. A task is remembered by the day up to which attendance was known when it was asked for, never by
the how manieth of its findings that was: a correction of an earlier time would pass its answer on to a later one.
"""

from __future__ import annotations

from datetime import date

from ew_app.services.casework.following import Asked, Drafted, Found, Pupil, is_plain
from rules.routing_table import routing_table


def covered(pupil: Pupil, kind: str, found: Found) -> Asked | None:
    """The task that already answers this: open, of the same finding, or made since it began.

    A task that the system withdrew answers only its own finding, which takes it up again. What a cause or a person
    asked for is something else that is to be done, unless the table says that the cause speaks of the same.
    """
    alike = [
        task
        for task in pupil.tasks
        if task.kind == kind and task.compartment == found.compartment and (task.rule or _of_same(task, found))
    ]
    own = [task for task in alike if answers(task, found, pupil)]
    others = [task for task in alike if not _asks_for_less(task, found)]
    waiting = [task for task in others if task.status == "open"]
    since = [task for task in others if task.day >= found.since and not (task.status == "withdrawn" and task.by_system)]
    return next(iter([*waiting, *(task for task in since if task.status == "done"), *own, *since]), None)


def answers(asked: Asked | Drafted, found: Found, pupil: Pupil) -> bool:
    """Whether a task or letter was for this very finding, also where a correction has moved the day it began.

    What was asked for a finding that was taken back altogether answers a later one only where the rule counts what
    adds up, nothing of the kind stood between, and no case was closed since: five days, three, and five again.
    """
    if asked.rule != found.rule or asked.period == found.period:
        return asked.period == found.period
    own = of(asked, pupil)
    if own is not None or not found.adds_up or not _of_year(asked, found.year):
        return own == found
    last, closed = _known(asked), pupil.closed
    between = any(other.rule == found.rule and last < other.since < found.since for other in pupil.findings)
    return not between and not (closed is not None and closed.closed_on >= last)


def of(asked: Asked | Drafted, pupil: Pupil) -> Found | None:
    """The finding of its rule that was met when a task or letter was asked for; None when none was, as is known now."""
    last = _known(asked)
    met = [
        found
        for found in pupil.findings
        if found.rule == asked.rule and found.since <= last and (found.until is None or found.until > last)
    ]
    return max(met, key=lambda found: found.since, default=None)


def giving_way(pupil: Pupil, kind: str, found: Found) -> list[Asked]:
    """Open tasks of the kind that ask for less than this finding does, and need not be done beside its own."""
    alike = [task for task in pupil.tasks if task.kind == kind and task.compartment == found.compartment]
    return [task for task in alike if task.status == "open" and _asks_for_less(task, found)]


def no_longer_asked(pupil: Pupil) -> list[Asked]:
    """Open tasks of this school year that nothing would have asked for, had the right marks always stood."""
    return [task for task in pupil.tasks if task.status == "open" and not rests(task, pupil)]


def rests(asked: Asked | Drafted, pupil: Pupil) -> bool:
    """Whether a finding of the rule was met when a task or letter was asked for, or is met since."""
    if not _of_year(asked, pupil.year):
        return True
    alike = [found for found in pupil.findings if found.rule == asked.rule and found.year == pupil.year]
    last = _known(asked)
    return any(found.until is None or found.until > last for found in alike)


def _known(asked: Asked | Drafted) -> date:
    """The day up to which attendance was known when it was asked for, as near as anybody wrote it down."""
    return asked.through or asked.day


def _of_year(asked: Asked | Drafted, year: str) -> bool:
    return asked.period.startswith(f"{year}/{asked.rule}/")


def _of_same(task: Asked, found: Found) -> bool:
    """Whether a cause that speaks of the same as the rule asked for this; the period of its task ends in the cause."""
    return routing_table().same(task.period.rpartition("/")[2], found.rule)


def _asks_for_less(task: Asked, found: Found) -> bool:
    """A call about one absence is less than one after two, and both are less than the call to every contact."""
    if task.rule is None or task.rule == found.rule or not is_plain(task.rule):
        return False
    return not is_plain(found.rule) or task.rule < found.rule
