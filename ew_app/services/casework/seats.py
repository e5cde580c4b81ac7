"""Who would be asked at a school today, entry by entry of the routing table; and what an empty role would do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ew_app.services.casework.staffing import Staff
from models.org import School
from models.queries import boards as schools
from models.queries import staffing
from models.queries.scope import AreaLike
from rules.roles import role
from rules.routing import Via, who
from rules.routing_table import CASE_OWNER, Route, Seat, routing_table


@dataclass(frozen=True, slots=True)
class Asked:
    """One entry of the table at one school. `person`: who is asked today, '' for nobody; `found_as`: in which role."""

    entry: Route
    department: str
    role: str
    person: str
    found_as: str
    via: Via

    @property
    def alone(self) -> bool:
        """Whether its work would wait for nobody to have it."""
        return self.via is Via.UNOWNED


def asked_at(school: School, *, without: str = "") -> list[Asked]:
    """Every entry that asks people of a school, in the order of the table; `without`: as if nobody held this role."""
    staff = Staff([school.id])
    holders = [held for held in staff.everybody(school.id) if held.role != without]
    place, table = staff.place(school.id), routing_table()
    found = [
        (entry, who(entry, place, holders, on=staff.on))
        for entry in (*table.tiers.values(), *table.rows.values())
        if entry.seat.role != CASE_OWNER
    ]
    names = staffing.names({one.person_id for _, one in found if one.person_id})
    return [
        Asked(
            entry, table.departments[entry.department].label, seat_words(one.seat if one.person_id else entry.seat),
            names.get(one.person_id or 0, ""), seat_words(one.seat), one.via,
        )
        for entry, one in found
    ]  # fmt: skip


def seat_words(seat: Seat) -> str:
    """A seat as people read it: the role, with its department where it is a contact of one."""
    label = role(seat.role).label if seat.role != CASE_OWNER else "owner of the case"
    if seat.department is None:
        return label
    return f"{label}, {routing_table().departments[seat.department].label}"


def roles_asked() -> list[tuple[str, str]]:
    """(role, label) of every role that the table asks first, to try out what happens without it."""
    table = routing_table()
    keys = dict.fromkeys(entry.seat.role for entry in (*table.tiers.values(), *table.rows.values()))
    return [(key, role(key).label) for key in keys if key != CASE_OWNER]


def schools_of(area: AreaLike) -> Sequence[School]:
    """The schools somebody may look at, by name."""
    return schools.schools_in(area)
