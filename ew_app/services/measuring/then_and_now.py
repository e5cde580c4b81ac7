"""One student on one past day, told twice: by what was known when the day ended, and by what is known now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from ew_app.kernel import NotFound
from ew_app.services.measuring import hindsight, why
from ew_app.services.measuring.why import Explanation
from ew_app.services.measuring.why_days import Day
from models.queries import arrivals, naming
from rules.stints import school_year_start

UNHEARD = "nothing was known of this day"
BESIDE_THE_CHILD = ("as_of", "policy_version")


@dataclass(frozen=True, slots=True)
class Changed:
    """A school day that counts differently now, in words; `said`: the marks that stand now, with file and line."""

    day: date
    then: str
    now: str
    said: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Arrival:
    """What came in between and speaks of the student's days: a delivery (or none, where a person did it).

    `what`: the kinds of rows, as `models.queries.arrivals` names them, each with how many.
    """

    batch: int
    name: str
    at: datetime
    what: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class ThenAndNow:
    """Both truths about a day; `then` is None where nobody knew the student yet."""

    day: date
    then: Explanation | None
    now: Explanation
    differ: tuple[str, ...]  # the measures that are different
    days: tuple[Changed, ...]
    arrivals: tuple[Arrival, ...]


def then_and_now(student: str, day: date) -> ThenAndNow:
    """What was known of a student at the end of a day, and what is known of that day now. NotFound."""
    moment = hindsight.end_of(day)
    now = why.explain(student, day)
    try:
        then = why.explain(student, day, known_at=moment)
    except NotFound:
        then = None
    was = then.measures if then else {}
    differ = tuple(
        name for name, value in now.measures.items() if name not in BESIDE_THE_CHILD and was.get(name) != value
    )
    days = tuple(_changed(then.days if then else (), now.days))
    return ThenAndNow(day, then, now, differ, days, _arrivals(student, day, moment) if differ or days else ())


def _changed(then: Sequence[Day], now: Sequence[Day]) -> list[Changed]:
    """Days whose words are different, oldest first."""
    was, stands = {one.day: one for one in then}, {one.day: one for one in now}
    return [
        Changed(day, _words(was.get(day)), _words(stands.get(day)), _said(stands.get(day)))
        for day in sorted(was.keys() | stands.keys())
        if _words(was.get(day)) != _words(stands.get(day))
    ]


def _words(day: Day | None) -> str:
    return day.words if day else UNHEARD


def _said(day: Day | None) -> tuple[str, ...]:
    return tuple(f"{mark.title or mark.code}, {mark.source.text}" for mark in day.marks) if day else ()


def _arrivals(student: str, day: date, moment: datetime) -> tuple[Arrival, ...]:
    number = naming.student_id(student)
    assert number is not None
    found: dict[int, Arrival] = {}
    for row in arrivals.since(moment, number, school_year_start(day), day):
        known = found.get(row.batch_id)
        what = (*(known.what if known else ()), (row.what, row.rows))
        found[row.batch_id] = Arrival(row.batch_id, row.name, known.at if known else row.at, what)
    return tuple(sorted(found.values(), key=lambda one: (one.at, one.batch)))
