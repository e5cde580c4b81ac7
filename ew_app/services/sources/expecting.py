"""What sources were expected to bring and did not: the alarm that goes on at its hour and off when the file comes.

Which school days are missing is told by `models.queries.lateness` alone, for every page; here it is told by source.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from ew_app.kernel import day_text, local, now, settings, today, wall_clock
from models.org import Source
from models.pulls import Pull
from models.queries import pulls as rows
from models.queries.lateness import Silence, silences
from rules.counting import many
from rules.stints import school_year_start
from rules.timetable import text

NAMED = 2  # late schools that a sentence names


@dataclass(frozen=True, slots=True)
class Alarm:
    """A source whose hour has passed without what it was to bring: for which schools, and what is known of why."""

    source: str
    sentence: str
    schools: frozenset[int]  # none for a roster, which concerns the whole district


def alarms() -> list[Alarm]:
    """Every source that is late now; on a day without school anywhere there is none."""
    start = school_year_start(today())
    school_days = rows.school_days_before(today(), start)
    if not school_days or school_days[0] != today():
        return []
    found = (_alarm(source, start, school_days) for source in rows.expecting())
    return [alarm for alarm in found if alarm is not None]


def troubles() -> list[str]:
    """Sources, paused ones left out, whose last look failed or brought something unfit; a sentence each."""
    told: list[str] = []
    for source in rows.fetched_from():
        trouble = "" if source.paused else trouble_of(rows.last_pull(source.id))
        if trouble:
            told.append(f"{source.name}: {trouble}")
    return told


def trouble_of(look: Pull | None) -> str:
    """Why a look failed, or why a delivery of it was refused, be it only when it was read; nothing when all is well."""
    if look is None:
        return ""
    if look.ended == "failed":
        return look.sentence
    return next((words for status, words in rows.statuses(look.batches).values() if status == "refused"), "")


def _alarm(source: Source, start: date, school_days: list[date]) -> Alarm | None:
    due = _last_due(source, school_days)
    if due is None:
        return None
    if source.brings == "roster":
        return _roster_alarm(source, due, school_days)
    fed = rows.fed_by(source.id)
    late = {number: gap for number, gap in silences(list(fed), start, today(), wall_clock()).items() if gap.trailing}
    if not late:
        return None
    return Alarm(source.name, f"{_attendance(source, late, fed)} {_why(source)}", frozenset(late))


def _last_due(source: Source, school_days: list[date]) -> date | None:
    """The last school day whose hour has passed since the source was set up or changed."""
    passed = (
        day for day in school_days if day < today() or (source.expected_by and wall_clock() >= source.expected_by)
    )
    day = next(passed, None)
    return day if day is not None and source.changed_at and _hour(source, day) > source.changed_at else None


def _hour(source: Source, day: date) -> datetime:
    assert source.expected_by is not None
    return datetime.combine(day, source.expected_by, settings().timezone)


def _attendance(source: Source, late: Mapping[int, Silence], fed: Mapping[int, str]) -> str:
    since = min(gap.since for gap in late.values() if gap.since)
    longest = sorted(late, key=lambda number: (-late[number].trailing, fed[number]))
    names = [fed[number] for number in longest[:NAMED]]
    if len(late) == len(fed) and len(fed) > NAMED:
        where = f"all {len(fed):,} schools"
    else:
        more = f" and {many(len(late) - NAMED, 'more school')}" if len(late) > NAMED else ""
        where = (", " if more else " and ").join(names) + more
    return f"{source.name}: attendance since {day_text(since)} is missing for {where}; expected by {_by(source)}."


def _roster_alarm(source: Source, due: date, school_days: list[date]) -> Alarm | None:
    """Late unless a roster came since the hour of the school day before."""
    before = next((day for day in school_days if day < due), due)
    if before == due or rows.came_since(source.id, "roster", _hour(source, before)):
        return None
    sentence = f"{source.name}: the roster of {day_text(due)} has not come; expected by {_by(source)}."
    return Alarm(source.name, f"{sentence} {_why(source)}", frozenset())


def _by(source: Source) -> str:
    assert source.expected_by is not None
    return text(source.expected_by)


def _why(source: Source) -> str:
    """What is known of it: a look that failed, a file that waits for a person, or when something last came."""
    look, came = rows.last_pull(source.id), rows.last_came(source.id)
    if look is not None and look.ended == "failed":
        return f"The last look failed: {look.sentence}"
    if came is None:
        return "Nothing has ever come from it."
    if came.status == "held":
        return f"{came.name} came and is held: somebody has to look at it and let it in."
    if came.status == "refused":
        return f"{came.name} came and was refused: {came.sentence}"
    here = local(came.received_at)
    days_ago = (local(now()).date() - here.date()).days
    return f"The last file came {day_text(here.date()) if days_ago else 'today'} at {here:%H:%M}."
