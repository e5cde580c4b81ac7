"""Which supports were given, how much of each, and what followed: beside students like them who had none yet.

Read when somebody asks, in a fixed number of statements; of very many students a fixed part is compared. Supports of a
compartment, or for causes that only some may read, are left out altogether.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray

from ew_app.kernel import today
from ew_app.services.measuring import policies
from ew_app.services.measuring.enrolments import Enrolments
from ew_app.services.measuring.frames import frame
from ew_app.services.measuring.years import year_of
from models.org import School
from models.queries import what_works as rows
from models.queries.measuring import Columns
from rules import cells as c
from rules import what_works as judge
from rules.cells import WHOLE_DAY, Status
from rules.interventions import Intervention, catalogue
from rules.stints import school_year_start
from rules.suppression import LEAST
from rules.what_works import Difference, Group, Ints, Spread

MOST = 2_000  # students of one support, and of one tier without, whose days are read
NOT_YET = 42  # days after a Monday by which no support had begun: the four weeks compared, with holidays
NOT_COUNTED = (Status.OUT, Status.HELD_OUT)
EPOCH = date(1970, 1, 1)
_SHUFFLED = 2_654_435_761  # spreads numbers evenly, the same on every machine


@dataclass(frozen=True, slots=True)
class Line:
    """One support. Days are days away in a month; None where fewer than LEAST students stand behind a number.

    given: percent of the planned times, of those students whose time is over.
    """

    support: Intervention
    students: int
    given: int | None = None
    before: Spread | None = None
    since: Spread | None = None
    difference: Difference = Difference(0, 0)

    @property
    def shown(self) -> bool:
        """Whether enough students stand behind it to tell anything."""
        return self.students >= LEAST


@dataclass(frozen=True, slots=True)
class WhatWorks:
    """Supports that began since a day, in the order of the catalogue; `part`: of some MOST students are compared."""

    since: date
    lines: tuple[Line, ...]
    part: bool = False

    @property
    def shown(self) -> list[Line]:
        """The lines that tell something."""
        return [line for line in self.lines if line.shown]


def of(schools: Sequence[School], since: date) -> WhatWorks:
    """What followed each support that began since a day at these schools, as far as attendance has come in."""
    open_to_all = [one for one in catalogue().values() if one.restricted is None and not one.limited]
    ids, until = [one.id for one in schools], today()
    found = rows.begun(ids, since, until, [one.key for one in open_to_all], until)
    if not len(found["student"]):
        return WhatWorks(since, ())
    students = {place: len(np.unique(of_one["student"])) for place, of_one in _by_support(found).items()}
    enough = {place: of_one for place, of_one in _by_support(found).items() if students[place] >= LEAST}
    groups, others = _groups(ids, enough)
    lines = [
        _line(support, students[place], enough.get(place), groups.get(place), others)
        for place, support in enumerate(open_to_all)
        if place in students
    ]
    return WhatWorks(since, tuple(lines), part=max(students.values()) > MOST)


def _by_support(found: Columns) -> dict[int, Columns]:
    """Place of a support -> its rows."""
    return {
        int(place): {name: values[found["support"] == place] for name, values in found.items()}
        for place in np.unique(found["support"])
    }


def _line(
    support: Intervention, students: int, found: Columns | None, group: Group | None, others: Group | None
) -> Line:
    if found is None:
        return Line(support, students)
    over = found["over"] == 1
    given = None
    if len(np.unique(found["student"][over])) >= LEAST:
        planned = found["planned"][over]
        given = judge.share_given(int(np.minimum(found["given"][over], planned).sum()), int(planned.sum()))
    if group is None or others is None:
        return Line(support, students, given)
    return Line(
        support, students, given, judge.spread(group.before), judge.spread(group.since), judge.compare(group, others)
    )


# -- the days around a beginning -------------------------------------------------------------------------------------


def _groups(schools: Sequence[int], supports: Mapping[int, Columns]) -> tuple[dict[int, Group], Group | None]:
    """Support -> those of whom it can be told, and everybody like some of them who had no support yet."""
    firsts = {place: _first(found) for place, found in supports.items()}
    if not firsts:
        return {}, None
    began = np.concatenate([one["began"] for one in firsts.values()])
    tiers = np.unique(np.concatenate([one["tier"] for one in firsts.values()]))
    mondays = [EPOCH + timedelta(days=int(day)) for day in np.unique(_monday(began))]
    beside = rows.not_yet(
        schools, mondays, tiers[tiers >= 0].tolist(), year=school_year_start(mondays[0]), after=NOT_YET, most=MOST
    )
    days = _Days.of(np.unique(np.concatenate([beside["student"], *(one["student"] for one in firsts.values())])))
    told = {place: days.around(one["student"], one["began"], one["tier"]) for place, one in firsts.items()}
    return told, days.around(beside["student"], beside["monday"], beside["tier"])


def _first(found: Columns) -> Columns:
    """The first beginning of each student, of at most MOST of them."""
    _, first = np.unique(found["student"], return_index=True)  # rows come in the order of days
    order = np.argsort(found["student"][first].astype(np.int64) * _SHUFFLED % 2**32, kind="stable")
    chosen = np.sort(first[order[:MOST]])
    return {name: values[chosen] for name, values in found.items()}


def _monday(days: NDArray[np.integer]) -> Ints:
    """The Monday of each day since 1970, which was a Thursday."""
    return days.astype(np.int64) - (days.astype(np.int64) + 3) % 7


@dataclass(frozen=True, slots=True, eq=False)
class _Days:
    """The school year of some students, a row each: which days count, which are known, how much was missed."""

    students: Ints
    days: Ints
    counted: judge.Bools
    known: judge.Bools
    absent: Ints

    @classmethod
    def of(cls, students: NDArray[np.integer]) -> _Days:
        at = frame()
        no_shows = policies.timeline().on(at.day).no_show_exit_codes
        summer = at.start - timedelta(days=1)
        matrix = year_of(Enrolments.read(students.astype(np.int64), at.since), at, no_shows, after=summer).by_student
        status = c.status(matrix.cells)
        known = status == Status.MEMBER
        absent = np.where(known, c.fraction(matrix.cells).astype(np.int64) * matrix.weights // WHOLE_DAY, 0)
        days = matrix.days.astype("datetime64[D]").astype(np.int64)
        return cls(matrix.students, days, ~np.isin(status, NOT_COUNTED), known, absent)

    def around(self, student: NDArray[np.integer], day: NDArray[np.integer], tier: NDArray[np.integer]) -> Group:
        """Those of whom it can be told, each around the day given, of one kind with who began alike that week."""
        here = np.isin(student, self.students)
        student, day, tier = (values[here].astype(np.int64) for values in (student, day, tier))
        row, column = np.searchsorted(self.students, student), np.searchsorted(self.days, day)
        before, since = judge.around(self.counted, self.known, self.absent, row, column)
        group = Group(student, judge.kind(_monday(day), tier, before), before, since)
        return group.only(~np.isnan(before))
