"""Who can stand by a student: the people of the school, its network and the district who work with students."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from ew_app.kernel import today
from models.queries import case_page as rows
from rules import roles
from rules.handing_over import asks_for_consent
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


def colleagues(places: Collection[str]) -> list[Any]:
    """(person_id, name, role) of whoever works for the district at these places today, by name.

    Whoever is from outside is in no list but the one where the family's consent is asked for (handing_over).
    """
    return [row for row in rows.people_at(places, today()) if not asks_for_consent(roles.role(row.role))]


def near(place: Place) -> dict[int, Near]:
    """Person -> who can stand by a student of a school, by name."""
    found: dict[int, Near] = {}
    for row in colleagues({str(one) for one in place.upwards()}):
        if roles.role(row.role).reach is not Reach.COUNTS:
            known = found.get(row.person_id, Near(row.person_id, row.name, ()))
            found[row.person_id] = Near(known.person_id, known.name, (*known.roles, row.role))
    return found
