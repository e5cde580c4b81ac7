"""Who is due at which school on which day, and for how much of a day."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

from tests.oracle.rows import CalendarDay, Roster, Stint

NO_SHOW = ("No show", "Invalid enrollment", "99")
"""Leaving codes of somebody who never came: such an enrolment counts nowhere."""


def school_year_start(day: date) -> date:
    """The first of July on or before the day."""
    return date(day.year if day.month >= 7 else day.year - 1, 7, 1)


def last_day(stint: Stint) -> date:
    """The last day that belongs to the enrolment."""
    if stint.exit is None:
        return date.max
    return stint.exit - timedelta(days=1) if stint.exclusive else stint.exit


class Membership:
    """Answers from one roster; remembers calendars and enrolments by school and student, and nothing else."""

    def __init__(self, roster: Roster) -> None:
        self.roster = roster
        self.with_rows = {(day.school, day.calendar) for day in roster.calendar.values()}
        self.open_days: dict[str, set[date]] = {}
        for day in roster.calendar.values():
            if day.instructional:
                self.open_days.setdefault(day.school, set()).add(day.date)
        self.of_student: dict[str, list[Stint]] = {}
        self.at_school: dict[str, list[Stint]] = {}
        for stint in roster.stints.values():
            if stint.exit_code in NO_SHOW or last_day(stint) < stint.entry:
                continue
            stint = replace(stint, student=roster.child(stint.student))
            self.of_student.setdefault(stint.student, []).append(stint)
            self.at_school.setdefault(stint.school, []).append(stint)

    def calendar_day(self, stint: Stint, day: date) -> CalendarDay | None:
        """The day in the student's own calendar, or in the school's where that calendar has no rows."""
        own = stint.calendar if (stint.school, stint.calendar) in self.with_rows else ""
        return self.roster.calendar.get((stint.school, own, day))

    def goes_to_the_next_school(self, stint: Stint, day: date) -> bool:
        """Leaving here and arriving elsewhere on the same day: the day is the arriving school's."""
        return (
            last_day(stint) == day
            and stint.entry < day
            and any(
                other.entry == day and other.school != stint.school for other in self.of_student.get(stint.student, ())
            )
        )

    def due(self, student: str, school: str, day: date) -> CalendarDay | None:
        """The school day the student is due for at this school, or None. Overlapping enrolments are one."""
        for stint in self.of_student.get(student, ()):
            if stint.school != school or not stint.entry <= day <= last_day(stint):
                continue
            if self.goes_to_the_next_school(stint, day):
                continue
            found = self.calendar_day(stint, day)
            if found is not None and found.instructional:
                return found
        return None

    def all_due(self, school: str, day: date) -> set[str]:
        """Every student due at the school on the day."""
        return {
            stint.student
            for stint in self.at_school.get(school, ())
            if stint.entry <= day <= last_day(stint) and self.due(stint.student, school, day)
        }

    def has_calendar(self, school: str) -> bool:
        """Whether anything is known of the school's days."""
        return any(of == school for of, _ in self.with_rows)

    def is_open(self, school: str, day: date) -> bool:
        """Whether any calendar of the school has the day."""
        return day in self.open_days.get(school, ())
