"""The boards: how schools stand, what changed since the same weekday last week, and who needs help first.

Counts only. Every change is taken between two days that the page names, so that rows and totals add up.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from enum import Enum

from ew_app.kernel import day_text, wall_clock
from models.org import School
from models.queries import boards as rows
from models.queries.boards import Counted, Counts, Work
from models.queries.lateness import Silence, silences
from models.queries.year_counts import by_day
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
    weeks: tuple[int | None, ...] = ()  # students in Tier 2 or 3, oldest first; where a board tells of the weeks
    work: Work = Work()
    gap: Silence | None = None  # of one school that is late
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
    """Schools in order of need, their sum, the two days compared.

    weeks: where it tells of the weeks, the sum at the end of each one; by_week: network -> the same, None for nothing.
    """

    lines: tuple[Line, ...]
    total: Line
    latest: date | None
    before: date | None
    current: int  # schools counted through the latest day
    weeks: tuple[tuple[date, Counts], ...] = ()
    by_week: Mapping[str, tuple[int | None, ...]] = field(default_factory=dict)

    @property
    def late(self) -> list[Line]:
        return [line for line in self.lines if line.silent]


class Weeks(Enum):
    """For which lines a board tells how the weeks went."""

    NONE = "none"
    SCHOOLS = "schools"
    NETWORKS = "networks"


def board(schools: Sequence[School], today: date, weeks: Weeks = Weeks.NONE) -> Board:
    """How these schools stand as far as each has been counted: the same answer for whoever may read counts."""
    ids = [school.id for school in schools]
    latest = rows.newest_counted(ids, today)
    start, before = school_year_start(latest or today), latest - WEEK if latest else None
    counted = rows.counted_on(ids, [latest, before], start) if latest and before else {}
    late, untaught = silences(ids, start, today, wall_clock()), rows.without_calendar(ids, start)
    cases, none = rows.work(ids, today, today - LATELY), Work()
    lines = [
        _line(
            school,
            counted.get((school.id, latest)) if latest else None,
            counted.get((school.id, before)) if before else None,
            late.get(school.id),
            cases.get(school.id, none),
            school.id not in untaught,
        )
        for school in schools
    ]
    told = Board(
        lines=ordered(lines),
        total=added("", f"All {len(lines)} schools", lines),
        latest=latest,
        before=before,
        current=sum(line.day == latest for line in lines) if latest else 0,
    )
    return told if weeks is Weeks.NONE or not latest else _with_weeks(told, schools, weeks, start)


def _line(
    school: School, now: Counted | None, then: Counted | None, gap: Silence | None, work: Work, has_calendar: bool
) -> Line:
    silent = bool(gap and gap.trailing)
    return Line(
        key=school.key,
        name=school.name,
        counts=now.counts if now else None,
        change=now.counts - then.counts if now and then and now.day > then.day else None,
        day=now.day if now else None,
        work=work,
        gap=gap,
        has_calendar=has_calendar,
        in_need=int(bool(work.first_contact_late or work.unowned or silent or not has_calendar)),
        silent=int(silent),
    )


def _with_weeks(told: Board, schools: Sequence[School], weeks: Weeks, start: date) -> Board:
    """The same with the weeks before, of its schools or of their networks."""
    assert told.latest is not None
    ends = [told.latest - WEEK * n for n in reversed(range(WEEKS))]
    keys = {one.id: one.key if weeks is Weeks.SCHOOLS else one.network.key for one in schools}
    number = {key: place for place, key in enumerate(dict.fromkeys(keys.values()))}
    found = by_day({school: number[key] for school, key in keys.items()}, ends, start)
    series = {
        key: tuple(found[at, end].counts.needing if (at, end) in found else None for end in ends)
        for key, at in number.items()
    }
    sums = ((end, [found[at, end].counts for at in number.values() if (at, end) in found]) for end in ends)
    whole = tuple((end, Counts.of_all(some)) for end, some in sums if some)
    known = {end: counts.needing for end, counts in whole}
    return replace(
        told,
        lines=tuple(replace(line, weeks=series[line.key]) for line in told.lines)
        if weeks is Weeks.SCHOOLS
        else told.lines,
        total=replace(told.total, weeks=tuple(known.get(end) for end in ends)),
        weeks=whole,
        by_week=series,
    )


def ordered(lines: Iterable[Line]) -> tuple[Line, ...]:
    """Who needs help first, first."""
    return tuple(sorted(lines, key=lambda line: (line.urgency, line.name)))


def added(key: str, name: str, lines: Sequence[Line], weeks: tuple[int | None, ...] = ()) -> Line:
    """Lines as one: sums of counts, of changes and of work, and the earliest day."""
    counts = [line.counts for line in lines if line.counts]
    changes = [line.change for line in lines if line.change]
    return Line(
        key=key,
        name=name,
        counts=Counts.of_all(counts) if counts else None,
        change=Counts.of_all(changes) if changes else None,
        day=min((line.day for line in lines if line.day), default=None),
        weeks=weeks,
        work=Work.of_all(line.work for line in lines),
        has_calendar=any(line.has_calendar for line in lines),
        schools=sum(line.schools for line in lines),
        in_need=sum(line.in_need for line in lines),
        silent=sum(line.silent for line in lines),
    )


def by_network(whole: Board, schools: Sequence[School]) -> tuple[Line, ...]:
    """The lines of a board added up network by network."""
    networks = {school.key: school.network for school in schools}
    groups: dict[str, list[Line]] = {}
    for line in whole.lines:
        groups.setdefault(networks[line.key].key, []).append(line)
    names = {network.key: network.name for network in networks.values()}
    return ordered(added(key, names[key], lines, whole.by_week.get(key, ())) for key, lines in groups.items())


def needs(line: Line) -> list[str]:
    """What one school waits for, the longest wait of a family first."""
    work, gap = line.work, line.gap
    return [
        *([f"{many(work.first_contact_late, 'first contact')} overdue"] if work.first_contact_late else []),
        *([f"{many(work.unowned, 'case')} without an owner"] if work.unowned else []),
        *([_silence(gap)] if gap and gap.trailing else []),
        *(["no calendar yet, so nothing can be counted"] if not line.has_calendar else []),
    ]


def _silence(gap: Silence) -> str:
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
