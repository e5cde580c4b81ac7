"""How far attendance has come in, as the line under an answer and as the schools that are late."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any

from flask import url_for

from ew_app.kernel import day_text, settings, today, wall_clock
from ew_app.web import beginning
from ew_app.web.case_lines import Line, short_school
from models.org import School
from models.queries import boards as rows
from models.queries.boards import Named
from models.queries.lateness import Gap, Silence, gaps, silences
from models.queries.waiting_files import waiting_files
from rules.access import Area
from rules.counting import are, many
from rules.stints import school_year_start

NAMED = 2  # late schools that the line under an answer names
NEAR = 100  # schools; of more the days between are told on the page of missing days alone, for which a year is read
SENT = "has sent a file that waits to be looked at"


def of_schools(area: Area) -> list[Any]:
    """`Through Fri 20 Nov · all 4 of your schools`, or which of them are late; nothing without schools."""
    inside = rows.names_in(area)
    if not inside:
        return []
    newest = rows.newest_counted([one.id for one in inside], today())
    if newest and beginning.is_old(newest):
        return [(f"As of {day_text(newest)}: nothing of this school year has come in", "late")]
    through = f"Through {day_text(newest)}" if newest else "Nothing has come in yet"
    found = _gaps(inside) if len(inside) <= NEAR else {}
    late = _late(inside, found or _silences(inside))
    if not late:
        return [through, _all(inside), *_in_between(inside, found)]
    named: list[Any] = [(f"{name} {words}", "late") for name, words, _ in late[:NAMED]]
    if len(late) > NAMED:
        named.append((f"{many(len(late) - NAMED, 'more school')} {are(len(late) - NAMED)} late", "late"))
    return [through, *named, *_in_between(inside, found)]


def of_late(inside: Sequence[Named]) -> list[Any]:
    """Of these schools those that are late: `Lincoln has sent nothing since Wed 18 Nov`."""
    return [(f"{name} {words}", "late") for name, words, _ in _late(inside, _silences(inside))]


def _in_between(inside: Sequence[Named], found: Mapping[int, Gap]) -> list[str]:
    """Days that are missing although later ones came, in a part of the line; nothing when there are none."""
    holes = {one.name: gap.days - gap.trailing for one in inside if (gap := found.get(one.id))}
    holes = {name: days for name, days in holes.items() if days}
    if not holes:
        return []
    days = sum(holes.values())
    where = short_school(next(iter(holes))) if len(holes) == 1 else many(len(holes), "school")
    return [f"{many(days, 'earlier day')} of {where} {are(days)} missing"]


def _all(inside: Any) -> str:
    if len(inside) == 1:
        return short_school(inside[0].name)
    return "both of your schools" if len(inside) == 2 else f"all {len(inside)} of your schools"


def late_lines(area: Area, besides: Collection[int] = ()) -> list[Line]:
    """Schools, but for those `besides`, whose last school days have not come in, as rows that lead to the import."""
    inside = [one for one in rows.schools_in(area) if one.id not in besides]
    return [
        {
            "name": name, "about": "", "reason": words, "url": url_for("imports.show"), "due": None, "late": 0,
            "tier": None, "waits": words.startswith(SENT),
        }
        for name, words, _ in _late(inside, _silences(inside))
    ]  # fmt: skip


def gap_of(school: School) -> Gap:
    """What one school has not sent of this school year."""
    return _gaps([school])[school.id]


def _gaps(inside: Sequence[Named]) -> dict[int, Gap]:
    return gaps([one.id for one in inside], school_year_start(today()), today(), wall_clock())


def _silences(inside: Sequence[Named]) -> dict[int, Silence]:
    return silences([one.id for one in inside], school_year_start(today()), today(), wall_clock())


def _late(inside: Sequence[Named], late: Mapping[int, Silence]) -> list[tuple[str, str, int]]:
    """(school, what it has sent, days) of those that lack the last school day, the longest first."""
    behind = [one.id for one in inside if (gap := late.get(one.id)) and gap.trailing]
    waits = {school for school, _ in waiting_files(behind)} if behind else set()
    found = [
        (short_school(one.name), _words(gap, one.id in waits), gap.trailing)
        for one in inside
        if (gap := late.get(one.id)) and gap.trailing
    ]
    return sorted(found, key=lambda one: -one[2])


def _words(gap: Silence, waits: bool) -> str:
    """What a late school has sent; a file that waits for a person is not nothing."""
    if waits:
        return f"{SENT}, and is in through {day_text(gap.last)}" if gap.last else SENT
    return f"has sent nothing since {day_text(gap.last)}" if gap.last else "has sent nothing yet"


def last_weekday(on: date) -> date:
    """The weekday before a day."""
    back = {0: 3, 6: 2}.get(on.weekday(), 1)
    return on - timedelta(days=back)


def midnight(day: date) -> datetime:
    """The first moment of a day on the district's clock."""
    return datetime.combine(day, time(0), settings().timezone)
