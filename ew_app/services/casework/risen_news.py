"""Work that has risen is told of once a day and in counts: to the principal by school, to the network in one.

What lies in a compartment is told to its other readers alone, the nearest first and then those above the school.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import Any

from ew_app.kernel import today
from ew_app.services.casework import hand_over_news
from ew_app.services.casework.staffing import Staff
from ew_app.services.people.telling import tell_more
from models.base import db
from models.hand_overs import HandOver
from rules.rising import Level
from rules.roles import FieldClass, Permission

SEES = Permission.SEE_WAITING
NETWORK = 1  # how far from the school


class RisenNews:
    """What rose in one look. Work in compartments is in no count but that of those who read it."""

    def __init__(self) -> None:
        self._at_school: Counter[int] = Counter()
        self._above: Counter[int] = Counter()
        self._unanswered: dict[int, int] = {}
        self._inside: list[tuple[Any, Level]] = []

    def add(self, row: Any, reached: Level, school_days: int, *, new: bool) -> None:
        """A piece of work (of models.queries.rising.waits) that has come up. new: the principal has not seen it yet."""
        if row.shut:
            self._inside.append((row, reached if not new else Level.PRINCIPAL))
            if new and reached is Level.NETWORK:
                self._inside.append((row, reached))
            return
        if new:
            self._at_school[row.school_id] += 1
        if reached is Level.NETWORK and row.on_case:
            self._above[row.school_id] += 1
        if row.hand_over_id is not None:
            self._unanswered[row.hand_over_id] = school_days

    def tell(self) -> None:
        """Tell whoever steps in, in the open transaction, and remind whoever owes an answer."""
        schools = {*self._at_school, *self._above, *(row.school_id for row, _ in self._inside)}
        if not schools:
            return
        staff, day = Staff(schools), today().isoformat()
        for school, count in sorted(self._at_school.items()):
            people = staff.watching(school, SEES)
            tell_more("risen", dict.fromkeys(people, count), once=f"risen/{school}/{day}", school_id=school)
        above: dict[int, int] = defaultdict(int)
        for school, count in self._above.items():
            for person in staff.watching(school, SEES, breadth=NETWORK):
                above[person] += count
        tell_more("risen_above", above, once=f"risen-above/{day}")
        tell_more("risen_inside", self._readers(staff), once=f"risen-inside/{day}")
        for number, waited in sorted(self._unanswered.items()):
            hand_over_news.waits(db.session.get_one(HandOver, number), waited)

    def _readers(self, staff: Staff) -> dict[int, int]:
        """Person -> how much of what rose inside they read, each piece once: whoever is late with it is not told."""
        told: set[tuple[int, int]] = set()
        for row, reached in self._inside:
            far = NETWORK if reached is Level.NETWORK else 0
            kept = FieldClass(row.compartment)
            told |= {(one, row.task_id) for one in staff.reading(row.school_id, kept, breadth=far, beside=row.owner_id)}
        return Counter(person for person, _ in told)
