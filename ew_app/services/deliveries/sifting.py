"""The rows of a delivery with ids in place of keys and meanings in place of codes, and which of them stand."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, date, datetime
from itertools import repeat
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ew_app.kernel import settings
from ew_app.services.deliveries.arriving import Arrivals, Values
from ew_app.services.deliveries.enrolment import EPOCH, day_number, day_of
from models.attendance import DELETED
from models.queries import lookups
from rules.codes import Meaning, meaning
from rules.counting import are, many
from rules.day import Kind, Reason, precedence
from rules.same_day import standing
from rules.tiers import days_text

Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

STUDENT_BITS: Final = 31
SAID: Final = ("code", "fraction_absent", "minutes_absent")
CONTRADICTED: Final = (
    'The file says two things of this student and day. "{}" stands; look at the day in the student system.'
)
_BEFORE_1970: Final = 1 << 20


class Sifted:
    """Rows as parallel arrays that lose what does not go in, step by step.

    student and school are ids, -1 where nobody knows the key; day counts from 1970; modified is microseconds since
    1970, 0 without. After `read_codes` also kind, reason and share (thousandths) of each row's code.
    """

    def __init__(self, rows: Arrivals) -> None:
        self.rows = rows
        self.student, self.school = self._ids("student", "student_id"), self._ids("school", "school_id")
        self.day = by_number(rows.values["date"], day_number)[rows.columns["date"]]
        self.modified = self._modified()
        self.kind = self.reason = self.share = np.zeros(len(rows), dtype=np.int64)

    def __len__(self) -> int:
        return len(self.rows)

    def only(self, chosen: Flags) -> None:
        """Keep the chosen rows."""
        if chosen.all():
            return
        self.rows.only(chosen)
        for name in ("student", "school", "day", "modified", "kind", "reason", "share"):
            setattr(self, name, getattr(self, name)[chosen])

    def only_on(self, days: Collection[tuple[int, date]]) -> None:
        """Keep the rows of some school-days."""
        wanted = np.fromiter((school_day(school, day_number(day)) for school, day in days), np.int64, len(days))
        self.only(np.isin(self.school_day, wanted))

    def only_about(self, students: Mapping[tuple[int, date], Collection[int]]) -> None:
        """On some school-days keep only the rows of some students; other days stay as they are."""
        days = {school_day(school, day_number(day)): numbers for (school, day), numbers in students.items()}
        asked = np.array(sorted(days), dtype=np.int64)
        place = np.searchsorted(asked, self.school_day)
        wanted = [at << STUDENT_BITS | student for at, day in enumerate(asked.tolist()) for student in days[day]]
        here = np.isin(self.school_day, asked)
        self.only(~here | np.isin(place << STUDENT_BITS | self.student, np.array(wanted, dtype=np.int64)))

    @property
    def known(self) -> Flags:
        """Rows whose student and school there are."""
        return (self.student >= 0) & (self.school >= 0)

    @property
    def school_day(self) -> Ints:
        """School and day of each row as one number."""
        return np.asarray(school_day(self.school, self.day))

    @property
    def key(self) -> Ints:
        """School, day, period and student as one number: equal for rows of one key, sorted by school-day."""
        school, day = _dense(self.school), _dense(self.day)
        period = self.rows.columns.get("period", np.zeros(len(self), dtype=np.int32))
        at = (school * (int(day.max(initial=0)) + 1) + day) * len(self.rows.values["period"]) + period
        return np.asarray(at << STUDENT_BITS | self.student)

    def places(self, chosen: Flags) -> list[tuple[int, int, str]]:
        """(school-day, student, period) of the chosen rows."""
        at = np.flatnonzero(chosen)
        periods = (period or "" for period in self.rows.texts("period", at))
        return list(zip(self.school_day[at].tolist(), self.student[at].tolist(), periods, strict=True))

    @property
    def plain(self) -> Flags:
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

    def read_codes(self, brought: Sequence[Meaning] = ()) -> None:
        """Kind, reason and share of each row's code at its school on its day; asked once for each combination.

        brought: what the delivery's format says of codes that nobody has explained yet.
        """
        schools, codes = np.unique(self.school), self.rows.values["code"]
        meanings = [_meaning(row) for row in lookups.code_meanings(schools.tolist(), list(codes))]
        meanings += (meaning for meaning in brought if meaning.code in codes)
        nothing = np.zeros(len(self), dtype=np.int64)
        place = np.searchsorted(schools, self.school) if any(m.school for m in meanings) else nothing
        days, when = np.unique(self.day, return_inverse=True)
        if not any(m.starts or m.ends for m in meanings):
            when = nothing
        asked, back = np.unique(
            (place * len(days) + when) * len(codes) + self.rows.columns["code"], return_inverse=True
        )
        by_code: defaultdict[str, list[Meaning]] = defaultdict(list)
        for one in meanings:
            by_code[one.code].append(one)
        answers = [self._answer(number, by_code, schools, days) for number in asked.tolist()]
        for name, part in (("kind", "kind"), ("reason", "reason"), ("share", "fraction")):
            said = np.array([getattr(answer, part) for answer in answers], dtype=np.int64)
            setattr(self, name, said[back])

    def standing(self) -> Flags:
        """Of several rows for one student, school, day and period the one that stands."""
        rank = np.where(self.deleted, 0, precedence(self.kind, self.reason))
        return standing(self.key, self.modified, rank)

    @property
    def deleted(self) -> Flags:
        """Rows that only say of an event that it was deleted; such a row goes behind every other."""
        return np.asarray(self.rows.columns["code"] == self.rows.values["code"].get(DELETED, -1), dtype=bool)

    def beside(self, stands: Flags) -> NDArray[np.intp]:
        """Rows of events beside the one that stands: under another code, or a deletion that names another event."""
        lost = np.flatnonzero(~stands)
        if not len(lost):
            return lost
        kept = self._winners(stands, lost)
        code, reason = self.rows.columns["code"], self.rows.columns.get("reason", self.rows.columns["code"])
        differs = (code[lost] != code[kept]) | (self.deleted[lost] & (reason[lost] != reason[kept]))
        return np.asarray(lost[differs], dtype=np.intp)

    def contradicted(self, stands: Flags) -> list[tuple[int, str, str]]:
        """(row, what it says, the sentence for people) of each row that does not stand and says something else."""
        lost = np.flatnonzero(~stands)
        if not len(lost):
            return []
        lost = lost[~self.deleted[lost]]
        kept = self._winners(stands, lost)
        told = [self.rows.columns[name] for name in SAID if name in self.rows.columns]
        other = np.logical_or.reduce([column[lost] != column[kept] for column in told])
        said, instead = (self._said(rows[other]) for rows in (lost, kept))
        return list(zip(lost[other].tolist(), said, map(CONTRADICTED.format, instead), strict=True))

    def _winners(self, stands: Flags, lost: NDArray[np.intp]) -> NDArray[np.intp]:
        """For each of some rows that do not stand the row that does."""
        key, kept = self.key, np.flatnonzero(stands)
        kept = kept[np.argsort(key[kept])]
        return np.asarray(kept[np.searchsorted(key[kept], key[lost])], dtype=np.intp)

    def repeated(self, stands: Flags, differing: Sequence[int]) -> list[str]:
        """What to tell of rows that say the same as another row; differing: rows that do not stand and say else."""
        again = np.setdiff1d(np.flatnonzero(~stands), differing)
        if not len(again):
            return []
        line = self.rows.columns["line"][again[0]]
        rows = f"{many(len(again), 'row')} {are(len(again), 'says', 'say')}"
        return [f"{rows} once more what another row says, the first on line {line:,}. Each counts once."]

    def _said(self, rows: NDArray[np.intp]) -> list[str]:
        """The code of some rows, with the part of the day or the minutes beside it."""
        told = zip(*(self.rows.texts(name, rows) for name in SAID), strict=True)
        return [
            code
            + ("" if part is None else f" ({days_text(part)} of the day)")
            + ("" if minutes is None else f" ({minutes} minutes)")
            for code, part, minutes in told
        ]

    def _ids(self, table: str, column: str) -> Ints:
        values, ids = self.rows.values[column], ids_of(self.rows, table, column)
        known = np.fromiter(map(ids.get, values, repeat(-1)), np.int64, len(values))
        return known[self.rows.columns[column]]

    def _modified(self) -> Ints:
        if "last_modified" not in self.rows.columns:
            return np.zeros(len(self), dtype=np.int64)
        return by_number(self.rows.values["last_modified"], _microseconds)[self.rows.columns["last_modified"]]

    def _answer(self, number: int, meanings: Mapping[str, list[Meaning]], schools: Ints, days: Ints) -> Meaning:
        """What the code of one combination means."""
        rest, code = divmod(number, len(self.rows.values["code"]))
        place, when = divmod(rest, len(days))
        text = list(self.rows.values["code"])[code]
        return meaning(meanings.get(text, ()), int(schools[place]), day_of(days[when]))


def ids_of(rows: Arrivals, table: str, column: str) -> dict[str, int]:
    """Key -> id for those keys of the rows that a table (student or school) has; looked up once."""
    if table not in rows.ids:
        rows.ids[table] = lookups.ids_of(table, rows.values[column])
    return rows.ids[table]


def by_number(values: Values, read: Callable[[Any], int]) -> Ints:
    """What each different value of a column reads as, by its number."""
    return np.fromiter((read(value) for value in values), np.int64, len(values))


def school_day(school: Any, day: Any) -> Any:
    """School and day (since 1970, may be negative) as one number that sorts like both."""
    return (school << 32) + day + _BEFORE_1970


def school_and_day(number: int) -> tuple[int, int]:
    """The school and day of such a number."""
    return number >> 32, (number & 0xFFFFFFFF) - _BEFORE_1970


def _meaning(row: Any) -> Meaning:
    school, code, kind, excused, fraction, starts, ends = row
    return Meaning(school, code, Kind[kind.upper()], Reason[excused.upper()], fraction, starts, ends)


def _dense(column: Ints) -> Ints:
    """The rank of each value among the different values."""
    return np.searchsorted(np.unique(column), column).astype(np.int64)


def _microseconds(moment: datetime | None) -> int:
    """Since 1970; a time without an offset is local."""
    if moment is None:
        return 0
    aware = moment if moment.tzinfo else moment.replace(tzinfo=settings().timezone)
    since = aware.astimezone(UTC) - datetime(EPOCH.year, 1, 1, tzinfo=UTC)
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds
