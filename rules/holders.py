"""Who holds a role where, who is there on a day, and who goes on with the work of somebody who is on leave."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from rules.places import Place
from rules.roles import FieldClass, Right, role
from rules.routing_table import Seat


@dataclass(frozen=True, slots=True)
class Holder:
    """A person in a role at a place; dates inclusive. A contact without a department serves them all.

    `hours`: what they state for a week, over all they hold; None is the whole week.
    """

    person_id: int
    role: str
    place: Place
    starts: date | None = None
    ends: date | None = None
    deputy: int | None = None
    on_leave: tuple[tuple[date, date], ...] = ()
    department: str | None = None
    hours: int | None = None

    def started(self, on: date) -> bool:
        return self.starts is None or self.starts <= on

    def holds(self, on: date) -> bool:
        """Whether the role is theirs that day, here or away."""
        return self.started(on) and (self.ends is None or on <= self.ends)

    def is_on_leave(self, on: date) -> bool:
        """Away for a time, and coming back to it."""
        return self.holds(on) and any(first <= on <= last for first, last in self.on_leave)

    def active(self, on: date) -> bool:
        return self.holds(on) and not self.is_on_leave(on)

    def fits(self, seat: Seat) -> bool:
        return self.role == seat.role and (seat.department is None or self.department in (None, seat.department))


def may_act(holder: Holder, on: date, compartment: FieldClass | None = None) -> bool:
    """Whether someone who is there that day may write to a case of theirs, or read the compartment."""
    held, needed = (compartment, Right.READ) if compartment else (FieldClass.CASE, Right.WRITE)
    return holder.active(on) and role(holder.role).right(held, own=True).reaches(needed)


def stands_in(deputy: Iterable[Holder], away: Holder, *, on: date, compartment: FieldClass | None = None) -> bool:
    """Whether somebody, by one of what they hold, does what another has while that one is on leave.

    In a compartment only whoever may read it; at a place only whoever works there or above it.
    """
    return away.is_on_leave(on) and any(h.place.covers(away.place) and may_act(h, on, compartment) for h in deputy)


def who_acts(
    person: int, role_key: str, holders: Iterable[Holder], *, on: date, compartment: FieldClass | None = None
) -> int | None:
    """Who goes on today with what somebody has in a role: they themselves; while they are on leave a deputy, or nobody.

    `holders`: whoever's place covers that of the work. It stays whose it is: nothing is moved, and it ends by itself.
    """
    staff = list(holders)
    theirs = [h for h in staff if h.person_id == person and h.role == role_key]
    away = [h for h in theirs if h.is_on_leave(on)]
    if not away or len(away) < len(theirs):
        return person
    able = (h.deputy for h in away if stands_in([d for d in staff if d.person_id == h.deputy], h, on=on,
                                                compartment=compartment))  # fmt: skip
    return next(able, None)
