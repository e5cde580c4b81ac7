"""Movement between any two days of a school year: for each tier and each line, and all of it adds up.

What is returned are plain rows: the page shows them, and whoever writes them into a file takes the same ones.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from ew_app.kernel import Refused, day_text
from models.org import School
from models.queries import movement as rows
from models.queries.boards import Counts
from models.queries.movement import Pair
from rules.movement import Cell, Flow, between_lines, cells, within_lines
from rules.stints import school_year_start
from rules.tiers import Tier

TIERS = (Tier.THREE, Tier.TWO, Tier.WATCH, Tier.ONE, Tier.NONE)
COLUMNS = {Tier.ONE: "tier_1", Tier.WATCH: "watch", Tier.TWO: "tier_2", Tier.THREE: "tier_3", Tier.NONE: "none"}
GROUPS: dict[str, tuple[Tier, ...]] = {
    "support": (Tier.TWO, Tier.THREE),
    "3": (Tier.THREE,),
    "2": (Tier.TWO,),
    "watch": (Tier.WATCH,),
    "all": TIERS,
}
ALL = 0  # the line of everything together


@dataclass(frozen=True, slots=True)
class Unit:
    """A line of the table: one school, or a network with its schools."""

    key: str
    name: str
    schools: tuple[School, ...]


@dataclass(frozen=True, slots=True)
class LineMoved:
    """One line of the table and its cell."""

    key: str
    name: str
    cell: Cell


@dataclass(frozen=True, slots=True)
class Exceptions:
    """Schools that are compared between other days than the others, or not at all; by name.

    `later`: first counted after the first day, with that day; `behind`: last counted before the latest, with that day.
    """

    later: tuple[tuple[str, date], ...] = ()
    behind: tuple[tuple[str, date], ...] = ()
    uncounted: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Movement:
    """Between two days: tier by tier for all schools together, and line by line for some tiers.

    `between`: children who changed from one line to another; they stand on both lines and not in the sum.
    `within`: children who changed schools inside one line.
    """

    before: date
    now: date
    by_tier: tuple[tuple[Tier, Cell], ...]
    everyone: Cell
    lines: tuple[LineMoved, ...]
    total: Cell
    between: int
    within: int
    exceptions: Exceptions


def span(schools: Sequence[School], today: date) -> tuple[date, date] | None:
    """The first and last counted day of the school year in which these schools were counted last."""
    ids = [school.id for school in schools]
    return rows.counted_span(ids, school_year_start(today), today) or _last_year(ids, today)


def day_of(said: str) -> date | None:
    """A day as an address or a command gives it; None where it gives none. Raises Refused."""
    try:
        day = date.fromisoformat(said) if said else None
    except ValueError as error:
        raise Refused(f"{said[:20]!r} is no day. Write it as 2026-10-09.") from error
    if day and not 1950 <= day.year <= 2200:
        raise Refused("Give a day between 1950 and 2200.")
    return day


def day_in(span: tuple[date, date], said: str) -> date | None:
    """The same within the first and last counted day. Raises Refused."""
    day = day_of(said)
    if day and not span[0] <= day <= span[1]:
        raise Refused(f"Counted days of this school year are {day_text(span[0])} to {day_text(span[1])}.")
    return day


def _last_year(ids: Sequence[int], today: date) -> tuple[date, date] | None:
    """The same of the year before, for the weeks in which nothing of the new one has come in."""
    ended = school_year_start(today) - timedelta(days=1)
    return rows.counted_span(ids, school_year_start(ended), ended)


def between(units: Sequence[Unit], before: date, now: date, tiers: Sequence[Tier] = GROUPS["support"]) -> Movement:
    """What moved between two days of one school year. ValueError, a sentence, where they are not."""
    start = school_year_start(now)
    if before > now:
        before, now = now, before
    if school_year_start(before) != start:
        raise ValueError("Tiers begin anew each July 1. Choose two days of the same school year.")
    number = {school.id: place for place, unit in enumerate(units) for school in unit.schools}
    days = rows.pairs([*number], start, before, now)
    found = [Flow(*row) for row in rows.flows(number, days, start, before, now)]
    then = _added(days, number)
    all_then = {ALL: Counts.of_all(then.values())} if then else {}
    line_of, as_one = {place: place for place in range(len(units))}, dict.fromkeys(range(len(units)), ALL)
    by_line = cells(found, line_of, tiers, _stood(then, tiers))

    def whole(some: Sequence[Tier]) -> Cell:
        return cells(found, as_one, some, _stood(all_then, some)).get(ALL, Cell())

    by_tier = tuple((tier, whole((tier,))) for tier in TIERS)
    counted = {number[school] for school in days}
    return Movement(
        before=before,
        now=now,
        by_tier=tuple((tier, cell) for tier, cell in by_tier if cell.then or cell.now),
        everyone=whole(TIERS),
        lines=tuple(
            LineMoved(unit.key, unit.name, by_line[place]) for place, unit in enumerate(units) if place in counted
        ),
        total=whole(tiers),
        between=between_lines(found, line_of),
        within=within_lines(found, line_of),
        exceptions=_exceptions(units, days, before),
    )


def _added(days: Mapping[int, Pair], line_of: Mapping[int, int]) -> dict[int, Counts]:
    """Line -> the counts of its schools on the first day."""
    then: dict[int, list[Counts]] = {}
    for school, pair in days.items():
        then.setdefault(line_of[school], []).append(pair.then)
    return {line: Counts.of_all(some) for line, some in then.items()}


def _stood(then: Mapping[int, Counts], tiers: Sequence[Tier]) -> dict[int, int]:
    """Line -> students in these tiers on the first day."""
    return {line: sum(getattr(counts, COLUMNS[tier]) for tier in tiers) for line, counts in then.items()}


def _exceptions(units: Sequence[Unit], days: Mapping[int, Pair], before: date) -> Exceptions:
    schools = sorted((school for unit in units for school in unit.schools), key=lambda school: school.name)
    latest = max((pair.now for pair in days.values()), default=None)
    there = [(school.name, days[school.id]) for school in schools if school.id in days]
    return Exceptions(
        later=tuple((name, pair.before) for name, pair in there if pair.before > before),
        behind=tuple((name, pair.now) for name, pair in there if latest and pair.now < latest),
        uncounted=tuple(school.name for school in schools if school.id not in days),
    )
