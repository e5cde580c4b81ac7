"""What does not fit together in the records, why it matters, and what to do about it: the Fix data screen.

Nothing here changes a row: most of it is put right where it came from, and comes back right with the next file.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import select

from ew_app.feeds import exports_without_lateness
from ew_app.kernel import Actor, NotFound, today, wall_clock
from ew_app.services.measuring.policies import timeline
from models.base import db
from models.org import School
from models.queries import fixing as lists
from models.queries import scope
from models.queries.periods import said_of_periods
from rules.access import Area
from rules.stints import school_year_start
from rules.vocabulary import vocabulary

PAGE: Final = 100


@dataclass(frozen=True, slots=True)
class Check:
    """One list: what it holds, when it matters, how to resolve it."""

    key: str
    title: str
    matters: str
    remedy: str


CHECKS: Final = (
    Check(
        "unknown_codes",
        "Attendance codes nobody has explained",
        "These days are held as unknown: they count neither as present nor as absent, and no tier moves.",
        "Say what the code means. The effect is shown before it is saved.",
    ),
    Check(
        "unsaid_codes",
        "Codes whose excuse or lateness nobody has said",
        "They came with an export that does not tell. Until somebody says it, absences with them are neither excused "
        "nor unexcused, nobody is late by them, and what rests on either does not begin.",
        "Say what each means, at one school or at all. The effect is shown before it is saved.",
    ),
    Check(
        "unread_rows",
        "Days whose row could not be read",
        "The row says whose day it is about and the rest of it cannot be read; or it names a student by a number "
        "inside the system alone, and may be about anybody at the school whose number is not known; or its id is the "
        "student's but for zeros at the front. The day counts neither as present nor as absent.",
        "Open the delivery to see what is wrong with the row, correct it in the student system and send the day again; "
        "for a number, send the list of students with the roster.",
    ),
    Check(
        "unmatched",
        "Rows whose student or school we do not know",
        "The rows are kept with their delivery and are in no count.",
        "Send the student or school with the next roster, or correct the id in the student system. "
        "The rows are tried again after every roster by themselves.",
    ),
    Check(
        "late_schools",
        "Schools whose attendance is late or has gaps",
        "Their counts stand still at the last day received, and no new support starts. A day missing before it counts "
        "for nobody, and does not come by itself.",
        "Call the clerk of the school, or look under Import for a file that waits or was refused. Have a missing day "
        "sent once more.",
    ),
    Check(
        "no_calendar",
        "Schools without a calendar",
        "Without school days there is no rate and no tier for these students.",
        "Send calendar.csv with the school's days of this year.",
    ),
    Check(
        "class_periods",
        "Class periods that do not add up",
        "Only the periods missed are known, and not what part of the day they are: they are not on the timetable of "
        "the student's grade, or that has more minutes than a day. These days count neither as absent nor as present, "
        "also where every period was missed.",
        "Send schedule.csv with the periods of the school, or of the grade, and their minutes, or say how long a "
        "period is when you bring in the next file. The days count by themselves then.",
    ),
    Check(
        "off_calendar",
        "Marks on days without school",
        "They are left out of every count.",
        "If there was school that day, correct the calendar; otherwise correct the date of the mark.",
    ),
    Check(
        "not_enrolled",
        "Marks outside an enrolment",
        "They are left out until an enrolment covers the day.",
        "Check the entry and exit dates. Often the exit date is wrong.",
    ),
    Check(
        "did_not_arrive",
        "Students who did not arrive",
        "They are in no rate, so nothing else will draw attention to them.",
        "Find out where the student is in school now, and record it in the student system.",
    ),
    Check(
        "contact_failures",
        "Phone numbers and addresses that failed",
        "Nobody can be reached about these students until somebody has the right number or address.",
        "Ask the student, the homeroom teacher or a brother's or sister's school. Correct it in the student system, "
        "then mark the task as done. It also goes when somebody is reached.",
    ),
    Check(
        "wrong_letters",
        "Letters that were sent and then turned out wrong",
        "The marks behind them were corrected after they had gone out, and the family has heard nothing since.",
        "Whoever sent it finds it on their Today page. Where they are gone, somebody who works on the case tells the "
        "family and says so on the letter.",
    ),
    Check(
        "odd_stints",
        "Enrolments that overlap or cannot be",
        "A day counts once for a student, but the school it counts for may be the wrong one.",
        "Correct the dates, or mark one of the schools as primary.",
    ),
    Check(
        "two_sources",
        "Days on which two systems disagree",
        "The school's own system is believed.",
        "Correct the other system, so that people see the same everywhere.",
    ),
    Check(
        "same_child",
        "One child under two ids, perhaps",
        "Absences that are split over two ids look smaller than they are.",
        "Compare them. If it is one child, say so there: both ids are read as one, and it can be taken back.",
    ),
    Check(
        "nowhere",
        "Students without any enrolment",
        "They are in no count and on no list of a school.",
        "Send their enrolment, or leave them if they are not students of the district now.",
    ),
)


@dataclass(frozen=True, slots=True)
class Found:
    """A check and how many rows it has for this person."""

    check: Check
    rows: int


def overview(area: Area, by: Actor) -> list[Found]:
    """Every check with its number of rows within `area`, in the order of CHECKS; 0 is good news."""
    asked = parameters(area, by)
    return [Found(check, lists.count(check.key, asked)) for check in CHECKS]


def rows(key: str, area: Area, by: Actor, *, limit: int = PAGE, offset: int = 0) -> Sequence[Mapping[str, Any]]:
    """A page of one list within `area`, as columns by name. NotFound: there is no such list."""
    if key not in lists.LISTS:
        raise NotFound("There is no such list under Fix data.")
    return lists.rows(key, parameters(area, by), limit, offset)


def parameters(area: Area, by: Actor) -> dict[str, Any]:
    """What `models.queries.fixing` asks for, within `area`."""
    on = today()
    no_show = timeline().on(on).no_show_exit_codes
    return {
        "schools": list(db.session.scalars(select(School.id).where(scope.schools(area)))),
        "whole": area.district,
        "login": by.login,
        "said": list(said_of_periods()),
        "start": school_year_start(on),
        "today": on,
        "clock": wall_clock(),
        "failed": [key for key, outcome in vocabulary().outcomes.items() if outcome.contact_problem],
        "tells_no_lateness": exports_without_lateness(),
        "no_show": [code.strip().lower() for code in no_show],
    }
