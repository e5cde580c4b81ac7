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
from models.org import School
from models.queries import follow_through as rows
from models.queries.follow_through import Waited
from rules import roles
from rules.access import Area
from rules.follow_through import CUT_SHORT, DAYS_TO_TELL, FEWEST_PEOPLE, Better, Funnel, State, Walked
from rules.stints import school_year_start

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
    """New cases of this week beyond the hours that whoever got them states, in sums."""

    def __init__(self, schools: Sequence[School], by_network: bool) -> None:
        self.at: Counter[str] = Counter()
        self.of_role: Counter[str] = Counter()
        above = {f"school:{one.key}": one.network.key for one in schools}
        for one, fits in rising.room_in(Area(schools=frozenset(school.key for school in schools))):
            too_many = max(0, one.new - fits)
            kind, _, key = one.place.partition(":")
            self.of_role[one.role] += too_many
            if by_network:
                self.at[above.get(one.place, key)] += too_many
            elif kind == "school":
                self.at[key] += too_many
        self.all = sum(self.of_role.values())


def _line(
    place: str, role: str, contacted: bool, heard: bool, planned: bool, reviewed: bool, better: str, state: str,
    unowned: bool, asked: bool, in_time: bool, cases: int,
) -> Walked:  # fmt: skip
    return Walked(
        place, role, contacted, heard, planned, reviewed, Better(better), State(state), unowned, asked, in_time, cases
    )
