"""Attendance files of an invented district: what each school had sent by the end of a day."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import TextIO

import numpy as np

from ew_app.demo.causes import CODE_NAMES, REASONS, Cause, Code, Codes, Marks
from ew_app.demo.district import Children, Flags, Ints, School

HEADER = "student_id,school_id,date,code,reason,last_modified,modified_by\n"
COVERS_HEADER = "school_id,date\n"
ABSENT_MILS = np.array([0, 1000, 1000, 500, 500, 0, 0, 1000, 0, 0, 0])
UNKNOWN_ROWS = 4
FEWEST_SCHOOLS_FOR_A_LATE_ONE = 6


class AttendanceFiles:
    """The marks of some taught days, as files; the last day is today.

    running: the year goes on: a school is late with its last days, and a code waits for an explanation.
    unsent: schools x days whose attendance nobody ever sent.
    """

    def __init__(
        self,
        children: Children,
        schools: Sequence[School],
        days: Sequence[date],
        marks: Marks,
        feed: str,
        *,
        running: bool = True,
        unsent: Flags | None = None,
    ) -> None:
        self.children, self.schools, self.days, self.feed = children, schools, list(days), feed
        self.today, self.running = len(days) - 1, running
        self.unsent = np.zeros((len(schools), len(days)), dtype=bool) if unsent is None else unsent
        self.marks = _with_an_unknown_code(marks, self.today) if running else marks
        self.school = self._school_of(self.marks.child, self.marks.day)
        self._dates = [day.isoformat() for day in self.days]
        self._times = [f"T08:{minute:02d}:00" for minute in range(40, 60)]

    def late_school(self) -> int | None:
        """The school that has not sent the last two days; none in a small district, where it would be a sixth."""
        is_late = self.running and len(self.schools) >= FEWEST_SCHOOLS_FOR_A_LATE_ONE
        return len(self.schools) - 2 if is_late else None

    def not_submitted(self) -> dict[str, list[date]]:
        late = self.late_school()
        return {} if late is None else {self.schools[late].key: self.days[-2:]}

    def write(self, folder: Path, past: Sequence[AttendanceFiles] = ()) -> dict[str, int]:
        """attendance.csv and covers.csv up to the day before the last, and the last day under today/."""
        (folder / "today").mkdir(exist_ok=True)
        rows = {}
        with (folder / "attendance.csv").open("w", encoding="utf-8", newline="") as out:
            out.write(HEADER)
            rows["attendance"] = sum(year.write_until(out, year.today) for year in past)
            rows["attendance"] += self.write_until(out, self.today - 1)
        until_yesterday = [row for year in past for row in year.covers(0, year.today)]
        until_yesterday += self.covers(0, self.today - 1)
        rows["covers"] = _write_covers(folder / "covers.csv", until_yesterday)
        with (folder / "today" / "attendance.csv").open("w", encoding="utf-8", newline="") as out:
            out.write(HEADER)
            rows["today/attendance"] = self.write_day(out, self.today)
        rows["today/covers"] = _write_covers(folder / "today" / "covers.csv", self.covers(self.today, self.today))
        return rows

    def write_by_day(self, folder: Path, past: Sequence[AttendanceFiles] = ()) -> dict[str, int]:
        """days/attendance-DATE.csv with the rows that came in on that day, and days/covers-DATE.csv beside it."""
        (folder / "days").mkdir(exist_ok=True)
        rows = {"attendance": 0, "covers": 0}
        for year in (*past, self):
            for day, on in enumerate(year.days):
                with (folder / "days" / f"attendance-{on}.csv").open("w", encoding="utf-8", newline="") as out:
                    out.write(HEADER)
                    rows["attendance"] += year.write_day(out, day)
                rows["covers"] += _write_covers(folder / "days" / f"covers-{on}.csv", year.covers(day, day))
        return rows

    def write_parts(self, folder: Path, ends: Sequence[date]) -> dict[str, int]:
        """parts/DATE/: what came in up to each of these days since the one before, and covers.csv beside it."""
        rows = {"attendance": 0, "covers": 0}
        first = 0
        for end in (self.days.index(day) for day in ends):
            inside = folder / "parts" / self.days[end].isoformat()
            inside.mkdir(parents=True, exist_ok=True)
            with (inside / "attendance.csv").open("w", encoding="utf-8", newline="") as out:
                out.write(HEADER)
                rows["attendance"] += self.write_between(out, first, end)
            rows["covers"] += _write_covers(inside / "covers.csv", self.covers(first, end))
            first = end + 1
        return rows

    def write_late(self, folder: Path) -> int:
        """late/attendance.csv: what the school that is late has sent by itself for the day before the last."""
        late = self.late_school()
        if late is None:
            return 0
        (folder / "late").mkdir(exist_ok=True)
        with (folder / "late" / "attendance.csv").open("w", encoding="utf-8", newline="") as out:
            out.write(HEADER)
            return self._write_marks(
                out, np.flatnonzero((self.school == late) & (self.marks.day == self.today - 1)), self.today - 1
            )

    def write_between(self, out: TextIO, first: int, last: int) -> int:
        """The rows of some days as known on the last of them, and corrections of earlier days made meanwhile."""
        marks = self.marks
        own = (marks.day >= first) & (marks.day <= last)
        corrected = (marks.day < first) & (marks.corrected >= first) & (marks.corrected <= last)
        return self._write_marks(out, np.flatnonzero((own | corrected) & self._sent), last)

    def write_until(self, out: TextIO, last: int) -> int:
        """All days up to `last`, each mark as it stands at the end of that day."""
        if self.feed == "full":
            return sum(self._write_full(out, day, last) for day in range(last + 1))
        wanted = np.flatnonzero((self.marks.day <= last) & self._sent)
        return self._write_marks(out, wanted, last)

    def write_day(self, out: TextIO, day: int) -> int:
        """What comes in on one day: its own rows, and corrections of earlier ones made that day."""
        corrected = np.flatnonzero((self.marks.corrected == day) & (self.marks.day < day) & self._sent)
        if self.feed == "full":
            return self._write_full(out, day, day) + self._write_marks(out, corrected, day)
        todays = np.flatnonzero((self.marks.day == day) & self._sent)
        return self._write_marks(out, np.r_[corrected, todays], day)

    def covers(self, first: int, last: int) -> list[tuple[str, date]]:
        """(school, day) for which attendance was taken and sent."""
        late = self.late_school()
        return [
            (school.key, self.days[day])
            for day in range(first, last + 1)
            for at, school in enumerate(self.schools)
            if not (at == late and day >= self.today - 1) and not self.unsent[at, day]
        ]

    def shares(self) -> list[float]:
        """Share of its enrolled days that each child was absent, as finally known."""
        absent = np.bincount(self.marks.child, ABSENT_MILS[self.marks.final], len(self.children))
        return list(absent / 1000 / np.maximum(self.enrolled_days(), 1))

    def enrolled_days(self) -> Ints:
        """School days of each child from its first to its last one here."""
        days: Ints = self._enrolled().sum(axis=1)
        return days

    def absence_rate(self) -> float:
        return float(ABSENT_MILS[self.marks.final].sum() / 1000 / self._enrolled().sum())

    def chronic_by_school(self) -> dict[str, float]:
        """Share of the children of each school who were absent a tenth of their days or more."""
        chronic = np.array(self.shares()) >= 0.1
        return {s.key: float(chronic[self.children.school == at].mean()) for at, s in enumerate(self.schools)}

    def _write_marks(self, out: TextIO, rows: Ints, as_of: int) -> int:
        marks = self.marks
        later = (marks.corrected[rows] >= 0) & (marks.corrected[rows] <= as_of)
        codes = np.where(later, marks.final[rows], marks.first[rows])
        written = np.where(later, marks.corrected[rows], marks.day[rows])
        columns = zip(
            *(
                marks.child[rows].tolist(),
                self.school[rows].tolist(),
                marks.day[rows].tolist(),
                codes.tolist(),
            ),
            *(marks.cause[rows].tolist(), later.tolist(), written.tolist()),
            strict=True,
        )
        key, schools, times = self.children.key, self.schools, self._times
        out.writelines(
            f"{key[child]},{schools[school].key},{self._dates[day]},{CODE_NAMES[code]},{_reason(code, cause)},"
            f"{self._dates[when]}{'T14:05:00' if late else times[child % 20]},clerk.{schools[school].short}\n"
            for child, school, day, code, cause, late, when in columns
        )
        return len(rows)

    def _write_full(self, out: TextIO, day: int, as_of: int) -> int:
        """One row for each enrolled child of each school that sent the day."""
        todays = np.flatnonzero(self.marks.day == day)
        codes = np.zeros(len(self.children), dtype=np.uint8)
        codes[self.marks.child[todays]] = self.marks.as_of(as_of)[todays]
        children = np.arange(len(self.children))
        school = self._school_of(children, np.full(len(children), day))
        sent = self._enrolled_on(day) & ~self._is_late(school, np.full(len(children), day))
        when, key = self.days[day].isoformat(), self.children.key
        start = [f"{school.key},{when}" for school in self.schools]
        end = [[f"{when}{time},clerk.{school.short}" for time in self._times] for school in self.schools]
        chosen = np.flatnonzero(sent)
        out.writelines(
            f"{key[child]},{start[at]},{CODE_NAMES[code]},,{end[at][child % 20]}\n"
            for child, at, code in zip(chosen.tolist(), school[chosen].tolist(), codes[chosen].tolist(), strict=True)
        )
        return len(chosen)

    def _school_of(self, child: Ints, day: Ints) -> Ints:
        moves = self.children.moves[child]
        moved = (moves >= 0) & (day >= moves)
        return np.where(moved, self.children.next_school[child], self.children.school[child])

    @cached_property
    def _sent(self) -> Flags:
        return ~self._is_late(self.school, self.marks.day)

    def _is_late(self, school: Ints, day: Ints) -> Flags:
        late = self.late_school()
        silent: Flags = (school == (-1 if late is None else late)) & (day >= self.today - 1)
        return silent | self.unsent[school, day]

    def _enrolled(self) -> Flags:
        day = np.arange(len(self.days))
        leaves = np.where(self.children.leaves < 0, len(self.days), self.children.leaves)
        return (day >= self.children.enters[:, None]) & (day <= leaves[:, None])

    def _enrolled_on(self, day: int) -> Flags:
        leaves = np.where(self.children.leaves < 0, len(self.days), self.children.leaves)
        return (self.children.enters <= day) & (day <= leaves)


def _reason(code: int, cause: int) -> str:
    return REASONS[cause] if code in (Code.AE, Code.AEHD) and cause < len(REASONS) else ""


def _with_an_unknown_code(marks: Marks, today: int) -> Marks:
    """Four absences of last week under a code that nobody has explained yet."""
    recent = (marks.day >= today - 5) & (marks.day < today - 1) & (marks.cause == Cause.NOW_AND_THEN)
    chosen = np.flatnonzero(recent & (marks.corrected < 0))[:UNKNOWN_ROWS]
    return replace(marks, first=_put(marks.first, chosen), final=_put(marks.final, chosen))


def _put(codes: Codes, chosen: Ints) -> Codes:
    codes = codes.copy()
    codes[chosen] = Code.UNKNOWN
    return codes


def _write_covers(path: Path, rows: Sequence[tuple[str, date]]) -> int:
    lines: Iterator[str] = (f"{school},{day}\n" for school, day in rows)
    with path.open("w", encoding="utf-8", newline="") as out:
        out.writelines(itertools.chain([COVERS_HEADER], lines))
    return len(rows)
