"""What the policy says about a set of students, day by day: facts, findings and tiers, held in memory.

Commands, screens and the evaluation all ask here, so a number shown is the number decided by.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property, partial

import numpy as np
from numpy.typing import NDArray

from ew_app.services.measuring import caused_days, policies, told_reasons
from ew_app.services.measuring.blocks import Background, Known
from ew_app.services.measuring.frames import Frame, frame
from ew_app.services.measuring.laying import Ints
from ew_app.services.measuring.years import NOWHERE, Year, year_of
from models.queries import measuring as rows
from models.queries import naming, reasons, same_child
from rules import facts as measures
from rules.carried import TooFarBack
from rules.cells import Status, status
from rules.facts import Facts
from rules.findings import Inputs
from rules.matrix import Days, Matrix
from rules.policy import Level, PolicyInForce
from rules.replay import Replay, replay
from rules.scopes import Scope
from rules.tiers import Current, current
from rules.timeline import Timeline

STLS = "stls"


@dataclass(frozen=True)
class Judged:
    """A school year of some students with everything derived from it; a row a student, ascending."""

    year: Year
    matrix: Matrix  # at student scope; over the year, or a column for the day gone on from and the days after it
    timeline: Timeline
    background: Background
    facts: Facts
    deciding: Facts  # what tiers rest on: the same, but a day with an unmapped code stands as it was known before,
    # and one that the district caused has its cause
    inputs: Inputs
    replay: Replay
    onward: bool = False  # whether an earlier judgement was gone on from; its last day is then the first column

    @property
    def students(self) -> Ints:
        """Student ids by row."""
        return self.matrix.students

    @property
    def began(self) -> int:
        """The first column that was replayed; of a judgement gone on from, the one before tells how everybody stood."""
        return 1 if self.onward else self.matrix.first

    @property
    def last(self) -> int:
        """The last column; every student's own data-through day is folded into it."""
        return len(self.matrix.days) - 1

    @cached_property
    def policy(self) -> PolicyInForce:
        """The policy of the frame's day."""
        return self.timeline.on(self.year.frame.day)

    @property
    def decided_otherwise(self) -> NDArray[np.bool_]:
        """[S] of whom some day stands otherwise for rules than it is told."""
        if self.deciding is self.facts:
            return np.zeros(len(self.students), dtype=bool)
        otherwise: NDArray[np.bool_] = np.any(self.deciding.matrix.cells != self.matrix.cells, axis=1)
        return otherwise

    @property
    def kept_in_file(self) -> set[str]:
        """Rules that are kept on record and concern nobody: no list shows them."""
        return {rule.key for rule in self.policy.rules if rule.level is Level.FILE}

    @cached_property
    def standing(self) -> Current:
        """How each student stands at the end."""
        return current(self.facts, self.replay.tier, self.policy, self.last, self.inputs.within)


def judge(students: Sequence[int] | Ints, at: Frame | None = None, timeline: Timeline | None = None) -> Judged | None:
    """Everything about these students up to the frame's day; None when no school day is known for any.

    By the policies put in force, or by others that are tried.
    """
    at, asked = at or frame(), np.unique(np.asarray(students, dtype=np.int64))
    timeline, background = timeline or policies.timeline(), Background.read(asked, at)
    year = year_of(background.enrolments, at, timeline.on(at.day).no_show_exit_codes)
    if not len(year.days) or not len(year.by_student.students):
        return None
    found = year.by_student.students
    return _judged(year, year.by_student, timeline, background.of(found, np.searchsorted(asked, found)))


def judge_otherwise(judged: Judged, timeline: Timeline) -> Judged | None:
    """The same students and days by other policies; the year is read again only where other enrolments count."""
    day = judged.year.frame.day
    if timeline.on(day).no_show_exit_codes != judged.policy.no_show_exit_codes:
        return judge(judged.students, judged.year.frame, timeline)
    inputs = _inputs(judged.year, judged.matrix, timeline, judged.background)
    replayed = replay(judged.deciding, timeline, inputs)
    return replace(judged, timeline=timeline, inputs=inputs, replay=replayed)


def judge_on(known: Known, at: Frame) -> Judged | None:
    """The same for students of whom everything up to one day is known: only later days are read and replayed.

    None when an enrolment of theirs is gone, or a rule looks back further than is known: then they have to be judged
    from the start.
    """
    timeline, until = policies.timeline(), known.until[0].astype(date)
    year = year_of(known.background.enrolments, at, timeline.on(at.day).no_show_exit_codes, after=until)
    if not np.array_equal(year.by_student.students, known.students):
        return None
    try:
        return _judged(year, year.by_student, timeline, known.background, known)
    except TooFarBack:
        return None


def _judged(
    year: Year, matrix: Matrix, timeline: Timeline, background: Background, after: Known | None = None
) -> Judged:
    carried = after.carried if after else None
    inputs = _inputs(year, matrix, timeline, background)
    facts = measures.compute(matrix, carried, inputs.plan)
    stood = caused_days.with_causes(matrix.as_last_known())
    deciding = facts if stood is matrix else measures.compute(stood, carried, inputs.plan)
    replayed = replay(deciding, timeline, inputs, after.state if after else None, 1 if after else None)
    return Judged(year, matrix, timeline, background, facts, deciding, inputs, replayed, after is not None)


def _inputs(year: Year, matrix: Matrix, timeline: Timeline, background: Background) -> Inputs:
    students = matrix.students
    opened, owned = _cases(students, matrix)
    return Inputs(
        prior_absent=background.prior_absent,
        prior_enrolled=background.prior_enrolled,
        stls=_in_stls(students),
        last_contact=_contacts(year, matrix),
        case_open=opened,
        barrier_owned=owned,
        plan=_plans(students, matrix),
        left_on=year.left_on,
        waits_from=_waits_from(year, matrix),
        outside=told_reasons.facts_of(year, matrix, timeline.on(year.frame.day).absence_reasons),
        within=_within(year, matrix, timeline, background.born),
    )


def _within(year: Year, matrix: Matrix, timeline: Timeline, born: Days) -> dict[Scope, NDArray[np.bool_]]:
    """[S, D] of each scope that a rule of the school year has; nothing is read where no rule has one."""
    days = {year.frame.start, *(day for day in timeline.starts if day > year.frame.start)}
    scopes = {scope for day in days for scope in timeline.on(day).scopes}
    return covered(scopes, year, matrix, born) if scopes else {}


def covered(scopes: Collection[Scope], year: Year, matrix: Matrix, born: Days) -> dict[Scope, NDArray[np.bool_]]:
    """[S, D] whom each scope takes in, by birth date and the day's grade and school; outside enrolments the last."""
    grades, of_stint, own = _numbered(year.stint_grade, year.grade)
    grade_at = np.where(year.stint_at < 0, own[:, None], of_stint[year.stint_at])
    schools, school_at = _schools(scopes), None
    if schools:
        at = np.where(year.stint_at < 0, year.school[:, None], np.append(year.stint_school, NOWHERE)[year.stint_at])
        school_at = _places(schools, at)
    return {
        scope: scope.covers(born, grades, grade_at, matrix.days, list(schools.values()), school_at) for scope in scopes
    }


def covered_at_schools(judged: Judged) -> dict[Scope, NDArray[np.bool_]]:
    """[R] whom each scope of the policy takes in on the last day, a row per student and school, as if only there."""
    year, scopes, here = judged.year, judged.policy.scopes, judged.year.by_school
    assert here.schools is not None
    student = np.searchsorted(judged.students, here.students)
    grades, _, own = _numbered((), year.grade)
    schools, born = _schools(scopes), judged.background.born[student]
    at, day = _places(schools, here.schools)[:, None], judged.matrix.days[judged.last :]
    words = list(schools.values())
    return {scope: scope.covers(born, grades, own[student][:, None], day, words, at)[:, 0] for scope in scopes}


def _numbered(of_stint: Sequence[str], own: Sequence[str]) -> tuple[list[str], Ints, Ints]:
    """The different grades; the place of each enrolment's among them, and -1 at the end; of each student's own."""
    number = {grade: place for place, grade in enumerate(sorted({*of_stint, *own}))}
    return list(number), np.array([*(number[one] for one in of_stint), -1]), np.array([number[one] for one in own])


def _schools(scopes: Collection[Scope]) -> dict[int, str]:
    """Number -> key of the schools that a scope names, by number; none is read where none does."""
    named = {key for scope in scopes for key in (*scope.schools, *scope.not_schools)}
    return {number: key for number, key in sorted(naming.school_keys().items()) if key in named} if named else {}


def _places(schools: dict[int, str], at: NDArray[np.integer]) -> Ints:
    """The place of each school number among these, -1 for any other."""
    numbers = np.array([*schools, np.iinfo(np.int64).max], dtype=np.int64)
    place = np.searchsorted(numbers, at)
    return np.where(numbers[place] == at, place, NOWHERE)


def _waits_from(year: Year, matrix: Matrix) -> NDArray[np.int64] | None:
    """[S] the first column on which a tier waits because a code nobody has mapped replaced what was known."""
    students, days = matrix.students, len(matrix.days)
    row = np.searchsorted(students, year.recoded.student)
    stands = status(matrix.cells[row, year.recoded.column]) == Status.RECODED
    if not stands.any():
        return None
    waits = np.full(len(students), days, dtype=np.int64)
    np.minimum.at(waits, row[stands], year.recoded.waits_from[stands])
    return waits


def _in_stls(students: Ints) -> NDArray[np.bool_] | None:
    """[S] who lives in a temporary situation, under any id; None where the roster does not feed it."""
    if not rows.feeds_flag(STLS):
        return None
    same = same_child.known()
    return np.isin(students, same.own(rows.with_flag(same.ids_of(students), STLS)))


def _contacts(year: Year, matrix: Matrix) -> NDArray[np.int32]:
    """[S, D] the last day up to each day on which somebody was reached, since 1970; -1 for none."""
    students, days = matrix.students, matrix.days
    reached = np.full((len(students), len(days)), -1, dtype=np.int32)
    found = rows.contacts(students, year.frame.since)
    column = np.searchsorted(days, found["day"].astype("datetime64[D]"))
    inside = column < len(days)
    row = np.searchsorted(students, found["student"][inside])
    np.maximum.at(reached, (row, column[inside]), found["day"][inside])
    return np.maximum.accumulate(reached, axis=1)


def _cases(students: Ints, matrix: Matrix) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """[S, D] whether a case was open that day, and whether its barrier had a named owner."""
    found = rows.case_spans(students)
    row, opened, closed = np.searchsorted(students, found["student"]), found["opened"], found["closed"]
    during = partial(_during, matrix, row)
    owned = during(since=np.maximum(opened, found["owned"]), until=np.minimum(closed, found["owned_until"]))
    return during(since=opened, until=closed), owned


def _plans(students: Ints, matrix: Matrix) -> NDArray[np.int32]:
    """[S, D] the day since 1970 on which the plan in force was agreed, the latest of an open case; -1 for none."""
    plan = np.full((len(students), len(matrix.days)), -1, dtype=np.int32)
    found = reasons.plans(students)
    row, days = np.searchsorted(students, found["student"]), matrix.days.astype(np.int64)
    starts, ends = np.searchsorted(days, found["agreed"]), np.searchsorted(days, found["closed"])
    for nth, day in enumerate(found["agreed"].tolist()):
        plan[row[nth], starts[nth] : ends[nth]] = day
    return plan


def _during(matrix: Matrix, row: Ints, *, since: Ints, until: Ints) -> NDArray[np.bool_]:
    """[S, D] where a span of a row, [since, until) in days since 1970, lies over the day."""
    edges = np.zeros((len(matrix.students), len(matrix.days) + 1), dtype=np.int16)
    days = matrix.days.astype(np.int64)
    np.add.at(edges, (row, np.searchsorted(days, since)), 1)
    np.add.at(edges, (row, np.searchsorted(days, np.maximum(since, until))), -1)
    return np.asarray(np.cumsum(edges, axis=1, dtype=np.int16)[:, :-1] > 0)
