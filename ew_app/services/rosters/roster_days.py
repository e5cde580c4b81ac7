"""The files that say when a school teaches: its calendar, its terms, and the class periods of a day."""

from __future__ import annotations

from ew_app.services.rosters.roster_targets import (
    A_YEAR_AHEAD,
    CALENDAR_DAY,
    CLASS_PERIOD,
    Fault,
    RosterTable,
    Write,
    same,
    text_of,
)
from models.org import ALWAYS, TEACHES

CALENDAR = RosterTable(
    name="calendar",
    about="date",
    names_school=True,
    rank=f"(NOT i.{TEACHES})::int",
    writes=(
        Write(
            CALENDAR_DAY,
            {
                "school_id": "i.school_pk",
                "calendar_key": text_of("calendar_id"),
                "day": "i.date",
                "day_type": "i.day_type",
                "weight": "coalesce(i.day_value, 1000)",
                "day_minutes": "i.day_minutes",
            },
            reads={"weight": "day_value"},
        ),
    ),
    faults=(
        Fault(
            "date",
            A_YEAR_AHEAD.format(column="date"),
            "This day is more than a year from now. It is kept; is the year right?",
            rejected=False,
        ),
        Fault(
            "day_value",
            f"i.day_value = 0 AND i.{TEACHES}",
            "A school day worth 0 days counts for nobody. Leave day_value empty for a whole day.",
            rejected=False,
        ),
    ),
)

_ITS_DAYS = "FROM calendar_day c WHERE c.school_id = i.school_pk AND c.calendar_key = ''"
_SCHOOL_DAYS = f"(SELECT count(*) {_ITS_DAYS} AND c.{TEACHES} AND c.day BETWEEN i.begin_date AND i.end_date)"

# How many days a term is said to have is stored nowhere: the dates of the calendar count, and a difference is told.
SESSIONS = RosterTable(
    name="sessions",
    about="session",
    names_school=True,
    faults=(
        Fault("end_date", "i.end_date < i.begin_date", "This session would end before it begins."),
        Fault(
            "instructional_days",
            f"i.instructional_days <> {_SCHOOL_DAYS} AND EXISTS (SELECT {_ITS_DAYS})",
            "The session says {value}: the dates of the calendar count. Correct calendar.csv where these are wrong.",
            rejected=False,
            shows=f"i.instructional_days || ' school days and the calendar has ' || {_SCHOOL_DAYS}",
        ),
    ),
)

SCHEDULE = RosterTable(
    name="schedule",
    about="period",
    names_school=True,
    writes=(
        Write(
            CLASS_PERIOD,
            {
                "school_id": "i.school_pk",
                "grade": text_of("grade"),
                "valid_from": f"coalesce(i.valid_from, DATE '{ALWAYS}')",
                **same("period", "minutes", "counts", "valid_to"),
            },
        ),
    ),
    faults=(
        Fault(
            "valid_to",
            "i.valid_to < i.valid_from",
            "This period would end before it begins. Correct valid_from or valid_to.",
        ),
        Fault(
            "minutes",
            "i.minutes = 0 AND i.counts",
            "A period that counts has minutes. Correct minutes, or say that the period does not count.",
        ),
    ),
)
