"""Invented districts whose students live through everything that real feeds do, often.

Every history is a list of steps: rosters, attendance files, files that are taken back or sent twice. It also
counts, by the number of the edge case, for how many students or rows something happened.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from random import Random

from tests.oracle import written
from tests.oracle.district import DISTRICT_CODES, Plan, plan
from tests.oracle.events import Events
from tests.oracle.membership import Membership
from tests.oracle.rows import CalendarDay, Code, Delivery, Row, School, SchoolDay, Session, Stint


@dataclass(frozen=True, slots=True)
class RosterStep:
    """A roster delivery; enrolments with exclusive exits come from a source of their own."""

    students: list[str] = field(default_factory=list)
    schools: list[School] = field(default_factory=list)
    stints: list[Stint] = field(default_factory=list)
    calendar: list[CalendarDay] = field(default_factory=list)
    codes: list[Code] = field(default_factory=list)
    sessions: list[Session] = field(default_factory=list)
    people: dict[str, tuple[str, date | None]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class MergeStep:
    """Somebody says that two ids are one child."""

    kept: str
    gone: str


@dataclass(frozen=True, slots=True)
class FileStep:
    """An attendance delivery, by its place in the history's list; `again`: the same bytes once more."""

    delivery: Delivery
    again: bool = False


@dataclass(frozen=True, slots=True)
class UndoStep:
    """Take the file back that was the n-th."""

    number: int


@dataclass(frozen=True, slots=True)
class OddStep:
    """A file that nobody lets in: refused, or held and put away. Nothing of it may count."""

    case: int
    content: bytes
    ends: str  # refused or held


Step = RosterStep | FileStep | UndoStep | MergeStep | OddStep


@dataclass(slots=True)
class History:
    """A district from its first roster to its last correction."""

    plan: Plan
    steps: list[Step]
    happened: Counter[int]


CHUNKS = 5


class _Writer:
    """Writes the steps of one history."""

    def __init__(self, seed: int, students: int) -> None:
        self.chance = Random(seed)
        self.happened: Counter[int] = Counter()
        self.plan = plan(self.chance, students, self.happened)
        self.steps: list[Step] = []
        self.files = 0
        self.rows: dict[tuple[str, str, date, str], Row] = {}
        self.late: list[Row] = []
        self.membership = Membership(self.plan.roster)

    def write(self) -> History:
        roster, newcomers = self.plan.roster, set(self.plan.newcomers)
        known = [stint for stint in roster.stints.values() if stint.student not in newcomers]
        self.steps.append(
            RosterStep(
                self.plan.students,
                list(roster.schools.values()),
                known,
                self.plan.calendar,
                DISTRICT_CODES,
                people=self.plan.roster.people,
            )
        )
        pieces = self._pieces()
        for number, days in enumerate(pieces):
            self._week(days, last=number == len(pieces) - 1)
            if number:
                self._corrections()
                self._whole_days_again()
            if number == 1:
                self._odd_files()
            if number == 2:
                self._mistake()
                self._another_source()
            if number == 2:
                self._say_who_is_one_child()
            if number == 3:
                self._change_the_roster()
        self._again()
        return History(self.plan, self.steps, self.happened)

    def _pieces(self) -> list[list[date]]:
        days = self.plan.days
        size = -(-len(days) // CHUNKS)
        return [days[at : at + size] for at in range(0, len(days), size)]

    def _file(self, rows: list[Row], **more: object) -> None:
        if not rows and not more.get("covers"):  # a header alone is refused
            return
        rows = self._one_id_a_file(rows)
        self.files += 1
        self.happened[66] += 1
        self.steps.append(FileStep(Delivery(tuple(rows), **more)))  # type: ignore[arg-type]
        for row in rows:
            self.rows[row.key] = row

    def _one_id_a_file(self, rows: list[Row]) -> list[Row]:
        """The rows without a former id's where the child's own id has the day: inside a file nothing decides then."""
        own = {(row.student, row.school, row.date) for row in rows}
        return [row for row in rows if (self.plan.twins.get(row.student), row.school, row.date) not in own]

    # -- the ordinary days -----------------------------------------------------------------------------------

    def _week(self, days: list[date], last: bool) -> None:
        """The files of some days: one exception feed and one full feed, and what was late the last time."""
        rows, covers, submitted = list(self.late), set[SchoolDay](), set[SchoolDay]()
        self.happened[69] += len(self.late)
        self.late = []
        full: list[Row] = []
        events = Events(self.plan, self.chance, self.happened)
        for school in self.plan.roster.schools:
            for day in days:
                due = sorted(self.membership.all_due(school, day))
                if not due:
                    continue
                here = self._one_id_a_day(events.of_school_day(school, day, due))
                if school in self.plan.full:
                    full += self._full_day(here, school, day, due)
                elif self.chance.random() < 0.07:
                    self.happened[2] += len(due)
                elif school in self.plan.late:
                    self.happened[3] += 1
                    if not last:
                        self.late += here
                else:
                    rows += here
                    self._say_taken(school, day, bool(here), covers, submitted, len(due))
        taken = {row.key for row in rows}
        rows += [row for row in events.strange_rows(days) if row.key not in taken]
        self._file(_shuffled_students(rows, self.chance), covers=frozenset(covers), submitted=frozenset(submitted))
        if full:
            self._file(full, feed="full")

    def _say_taken(
        self,
        school: str,
        day: date,
        has_rows: bool,
        covers: set[SchoolDay],
        submitted: set[SchoolDay],
        due: int,
    ) -> None:
        """Attendance was taken: the file covers the day, or submitted.csv says so, or only its rows do."""
        how = self.chance.random()
        if how < 0.6:
            covers.add((school, day))
        elif how < 0.85:
            submitted.add((school, day))
        if how < 0.85 or has_rows:
            self.happened[1] += due
        if not has_rows and how < 0.85:
            self.happened[75] += due

    def _full_day(self, here: list[Row], school: str, day: date, due: list[str]) -> list[Row]:
        """A row for nearly everybody, or on a bad day for half of them; none at all once in a while."""
        if self.chance.random() < 0.05:
            self.happened[2] += len(due)
            return []
        share = 0.5 if self.chance.random() < 0.1 else 0.97
        said = {row.student for row in here}
        rows = [row for row in here if row.student in due]
        for student in due:
            if student in said:
                continue
            if self.chance.random() < share:
                rows.append(Row(student, school, day, "P"))
        return rows

    # -- corrections -----------------------------------------------------------------------------------------

    def _corrections(self) -> None:
        """A later file says something else about days long gone."""
        known = [row for row in self.rows.values() if not row.period and row.date in self.plan.day_set]
        rows = []
        for row in self.chance.sample(known, min(len(known) // 12, 120)):
            code = self.chance.choice(["E", "E", "A", "P", "T", "X", "AQ7"])
            when = self.plan.moment(row.date, self.chance.choice([-1, 8, 20])) if row.last_modified else None
            rows.append(Row(row.student, row.school, row.date, code, last_modified=when))
            self.happened[69] += 1
            self.happened[4] += (row.code, code) == ("A", "E")
            self.happened[78] += row.code in ("A", "E") and code in ("P", "T")
            self.happened[11] += code == "AQ7"
        self._file(rows)

    def _whole_days_again(self) -> None:
        """Days sent once more as a whole, with fewer rows: what is not in the file is taken away."""
        taken = sorted({(row.school, row.date) for row in self.rows.values() if row.date in self.plan.day_set})
        days = [at for at in taken if at[0] in self.plan.daily]
        chosen = frozenset(self.chance.sample(days, min(3, len(days))))
        rows = [row for row in self.rows.values() if (row.school, row.date) in chosen and self.chance.random() < 0.7]
        self._file(rows, covers=chosen)
        self.rows = {key: row for key, row in self.rows.items() if (row.school, row.date) not in chosen}
        self.rows |= {row.key: row for row in rows}
        full = [at for at in taken if at[0] in self.plan.full]
        again = [row for at in self.chance.sample(full, min(2, len(full))) for row in self._all_but_few(*at)]
        self.happened[70] += len(rows) + len(again)
        if again:
            self._file(again, feed="full")

    def _all_but_few(self, school: str, day: date) -> list[Row]:
        """Nine in ten of those who are due, everybody present but for what stood."""
        due = sorted(self.membership.all_due(school, day))
        here = self.chance.sample(due, len(due) - len(due) // 10)
        return [self.rows.get((student, school, day, "")) or Row(student, school, day, "P") for student in here]

    def _another_source(self) -> None:
        """A second system says something else about days on which the school's own has spoken."""
        known = [row for row in self.rows.values() if row.school in self.plan.daily and not row.period]
        told = self.chance.sample(known, min(20, len(known)))
        rows = [Row(row.student, row.school, row.date, self.chance.choice("AEPT")) for row in told]
        self.steps.append(FileStep(Delivery(tuple(rows), source="gate")))
        self.files += 1

    def _mistake(self) -> None:
        """A wrong file that speaks for whole days; something is said on top; then the wrong file is taken back."""
        taken = sorted({(row.school, row.date) for row in self.rows.values() if row.school in self.plan.daily})
        taken = [at for at in taken if at[1] in self.plan.day_set]
        wrong = frozenset(self.chance.sample(taken, min(6, len(taken))))
        mistaken = [
            Row(student, school, day, self.chance.choice("AET"))
            for school, day in sorted(wrong)
            for student in sorted(self.membership.all_due(school, day))
            if self.chance.random() < 0.2
        ]
        before = dict(self.rows)
        self._file(mistaken, covers=wrong)
        number = self.files - 1
        self.rows = before
        again = [Row(r.student, r.school, r.date, self.chance.choice("EP")) for r in mistaken[::5]]
        self._file(again)
        self.steps.append(UndoStep(number))

    def _odd_files(self) -> None:
        """A calendar off by some days, dates that read two ways, and files that say nothing at all."""
        known = [row for row in self.rows.values() if row.school in self.plan.daily and not row.period]
        rows = self.chance.sample(known, min(40, len(known)))
        away = len(rows) // 4
        shifted = [replace(row, date=row.date + timedelta(days=6 - row.date.weekday())) for row in rows[:away]]
        self._odd(25, written.attendance([*shifted, *rows[away:]], self.chance), "held", away)
        said = "".join(f"{row.student},{row.school},{row.date:%m}/0{1 + n % 9}/2026,A\n" for n, row in enumerate(rows))
        self._odd(35, f"student_id,school_id,date,code\n{said}".encode(), "refused", len(rows))
        for nothing in (b"student_id,school_id,date,code\n", b"\xef\xbb\xbf"):
            self._odd(67, nothing, "refused", 1)

    def _odd(self, case: int, content: bytes, ends: str, often: int) -> None:
        self.steps.append(OddStep(case, content, ends))
        self.happened[case] += often

    def _change_the_roster(self) -> None:
        """Snow days, a day made up on a Saturday, a code that is mapped at last, an exit nobody had told."""
        changed = self.plan.change_roster(self.chance, self.happened)
        self.steps.append(
            RosterStep(self.plan.newcomers, [], *changed, self.plan.sessions(self.happened), self.plan.roster.people)
        )
        self.membership = Membership(self.plan.roster)

    def _say_who_is_one_child(self) -> None:
        """Ids that have changed become one child; a day of each is corrected under the other id."""
        for gone, kept in self.plan.twins.items():
            if kept not in self.plan.newcomers and gone not in self.plan.newcomers:
                self.steps.append(MergeStep(kept, gone))
                self.plan.roster.same[gone] = kept
                self.happened[63] += 1
        self.membership = Membership(self.plan.roster)
        stood = [row for row in self.rows.values() if row.student in self.plan.roster.same and not row.period]
        chosen = self.chance.sample(stood, min(len(stood), 10))
        other = self.plan.roster.same
        self._file([Row(other[r.student], r.school, r.date, "E" if r.code == "A" else "A") for r in chosen])

    def _one_id_a_day(self, rows: list[Row]) -> list[Row]:
        """All rows of a child's day under one id of theirs."""
        former = {kept: gone for gone, kept in self.plan.roster.same.items()}
        chosen = {row.student: former[row.student] for row in rows if row.student in former}
        swapped = {kept for kept in chosen if self.chance.random() < 0.4}
        return [replace(row, student=chosen[row.student]) if row.student in swapped else row for row in rows]

    def _again(self) -> None:
        """The last file once more, unchanged."""
        last = next(step for step in reversed(self.steps) if isinstance(step, FileStep))
        self.happened[68] += len(last.delivery.rows)
        self.steps.append(FileStep(last.delivery, again=True))


def _shuffled_students(rows: list[Row], chance: Random) -> list[Row]:
    chance.shuffle(rows)
    return rows


def invented(seed: int, students: int) -> History:
    """The history of this number; the same number gives the same history."""
    return _Writer(seed, students).write()
