"""The checks of the night as data: what each means, when it matters, how it is mended and where.

What Fix data lists too has its words there; the SELECTs are in `models.queries.quality`,
`quality_files` and `quality_looks`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from ew_app.services.rosters import fixing
from models.queries import quality as lists
from models.queries import quality_files as files
from models.queries import quality_looks as looks
from models.queries.quality import Seen

Look = Callable[[Mapping[str, Any]], Sequence[Seen]]


class Weight(StrEnum):
    """How much a finding keeps from being right, the worst first."""

    STOPS = "stops"  # students are kept out of the count
    SKEWS = "skews"  # numbers may be wrong
    TIDY = "tidy"  # nothing is wrong yet


@dataclass(frozen=True, slots=True)
class Check:
    """One thing the night looks for.

    title: what is wrong; means: how it shows; matters: when it matters; mend: what to do, at `where` (a page of ours,
    "" for the student system). unit: what a count counts, one and many. look: the SELECT.
    """

    key: str
    title: str
    means: str
    matters: str
    mend: str
    where: str
    weight: Weight
    unit: tuple[str, str]
    look: Look


def _listed(key: str, means: str, weight: Weight, one: str, many: str = "") -> Check:
    """A check that is a list of Fix data as well, in the words of that list."""
    known = next(check for check in fixing.CHECKS if check.key == key)
    unit = one, many or f"{one}s"
    look: Look = getattr(lists, key)
    return Check(key, known.title, means, known.matters, known.remedy, f"/fix/{key}", weight, unit, look)


STUDENT_COUNT: Final = "student_count"
NOT_MADE: Final = "not_made"


def _by_comparison(_: Mapping[str, Any]) -> Sequence[Seen]:
    """Found by comparing two nights, or by the look itself, not by a SELECT: see `quality`."""
    return ()


CHECKS: Final = (
    _listed("no_calendar", "The school teaches, as far as we know, on no day.", Weight.STOPS, "student"),
    _listed("unknown_codes", "A mark carries a code without a meaning.", Weight.STOPS, "row"),
    _listed("unread_rows", "A row names a student and a day, and the rest of it cannot be read.", Weight.STOPS, "row"),
    _listed("unmatched", "A row names an id that no roster has brought.", Weight.STOPS, "row"),
    Check(
        key="refused_files",
        title="Files that could not be read",
        means="Nothing of a file could be let in: it was empty, held only a byte order mark, broke off inside "
        "quotation marks, or lacks a column that we need. It stands here until the days of its schools came, or it "
        "came again.",
        matters="Nothing of it counts: the days it was about are missing.",
        mend="Open the file under Import, read why, export it again and send it.",
        where="/imports",
        weight=Weight.STOPS,
        unit=("file", "files"),
        look=files.refused_files,
    ),
    Check(
        key="ambiguous_dates",
        title="Files whose dates can be read two ways",
        means="Every date of the file could be month first or day first, or some say one and some the other. It stands "
        "here until the days of its schools came, or it came again.",
        matters="We do not guess, so nothing of the file counts.",
        mend="Export it with dates such as 2026-09-14, or say under Import which comes first.",
        where="/imports",
        weight=Weight.STOPS,
        unit=("file", "files"),
        look=files.ambiguous_dates,
    ),
    _listed(
        "late_schools",
        "Days with school of which nothing came, also between days that came.",
        Weight.STOPS,
        "school day",
    ),
    Check(
        key="fewer_schools",
        title="Fewer schools than usual on a day",
        means="Of the last school day, less than four fifths of the usual share of schools sent anything.",
        matters="Where many schools are missing at once, an export or a connection has stopped.",
        mend="Look under Import whether a file is missing, was refused or waits; then ask whoever runs the export.",
        where="/imports",
        weight=Weight.STOPS,
        unit=("school is missing", "schools are missing"),
        look=looks.fewer_schools,
    ),
    Check(
        key="no_rate",
        title="Enrolled students of whom no day could be counted",
        means="Ten school days or more have passed since they came, and none counts for them.",
        matters="They have no rate. It looks like a perfect record and is none, so nobody will notice them.",
        mend="Check the enrolment's dates and calendar, and whether the school's days came in.",
        where="",
        weight=Weight.STOPS,
        unit=("student", "students"),
        look=looks.no_rate,
    ),
    Check(
        key="shifted_calendar",
        title="Calendars that do not fit the attendance",
        means="Of the marks of the last month, five or more and over one in twenty stand on days without school.",
        matters="A calendar that is shifted by a day, or of the wrong year, hides most absences.",
        mend="Compare the school's calendar with its days of attendance, and send calendar.csv again.",
        where="/fix/off_calendar",
        weight=Weight.STOPS,
        unit=("mark", "marks"),
        look=looks.shifted_calendar,
    ),
    Check(
        key="unlike_usual",
        title="Days unlike the last ten",
        means="The last day has under a third or over three times the usual absences, or a full list is a fifth short.",
        matters="A real sickness wave looks like this, and so does half a file.",
        mend="Ask the school. If the file was wrong, take it back under Import and send the right one.",
        where="/imports",
        weight=Weight.SKEWS,
        unit=("school", "schools"),
        look=looks.unlike_usual,
    ),
    Check(
        key=STUDENT_COUNT,
        title="Schools whose number of students jumped overnight",
        means="The number of enrolled students moved by more than one in twenty since the night before.",
        matters="Half a roster, or a roster of the wrong year, moves children in and out of the count.",
        mend="Open the last roster under Import; take it back if it was wrong. A real change goes from here by itself.",
        where="/imports",
        weight=Weight.SKEWS,
        unit=("student", "students"),
        look=_by_comparison,
    ),
    _listed("off_calendar", "There is a mark on a date on which nobody teaches.", Weight.SKEWS, "mark"),
    _listed("not_enrolled", "There is a mark before the first or after the last day.", Weight.SKEWS, "mark"),
    _listed("odd_stints", "Dates of two enrolments overlap, or one ends before it begins.", Weight.SKEWS, "enrolment"),
    Check(
        key="odd_entries",
        title="First days that cannot be",
        means="An enrolment of this year began before the child was two, or many years ago.",
        matters="Days are counted from July on either way; in earlier years, and for the age, the date is wrong.",
        mend="Correct the entry date in the student system. Mostly a digit of the year is mistyped.",
        where="",
        weight=Weight.TIDY,
        unit=("enrolment", "enrolments"),
        look=looks.odd_entries,
    ),
    Check(
        key="too_many_days",
        title="More school days than a year has",
        means="A calendar has more than 185 school days, or a student was counted on more days than any calendar has.",
        matters="Rates are too low where days are counted that nobody taught.",
        mend="Take holidays and weekends out of the calendar. If the school does teach all year, say so here.",
        where="",
        weight=Weight.SKEWS,
        unit=("calendar or student", "calendars or students"),
        look=looks.too_many_days,
    ),
    Check(
        key="counted_twice",
        title="Students counted twice on a day",
        means="A student stands on the list of two schools on the same day.",
        matters="The sums of the schools would be more than the district.",
        mend="This must not happen. Tell the people who run the system; `ew evaluate` decides everybody again.",
        where="",
        weight=Weight.SKEWS,
        unit=("student", "students"),
        look=looks.counted_twice,
    ),
    _listed("two_sources", "Two systems say different things about one day.", Weight.SKEWS, "day"),
    Check(
        key="id_of_two",
        title="Ids that may belong to two children",
        means="Under an id that we knew, another last name came together with another birth date.",
        matters="The absences of two children would be counted as those of one.",
        mend="Find out in the student system whose id it is, give the other child an id of its own, and send both.",
        where="",
        weight=Weight.SKEWS,
        unit=("student", "students"),
        look=looks.id_of_two,
    ),
    Check(
        key="lost_zeros",
        title="Ids that lost their zeros",
        means="Two ids differ only by zeros at the front, or a spreadsheet has turned an id into a number such as "
        "1.23E+05. A row with such a number finds nobody: the child it is about stands as present where only absences "
        "are sent.",
        matters="One child becomes two, each with half of the absences, or the rows of a child find nobody.",
        mend="Export straight from the student system, without opening the file in a spreadsheet, and send it again.",
        where="/imports",
        weight=Weight.SKEWS,
        unit=("id", "ids"),
        look=looks.lost_zeros,
    ),
    _listed("same_child", "Name and birth date are the same under two ids.", Weight.SKEWS, "child", "children"),
    _listed("did_not_arrive", "Taken off the roll as a no-show, or before the first day.", Weight.TIDY, "student"),
    _listed("nowhere", "The student is known and enrolled nowhere.", Weight.TIDY, "student"),
    Check(
        key="repeated_rows",
        title="Rows that came twice in one file",
        means="A file of the last two weeks has several rows for one student and day. One of them counts.",
        matters="If they say different things, an export joins tables that do not belong together.",
        mend="Open the file under Import to see which lines, and have the export mended.",
        where="/imports",
        weight=Weight.TIDY,
        unit=("row", "rows"),
        look=files.repeated_rows,
    ),
    Check(
        key="future_marks",
        title="Marks of days to come",
        means="A mark bears a date after today.",
        matters="It waits until its day. An absence agreed beforehand is right; a mistyped year stays for long.",
        mend="Correct the date in the student system and send the day again.",
        where="",
        weight=Weight.TIDY,
        unit=("mark", "marks"),
        look=looks.future_marks,
    ),
    Check(
        key=NOT_MADE,
        title="Checks that could not be made",
        means="A check of this look came to no end. What it had found before stands as it was; the others were made.",
        matters="Nobody is told of a new mistake that this check looks for.",
        mend="Tell the people who run the system; the log of the worker says what was in the way.",
        where="",
        weight=Weight.SKEWS,
        unit=("check", "checks"),
        look=_by_comparison,
    ),
)
BY_KEY: Final = {check.key: check for check in CHECKS}
