"""The schools, calendars and enrolments of an invented district."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from random import Random

from tests.oracle.rows import CalendarDay, Code, Roster, School, Session, Stint

SATURDAY = 5
DISTRICT_CODES = [
    Code("P", "present", 0, "unknown"),
    Code("A", "absence", 1000, "unexcused"),
    Code("E", "absence", 1000, "excused"),
    Code("X", "absence", 1000, "exempt"),
    Code("N", "absence", 1000, "unknown"),
    Code("AH", "absence", 500, "unexcused"),
    Code("EH", "absence", 500, "excused"),
    Code("T", "tardy", 0, "unknown"),
    Code("TU", "tardy", 0, "unexcused"),
    Code("D", "early_leave", 0, "excused"),
    Code("OSS", "suspension_out", 1000, "unexcused"),
    Code("OSE", "suspension_out", 1000, "excused"),
    Code("ISS", "suspension_in", 0, "unknown"),
    Code("HB", "homebound", 0, "unknown"),
    Code("HO", "hospital", 0, "unknown"),
    Code("R", "remote", 0, "unknown"),
    Code("RN", "remote", 1000, "unexcused"),
    Code("SF", "school_function", 0, "unknown"),
    Code("NM", "non_membership", 0, "unknown"),
    Code("U", "absence", 1000, "unexcused"),
    Code("U", "present", 0, "unknown", school="040"),
    Code("Q", "absence", 1000, "excused", valid_to=date(2026, 6, 30)),
    Code("Q", "tardy", 0, "unknown", valid_from=date(2026, 7, 1)),
]
LATE_CODE = Code("Z9", "absence", 500, "excused")
"""A code that is used for weeks before anybody says what it means."""
NEVER_SENT = tuple(date(2025, 5, day) for day in (5, 6, 7, 8, 9, 12))
"""Days of a year with a calendar and enrolments, and without any attendance."""

SCHOOLS = (
    School("010", primary_source="sis"),
    School("10", primary_source="sis"),
    School("020", primary_source="sis"),
    School("030", primary_source="sis"),
    School("040", 390, 300, 150, "sis"),
    School("050", 420, 360, 180, "sis"),
    School("060", primary_source="sis"),
    School("070", primary_source="sis"),
)
DAILY, PERIODS, MINUTES, GRADES, NO_CALENDAR, LATE = "010", "020", "040", "050", "060", "070"
FULL = "030"
EXCLUSIVE = "040"
"""Its enrolments come from a system that writes the day after the last."""


@dataclass(slots=True)
class Plan:
    """What the district is, and what will be told about it later."""

    roster: Roster
    students: list[str]
    newcomers: list[str]
    calendar: list[CalendarDay]
    days: list[date]
    today: date
    daily: tuple[str, ...] = (DAILY, "10")
    full: tuple[str, ...] = (FULL,)
    late: tuple[str, ...] = (LATE,)
    leaning: dict[str, float] = field(default_factory=dict)
    twins: dict[str, str] = field(default_factory=dict)

    @property
    def day_set(self) -> set[date]:
        return set(self.days)

    def sessions(self, happened: Counter[int]) -> list[Session]:
        """What terms are said to have, a day too many every second time."""
        found = []
        for number, school in enumerate(self.roster.schools):
            begin, end = self.days[0], self.days[len(self.days) // 2]
            own = [day for day in self.roster.calendar.values() if day.school == school and not day.calendar]
            days = [day for day in own if day.instructional]
            total = len([day for day in days if begin <= day.date <= end])
            if not days:
                continue
            found.append(Session(school, "Fall", begin, end, total + number % 2))
            happened[27] += 1
        return found

    def moment(self, day: date, hours: int) -> datetime:
        return datetime(day.year, day.month, day.day, 12) + timedelta(hours=hours)  # noqa: DTZ001 a plain value

    def change_roster(
        self, chance: Random, happened: Counter[int]
    ) -> tuple[list[Stint], list[CalendarDay], list[Code]]:
        """What a later roster says otherwise; the plan's own roster follows."""
        stints = [s for s in self.roster.stints.values() if s.student in self.newcomers]
        snow = chance.sample(self.days[: len(self.days) // 2], 2)
        calendar = [
            CalendarDay(s.key, "", day, "weather") for day in snow for s in SCHOOLS if s.key not in (NO_CALENDAR, "10")
        ]
        happened[28] += len(calendar)
        sunday_free = self.days[-1] - timedelta(days=(self.days[-1].weekday() - SATURDAY) % 7)
        calendar += [CalendarDay(key, "", sunday_free, "make_up") for key in (DAILY, FULL)]
        happened[29] += 2
        if sunday_free not in self.day_set:
            self.days = sorted({*self.days, sunday_free})
        self.roster.hear(calendar=calendar, codes=[LATE_CODE])
        return stints, calendar, [LATE_CODE]


def plan(chance: Random, students: int, happened: Counter[int]) -> Plan:
    """A district of about so many students."""
    start = date(2026, 8, 17)
    before = chance.choice([0, 25, 60])
    length = chance.choice([30, 50, 70, 130])
    days = _school_days(chance, start - timedelta(days=60 + before * 7 // 5), start - timedelta(days=60))
    days += _school_days(chance, start, start + timedelta(days=length * 7 // 5))
    roster = Roster()
    calendar = _calendars(chance, days, happened)
    schools = [replace(s, periods=_timetable(chance)) if s.key == PERIODS else s for s in SCHOOLS]
    roster.hear(schools=schools, calendar=calendar, codes=list(DISTRICT_CODES))
    made = Plan(roster, [], [], calendar, days, days[-1] + timedelta(days=2))
    enrol = _Enrolling(made, chance, happened, start)
    for number in range(students):
        enrol.one(number)
    roster.hear(students=made.students + made.newcomers, stints=enrol.stints)
    return made


def _timetable(chance: Random) -> tuple[tuple[str, int], ...]:
    """Seven periods, some of which may not count; or nobody told."""
    sizes = chance.choice([None, (60,) * 7, (50,) * 7, (60, 60, 60, 60, 60, 45, 45), (90, 90, 90, 90, 0, 60, 0)])
    return tuple((str(number + 1), minutes) for number, minutes in enumerate(sizes or ()))


def _school_days(chance: Random, start: date, end: date) -> list[date]:
    days = [start + timedelta(days=n) for n in range((end - start).days)]
    weekdays = [day for day in days if day.weekday() < SATURDAY]
    return [day for day in weekdays if chance.random() > (0.15 if day.weekday() == 0 else 0.03)]


def _calendars(chance: Random, days: list[date], happened: Counter[int]) -> list[CalendarDay]:
    """Every school's calendar, one of its own for the smallest, and one for Tuesdays and Thursdays."""
    value = {day: 500 if chance.random() < 0.05 else 1000 for day in days}
    found = []
    for school in SCHOOLS:
        if school.key == NO_CALENDAR:
            continue
        for day in days:
            minutes = chance.choice([None, None, None, None, 200, 240, 361])
            minutes = 210 if value[day] == 500 else minutes
            row = CalendarDay(school.key, "", day, "instructional", value[day], minutes)
            found.append(row)
            if chance.random() < 0.02:
                found.append(row)
                happened[76] += 1
            if chance.random() < 0.02:
                found.append(CalendarDay(school.key, "", day, "non_instructional"))
                happened[32] += 1
        found += [CalendarDay(school.key, "", day, "instructional") for day in NEVER_SENT]
        closed = {day + timedelta(days=n) for day in days for n in range(1, 4)} - set(days)
        found += [CalendarDay(school.key, "", day, "holiday") for day in sorted(closed)]
    found += [CalendarDay(GRADES, key, day, "instructional") for day in NEVER_SENT for key in ("K", "TT")]
    for number, day in enumerate(days):
        if number > 4:
            minutes = chance.choice([None, 180])
            found.append(CalendarDay(GRADES, "K", day, "instructional", value[day], minutes))
        if day.weekday() in (1, 3):
            found.append(CalendarDay(GRADES, "TT", day, "instructional", value[day]))
    return found


class _Enrolling:
    """Gives one student after the other a life."""

    def __init__(self, made: Plan, chance: Random, happened: Counter[int], start: date) -> None:
        self.plan, self.chance, self.happened, self.start = made, chance, happened, start
        self.stints: list[Stint] = []
        this_year = [day for day in made.days if day >= start]
        self.middle = this_year[len(this_year) // 3 : 2 * len(this_year) // 3]
        self.first_day = this_year[0]
        self.last_day = this_year[-1]

    def one(self, number: int) -> None:
        """One student; every tenth pair differs by a leading zero alone."""
        key = f"{number:05d}"
        self.happened[64] += number % 2  # shares the state's id, and the name, with the one before
        if number % 20 == 1:
            key = str(number - 1)
            self.happened[65] += 1
        school = self.chance.choice(SCHOOLS).key
        (self.plan.newcomers if self.chance.random() < 0.02 else self.plan.students).append(key)
        self.plan.leaning[key] = self.chance.choice([0.0, 0.03, 0.05, 0.1, 0.1, 0.2, 0.3, 0.6, 0.95])
        self._person(key)
        self.chance.choice(self.LIVES)(self, key, school)

    def _person(self, key: str) -> None:
        """A grade and a birth date around the ages that laws speak of; now and then none."""
        born = self.chance.choice([2007, 2008, 2009, 2010, 2011, 2014, 2016, 2020, 2020, 2021])
        day = date(born, self.chance.randrange(1, 13), self.chance.randrange(1, 29))
        grade = "PK" if born == 2021 else "K" if born == 2020 else ""
        self.happened[58] += born in (2007, 2008, 2009, 2010, 2020, 2021)
        self.plan.roster.people[key] = (grade, None if self.chance.random() < 0.1 else day)

    def _add(
        self, key: str, school: str, entry: date, last: date | None = None, code: str = "", calendar: str = ""
    ) -> None:
        """An enrolment by its last day; the system of one school writes the day after it."""
        exclusive = school == EXCLUSIVE
        leaving = last + timedelta(days=1) if exclusive and last else last
        if school == GRADES and not calendar:
            calendar = self.chance.choice(["", "K", "TT", "no such calendar"])
            self.happened[30] += calendar == "K"
            self.happened[31] += calendar == "TT"
        if exclusive and last:
            self.happened[17] += 1
        elif last:
            self.happened[18] += 1
        self.happened[26] += school == NO_CALENDAR
        self.stints.append(Stint(key, school, entry, leaving, code, calendar, exclusive))

    def _day(self) -> date:
        return self.chance.choice(self.middle)

    def _other(self, school: str) -> str:
        return self.chance.choice([s.key for s in SCHOOLS if s.key != school])

    # -- lives -----------------------------------------------------------------------------------------------

    def stays(self, key: str, school: str) -> None:
        self._add(key, school, self.first_day)

    def summer(self, key: str, school: str) -> None:
        self.happened[72] += 1
        self._add(key, school, self.first_day - timedelta(days=self.chance.randrange(1, 40)))

    def long_here(self, key: str, school: str) -> None:
        self.happened[71] += 1
        self.happened[54] += 1
        self._add(key, school, date(2014, 8, 1))

    def comes_late(self, key: str, school: str) -> None:
        self.happened[6] += 1
        self._add(key, school, self._day())

    def moves(self, key: str, school: str) -> None:
        """To another school: the next day, on the same day, or after a while."""
        day = self._day()
        other = self._other(school)
        gap = self.chance.choice([0, 0, 1, 1, 9])
        self.happened[13] += 1
        self.happened[14] += gap == 0
        self._add(key, school, self.first_day, day)
        self._add(key, other, day + timedelta(days=gap))

    def overlaps(self, key: str, school: str) -> None:
        """Two enrolments at one school that share days."""
        self.happened[15] += 1
        day = self._day()
        calendar = self.chance.choice(["", "K"]) if school == GRADES else ""
        self._add(key, school, self.first_day, day + timedelta(days=5), calendar=calendar)
        self._add(key, school, day, calendar=calendar)

    def at_two_schools(self, key: str, school: str) -> None:
        self.happened[16] += 1
        self._add(key, school, self.first_day)
        self._add(key, self._other(school), self._day(), self.chance.choice([None, self.last_day]))

    def one_day(self, key: str, school: str) -> None:
        self.happened[19] += 1
        day = self._day()
        self._add(key, school, day, day)

    def one_day_between(self, key: str, school: str) -> None:
        """A visit of one day elsewhere, on the day on which everything changes."""
        self.happened[19] += 1
        self.happened[14] += 1
        day = self._day()
        self._add(key, school, day, day)
        self._add(key, self._other(school), day)

    def no_show(self, key: str, school: str) -> None:
        self.happened[20] += 1
        code = self.chance.choice(["No show", "99", "Invalid enrollment"])
        self._add(key, school, self.first_day, self.chance.choice([self.first_day, self._day()]), code)
        if self.chance.random() < 0.5:
            self._add(key, self._other(school), self._day())

    def gone_in_summer(self, key: str, school: str) -> None:
        self.happened[20] += 1
        self._add(key, school, self.first_day - timedelta(days=20), self.first_day - timedelta(days=3))

    def leaves(self, key: str, school: str) -> None:
        self.happened[22] += 1
        self.happened[73] += 1
        self._add(key, school, self.first_day, self._day(), "transfer")

    def returns(self, key: str, school: str) -> None:
        self.happened[23] += 1
        day = self.middle[0]
        self._add(key, school, self.first_day, day)
        self._add(key, school, self.chance.choice(self.middle[2:]))

    def never_seen(self, key: str, school: str) -> None:
        self.happened[21] += 1
        self.happened[53] += 1
        self.plan.leaning[key] = 2.0
        self._add(key, school, self.first_day)

    def another_id(self, key: str, school: str) -> None:
        """One child whose id changes, now and then with both ids enrolled for a while."""
        school = self.chance.choice([DAILY, "10", GRADES])
        other, day = f"n{key}", self._day()
        if key in self.plan.newcomers:
            self._add(key, school, self.first_day)
            return
        self.plan.students.append(other)
        self.plan.leaning[other] = self.plan.leaning[key]
        self.plan.roster.people[other] = self.plan.roster.people[key]
        self.plan.twins[key] = other
        calendar = self.chance.choice(["", "K"]) if school == GRADES else ""
        overlap = self.chance.choice([0, 0, 5])
        self._add(key, school, self.first_day, day + timedelta(days=overlap), calendar=calendar)
        self._add(other, school, day + timedelta(days=1), calendar=calendar)

    def not_yet(self, key: str, school: str) -> None:
        self.happened[59] += 1
        self._add(key, school, self.last_day + timedelta(days=1))

    def backwards(self, key: str, school: str) -> None:
        self.happened[59] += 1
        day = self._day()
        self._add(key, school, day, day - timedelta(days=10))

    LIVES = (
        *(stays, stays, summer, long_here, long_here, comes_late, moves, moves, moves, overlaps, at_two_schools),
        *(at_two_schools, one_day, one_day_between, no_show, gone_in_summer, leaves, returns, never_seen, not_yet),
        *(backwards, another_id, another_id),
    )
