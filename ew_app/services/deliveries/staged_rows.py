"""Sifted rows into the staging tables: marks as rows, plain presence as one roll per school-day, and the days."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ew_app.feeds import Problem
from ew_app.services.deliveries.enrolment import Enrolment, day_of
from ew_app.services.deliveries.sifting import STUDENT_BITS, Flags, Ints, Sifted, school_day
from models.bulk import copy_in
from rules.day import ABSENT_KINDS

Rows = NDArray[np.intp]


def store_rows(batch_id: int, sifted: Sifted) -> None:
    """Plain presence goes on rolls, everything else becomes a mark."""
    plain = sifted.plain
    _store_marks(batch_id, sifted, np.flatnonzero(~plain))
    _store_rolls(batch_id, sifted, np.flatnonzero(plain))


def store_others(batch_id: int, sifted: Sifted, rows: Rows) -> None:
    """Rows that tell of another event than the one that stands, or of its deletion."""
    _store_marks(batch_id, sifted, rows, "staged_other")


def store_unread(batch_id: int, unread: Sifted) -> None:
    """Rows that could not be read, as marks that say so."""
    _store_marks(batch_id, unread, np.arange(len(unread)))


def store_problems(batch_id: int, problems: Sequence[tuple[str, Problem, bool, str]]) -> None:
    """What is wrong with rows: (file, problem, rejected, cause)."""
    copy_in(
        "problem",
        {
            "batch_id": np.full(len(problems), batch_id),
            "file": [file for file, _, _, _ in problems],
            "line": [problem.line for _, problem, _, _ in problems],
            "reason": [problem.reason for _, problem, _, _ in problems],
            "column": [problem.column or "" for _, problem, _, _ in problems],
            "value": [problem.value or "" for _, problem, _, _ in problems],
            "rejected": [rejected for _, _, rejected, _ in problems],
            "cause": [cause for _, _, _, cause in problems],
        },
    )


def _store_marks(batch_id: int, sifted: Sifted, rows: Rows, table: str = "staged_mark") -> None:
    texts, columns = sifted.rows.texts, sifted.rows.columns
    copy_in(
        table,
        {
            "batch_id": np.full(len(rows), batch_id),
            "file": columns["file"][rows],
            "line": columns["line"][rows],
            "school_id": sifted.school[rows],
            "student_id": sifted.student[rows],
            "day": texts("date", rows),
            "period": texts("period", rows) if "period" in columns else [""] * len(rows),
            "code": texts("code", rows),
            "fraction": texts("fraction_absent", rows),
            "minutes": texts("minutes_absent", rows),
            "section_key": texts("section_id", rows),
            "reason": texts("reason", rows),
            "last_modified": [_moment(number) for number in sifted.modified[rows].tolist()],
            "modified_by": texts("modified_by", rows),
        },
    )


def _store_rolls(batch_id: int, sifted: Sifted, rows: Rows) -> None:
    """One roll per school-day, code and file."""
    if not len(rows):
        return
    code, file = (sifted.rows.columns[name].astype(np.int64) for name in ("code", "file"))
    kinds = (int(code.max()) + 1) * (int(file.max()) + 1)
    group = (sifted.key >> STUDENT_BITS) * kinds + code * (int(file.max()) + 1) + file
    order = rows[np.lexsort((sifted.student[rows], group[rows]))]
    starts = np.flatnonzero(np.diff(group[order], prepend=-1))
    first, ends = order[starts], np.append(starts[1:], len(order))
    dated = bool(sifted.modified[rows].any())
    copy_in(
        "staged_roll",
        {
            "batch_id": np.full(len(first), batch_id),
            "school_id": sifted.school[first],
            "day": sifted.rows.texts("date", first),
            "code": sifted.rows.texts("code", first),
            "file": file[first],
            "students": _cut(sifted.student[order], starts, ends),
            "lines": _cut(sifted.rows.columns["line"][order], starts, ends),
            "modified": _cut(sifted.modified[order], starts, ends) if dated else [None] * len(first),
        },
    )


class Days:
    """The school-days that a delivery speaks of, counted; `pairs` of (school, day since 1970), ascending."""

    def __init__(self, pairs: Sequence[tuple[int, int]], sifted: Sifted, enrolment: Enrolment, due: Flags) -> None:
        self.pairs = pairs
        columns = np.array(pairs, dtype=np.int64).reshape(-1, 2)
        self.school, self.day = columns[:, 0], columns[:, 1]
        place = np.searchsorted(school_day(self.school, self.day), sifted.school_day)
        self.rows = np.bincount(place, minlength=len(pairs))
        self.entered = np.bincount(place[~sifted.deleted], minlength=len(pairs)) > 0
        self.students = _students(place, due, sifted, len(pairs))
        self.absences = _students(place, np.isin(sifted.kind, ABSENT_KINDS), sifted, len(pairs))
        self.expected = enrolment.expected(self.school, self.day)
        self.teaches = enrolment.teaches(self.school, self.day)

    def store(self, batch_id: int, whole: Sequence[bool], taken: Sequence[bool]) -> None:
        """Into the staging table, with which of them are claimed whole, and which show that attendance was taken."""
        copy_in(
            "staged_day",
            {
                "batch_id": np.full(len(self.pairs), batch_id),
                "school_id": self.school,
                "day": [day_of(number) for number in self.day.tolist()],
                "rows": self.rows,
                "students": self.students,
                "absences": self.absences,
                "expected": self.expected,
                "teaches": self.teaches.tolist(),
                "whole": list(whole),
                "taken": list(taken),
            },
        )


def _students(place: Rows, chosen: Flags, sifted: Sifted, days: int) -> Ints:
    """How many different students among the chosen rows, per school-day."""
    pairs = place[chosen].astype(np.int64) << STUDENT_BITS | sifted.student[chosen]
    if "period" in sifted.rows.columns:
        pairs = np.unique(pairs)
    return np.bincount(pairs >> STUDENT_BITS, minlength=days)


def _moment(microseconds: int) -> str | None:
    """COPY's text for a moment."""
    if not microseconds:
        return None
    return str(np.datetime64(microseconds, "us")) + "+00"


def _cut(column: NDArray[np.integer], starts: Rows, ends: Rows) -> list[str]:
    """The column cut into arrays, in COPY's text form."""
    texts = list(map(str, column.tolist()))
    places = zip(starts.tolist(), ends.tolist(), strict=True)
    return ["{" + ",".join(texts[start:end]) + "}" for start, end in places]
