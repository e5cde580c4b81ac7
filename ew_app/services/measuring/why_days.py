"""One student's days: how each counts, who says so in which line of which file, and which rules rest on it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from ew_app.kernel import day_text
from ew_app.services.measuring.day_words import NOT_READ, PeriodWords, state_of
from ew_app.services.measuring.judging import Judged
from models.attendance import UNREAD
from models.queries import provenance
from rules import cells as c
from rules.cells import Status


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


def days(judged: Judged, ids: Sequence[int], rests_on: Iterable[tuple[str, Iterable[date]]]) -> list[Day]:
    """Every school day of the year up to the data-through day, with its marks and the rules that use it.

    ids: the student's own, then former ones. rests_on: (rule, the days it rests on).
    """
    matrix, at = judged.matrix, judged.year.frame
    standing, earlier = _said(judged, ids)
    told = PeriodWords(judged, sorted({mark.period for said in standing.values() for mark in said if mark.period}))
    used = defaultdict(list)
    for rule, dates in rests_on:
        for day in dates:
            used[day].append(rule)
    found = []
    for col in range(matrix.first, len(matrix.days)):
        day, cell = matrix.days[col].astype(date), matrix.cells[0, col : col + 1]
        if c.status(cell)[0] == Status.OUT and day not in standing:
            continue
        state, words = state_of(cell)
        words += told.of(col)
        if any(mark.code == UNREAD for mark in standing.get(day, ())):
            words = NOT_READ
        share = int(c.fraction(cell)[0])
        found.append(Day(day, state, words, share, standing.get(day, ()), earlier.get(day, ()), tuple(used[day])))
    return [day for day in found if day.day <= at.day]


def _said(judged: Judged, ids: Sequence[int]) -> tuple[Saids, Saids]:
    """Standing and ended marks by day, each with its source."""
    start, until = judged.year.frame.start, judged.year.frame.day
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
