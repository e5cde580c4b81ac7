"""Who holds which role where today, who stands in for whom, and how much open work each already has."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable
from datetime import date, timedelta
from typing import Any

from ew_app.kernel import today
from models.org import School
from models.queries import staffing as rows
from rules.holders import Holder, who_acts
from rules.places import Place
from rules.roles import FieldClass, Permission, Right, all_roles, role

HOMEROOM_ROLE = "homeroom_teacher"


class Staff:
    """The people of some schools, their networks and the district, on one day.

    `loads` counts open work by person; who hands out work counts it there too, so that it is shared evenly.
    """

    def __init__(self, schools: Collection[int] | None = None, on: date | None = None) -> None:
        self.on = on or today()
        self._places = {number: Place.of_school(key, network) for number, key, network in rows.schools(schools)}
        self._holders: dict[str, list[tuple[Holder, str]]] = defaultdict(list)
        known = {str(at): at for place in self._places.values() for at in place.upwards()}
        for row in rows.grants(self.on, set(known)):
            self._holders[row.place].append((_holder(row, known[row.place], self.on), row.homeroom))
        here = [holder for held in self._holders.values() for holder, _ in held]
        deputies = {holder.deputy for holder in here if holder.deputy is not None}
        self.loads: Counter[int] = Counter(rows.open_work(deputies | {holder.person_id for holder in here}))
        self._near: dict[tuple[int, str], list[Holder]] = {}

    def place(self, school: int) -> Place:
        """The place of a school, with its network."""
        return self._places[school]

    def near(self, school: int, homeroom: str = "") -> list[Holder]:
        """Everyone who may be asked about a student there; of homeroom teachers only the student's own."""
        key = (school, homeroom)
        if key not in self._near:
            self._near[key] = list(self._asked(self._places[school], homeroom))
        return self._near[key]

    def everybody(self, school: int) -> list[Holder]:
        """Everyone who may be asked about any student there; a teacher of one homeroom stands for all of them."""
        levels = self._places[school].upwards()
        return [holder for where in levels for holder, _ in self._holders.get(str(where), ())]

    def who_acts(self, school: int, person: int, role_key: str, compartment: FieldClass | None = None) -> int | None:
        """Who goes on today with what somebody has there in a role; None while they are away without a deputy."""
        return who_acts(person, role_key, self.everybody(school), on=self.on, compartment=compartment)

    def watching(self, school: int, permission: Permission, *, breadth: int = 0) -> set[int]:
        """Who is there today with a permission, or stands in for somebody who has it: the nearest there are.

        breadth: where to look first, at the school (0), the network (1) or the district (2).
        """
        may = (one for one in self.everybody(school) if permission in role(one.role).permissions)
        return self._nearest(school, (one for one in may if one.place.breadth >= breadth))

    def reading(self, school: int, compartment: FieldClass, *, breadth: int = 0, beside: int | None = None) -> set[int]:
        """Who is there today and reads a compartment of every student there, or stands in for somebody who does: the
        nearest there are, beside one person whose work it is."""
        keep = readers_of(compartment, own=False)
        may = (one for one in self.everybody(school) if one.role in keep and one.person_id != beside)
        return self._nearest(school, (one for one in may if one.place.breadth >= breadth), compartment) - {beside}

    def _nearest(self, school: int, able: Iterable[Holder], compartment: FieldClass | None = None) -> set[int]:
        there = [
            (holder.place.breadth, person)
            for holder in able
            if (person := self._goes_on(school, holder, compartment)) is not None
        ]
        closest = min((far for far, _ in there), default=None)
        return {person for far, person in there if far == closest}

    def there(self, school: int, role_key: str, department: str) -> set[int]:
        """Who is there today in a role, for a department or for all of them, or stands in for somebody who is."""
        found = (
            self._goes_on(school, holder)
            for holder in self.everybody(school)
            if holder.role == role_key and holder.department in (None, department)
        )
        return {person for person in found if person is not None}

    def _goes_on(self, school: int, holder: Holder, compartment: FieldClass | None = None) -> int | None:
        """Whoever holds it, or while they are away whoever stands in; None once it has ended."""
        return self.who_acts(school, holder.person_id, holder.role, compartment) if holder.holds(self.on) else None

    def _asked(self, place: Place, homeroom: str) -> Iterable[Holder]:
        for where in place.upwards():
            for holder, room in self._holders.get(str(where), ()):
                if holder.role != HOMEROOM_ROLE or room == homeroom:
                    yield holder


def _holder(row: Any, place: Place, on: date) -> Holder:
    """A grant as routing sees it; someone shut out counts as gone since yesterday, so the deputy stands in."""
    ends = on - timedelta(days=1) if row.disabled else row.ends
    away = ((row.away_from, row.away_until or date.max),) if row.away_from else ()
    return Holder(
        person_id=row.person_id,
        role=row.role,
        place=place,
        starts=row.starts,
        ends=ends,
        deputy=row.deputy_id,
        on_leave=away,
        department=row.department or None,
        hours=row.hours,
    )


def readers_of(compartment: FieldClass, *, own: bool = True) -> list[str]:
    """The roles that read a compartment of what is their own; without `own`, of every student there."""
    return [key for key, one in all_roles().items() if one.right(compartment, own=own).reaches(Right.READ)]


def place_of(school: School) -> Place:
    """The place of a school, with the network it belongs to."""
    return Place.of_school(school.key, school.network.key)


def school_places(place: str) -> list[str]:
    """The places of the schools that a role at a place is for: one, those of a network, or all."""
    here = Place.parse(place)
    return [f"school:{key}" for _, key, network in rows.schools() if here.covers(Place.of_school(key, network))]
