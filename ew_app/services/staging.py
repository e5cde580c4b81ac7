"""From rows of numbers to rows that can be stored: who and where is meant, what stands, what must wait.

Plain presence goes on a roll per school-day, everything else becomes a staged mark. Runs in the open
transaction and replaces what was staged of the batch before, so it may be repeated at any time.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from itertools import repeat
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ew_app.feeds import Problem
from ew_app.kernel import settings, today
from ew_app.services.arriving import Arrivals, Claim, Values, read_claims, read_rows
from ew_app.services.enrolment import EPOCH, Enrolment, day_number, day_of
from models import marks
from models.attendance import Batch
from models.bulk import copy_in
from models.queries import deliveries
from rules.codes import Meaning, meaning
from rules.day import ABSENT_KINDS, Kind, Reason, precedence
from rules.feed_checks import Limits, is_whole
from rules.same_day import standing

Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]
SchoolDay = tuple[int, date]

SCHOOLS_A_SLICE: Final = 100
ROWS_A_SLICE: Final = 50_000
MOST_SINGLE_WARNINGS: Final = 1_000
A_YEAR: Final = 366
UNKNOWN_STUDENT: Final = "unknown_student"
UNKNOWN_SCHOOL: Final = "unknown_school"
_BEFORE_1970: Final = 1 << 20
NO_STUDENT: Final = (
    "No student has this id. The row is tried again by itself after the next roster; "
    "until then nothing is known of this day."
)
OTHER_SCHOOL: Final = (
    "This school is not one you look after, so the row stays out. Its own clerk or the data team can send it."
)
NO_SCHOOL: Final = "No school has this id. The row is tried again by itself after the next roster."


@dataclass(frozen=True, slots=True)
class Part:
    """Which rows of a delivery to stage when it is read again.

    waiting: only these (file name, line), which were turned away for an unknown student or school.
    days: only these school-days, each with whether the delivery claimed it whole when it was accepted.
    without: rows that never went in.
    """

    waiting: frozenset[tuple[str, int]] | None = None
    days: Mapping[SchoolDay, bool] | None = None
    without: frozenset[tuple[str, int]] = frozenset()


@dataclass(slots=True)
class Staged:
    """What staging found: counts, problems to show, and how many schools one slice may hold."""

    counts: Counter[str]
    problems: list[tuple[str, Problem, bool, str]] = field(default_factory=list)  # file, problem, rejected, cause
    notes: list[str] = field(default_factory=list)
    schools_a_slice: int = SCHOOLS_A_SLICE


def stage(batch: Batch, limits: Limits, part: Part | None = None) -> Staged:
    """Read a batch and put its rows into the staging tables. RefusedFile: nothing of it may be used."""
    marks.drop_staged(batch.id)
    rows = read_rows(batch)
    claims, unread = read_claims(batch)
    return _Stage(batch, limits, part or Part(), rows, claims, unread).run()


class _Stage:
    """One staging; the steps share the rows as they get fewer."""

    def __init__(
        self,
        batch: Batch,
        limits: Limits,
        part: Part,
        rows: Arrivals,
        claims: Sequence[Claim],
        unread: Iterable[tuple[str, Problem, bool]],
    ) -> None:
        self.batch, self.limits, self.part, self.rows, self.claims = batch, limits, part, rows, claims
        self.found = Staged(Counter(rows_in=rows.rows_in), notes=list(rows.notes))
        for name, problem, rejected in (*rows.problems, *unread):
            self._problem(name, problem, rejected)

    def run(self) -> Staged:
        """All steps in order."""
        self._keep_the_part()
        self._keep_to_the_senders_schools()
        self._resolve()
        self._claims()
        self._read_codes()
        self._keep_what_stands()
        self._check_enrolment()
        self._store()
        self.found.counts["rejected"] = sum(rejected for _, _, rejected, _ in self.found.problems)
        return self.found

    # -- which rows ------------------------------------------------------------------------------------------

    def _keep_the_part(self) -> None:
        wanted, without = self.part.waiting, self.part.without
        if wanted is None and not without:
            return
        names = self.rows.file_names
        places = zip(self.rows.columns["file"].tolist(), self.rows.columns["line"].tolist(), strict=True)
        keys = [(names[file], line) for file, line in places]
        self.rows.only(np.array([(wanted is None or key in wanted) and key not in without for key in keys], dtype=bool))
        if wanted is not None:
            self.claims = [claim for claim in self.claims if (claim.file, claim.line) in wanted]
            self.found.problems.clear()

    def _keep_to_the_senders_schools(self) -> None:
        """Rows about a school that the sender does not look after are turned away for good."""
        schools = self.batch.options.get("schools")
        if schools is None:
            return
        theirs = _by_number(self.rows.values["school_id"], lambda key: key in schools)[self.rows.columns["school_id"]]
        other = np.flatnonzero(theirs == 0)
        for row, key in zip(other.tolist(), self.rows.texts("school_id", other), strict=True):
            self._remark(row, OTHER_SCHOOL, "school_id", key, rejected=True)
        self.rows.only(theirs == 1)
        for claim in self.claims:
            if claim.school not in schools:
                self._problem(claim.file, Problem(claim.line, OTHER_SCHOOL, "school_id", claim.school), False)
        self.claims = [claim for claim in self.claims if claim.school in schools]

    def _resolve(self) -> None:
        """Keys to ids; a row without its student or school is turned away and remembered for the next roster."""
        self.student = self._ids("student", "student_id")
        self.school = self._ids("school", "school_id")
        self.day = _by_number(self.rows.values["date"], day_number)[self.rows.columns["date"]]
        known = (self.student >= 0) & (self.school >= 0)
        if not known.all():
            self._turn_away(np.flatnonzero(~known))
            self._only(known)
        if self.part.days is not None:
            days = {_pair(school, day_number(day)) for school, day in self.part.days}
            self._only(np.isin(_pair(self.school, self.day), np.fromiter(days, np.int64, len(days))))

    def _ids(self, table: str, column: str) -> Ints:
        values = self.rows.values[column]
        ids = deliveries.ids_of(table, values)
        known = np.fromiter(map(ids.get, values, repeat(-1)), np.int64, len(values))
        return known[self.rows.columns[column]]

    def _turn_away(self, rows: NDArray[np.intp]) -> None:
        files = [self.rows.file_names[file] for file in self.rows.columns["file"][rows].tolist()]
        lines = self.rows.columns["line"][rows].tolist()
        students, schools = self.rows.texts("student_id", rows), self.rows.texts("school_id", rows)
        for at, row in enumerate(rows.tolist()):
            if self.student[row] < 0:
                problem, cause = Problem(lines[at], NO_STUDENT, "student_id", students[at]), UNKNOWN_STUDENT
            else:
                problem, cause = Problem(lines[at], NO_SCHOOL, "school_id", schools[at]), UNKNOWN_SCHOOL
            self._problem(files[at], problem, True, cause)
        self.found.counts["unmatched_student"] = int((self.student[rows] < 0).sum())

    def _only(self, chosen: Flags) -> None:
        self.rows.only(chosen)
        self.student, self.school, self.day = self.student[chosen], self.school[chosen], self.day[chosen]

    def _claims(self) -> None:
        """School-days named in covers.csv and submitted.csv."""
        ids = deliveries.ids_of("school", {claim.school for claim in self.claims})
        self.claimed: dict[str, set[tuple[int, int]]] = {"covers": set(), "submitted": set()}
        for claim in self.claims:
            if claim.school in ids:
                self.claimed[claim.table].add((ids[claim.school], day_number(claim.day)))
            else:
                problem = Problem(claim.line, NO_SCHOOL, "school_id", claim.school)
                self._problem(claim.file, problem, False, UNKNOWN_SCHOOL)

    # -- what they say ---------------------------------------------------------------------------------------

    def _read_codes(self) -> None:
        """Kind and reason of each row's code at its school on its day."""
        schools = np.unique(self.school)
        codes = self.rows.values["code"]
        rows = deliveries.code_meanings(schools.tolist(), list(codes))
        meanings = [
            Meaning(row[0], row[1], Kind[row[2].upper()], Reason[row[3].upper()], row[4], row[5], row[6])
            for row in rows
        ]
        code = self.rows.columns["code"].astype(np.int64)
        place = np.searchsorted(schools, self.school) if any(m.school for m in meanings) else np.zeros_like(code)
        days, when = np.unique(self.day, return_inverse=True)
        if not any(m.starts or m.ends for m in meanings):
            when = np.zeros_like(code)
        asked, back = np.unique((place * max(len(days), 1) + when) * max(len(codes), 1) + code, return_inverse=True)
        answers = [self._meaning(number, meanings, schools, days) for number in asked.tolist()]
        self.kind = np.array([answer.kind for answer in answers], dtype=np.int64)[back]
        self.reason = np.array([answer.reason for answer in answers], dtype=np.int64)[back]
        self.share = np.array([answer.fraction for answer in answers], dtype=np.int64)[back]

    def _meaning(self, number: int, meanings: Sequence[Meaning], schools: Ints, days: Ints) -> Meaning:
        rest, code = divmod(number, len(self.rows.values["code"]))
        place, when = divmod(rest, len(days))
        text = list(self.rows.values["code"])[code]
        same = [m for m in meanings if m.code == text]
        return meaning(same, int(schools[place]), day_of(days[when]))

    def _keep_what_stands(self) -> None:
        """Of several rows for one student, school, day and period one stands; the others are duplicates."""
        self.modified = self._modified()
        stands = standing(self._key(), self.modified, precedence(self.kind, self.reason))
        self.found.counts["duplicate"] = int((~stands).sum())
        if not stands.all():
            self._only(stands)
            self.kind, self.reason, self.share, self.modified = (
                column[stands] for column in (self.kind, self.reason, self.share, self.modified)
            )

    def _key(self) -> Ints:
        """School, day, period and student as one number: equal for rows of one key, sorted by school-day."""
        school, day = _dense(self.school), _dense(self.day)
        periods = len(self.rows.values["period"])
        period = self.rows.columns["period"] if "period" in self.rows.columns else np.zeros_like(day)
        days = int(day.max(initial=0)) + 1
        return (((school * days + day) * periods + period) << 31) | self.student

    def _modified(self) -> Ints:
        """Microseconds since 1970 of each row's last_modified; 0 without. A time without offset is local."""
        if "last_modified" not in self.rows.columns:
            return np.zeros(len(self.rows), dtype=np.int64)
        return _by_number(self.rows.values["last_modified"], _microseconds)[self.rows.columns["last_modified"]]

    def _check_enrolment(self) -> None:
        """Count and point out what will be held out of measures: unknown codes, no school day, not enrolled."""
        delivered = set(map(_unpair, np.unique(_pair(self.school, self.day)).tolist()))
        self.days = sorted(delivered | self.claimed["covers"] | self.claimed["submitted"])
        if self.part.days is not None:
            self.days = sorted((school, day_number(day)) for school, day in self.part.days)
        self.enrolment = Enrolment((school for school, _ in self.days), (day for _, day in self.days))
        self.enrolled, teaches = self.enrolment.enrolled(self.student, self.school, self.day)
        unknown = self.kind == Kind.UNKNOWN
        self.found.counts.update(
            unknown_code=int(unknown.sum()),
            off_calendar=int((~teaches).sum()),
            not_enrolled=int((~self.enrolled).sum()),
        )
        self._point_out(unknown, ~teaches, ~self.enrolled)

    # -- what people are told --------------------------------------------------------------------------------

    def _point_out(self, unknown: Flags, off: Flags, elsewhere: Flags) -> None:
        """One remark per unknown code and per day without school, one per row of a student not enrolled."""
        rows = np.flatnonzero(unknown)
        for at, count, code in _first_of_each(rows, self.rows.texts("code", rows)):
            sentence = (
                f'Nobody has said what the code "{code}" means here. {_rows(count)} held out of every measure '
                "until it is mapped."
            )
            self._remark(at, sentence, "code", code)
        names = deliveries.school_names(set(self.school[off].tolist()))
        rows = np.flatnonzero(off)
        days = [(names[s], day_of(d)) for s, d in zip(self.school[rows].tolist(), self.day[rows].tolist(), strict=True)]
        for at, count, (school, day) in _first_of_each(rows, days):
            self._remark(at, f"{school} has no school on this day. {_rows(count)} not counted.", "date", str(day))
        rows = np.flatnonzero(elsewhere)[:MOST_SINGLE_WARNINGS]
        for at, student in zip(rows.tolist(), self.rows.texts("student_id", rows), strict=True):
            sentence = "The student is not enrolled at this school on this day. The row counts once an enrolment does."
            self._remark(at, sentence, "student_id", student)
        rows = np.flatnonzero(self.day > day_number(today()) + A_YEAR)
        for at, count, day in _first_of_each(rows, self.rows.texts("date", rows)):
            sentence = f"This day is more than a year from now. {_rows(count)} kept until then; is the year right?"
            self._remark(at, sentence, "date", str(day))
        for _, school in self.enrolment.without_calendar:
            self.found.notes.append(f"{school} has no calendar yet, so nothing can be measured there.")

    def _remark(self, row: int, sentence: str, column: str, value: str, *, rejected: bool = False) -> None:
        name = self.rows.file_names[int(self.rows.columns["file"][row])]
        self._problem(name, Problem(int(self.rows.columns["line"][row]), sentence, column, value), rejected)

    def _problem(self, file: str, problem: Problem, rejected: bool, cause: str = "") -> None:
        self.found.problems.append((file, problem, rejected, cause))

    # -- into the staging tables -----------------------------------------------------------------------------

    def _store(self) -> None:
        plain = self._plain()
        self._store_marks(np.flatnonzero(~plain))
        self._store_rolls(np.flatnonzero(plain))
        self._store_days()

    def _plain(self) -> Flags:
        """Rows that say "present" and nothing else."""
        plain = (self.kind == Kind.PRESENT) & (self.share <= 0)
        for name in ("fraction_absent", "minutes_absent"):
            if name in self.rows.columns:
                nothing = np.array([value in (None, 0) for value in self.rows.values[name]], dtype=bool)
                plain &= nothing[self.rows.columns[name]]
        for name in ("period", "reason"):
            if name in self.rows.columns:
                plain &= self.rows.columns[name] == 0
        return np.asarray(plain, dtype=bool)

    def _store_marks(self, rows: NDArray[np.intp]) -> None:
        if not len(rows):
            return
        texts = self.rows.texts
        modified = [_moment(number) for number in self.modified[rows].tolist()]
        copy_in(
            "staged_mark",
            {
                "batch_id": np.full(len(rows), self.batch.id),
                "file": self.rows.columns["file"][rows],
                "line": self.rows.columns["line"][rows],
                "school_id": self.school[rows],
                "student_id": self.student[rows],
                "day": texts("date", rows),
                "period": texts("period", rows) if "period" in self.rows.columns else [""] * len(rows),
                "code": texts("code", rows),
                "fraction": texts("fraction_absent", rows),
                "minutes": texts("minutes_absent", rows),
                "section_key": texts("section_id", rows),
                "reason": texts("reason", rows),
                "last_modified": modified,
                "modified_by": texts("modified_by", rows),
            },
        )

    def _store_rolls(self, rows: NDArray[np.intp]) -> None:
        if not len(rows):
            return
        key = self._key() >> 31
        code, file = self.rows.columns["code"].astype(np.int64), self.rows.columns["file"].astype(np.int64)
        group = (key * (int(code.max()) + 1) + code) * (int(file.max()) + 1) + file
        order = rows[np.lexsort((self.student[rows], group[rows]))]
        starts = np.flatnonzero(np.diff(group[order], prepend=-1))
        ends = np.append(starts[1:], len(order))
        first = order[starts]
        dated = bool(self.modified[rows].any())
        copy_in(
            "staged_roll",
            {
                "batch_id": np.full(len(first), self.batch.id),
                "school_id": self.school[first],
                "day": self.rows.texts("date", first),
                "code": self.rows.texts("code", first),
                "file": file[first],
                "students": _cut(self.student[order], starts, ends),
                "lines": _cut(self.rows.columns["line"][order], starts, ends),
                "modified": _cut(self.modified[order], starts, ends) if dated else [None] * len(first),
            },
        )

    def _store_days(self) -> None:
        """One row per school-day that the delivery speaks of."""
        if not self.days:
            return
        school, day = (np.array(column, dtype=np.int64) for column in zip(*self.days, strict=True))
        place = np.searchsorted(_pair(school, day), _pair(self.school, self.day))
        rows = np.bincount(place, minlength=len(school))
        students = self._students_by_day(place, self.enrolled, len(school))
        absences = self._students_by_day(place, np.isin(self.kind, ABSENT_KINDS), len(school))
        expected = self.enrolment.expected(school, day)
        self.found.counts["schools"] = len(np.unique(school))
        self.found.schools_a_slice = _schools_a_slice(len(self.rows), len(np.unique(school)))
        copy_in(
            "staged_day",
            {
                "batch_id": np.full(len(school), self.batch.id),
                "school_id": school,
                "day": [day_of(number) for number in day.tolist()],
                "rows": rows,
                "students": students,
                "absences": absences,
                "expected": expected,
                "teaches": self.enrolment.teaches(school, day).tolist(),
                "whole": self._whole(students.tolist(), expected.tolist()),
            },
        )

    def _students_by_day(self, place: NDArray[np.intp], chosen: Flags, days: int) -> Ints:
        """How many different students among the chosen rows, per school-day."""
        pairs = place[chosen].astype(np.int64) << 31 | self.student[chosen]
        if "period" in self.rows.columns:
            pairs = np.unique(pairs)
        return np.bincount(pairs >> 31, minlength=days)

    def _whole(self, students: Sequence[int], expected: Sequence[int]) -> list[bool]:
        """A day is claimed whole by covers.csv, or by a full feed with rows for enough of the students due."""
        if self.part.days is not None:
            return [self.part.days[school, day_of(day)] for school, day in self.days]
        by_rows = self.batch.feed == "full" and self.part.waiting is None
        return [
            pair in self.claimed["covers"] or (by_rows and is_whole(sent, due, self.limits))
            for pair, sent, due in zip(self.days, students, expected, strict=True)
        ]


def _by_number(values: Values, read: Callable[[Any], int]) -> Ints:
    """What each different value of a column reads as, by its number."""
    return np.fromiter((read(value) for value in values), np.int64, len(values))


def _pair(school: Any, day: Any) -> Any:
    """School and day (since 1970, may be negative) as one number that sorts like both."""
    return (school << 32) + day + _BEFORE_1970


def _unpair(pair: int) -> tuple[int, int]:
    return pair >> 32, (pair & 0xFFFFFFFF) - _BEFORE_1970


def _dense(column: Ints) -> Ints:
    """The rank of each value among the different values."""
    return np.searchsorted(np.unique(column), column).astype(np.int64)


def _microseconds(moment: datetime | None) -> int:
    if moment is None:
        return 0
    aware = moment if moment.tzinfo else moment.replace(tzinfo=settings().timezone)
    since = aware.astimezone(UTC) - datetime(EPOCH.year, 1, 1, tzinfo=UTC)
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


def _moment(microseconds: int) -> str | None:
    """COPY's text for a moment."""
    if not microseconds:
        return None
    return str(np.datetime64(microseconds, "us")) + "+00"


def _cut(column: NDArray[np.integer], starts: Ints, ends: Ints) -> list[str]:
    """The column cut into arrays, in COPY's text form."""
    texts = list(map(str, column.tolist()))
    places = zip(starts.tolist(), ends.tolist(), strict=True)
    return ["{" + ",".join(texts[start:end]) + "}" for start, end in places]


def _first_of_each(rows: NDArray[np.intp], values: Collection[Any]) -> Iterable[tuple[int, int, Any]]:
    """(first row, how many rows, value) of each different value."""
    first: dict[Any, int] = {}
    for row, value in zip(rows.tolist(), values, strict=True):
        first.setdefault(value, row)
    counts = Counter(values)
    return [(row, counts[value], value) for value, row in first.items()]


def _rows(count: int) -> str:
    return "1 row is" if count == 1 else f"{count:,} rows are"


def _schools_a_slice(rows: int, schools: int) -> int:
    """Enough schools for about 50,000 rows a transaction, at most 100."""
    return max(1, min(SCHOOLS_A_SLICE, ROWS_A_SLICE * schools // max(rows, 1)))
