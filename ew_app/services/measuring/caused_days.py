"""Days away that the district itself caused: the one place that says which they are, for rules, pages and records.

A suspension is known from the marks; a late bus and the like somebody writes down; and while somebody is kept out
until something that was promised is in hand, every day away is the district's. What is kept in a compartment counts
only for those who may read it, so rules, which everybody sees, never rest on it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Protocol

import numpy as np

from models.queries import duty as rows
from models.queries import same_child
from rules.matrix import Matrix
from rules.promises import promises
from rules.roles import FieldClass
from rules.vocabulary import vocabulary

SUSPENSION = "suspension"


class Told(Protocol):
    """A school day as far as it matters here: how much of it was missed, in thousandths."""

    @property
    def day(self) -> date: ...
    @property
    def absent(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Caused:
    """Days away counted apart: (day, why) of the district's; how much was missed on them and on all, in thousandths."""

    days: tuple[tuple[date, str], ...] = ()
    district: int = 0
    all: int = 0

    @property
    def others(self) -> int:
        """What was missed for other reasons, in thousandths of a day."""
        return self.all - self.district

    def words(self, day: date) -> str:
        """That the district caused a day, and why; nothing for any other."""
        why = dict(self.days).get(day)
        label = vocabulary().label("district_cause", why) if why else ""
        return f"The district caused it: {label[0].lower()}{label[1:]}" if label else ""


def counted_apart(ids: Sequence[int], told: Collection[Told], classes: Collection[str]) -> Caused:
    """The days away of this school year with those that the district caused.

    ids: the student's own, then former ones. `classes`: the compartments that this reader may read; without any, what
    everybody may know.
    """
    missed = {day.day: day.absent for day in told if day.absent}
    if not missed:
        return Caused()
    causes = {day: why for day, why in _causes(ids, min(missed), max(missed), classes).items() if day in missed}
    return Caused(tuple(sorted(causes.items())), sum(missed[day] for day in causes), sum(missed.values()))


def _causes(ids: Sequence[int], first: date, last: date, classes: Collection[str]) -> Mapping[date, str]:
    """Day -> a key of `district_cause`; what somebody wrote down goes before what was promised, and marks come last."""
    found = dict.fromkeys(rows.suspended_days(ids, first), SUSPENSION)
    kept_out = {key: kind.district_cause for key, kind in promises().kinds.items() if kind.district_cause}
    for one in rows.waits(ids, kept_out, classes):
        since, until = max(one.since, first), min(one.until or last, last)
        for day in range(since.toordinal(), until.toordinal() + 1):
            found[date.fromordinal(day)] = kept_out[one.kind]
    return found | {one.day: one.why for one in rows.caused_days(ids, first, classes)}


def with_every_cause(matrix: Matrix, student: int) -> Matrix:
    """The matrix of one student in which every day that the district caused has its cause, also where a compartment
    keeps it. For what speaks against a legal step alone: nobody may be shown a number that rests on it."""
    if not len(matrix.days):
        return matrix
    inside = [str(one) for one in FieldClass if one.restricted]
    found = _causes(
        same_child.ids_of(student), matrix.days[matrix.first].astype(date), matrix.days[-1].astype(date), inside
    )
    column = np.flatnonzero(np.isin(matrix.days, np.array(sorted(found), dtype="datetime64[D]")))
    return matrix.with_a_cause(np.zeros(len(column), dtype=np.intp), column)


def with_causes(matrix: Matrix) -> Matrix:
    """The matrix that rules judge: a day that the district caused is missed, but has its cause, as a suspension has.

    What lies in a compartment is left out. The same matrix where nobody has such a day.
    """
    if not len(matrix.days):
        return matrix
    found = rows.caused_for(matrix.students, matrix.days[0].astype(date), matrix.days[-1].astype(date))
    if not len(found["student"]):
        return matrix
    day = found["day"].astype("datetime64[D]")
    row = np.searchsorted(matrix.students, found["student"])
    column = np.minimum(np.searchsorted(matrix.days, day), len(matrix.days) - 1)
    here = matrix.days[column] == day
    return matrix.with_a_cause(row[here], column[here])
