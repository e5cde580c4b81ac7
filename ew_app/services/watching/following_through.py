"""From a flag to a change: how far the cases of some schools have come, by school or network and by role.

The cases that began in a period, as they stand today; they are counted where they lie, and never by person.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from ew_app.kernel import today
from ew_app.services.casework import rising
from ew_app.services.watching import parts
from models.org import School
from models.queries import follow_through as rows
from models.queries.follow_through import Waited
from rules import roles
from rules.access import Area
from rules.follow_through import CUT_SHORT, DAYS_TO_TELL, FEWEST_PEOPLE, Better, Funnel, State, Step, Walked
from rules.stints import school_year_start
from rules.suppression import HIDDEN, share_of_tens, suppress

WEEKS = (4, 8, 16)  # periods to choose from; nothing else stands for the school year
USUAL = 8
NOTHING = Waited(0, 0, None, None)


@dataclass(frozen=True, slots=True)
class Line:
    """One school, network or role. over: new cases of this week beyond the stated hours there.

    waited is None where it would speak of one person or two.
    """

    key: str
    name: str
    funnel: Funnel
    waited: Waited | None
    over: int

    @property
    def late(self) -> int:
        """Open cases of which a step, or the first contact, is overdue."""
        return self.funnel.in_state(State.LATE)


@dataclass(frozen=True, slots=True)
class FollowThrough:
    """Cases begun since a day: all together, by place in the order of names, and by role."""

    since: date
    total: Line
    places: tuple[Line, ...]
    roles: tuple[Line, ...]


def since_of(weeks: int | None) -> date:
    """The first day of a period: a Monday so many weeks ago, or the first day of the school year."""
    on = today()
    start = school_year_start(on)
    return start if weeks is None else max(start, on - timedelta(days=on.weekday(), weeks=weeks))


def of(schools: Sequence[School], since: date, *, by_network: bool = False) -> FollowThrough:
    """How far the cases begun since a day at these schools have come by today; two statements and one for the hours."""
    on = today()
    counted = {one.id: one.network.key if by_network else one.key for one in schools}
    names = {(one.network if by_network else one).key: (one.network if by_network else one).name for one in schools}
    found = rows.walked(counted, since, on, on, enough=DAYS_TO_TELL, cut_short=CUT_SHORT)
    lines = [_line(*row) for row in found]
    times = rows.waited(counted, since, on, on, cut_short=CUT_SHORT)
    over = _Over(schools, by_network)
    places = [
        Line(key, name, Funnel.of(one for one in lines if one.place == key), times.get((key, None)), over.at[key])
        for key, name in names.items()
    ]
    return FollowThrough(
        since,
        Line("", "All together", Funnel.of(lines), times.get((None, None), NOTHING), over.all),
        tuple(sorted(places, key=lambda line: line.name)),
        tuple(_roles(lines, times, over)),
    )


@dataclass(frozen=True, slots=True)
class RoleLine:
    """A role as a reader may see it: counts in tens unless `exact`, None where kept back; in_time in words.

    `waited` is None where it would speak of few people or few cases; over, beyond the hours, only where `exact`.
    """

    name: str
    cases: int | None
    in_time: str
    planned: int | None
    late: int | None
    unowned: int | None
    waited: Waited | None
    over: int | None
    exact: bool

    def words(self, count: int | None) -> str:
        """One of its counts, as a page shows it."""
        return HIDDEN if count is None else f"{count:,}" if self.exact else f"about {count:,}"


def by_role(found: FollowThrough, *, exact: bool, network: bool) -> list[RoleLine]:
    """The roles for whoever may open the cases; else in tens, because a role stands close to a reason.

    Then of networks alone: a network and its schools, set against each other, would tell the small ones.
    """
    lines = found.roles if exact or network else ()
    if not lines:
        return []
    numbers = [[line.funnel.reached(Step.PLANNED) for line in lines], [line.late for line in lines],
               [line.funnel.unowned for line in lines]]  # fmt: skip
    tables = [
        [(number, line.funnel.cases - number) for number, line in zip(counts, lines, strict=True)] for counts in numbers
    ]
    told = parts.told_together("Role", [one.name for one in lines], ("", ""), tables, exact=exact, margin=parts.MARGIN)
    made = []
    for at, line in enumerate(lines):
        over = line.over if exact else None
        cases, (planned, late, unowned) = told[0].totals[at], (one.rows[at][0] for one in told)
        made.append(
            RoleLine(
                name=line.name, cases=cases, in_time=_in_time(line, exact), planned=planned, late=late,
                unowned=unowned, waited=line.waited if cases is not None else None, over=over, exact=exact,
            )
        )  # fmt: skip
    return made


def _in_time(line: Line, exact: bool) -> str:
    reached, asked = line.funnel.in_time, line.funnel.asked
    if not asked:
        return "–"
    if line.waited is None:
        return HIDDEN
    pair = reached, asked - reached
    return f"{reached} of {asked}" if exact else share_of_tens(*pair, suppress([pair], margin=parts.MARGIN).rows[0])


def _roles(lines: Sequence[Walked], times: Mapping[tuple[str | None, str | None], Waited], over: _Over) -> list[Line]:
    held: dict[str, list[Walked]] = defaultdict(list)
    for line in lines:
        held[line.role].append(line)
    known = roles.all_roles()
    made = [
        Line(key, known[key].label if key in known else key, Funnel.of(of_role), _of_several(times.get((None, key))),
             over.of_role[key])
        for key, of_role in held.items()
    ]  # fmt: skip
    return sorted(made, key=lambda line: line.name)


def _of_several(waited: Waited | None) -> Waited | None:
    return waited if waited is not None and waited.owners >= FEWEST_PEOPLE else None


class _Over:
    """New cases of this week beyond the hours that whoever got them states, in sums.

    Places count whoever is placed at a school: those who go from one to the next are one role, and often one person.
    """

    def __init__(self, schools: Sequence[School], by_network: bool) -> None:
        self.at: Counter[str] = Counter()
        self.of_role: Counter[str] = Counter()
        places = {f"school:{one.key}": one.network.key if by_network else one.key for one in schools}
        for one, fits in rising.room_in(Area(schools=frozenset(school.key for school in schools))):
            too_many = max(0, one.new - fits)
            self.of_role[one.role] += too_many
            if one.place in places:
                self.at[places[one.place]] += too_many
        self.all = sum(self.at.values())


def _line(
    place: str, role: str, contacted: bool, heard: bool, planned: bool, reviewed: bool, better: str, state: str,
    unowned: bool, asked: bool, in_time: bool, cases: int,
) -> Walked:  # fmt: skip
    return Walked(
        place, role, contacted, heard, planned, reviewed, Better(better), State(state), unowned, asked, in_time, cases
    )
