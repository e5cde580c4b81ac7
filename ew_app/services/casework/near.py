"""Who can stand by a student: the people of the school, its network and the district who work with students."""

from __future__ import annotations

from dataclasses import dataclass

from ew_app.kernel import today
from models.queries import case_page as rows
from rules import roles
from rules.places import Place
from rules.roles import Reach


@dataclass(frozen=True, slots=True)
class Near:
    """A person and the roles they hold there."""

    person_id: int
    name: str
    roles: tuple[str, ...]

    @property
    def words(self) -> str:
        """Name and first role, as a list shows them."""
        return f"{self.name}, {roles.role(self.roles[0]).label}"


def near(place: Place) -> dict[int, Near]:
    """Person -> who can stand by a student of a school, by name."""
    found: dict[int, Near] = {}
    levels = {str(one) for one in place.upwards()}
    for row in rows.people_at(levels, today()):
        if roles.role(row.role).reach is not Reach.COUNTS:
            known = found.get(row.person_id, Near(row.person_id, row.name, ()))
            found[row.person_id] = Near(known.person_id, known.name, (*known.roles, row.role))
    return found
