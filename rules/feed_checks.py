"""Is this delivery believable? What a person should look at before it may change anything.

Counts in, sentences out. A delivery with a doubt is held, never dropped: a person can let it in.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import date
from enum import StrEnum
from fractions import Fraction
from statistics import median

from rules.counting import are, many


class Doubt(StrEnum):
    """Why a delivery is held."""

    FEW_SCHOOLS = "few_schools"
    THIN_SCHOOLS = "thin_schools"
    FEW_ABSENCES = "few_absences"
    MANY_ABSENCES = "many_absences"
    MANY_REMOVED = "many_removed"
    OFF_CALENDAR = "off_calendar"
    MANY_REJECTED = "many_rejected"
    MANY_REPEATED = "many_repeated"


@dataclass(frozen=True, slots=True)
class Limits:
    """From where on a person is asked. Shares are percent; "most" values may be reached, "least" ones too."""

    least_schools: int = 80  # of the schools this source usually sends
    least_rows: int = 80  # of the students due; also what makes a full feed's day whole
    thin_one_in: int = 3  # schools of a full feed with fewer rows than that
    absences_times: int = 3  # a day's absences against the usual ones, both ways
    absences_away: int = 5  # of enrolment; a smaller distance from the usual is never strange
    absences_students: int = 5  # nor is a smaller number of students
    most_removed: int = 10  # of the stored rows of the days claimed whole
    removed_rows: int = 20  # and fewer rows than this are never asked about
    most_off_calendar: int = 5  # of the rows
    most_rejected: int = 10  # of the rows
    most_repeated: int = 10  # of the rows
    repeated_rows: int = 20  # and fewer rows than this are never asked about
    looks_back: int = 10  # files, and submitted days, that tell what is usual
    least_known: int = 3  # fewer of them tell nothing

    def changed_by(self, said: Mapping[str, int]) -> Limits:
        """These limits with a district's own values; an unknown name is a ValueError that lists the known ones."""
        known = [field.name for field in fields(self)]
        for name in said:
            if name not in known:
                raise ValueError(f"There is no limit {name!r}. Known limits: {', '.join(known)}.")
        return replace(self, **said)


@dataclass(frozen=True, slots=True)
class NewDay:
    """A day that the delivery submits for the first time at some schools.

    `usual`: absences and students due of these schools on their last submitted days.
    """

    day: date
    absences: int
    due: int
    usual: Sequence[tuple[int, int]] = ()


@dataclass(frozen=True, slots=True)
class Figures:
    """What is counted of one delivery, and what is usual for its source."""

    rows: int
    rejected: int = 0
    off_calendar: int = 0
    repeated: int = 0  # about the student, day and period of another row
    first: bool = False  # nothing of this source was ever accepted
    schools: int = 0
    usual_schools: Sequence[int] = ()  # of its last files that brought new days; no more than the sender may send
    new_schools: int = 0  # schools for which it submits a day for the first time
    claims_days: bool = False  # it speaks for whole days, new or known
    made_full: int = 0  # schools of which it makes days full that were not, new or told by absences alone
    thin_schools: int = 0  # of these, with too few rows for a full feed
    new_days: Sequence[NewDay] = ()  # of an exception feed
    stored: int = 0  # rows that stand on the days it claims whole
    removed: int = 0  # of these, how many it does not have


Found = tuple[Doubt, str]


def doubts(figures: Figures, limits: Limits | None = None) -> list[Found]:
    """Everything a person should look at before this delivery is let in, each with a sentence."""
    limits = limits or Limits()
    found = [*_off_calendar(figures, limits), *_rejected(figures, limits), *_repeated(figures, limits)]
    if not figures.first:
        found += _schools(figures, limits)
        found += _thin(figures, limits)
        for day in figures.new_days:
            found += _absences(day, limits)
        found += _removed(figures, limits)
    return found


def is_whole(students: int, due: int, limits: Limits | None = None) -> bool:
    """Whether a full feed has rows for enough of the students due to speak for the whole day."""
    return due > 0 and 100 * students >= (limits or Limits()).least_rows * due


def _off_calendar(figures: Figures, limits: Limits) -> Iterator[Found]:
    if 100 * figures.off_calendar > limits.most_off_calendar * figures.rows:
        yield (
            Doubt.OFF_CALENDAR,
            f"{figures.off_calendar:,} of {many(figures.rows, 'row')} {are(figures.off_calendar)} on days "
            "without school. Is the calendar shifted, or the year wrong?",
        )


def _rejected(figures: Figures, limits: Limits) -> Iterator[Found]:
    if 100 * figures.rejected > limits.most_rejected * figures.rows:
        yield Doubt.MANY_REJECTED, cannot_go_in(figures.rejected, figures.rows)


def cannot_go_in(rejected: int, rows: int) -> str:
    """What is said of the rows that are kept out."""
    return (
        f"{rejected:,} of {many(rows, 'row')} cannot go in. "
        "Look at the reasons below: often one column is mapped wrongly, or the roster is not loaded yet."
    )


def _repeated(figures: Figures, limits: Limits) -> Iterator[Found]:
    """Rows of classes whose column nobody knows look like the same day said again and again."""
    above = figures.repeated > limits.repeated_rows
    if above and 100 * figures.repeated > limits.most_repeated * figures.rows:
        yield (
            Doubt.MANY_REPEATED,
            f"{figures.repeated:,} of {many(figures.rows, 'row')} are about a student and day of which another row "
            "tells already. Does the file have a row for each class? Then name the column of the class `period`, so "
            "that one missed class does not count as a whole day.",
        )


def _schools(figures: Figures, limits: Limits) -> Iterator[Found]:
    """A file of corrections alone brings no new day and claims none whole; it may be about any number of schools."""
    known = figures.usual_schools[: limits.looks_back]
    if not (figures.new_schools or figures.claims_days) or len(known) < limits.least_known:
        return
    usual = Fraction(median(known))
    if 100 * figures.schools < limits.least_schools * usual:
        yield (
            Doubt.FEW_SCHOOLS,
            f"Only {_are(figures.schools)} in this file; usually there are {_number(usual)}. "
            + (_MISSED if figures.new_schools else _CUT_OFF),
        )


_MISSED = "If that is all it should hold, as when a school sends its own file, let it in. If not, send the whole file."
_CUT_OFF = "It speaks for whole days again, all of them known. Was it cut off? If it corrects just these, let it in."


def _are(number: int) -> str:
    return f"{many(number, 'school')} {are(number)}"


def _thin(figures: Figures, limits: Limits) -> Iterator[Found]:
    if figures.thin_schools and limits.thin_one_in * figures.thin_schools >= figures.made_full:
        yield (
            Doubt.THIN_SCHOOLS,
            f"{figures.thin_schools:,} of {figures.made_full:,} schools have rows for fewer than "
            f"{limits.least_rows}% of their students. A full feed has one row for each; "
            "whoever has none would count as unknown on these days.",
        )


def _absences(day: NewDay, limits: Limits) -> Iterator[Found]:
    """Rates are compared, so that a usual day with more or fewer schools still tells what is usual here."""
    rates = [Fraction(absences, due) for absences, due in day.usual[: limits.looks_back] if due]
    if len(rates) < limits.least_known or not day.due:
        return
    usual = Fraction(median(rates)) * day.due
    away = abs(day.absences - usual)
    if 100 * away <= limits.absences_away * day.due or away < limits.absences_students:
        return
    said = f"{many(day.absences, 'absence')} on {day.day}, usually about {_number(usual)}."
    if limits.absences_times * day.absences < usual:
        yield Doubt.FEW_ABSENCES, f"{said} Is the file complete?"
    elif day.absences > limits.absences_times * usual:
        yield Doubt.MANY_ABSENCES, f"{said} Was it a day without school, or is one code mapped wrongly?"


def _removed(figures: Figures, limits: Limits) -> Iterator[Found]:
    many = figures.removed > limits.removed_rows
    if many and 100 * figures.removed > limits.most_removed * figures.stored:
        yield (
            Doubt.MANY_REMOVED,
            f"{figures.removed:,} of {figures.stored:,} stored rows would be taken away, because the file speaks "
            "for whole days and does not have them.",
        )


def _number(value: Fraction) -> str:
    """A count for people: whole, or with one decimal."""
    return f"{int(value):,}" if value.denominator == 1 else f"{float(value):,.1f}"
