"""The boards: how schools stand, what changed since the same weekday last week, and who needs help first.

Counts only. Every change is taken between two days that the page names, so that rows and totals add up.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import reduce
from operator import add

from ew_app.kernel import day_text, wall_clock
from models.org import School
from models.queries import boards as rows
from models.queries.boards import Counts, Work
from models.queries.lateness import Gap, gaps
from rules.counting import many
from rules.stints import school_year_start

WEEK = timedelta(days=7)
WEEKS = 12
LATELY = 4 * WEEK  # whose first contacts are judged for having been in time


@dataclass(frozen=True, slots=True)
class Line:
    """One school, or several added up. `change` is empty where there is nothing new or nothing to compare with."""

    key: str
    name: str
    counts: Counts | None = None
    change: Counts | None = None
    day: date | None = None  # counted through; the earliest of several
    weeks: tuple[int | None, ...] = ()  # students in Tier 2 or 3, oldest first
    work: Work = Work()
    gap: Gap | None = None
    has_calendar: bool = True
    schools: int = 1
    in_need: int = 0  # schools among them that need help
    silent: int = 0  # schools among them of which the last school days have not come

    @property
    def urgency(self) -> tuple[int, ...]:
        """What comes first when lines are sorted: people waiting, then days waiting, then how many students."""
        counts = self.counts or Counts()
        waiting = self.gap.trailing if self.gap else self.silent
        work = self.work
        return (-work.first_contact_late, -work.unowned, -waiting, -self.in_need, -counts.tier_3, -counts.tier_2)


@dataclass(frozen=True, slots=True)
class Board:
    """Lines in order of need, their sum, the two days compared and the weeks before."""

    lines: tuple[Line, ...]
    total: Line
    latest: date | None
    before: date | None
    weeks: tuple[tuple[date, Counts], ...]
    current: int  # schools counted through the latest day

    @property
    def late(self) -> list[Line]:
        return [line for line in self.lines if line.silent]


def board(schools: Sequence[School], today: date) -> Board:
    """How these schools stand as far as each has been counted: the same answer for whoever may read counts."""
    ids = [school.id for school in schools]
    counted = rows.last_counted(ids, today)
    latest = max(counted.values(), default=None)
    start = school_year_start(latest or today)
    asked = [latest - WEEK * n for n in reversed(range(WEEKS))] if latest else []
    counts = rows.counts_on(ids, asked, start)
    late, taught = gaps(ids, start, today, wall_clock()), rows.with_calendar(ids, start)
    cases = rows.work(ids, today, today - LATELY)
    lines = [
        _line(school, asked, counts, counted.get(school.id), late.get(school.id), cases, school.id in taught)
        for school in schools
    ]
    return Board(
        lines=ordered(lines),
        total=added("", f"All {len(lines)} schools", lines),
        latest=latest,
        before=latest - WEEK if latest else None,
        weeks=_weeks(ids, asked, counts),
        current=sum(day == latest for day in counted.values()),
    )


def _line(
    school: School,
    asked: Sequence[date],
    counts: Mapping[tuple[int, date], Counts],
    day: date | None,
    gap: Gap | None,
    cases: Mapping[int, Work],
    has_calendar: bool,
) -> Line:
    series = [counts.get((school.id, when)) for when in asked]
    now, then = (series[-1], series[-2]) if series else (None, None)
    work = cases.get(school.id, Work())
    silent = bool(gap and gap.trailing)
    return Line(
        key=school.key,
        name=school.name,
        counts=now,
        change=now - then if now and then and day and day > asked[-2] else None,
        day=day if now else None,
        weeks=tuple(one.needing if one else None for one in series),
        work=work,
        gap=gap,
        has_calendar=has_calendar,
        in_need=int(bool(work.first_contact_late or work.unowned or silent or not has_calendar)),
        silent=int(silent),
    )


def ordered(lines: Iterable[Line]) -> tuple[Line, ...]:
    """Who needs help first, first."""
    return tuple(sorted(lines, key=lambda line: (line.urgency, line.name)))


def added(key: str, name: str, lines: Sequence[Line]) -> Line:
    """Lines as one: sums of counts, of changes and of work, and the earliest day."""
    counts = [line.counts for line in lines if line.counts]
    changes = [line.change for line in lines if line.change]
    weeks = zip(*(line.weeks for line in lines), strict=True)
    return Line(
        key=key,
        name=name,
        counts=reduce(add, counts) if counts else None,
        change=reduce(add, changes) if changes else None,
        day=min((line.day for line in lines if line.day), default=None),
        weeks=tuple(_sum(week) for week in weeks),
        work=reduce(add, (line.work for line in lines), Work()),
        has_calendar=any(line.has_calendar for line in lines),
        schools=sum(line.schools for line in lines),
        in_need=sum(line.in_need for line in lines),
        silent=sum(line.silent for line in lines),
    )


def _sum(numbers: Iterable[int | None]) -> int | None:
    known = [number for number in numbers if number is not None]
    return sum(known) if known else None


def _weeks(
    ids: Sequence[int], asked: Sequence[date], counts: Mapping[tuple[int, date], Counts]
) -> tuple[tuple[date, Counts], ...]:
    """The sum of all schools at the end of each week in which any was counted."""
    found = ((when, [counts[school, when] for school in ids if (school, when) in counts]) for when in asked)
    return tuple((when, reduce(add, some)) for when, some in found if some)


def by_network(whole: Board, schools: Sequence[School]) -> tuple[Line, ...]:
    """The lines of a board added up network by network."""
    networks = {school.key: school.network for school in schools}
    groups: dict[str, list[Line]] = {}
    for line in whole.lines:
        groups.setdefault(networks[line.key].key, []).append(line)
    names = {network.key: network.name for network in networks.values()}
    return ordered(added(key, names[key], lines) for key, lines in groups.items())


def needs(line: Line) -> list[str]:
    """What one school waits for, the longest wait of a family first."""
    work, gap = line.work, line.gap
    return [
        *([f"{many(work.first_contact_late, 'first contact')} overdue"] if work.first_contact_late else []),
        *([f"{many(work.unowned, 'case')} without an owner"] if work.unowned else []),
        *([_silence(gap)] if gap and gap.trailing else []),
        *(["no calendar yet, so nothing can be counted"] if not line.has_calendar else []),
    ]


def _silence(gap: Gap) -> str:
    if gap.last is None:
        return f"no attendance yet ({many(gap.trailing, 'school day')})"
    return f"no attendance since {day_text(gap.last)} ({many(gap.trailing, 'school day')})"


def answer(line: Line) -> str:
    """The first thing to know about one school, as a sentence."""
    name, work, gap = line.name, line.work, line.gap
    if work.first_contact_late:
        late = work.first_contact_late
        return f"{many(late, 'first contact')} at {name} {'is' if late == 1 else 'are'} overdue"
    if work.unowned:
        return f"{many(work.unowned, 'case')} at {name} {'has' if work.unowned == 1 else 'have'} no owner"
    if not line.has_calendar:
        return f"{name} has no calendar yet"
    if gap and gap.trailing:
        return f"{name} has sent no attendance {f'since {day_text(gap.last)}' if gap.last else 'yet'}"
    if line.counts is None:
        return f"No school day has been counted at {name} yet"
    return f"{line.counts.needing} of {many(line.counts.students, 'student')} at {name} are in Tier 2 or 3"
