"""What a district hands over, as plain values: a roster, and deliveries of attendance in the order they came."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date, datetime

SchoolDay = tuple[str, date]


@dataclass(frozen=True, slots=True)
class School:
    """A school, the length of its day, and how long one must be there for a whole and for half a day.

    `periods`: the minutes of each class period, where there is a timetable; 0 for one that does not count.
    """

    key: str
    day_minutes: int = 420
    min_full: int = 300
    min_half: int = 150
    primary_source: str = ""
    periods: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class CalendarDay:
    """One day of one calendar; `value` in thousandths of a day; `calendar` is blank for the school's own."""

    school: str
    calendar: str
    date: date
    day_type: str = "instructional"
    value: int = 1000
    minutes: int | None = None

    @property
    def instructional(self) -> bool:
        return self.day_type in ("instructional", "make_up")


@dataclass(frozen=True, slots=True)
class Stint:
    """A student's time at a school; `exit` is the last day, or with `exclusive` the day after it."""

    student: str
    school: str
    entry: date
    exit: date | None = None
    exit_code: str = ""
    calendar: str = ""
    exclusive: bool = False
    primary: bool = True


@dataclass(frozen=True, slots=True)
class Session:
    """A term and how many school days it is said to have."""

    school: str
    name: str
    begin: date
    end: date
    days: int


@dataclass(frozen=True, slots=True)
class Code:
    """What a code means, at one school or (school blank) in the whole district, from a day to a day."""

    code: str
    kind: str
    fraction: int
    excused: str
    school: str = ""
    valid_from: date | None = None
    valid_to: date | None = None

    def holds_on(self, day: date) -> bool:
        return (self.valid_from or day) <= day <= (self.valid_to or day)


@dataclass(frozen=True, slots=True)
class Row:
    """One line of an attendance file; `period` is blank for the whole day. `clock` is written behind the date.

    Once it stands: `first`, the delivery that first told of its period, and whether that said something `else_`.
    """

    student: str
    school: str
    date: date
    code: str
    fraction: int | None = None
    minutes: int | None = None
    period: str = ""
    last_modified: datetime | None = None
    clock: str = ""
    first: int = 0
    else_: bool = False

    @property
    def key(self) -> tuple[str, str, date, str]:
        return (self.student, self.school, self.date, self.period)

    @property
    def says(self) -> tuple[str, int | None, int | None]:
        return (self.code, self.fraction, self.minutes)


@dataclass(frozen=True, slots=True)
class Delivery:
    """One accepted file with what lay beside it."""

    rows: tuple[Row, ...]
    feed: str = "exception"
    source: str = "sis"
    covers: frozenset[SchoolDay] = frozenset()
    submitted: frozenset[SchoolDay] = frozenset()
    undone: bool = False


@dataclass(slots=True)
class Roster:
    """All that is known besides attendance. A later row with the same key replaces the earlier one.

    people: grade and birth date. same: former ids, each with the id that holds.
    """

    students: set[str] = field(default_factory=set)
    schools: dict[str, School] = field(default_factory=dict)
    calendar: dict[tuple[str, str, date], CalendarDay] = field(default_factory=dict)
    stints: dict[tuple[str, str, date], Stint] = field(default_factory=dict)
    codes: dict[tuple[str, str, date | None], Code] = field(default_factory=dict)
    people: dict[str, tuple[str, date | None]] = field(default_factory=dict)
    same: dict[str, str] = field(default_factory=dict)

    def child(self, student: str) -> str:
        """The id that holds of whoever has this id."""
        return self.same.get(student, student)

    def hear(
        self,
        *,
        students: list[str] | None = None,
        people: dict[str, tuple[str, date | None]] | None = None,
        schools: list[School] | None = None,
        calendar: list[CalendarDay] | None = None,
        stints: list[Stint] | None = None,
        codes: list[Code] | None = None,
    ) -> None:
        """One roster delivery. A date given twice in it is a school day if any of its rows says so."""
        self.students.update(students or ())
        self.people.update(people or {})
        self.schools.update({school.key: school for school in schools or ()})
        self.stints.update({(s.student, s.school, s.entry): s for s in stints or ()})
        self.codes.update({(c.school, c.code, c.valid_from): c for c in codes or ()})
        fresh: dict[tuple[str, str, date], CalendarDay] = {}
        for day in calendar or ():
            key = (day.school, day.calendar, day.date)
            if key not in fresh or day.instructional or not fresh[key].instructional:
                fresh[key] = day
        self.calendar.update(fresh)

    def copy(self) -> Roster:
        """The same roster, free to change."""
        return replace(
            self,
            students=set(self.students),
            schools=dict(self.schools),
            calendar=dict(self.calendar),
            stints=dict(self.stints),
            codes=dict(self.codes),
            people=dict(self.people),
            same=dict(self.same),
        )
