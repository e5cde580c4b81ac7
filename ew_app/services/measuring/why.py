"""Why this child, why now: every finding with its days and arithmetic, every mark with its file and line.

Computed from the rows at the moment of asking, by the same functions that decide.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import asdict, dataclass, field, replace
from datetime import date, datetime
from typing import Any

import numpy as np

from ew_app.kernel import NotFound, day_text
from ew_app.services.measuring import as_told, caused_days, hindsight
from ew_app.services.measuring.as_told import Decided, OpenCase
from ew_app.services.measuring.caused_days import Caused
from ew_app.services.measuring.day_words import NOT_READ, PeriodWords, state_of
from ew_app.services.measuring.frames import frame
from ew_app.services.measuring.judging import Judged, judge
from ew_app.services.measuring.measures import at_each_school, measure_of
from ew_app.services.measuring.outlook import Outlook, outlook
from models.attendance import UNREAD
from models.queries import naming, provenance, same_child
from rules import cells as c
from rules.audiences import own
from rules.cells import Status
from rules.findings import met, not_fed
from rules.policy import Rule
from rules.sentences import dates_used, describe, numbers, sentence
from rules.tiers import Tier, days_text


@dataclass(frozen=True, slots=True)
class Source:
    """Where a mark was said."""

    batch: int
    file: str
    line: int
    received_at: datetime

    @property
    def text(self) -> str:
        """As a person would look it up."""
        return f"{self.file} (batch {self.batch}), line {self.line}"


@dataclass(frozen=True, slots=True)
class Said:
    """One mark: what a file said of a day, and, if it no longer stands, how it ended."""

    code: str
    title: str
    period: str
    school: str
    source: Source
    ended: str = ""
    ended_at: datetime | None = None

    @property
    def text(self) -> str:
        """What was said, of which period, and where."""
        return f"{f'period {self.period}: ' if self.period else ''}{self.title or self.code}, {self.source.text}"


Saids = dict[date, tuple[Said, ...]]


@dataclass(frozen=True, slots=True)
class Day:
    """One school day of a student: how it counts, who says so, and which rules rest on it."""

    day: date
    state: str
    words: str
    absent: int  # thousandths of the day
    marks: tuple[Said, ...] = ()
    earlier: tuple[Said, ...] = ()
    used_by: tuple[str, ...] = ()
    caused: str = ""  # that the district caused it, and why, as far as the reader may know

    @property
    def text(self) -> str:
        """The whole sentence: what, when, by which file and line."""
        said = "; ".join(mark.text for mark in self.marks)
        was = "; ".join(f"before: {mark.text}" for mark in self.earlier)
        return ". ".join(part for part in (f"{day_text(self.day)}: {self.words}", self.caused, said, was) if part)


@dataclass(frozen=True, slots=True)
class Reason:
    """A finding that is active, in words and numbers, with the days it rests on."""

    rule: str
    label: str
    level: str
    since: date
    sentence: str
    numbers: dict[str, str]
    dates: tuple[date, ...]
    asks: str
    reference: str
    policy_version: str
    restricted: str | None


@dataclass(frozen=True, slots=True)
class Step:
    """A change of tier."""

    day: date
    before: str
    after: str
    rules: tuple[str, ...]
    sentence: str
    policy_version: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """Everything there is to say about one student's standing on one day."""

    student: str
    measures: dict[str, Any]
    policy: str
    policy_version: str
    reasons: tuple[Reason, ...] = ()
    days: tuple[Day, ...] = ()
    steps: tuple[Step, ...] = ()
    decided: tuple[Decided, ...] = ()  # the findings of the year as they were told
    cases: tuple[OpenCase, ...] = ()
    rates: tuple[tuple[date, int, int], ...] = ()  # (day, absent, enrolled) to date, in thousandths
    not_fed: tuple[str, ...] = ()
    lines: tuple[tuple[str, str], ...] = field(default=())  # (tier, share in percent) of the policy's rate lines
    at_schools: tuple[dict[str, Any], ...] = ()  # the measures at each school
    outlook: Outlook | None = None  # what the rest of the year still allows
    caused: Caused = field(default=Caused())  # the days away that the district caused, as far as the reader may know
    without_cause: int = 0  # full days away in a row, up to the last, that no cause is known for: as rules count them

    def as_json(self) -> dict[str, Any]:
        """The object `ew why --json` prints; the measures at each school are those of `ew measures`."""
        told = asdict(self)
        del told["at_schools"]
        return told


def explain(
    student: str, as_of: date | None = None, *, classes: Collection[str] = (), known_at: datetime | None = None
) -> Explanation:
    """Explain a student by the district's key; findings of compartments only for those who may read the class.

    With `known_at` from what had been loaded by then.
    """
    with hindsight.known_at(known_at, student):
        return _explain(student, as_of, classes)


def _explain(student: str, as_of: date | None, classes: Collection[str]) -> Explanation:
    number = naming.student_id(student)
    if number is None:
        raise NotFound(f"There is no student {student}.")
    judged = judge([number], frame(as_of))
    if judged is None:
        return Explanation(student, {}, "", "")
    reasons = tuple(_reasons(judged, classes))
    days = _days(judged, number, reasons)
    caused = caused_days.counted_apart(number, days, classes)
    return Explanation(
        student=student,
        measures=measure_of(judged),
        at_schools=at_each_school(judged),
        policy=judged.policy.label,
        policy_version=judged.policy.version,
        reasons=reasons,
        days=tuple(replace(day, caused=caused.words(day.day)) for day in days),
        caused=caused,
        without_cause=int(judged.deciding.unexcused_streak[0, judged.last]),
        steps=tuple(_steps(number, judged)),
        decided=tuple(as_told.decided(number, judged.year.frame.start, judged.year.frame.day, classes)),
        cases=tuple(as_told.open_cases(number, judged.year.frame.day)),
        rates=tuple(_rates(judged)),
        outlook=outlook(judged),
        not_fed=tuple(
            key for key in not_fed(judged.policy, judged.inputs, 1) if _open(judged.policy.rule(key), classes)
        ),
        lines=tuple(
            (Tier(line.level.tier).text, days_text(int(own(line, judged.inputs.today(judged.last), 0).bound * 100_000)))
            for line in judged.policy.lines
        ),
    )


def _open(rule: Rule, classes: Collection[str]) -> bool:
    return rule.restricted is None or rule.restricted in classes


def _reasons(judged: Judged, classes: Collection[str]) -> list[Reason]:
    """The findings active on the last day, the strongest first."""
    found = []
    for rule in judged.policy.rules:
        active = judged.replay.active.get(rule.key)
        if active is not None and active[0, judged.last] and _open(rule, classes):
            found.append(_reason(judged, rule, active[0]))
    return sorted(found, key=lambda reason: (-judged.policy.rule(reason.rule).level.tier, reason.since))


def _reason(judged: Judged, rule: Rule, active: np.ndarray) -> Reason:
    """A finding in the numbers of the last day on which its rule was met: a finding outlives its rule until an exit."""
    facts, matrix = judged.deciding, judged.deciding.matrix
    began = judged.last - int(np.argmin(active[::-1])) + 1 if not active.all() else 0
    told = next((col for col in range(judged.last, began, -1) if met(rule, facts, judged.inputs, col)[0]), began)
    said = numbers(rule, facts, judged.inputs, 0, told)
    words = sentence(rule, said)
    on = matrix.days[told].astype(date)
    return Reason(
        rule=rule.key,
        label=rule.label,
        level=rule.level.value,
        since=matrix.days[began].astype(date),
        sentence=words if told == judged.last else f"On {day_text(on)}: {words[0].lower()}{words[1:]}",
        numbers={name: value for name, value in said.items() if value},
        dates=tuple(dates_used(judged.deciding.matrix, judged.deciding, 0, told, rule)),
        asks=describe(own(rule, judged.inputs.today(told), 0)),
        reference=rule.reference,
        policy_version=judged.policy.version,
        restricted=rule.restricted,
    )


def _steps(student: int, judged: Judged) -> list[Step]:
    """Tier changes as they are stored, newest first."""
    return [
        Step(row.day, Tier(row.before).text, Tier(row.after).text, tuple(row.rules), row.sentence, row.policy_version)
        for row in provenance.changes_of(student, judged.year.frame.start)
        if row.day <= judged.year.frame.day
    ]


def _rates(judged: Judged) -> list[tuple[date, int, int]]:
    """The running absence of every member day of the school year."""
    matrix, facts = judged.matrix, judged.facts
    member = np.flatnonzero(c.status(matrix.cells[0]) == Status.MEMBER)
    return [
        (matrix.days[col].astype(date), int(facts.absent[0, col]), int(facts.enrolled[0, col]))
        for col in member[member >= matrix.first].tolist()
    ]


def _days(judged: Judged, student: int, reasons: Collection[Reason]) -> list[Day]:
    """Every school day of the year up to the data-through day, with its marks and the rules that use it."""
    matrix, at = judged.matrix, judged.year.frame
    standing, earlier = _said(judged, student)
    told = PeriodWords(judged, sorted({mark.period for said in standing.values() for mark in said if mark.period}))
    used = defaultdict(list)
    for reason in reasons:
        for day in reason.dates:
            used[day].append(reason.rule)
    days = []
    for col in range(matrix.first, len(matrix.days)):
        day, cell = matrix.days[col].astype(date), matrix.cells[0, col : col + 1]
        if c.status(cell)[0] == Status.OUT and day not in standing:
            continue
        state, words = state_of(cell)
        words += told.of(col)
        if any(mark.code == UNREAD for mark in standing.get(day, ())):
            words = NOT_READ
        share = int(c.fraction(cell)[0])
        days.append(Day(day, state, words, share, standing.get(day, ()), earlier.get(day, ()), tuple(used[day])))
    return [day for day in days if day.day <= at.day]


def _said(judged: Judged, student: int) -> tuple[Saids, Saids]:
    """Standing and ended marks by day, each with its source."""
    start, until = judged.year.frame.start, judged.year.frame.day
    ids = same_child.ids_of(student)
    marks = provenance.marks_of(ids, start, until)
    ended = provenance.ended_marks_of(ids, start, until)
    rolls = provenance.presences_of(ids, set(judged.year.stint_school.tolist()), start, until)
    files = provenance.attendance_files(row.batch_id for row in (*marks, *ended, *rolls))
    standing, earlier = defaultdict(list), defaultdict(list)
    for row in marks:
        standing[row.day].append(Said(row.code, row.title, row.period, row.school, _source(row, files)))
    for row in rolls:
        if row.day not in standing:
            standing[row.day].append(Said("", "Present", "", row.school, _source(row, files)))
    for row in ended:
        source = _source(row, files)
        earlier[row.day].append(Said(row.code, row.title, row.period, row.school, source, row.ended, row.ended_at))
    stands, ended_by_day = ({d: tuple(s) for d, s in said.items()} for said in (standing, earlier))
    return stands, ended_by_day


def _source(row: Any, files: dict[tuple[int, int], str]) -> Source:
    return Source(row.batch_id, files.get((row.batch_id, row.file), "attendance.csv"), row.line, row.received_at)
