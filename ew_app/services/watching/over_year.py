"""A school year week by week: the whole, each line, and the year before on the same school days. Counts only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import reduce
from operator import add

from ew_app.services.watching import movement
from ew_app.services.watching.movement import Unit
from models.queries import movement as spans
from models.queries import year_counts as rows
from models.queries.boards import Counts
from models.queries.year_counts import Sum, Then
from rules.stints import school_year_start

WEEK = timedelta(days=7)
SUNDAY = timedelta(days=6)


@dataclass(frozen=True, slots=True)
class Week:
    """A week in which school was counted, by its Monday; `then`: the same school day a year before, if it was counted.

    `schools` counted by the end of it, `fresh` of them in this very week.
    """

    monday: date
    counts: Counts
    schools: int
    fresh: int
    then: Then | None = None


@dataclass(frozen=True, slots=True)
class YearLine:
    """One line and its counts at the end of each week; None where none of its schools was counted in the week."""

    key: str
    name: str
    weeks: tuple[Counts | None, ...]


@dataclass(frozen=True, slots=True)
class OverYear:
    """The weeks so far. `last`: the last counted day; `has_before`: whether anything of the year before was counted."""

    last: date
    schools: int
    weeks: tuple[Week, ...]
    lines: tuple[YearLine, ...]
    has_before: bool


def share(counts: Counts, *tiers: str) -> float:
    """Percent of the students who stand in these tiers; 0 where there is nobody."""
    return 100 * sum(getattr(counts, tier) for tier in tiers) / counts.students if counts.students else 0.0


def needing(counts: Counts) -> float:
    """Percent of the students in Tier 2 or 3."""
    return share(counts, "tier_2", "tier_3")


def over_year(units: Sequence[Unit], today: date) -> OverYear | None:
    """The school year in which these schools were counted last; None before the first counted day."""
    schools = [school for unit in units for school in unit.schools]
    span = movement.span(schools, today)
    if span is None:
        return None
    first, last = span
    start = school_year_start(last)
    mondays = _mondays(first, last)
    number = {school.id: place for place, unit in enumerate(units) for school in unit.schools}
    found = rows.by_day(number, [monday + SUNDAY for monday in mondays], start)
    taught = [monday for monday in mondays if any(_at(found, place, monday).fresh for place in range(len(units)))]
    before = _before([school.id for school in schools], taught, start)
    return OverYear(
        last=last,
        schools=len(schools),
        weeks=tuple(_week(found, len(units), monday, before.get(monday + SUNDAY)) for monday in taught),
        lines=tuple(
            YearLine(
                unit.key,
                unit.name,
                tuple(one.counts if (one := _at(found, place, monday)).fresh else None for monday in taught),
            )
            for place, unit in enumerate(units)
        ),
        has_before=bool(before),
    )


_NOBODY = Sum(Counts(), 0, 0)


def _at(found: dict[tuple[int, date], Sum], place: int, monday: date) -> Sum:
    return found.get((place, monday + SUNDAY), _NOBODY)


def _mondays(first: date, last: date) -> list[date]:
    monday = first - timedelta(days=first.weekday())
    return [monday + WEEK * n for n in range((last - monday).days // 7 + 1)]


def _before(schools: Sequence[int], mondays: Sequence[date], start: date) -> dict[date, Then]:
    year = school_year_start(start - timedelta(days=1))
    if not mondays or spans.counted_span(schools, year, start - timedelta(days=1)) is None:
        return {}
    return rows.a_year_before(schools, [monday + SUNDAY for monday in mondays], start, year)


def _week(found: dict[tuple[int, date], Sum], units: int, monday: date, then: Then | None) -> Week:
    sums = [_at(found, place, monday) for place in range(units)]
    counts = reduce(add, (one.counts for one in sums))
    return Week(monday, counts, sum(one.schools for one in sums), sum(one.fresh for one in sums), then)
