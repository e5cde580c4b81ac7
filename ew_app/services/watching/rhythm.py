"""Which places look at their numbers together every two weeks, and whom those that are late are shown to."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from ew_app.alone import all_told, alone
from ew_app.kernel import WORKER, Actor, operation, today
from ew_app.services.people import standing_in
from ew_app.services.people.telling import tell
from ew_app.services.watching import goals
from models.org import Network, School
from models.queries import boards
from models.queries import reviews as rows
from models.queries.reviews import Turn
from rules import access, roles
from rules.access import Area, Permission, Place, PlaceKind
from rules.reviews import rhythm, shown_to
from rules.stints import school_year_start

RUN = Permission.RUN_REVIEW


@dataclass(frozen=True, slots=True)
class Standing:
    """A place with its turn; own: whether its reviews are this reader's to hold. network: of a school, by key."""

    place: Place
    name: str
    turn: Turn
    own: bool

    @property
    def is_due(self) -> bool:
        """Whether the day for it has come."""
        return self.turn.due is not None and self.turn.due <= today()


def of(by: Actor) -> list[Standing]:
    """Every place whose reviews this person holds, and those inside, the widest first; empty for anybody else."""
    area = access.scope_of(by.grants, RUN).whole
    return _standing(area, boards.schools_in(area), by) if area else []


def of_places(standing: Iterable[Standing], kind: PlaceKind) -> list[Standing]:
    """Those of one kind, by name."""
    return sorted((one for one in standing if one.place.kind is kind), key=lambda one: one.name)


def waiting_for(by: Actor) -> list[Standing]:
    """Reviews on this person's list today: their own that are due, and what has risen to them from inside."""
    found = of(by)
    held = {grant.place.kind for grant, role in by.grants if RUN in role.permissions}
    return [
        one
        for one in found
        if one.is_due and (one.own or any(kind in shown_to(one.place.kind, one.turn.late) for kind in held))
    ]


def completion(standing: Sequence[Standing]) -> list[tuple[str, int, int]]:
    """(network key, schools whose review is not late, schools) of the schools in a list."""
    counted: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for one in standing:
        if one.place.kind is PlaceKind.SCHOOL:
            line = counted[one.place.network or ""]
            line[0] += not one.turn.late
            line[1] += 1
    return [(key, fresh, schools) for key, (fresh, schools) in sorted(counted.items())]


def _standing(area: Area, inside: Sequence[School], by: Actor) -> list[Standing]:
    networks: Sequence[Network] = boards.networks_in(area)
    names = {str(Place.of_school(one.key)): (Place.of_school(one.key, one.network.key), one.name) for one in inside}
    names |= {str(Place.of_network(one.key)): (Place.of_network(one.key), one.name) for one in networks}
    names |= {"district": (Place.district(), "The whole district")} if area.district else {}
    found = rows.turns(
        [one.id for one in inside], [one.key for one in networks], area.district, on=today(), before=_year_end(),
        every=rhythm().every, able=_able(),
    )  # fmt: skip
    own = {str(grant.place) for grant, role in by.grants if RUN in role.permissions}
    made = [Standing(*names[turn.place], turn, turn.place in own) for turn in found]
    return sorted(made, key=lambda one: (-one.place.breadth, one.name))


def _year_end() -> date:
    return school_year_start(today()) - timedelta(days=1)


# -- what rises ----------------------------------------------------------------------------------------------


def tell_of_late(day: str = "") -> int:
    """The queued job: tell of reviews and of what is done for goals where its day has passed. How many were told.

    day: of the schedule, not needed: told twice is told once.
    """
    told = 0
    with all_told():
        for what, step in (("reviews", _tell_of_reviews), ("goals", goals.tell_of_due)):
            with alone(what):
                told += step()
    return told


@operation
def _tell_of_reviews() -> int:
    """Tell whoever holds a review that is due, once; and once a week those above in counts."""
    on, everywhere = today(), Area(district=True)
    holders = _holders(on)
    told, above = 0, Counter[int]()
    for one in _standing(everywhere, boards.schools_in(everywhere), WORKER):
        if not one.is_due:
            continue
        own = standing_in.with_deputies(holders[str(one.place)])
        told += tell("review_due", own, once=f"review/{one.place}/{one.turn.due}", place=one.name)
        for kind in shown_to(one.place.kind, one.turn.late)[1:]:
            higher = Place.of_network(one.place.network or "") if kind is PlaceKind.NETWORK else Place.district()
            above.update(holders[str(higher)])
    week = (on - timedelta(days=on.weekday())).isoformat()
    for person, count in sorted(above.items()):
        told += tell("reviews_late", standing_in.with_deputies([person]), once=f"reviews-late/{week}", count=count)
    return told


def _able() -> list[str]:
    """The roles that hold reviews."""
    return [key for key, role in roles.all_roles().items() if RUN in role.permissions]


def _holders(on: date) -> dict[str, set[int]]:
    found: dict[str, set[int]] = defaultdict(set)
    for person, _, place in rows.holders(_able(), on):
        found[place].add(person)
    return found
