"""How far attendance has come in, as the line under an answer and as the schools that are late."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime, time, timedelta
from typing import Any

from flask import url_for

from ew_app.kernel import day_text, settings, today, wall_clock
from ew_app.web import beginning
from ew_app.web.case_lines import Line, short_school
from models.queries import boards as rows
from models.queries.lateness import gaps
from rules.access import Area
from rules.stints import school_year_start

NAMED = 2  # late schools that the line under an answer names


def of_schools(area: Area) -> list[Any]:
    """`Through Fri 20 Nov · all 4 of your schools`, or which of them are late; nothing without schools."""
    inside = rows.schools_in(area)
    if not inside:
        return []
    last = rows.last_counted([one.id for one in inside], today())
    newest = max(last.values(), default=None)
    if newest and beginning.is_old(newest):
        return [(f"As of {day_text(newest)}: nothing of this school year has come in", "late")]
    through = f"Through {day_text(newest)}" if newest else "Nothing has come in yet"
    late = _late(inside)
    if not late:
        return [through, _all(inside)]
    named: list[Any] = [(f"{name} has sent nothing {since}", "late") for name, since, _ in late[:NAMED]]
    if len(late) > NAMED:
        named.append((f"{len(late) - NAMED} more schools are late", "late"))
    return [through, *named]


def _all(inside: Any) -> str:
    if len(inside) == 1:
        return short_school(inside[0].name)
    return "both of your schools" if len(inside) == 2 else f"all {len(inside)} of your schools"


def late_lines(area: Area, besides: Collection[int] = ()) -> list[Line]:
    """Schools, but for those `besides`, whose last school days have not come in, as rows that lead to the import."""
    return [
        {
            "name": name, "about": "", "reason": f"has sent nothing {since}", "url": url_for("imports.show"),
            "due": None, "late": 0, "tier": None,
        }
        for name, since, _ in _late([one for one in rows.schools_in(area) if one.id not in besides])
    ]  # fmt: skip


def _late(inside: Any) -> list[tuple[str, str, int]]:
    """(school, since when, days) of those that lack the last school day, the longest first."""
    late = gaps([one.id for one in inside], school_year_start(today()), today(), wall_clock())
    found = [
        (short_school(one.name), f"since {day_text(gap.last)}" if gap.last else "yet", gap.trailing)
        for one in inside
        if (gap := late.get(one.id)) and gap.trailing
    ]
    return sorted(found, key=lambda one: -one[2])


def last_weekday(on: date) -> date:
    """The weekday before a day."""
    back = {0: 3, 6: 2}.get(on.weekday(), 1)
    return on - timedelta(days=back)


def midnight(day: date) -> datetime:
    """The first moment of a day on the district's clock."""
    return datetime.combine(day, time(0), settings().timezone)
