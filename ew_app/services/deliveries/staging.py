"""From a delivery's rows to rows that can be stored: what goes in, what must wait, and what people are told.

Runs in the open transaction and replaces what was staged of the batch before, so it may be repeated at any time.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Final

import numpy as np

from ew_app.feeds import OURS, Problem
from ew_app.kernel import today
from ew_app.services.deliveries import periods, remarks, unnamed
from ew_app.services.deliveries.arriving import Arrivals, Claim, read_claims, read_rows, tells_events, unreadable
from ew_app.services.deliveries.enrolment import Enrolment, day_number, day_of
from ew_app.services.deliveries.sifting import Sifted, by_number, school_and_day
from ew_app.services.deliveries.staged_rows import Days, store_others, store_rows, store_unread
from ew_app.services.rosters.codes import brought_by
from models import marks
from models.attendance import Batch
from models.queries import lookups
from rules.day import Kind
from rules.feed_checks import Limits, is_whole

SchoolDay = tuple[int, date]

SCHOOLS_A_SLICE: Final = 100
ROWS_A_SLICE: Final = 50_000
UNKNOWN_STUDENT: Final = "unknown_student"
UNKNOWN_SCHOOL: Final = "unknown_school"
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
    about: on some of these school-days only the rows of these students.
    without: rows that never went in.
    """

    waiting: frozenset[tuple[str, int]] | None = None
    days: Mapping[SchoolDay, bool] | None = None
    about: Mapping[SchoolDay, Collection[int]] = field(default_factory=dict)
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
    staging = _Staging(batch, limits, part or Part(), rows, claims)
    for name, problem, rejected in (*rows.problems, *unread):
        staging.problem(name, problem, rejected)
    return staging.run()


class _Staging:
    """One staging; the steps share the rows as they get fewer."""

    def __init__(self, batch: Batch, limits: Limits, part: Part, rows: Arrivals, claims: Sequence[Claim]) -> None:
        self.batch, self.limits, self.part, self.rows, self.claims = batch, limits, part, rows, claims
        self.found = Staged(Counter(rows_in=rows.rows_in), notes=list(rows.notes))
        self.unnamed = unnamed.numbers_nobody_has(batch, rows)
        self.meant = unnamed.meant_but_for_zeros(rows)

    def run(self) -> Staged:
        """All steps in order."""
        self.rows.unread += unnamed.open_days(self.batch, self.rows, self.unnamed, self.meant)
        self._keep_the_part()
        self._keep_to_the_senders_schools()
        sifted = self._sift()
        unread = self._unread(sifted)
        enrolment, days = self._look_at_days(sifted, unread, self._claimed())
        store_rows(self.batch.id, sifted)
        store_unread(self.batch.id, unread)
        if "period" in self.rows.columns:
            counts, said = periods.found_in(self.batch)
            self.found.counts.update(counts)
            self.found.notes += said
        self._store_days(sifted, enrolment, days)
        self.found.counts["rejected"] = sum(rejected for _, _, rejected, _ in self.found.problems)
        return self.found

    def problem(self, file: str, problem: Problem, rejected: bool, cause: str = "") -> None:
        """Remember what is wrong with a row."""
        self.found.problems.append((file, problem, rejected, cause))

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
        theirs = by_number(self.rows.values["school_id"], lambda key: key in schools)[self.rows.columns["school_id"]]
        other = np.flatnonzero(theirs == 0)
        for row, key in zip(other.tolist(), self.rows.texts("school_id", other), strict=True):
            self._remark(row, OTHER_SCHOOL, "school_id", key, rejected=True)
        self.rows.only(theirs == 1)
        for claim in self.claims:
            if claim.school not in schools:
                self.problem(claim.file, Problem(claim.line, OTHER_SCHOOL, "school_id", claim.school), False)
        self.claims = [claim for claim in self.claims if claim.school in schools]

    def _sift(self) -> Sifted:
        """Ids, meanings, and one row of each key; rows without a student or school wait for the next roster."""
        sifted = Sifted(self.rows)
        for remark in remarks.on_changes_of_the_future(sifted, today()):
            self._remark(*remark)
        self._turn_away(sifted)
        sifted.only(sifted.known)
        if self.part.days is not None:
            sifted.only_on(self.part.days)
            sifted.only_about(self.part.about)
        sifted.read_codes(brought_by(self.batch.options.get("format", OURS)))
        stands = sifted.standing()
        differing = sifted.contradicted(stands)
        for row, said, why in differing[: remarks.MOST_SINGLE]:
            self._remark(row, why, "code", said)
        self.found.counts["duplicate"] = int((~stands).sum())
        beside = sifted.beside(stands)
        if tells_events(self.batch):
            store_others(self.batch.id, sifted, beside)
        self.found.notes += sifted.repeated(stands, [*(row for row, _, _ in differing), *beside])
        sifted.only(stands)
        return sifted

    def _unread(self, sifted: Sifted) -> Sifted:
        """Rejected rows that tell whose day they are about, where no other row of the delivery tells of that day.

        Or whose day they may be about (`unnamed.open_days`).
        """
        mine, theirs = self.batch.options.get("schools"), self.part.waiting is None
        ours = (row for row in self.rows.unread if mine is None or row[1].school_id in mine)
        rows = [row for row in ours if theirs or row[1].inside]
        unread = Sifted(unreadable(rows))
        unread.only(unread.known)
        if self.part.days is not None:
            unread.only_on(self.part.days)
            unread.only_about(self.part.about)
        told = set(sifted.places(np.isin(sifted.school_day, unread.school_day)))
        first = {key: row for row, key in reversed(list(enumerate(unread.places(unread.known)))) if key not in told}
        unread.only(np.isin(np.arange(len(unread)), list(first.values())))
        self.found.counts["unread"] = len(unread)
        return unread

    def _turn_away(self, sifted: Sifted) -> None:
        rows = np.flatnonzero(~sifted.known)
        places = zip(*(self.rows.texts(name, rows) for name in ("student_id", "school_id", "date")), strict=True)
        for row, (student, school, day) in zip(rows.tolist(), places, strict=True):
            if sifted.student[row] < 0:
                why = unnamed.why(student, school, day, self.unnamed, self.meant) or NO_STUDENT
                self._remark(row, why, "student_id", student, rejected=True, cause=UNKNOWN_STUDENT)
            else:
                self._remark(row, NO_SCHOOL, "school_id", school, rejected=True, cause=UNKNOWN_SCHOOL)
        self.found.counts["unmatched_student"] = int((sifted.student < 0).sum())

    def _claimed(self) -> dict[str, set[tuple[int, int]]]:
        """(school, day) named in covers.csv and in submitted.csv."""
        ids = lookups.ids_of("school", {claim.school for claim in self.claims})
        claimed: dict[str, set[tuple[int, int]]] = {"covers": set(), "submitted": set()}
        for claim in self.claims:
            if claim.school in ids:
                claimed[claim.table].add((ids[claim.school], day_number(claim.day)))
            else:
                problem = Problem(claim.line, NO_SCHOOL, "school_id", claim.school)
                self.problem(claim.file, problem, False, UNKNOWN_SCHOOL)
        self.covered = claimed["covers"]
        shown = {(claim.school, claim.day) for claim in self.claims if claim.taken}
        self.taken = {(ids[school], day_number(day)) for school, day in shown if school in ids}
        return claimed

    # -- which days ------------------------------------------------------------------------------------------

    def _look_at_days(
        self, sifted: Sifted, unread: Sifted, claimed: Mapping[str, set[tuple[int, int]]]
    ) -> tuple[Enrolment, Days]:
        """The school-days spoken of; counts and remarks on rows that will be held out of measures."""
        spoken_of = np.concatenate([sifted.school_day, unread.school_day])
        self.taken |= set(map(school_and_day, unread.school_day.tolist()))
        delivered = set(map(school_and_day, np.unique(spoken_of).tolist()))
        pairs = sorted(delivered | claimed["covers"] | claimed["submitted"])
        if self.part.days is not None:
            pairs = sorted((school, day_number(day)) for school, day in self.part.days)
        enrolment = Enrolment((school for school, _ in pairs), (day for _, day in pairs))
        enrolled, teaches = enrolment.enrolled(sifted.student, sifted.school, sifted.day)
        unknown = sifted.kind == Kind.UNKNOWN
        held_out = {"unknown_code": unknown, "off_calendar": ~teaches, "not_enrolled": ~enrolled}
        self.found.counts.update({name: int(rows.sum()) for name, rows in held_out.items()})
        for remark in remarks.on_rows_held_out(sifted, held_out, today()):
            self._remark(*remark)
        for _, school in enrolment.without_calendar:
            self.found.notes.append(f"{school} has no calendar yet, so nothing can be measured there.")
        return enrolment, Days(pairs, sifted, enrolment, enrolled & teaches)

    def _store_days(self, sifted: Sifted, enrolment: Enrolment, days: Days) -> None:
        schools = len(enrolment.schools)
        self.found.counts["schools"] = schools
        fitting = ROWS_A_SLICE * schools // max(len(sifted), 1)
        self.found.schools_a_slice = max(1, min(SCHOOLS_A_SLICE, fitting))
        entered = zip(days.pairs, days.entered.tolist(), strict=True)
        taken = [entry or at in self.taken for at, entry in entered]
        days.store(self.batch.id, [self._is_whole(*day) for day in self._counted(days)], taken)

    def _counted(self, days: Days) -> Iterable[tuple[tuple[int, int], int, int]]:
        return zip(days.pairs, days.students.tolist(), days.expected.tolist(), strict=True)

    def _is_whole(self, at: tuple[int, int], students: int, due: int) -> bool:
        """A day is claimed whole by covers.csv, or by a full feed with rows for enough of the students due."""
        if self.part.days is not None:
            return self.part.days[at[0], day_of(at[1])]
        by_rows = self.batch.feed == "full" and self.part.waiting is None
        return at in self.covered or (by_rows and is_whole(students, due, self.limits))

    # -- what people are told --------------------------------------------------------------------------------

    def _remark(
        self, row: int, sentence: str, column: str, value: str, *, rejected: bool = False, cause: str = ""
    ) -> None:
        file, line = (int(self.rows.columns[name][row]) for name in ("file", "line"))
        self.problem(self.rows.file_names[file], Problem(line, sentence, column, value), rejected, cause)
