"""From a reason to the person who acts: by cause, rule or tier to a role, then to whoever holds it today.

A restricted cause or rule changes neither owner nor due date: it asks for a task inside its compartment.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from rules import room
from rules.holders import Holder, may_act
from rules.places import Place, PlaceKind
from rules.roles import FieldClass, role
from rules.routing_table import CASE_OWNER, Due, Opens, Route, Seat, TaskText, routing_table

NEUTRAL_TITLE = "Support task"

Loads = Mapping[int, int]
"""Open work by person id; who is not in it has none."""


class Via(StrEnum):
    """How a person was found. The keys are labelled in the vocabulary."""

    HOLDER = "holder"
    DEPUTY = "deputy"
    FALLBACK = "fallback"
    NETWORK_FALLBACK = "network fallback"
    UNOWNED = "unowned"


@dataclass(frozen=True, slots=True)
class Assignment:
    """Who owns a case, how they were found, what is due when (school days), and why in a sentence."""

    department: str
    role: str
    person_id: int | None
    via: Via
    due: Due
    why: str

    @property
    def due_days(self) -> int | None:
        return self.due.contact


@dataclass(frozen=True, slots=True)
class PlannedTask:
    """Something one role is asked to do. In a compartment, only its readers see more than `shown_title`."""

    kind: str
    title: str
    compartment: FieldClass | None
    department: str
    role: str
    person_id: int | None
    via: Via
    due_days: int

    @property
    def shown_title(self) -> str:
        """What may stand outside the compartment."""
        return NEUTRAL_TITLE if self.compartment else self.title


def route(
    reasons: Iterable[str],
    tier: str,
    causes: Sequence[str],
    place: Place,
    holders: Iterable[Holder],
    *,
    on: date,
    loads: Loads | None = None,
) -> Assignment:
    """Who owns the case of a student with these rules, tier (1, watch, 2, 3) and causes (primary first).

    `holders`: people of the school, its network and the district; those placed elsewhere are passed over.
    """
    reasons = _open_only(reasons)
    causes = _open_only(causes)
    entry = _entry(reasons, tier, causes)
    found = _Staff.at(place, holders, on, loads).find(entry, entry.seat, entry.fallback)
    return Assignment(
        department=_department(entry, causes),
        role=found.seat.role,
        person_id=found.person_id,
        via=found.via,
        due=_due(entry, reasons, tier),
        why=_why(entry, found),
    )


def tasks_for(
    trigger: str, place: Place, holders: Iterable[Holder], *, on: date, loads: Loads | None = None
) -> tuple[PlannedTask, ...]:
    """What a rule, root cause or condition asks for, and of whom. KeyError for what is not in the table.

    A root cause that moves the owner asks for its task too; the task goes to the role named there.
    """
    entry = routing_table().trigger(trigger)
    staff = _Staff.at(place, holders, on, loads)
    return tuple(_planned(entry, text, staff) for text in entry.tasks)


def compartment_task(
    trigger: str, place: Place, holders: Iterable[Holder], *, on: date, loads: Loads | None = None
) -> PlannedTask:
    """The one task of a restricted rule, cause or condition; ValueError when it is not restricted."""
    if routing_table().trigger(trigger).restricted is None:
        raise ValueError(f"{trigger} is not restricted: its work belongs to the case.")
    (task,) = tasks_for(trigger, place, holders, on=on, loads=loads)
    return task


def who(entry: Route, place: Place, holders: Iterable[Holder], *, on: date) -> Found:
    """Whom one entry of the table finds at a place on a day."""
    return _Staff.at(place, holders, on, None).find(entry, entry.seat, entry.fallback)


def compartment_of(trigger: str) -> FieldClass | None:
    """The compartment a rule, cause or condition lives in, or None."""
    return routing_table().compartment(trigger)


def visible_rules(rules: Iterable[str]) -> tuple[str, ...]:
    """The rules that may be listed on a case: without those that live in a compartment."""
    return tuple(rule for rule in rules if compartment_of(rule) is None)


# -- which entry decides ----------------------------------------------------------------------------------


def _open_only(triggers: Iterable[str]) -> tuple[str, ...]:
    return tuple(key for key in triggers if compartment_of(key) is None)


def _entry(reasons: Sequence[str], tier: str, causes: Sequence[str]) -> Route:
    """A firm rule, a cause that leads cases, Tier 3, the strongest rule, the tier: the first there is."""
    table = routing_table()
    ranked = [table.rules[key] for key in table.strongest if key in reasons]
    firm = [entry for entry in ranked if entry.firm]
    moving = [table.triggers[code] for code in causes if code in table.triggers and table.triggers[code].leads_case]
    by_tier = table.tiers.get(tier, table.tiers["2"])
    by_rule = [] if tier == "3" else ranked
    return next(iter([*firm, *moving, *by_rule, by_tier]))


def _department(entry: Route, causes: Sequence[str]) -> str:
    """The department that answers for the first known cause; a firm rule keeps its own."""
    table = routing_table()
    answering = [table.triggers[code] for code in causes if code in table.triggers]
    by_cause = [row.department for row in answering if row.key in table.rows]
    return entry.department if entry.firm or not by_cause else by_cause[0]


def _due(entry: Route, reasons: Sequence[str], tier: str) -> Due:
    """The earliest of what the entry, the tier and every rule that opens a case ask for."""
    table = routing_table()
    due = entry.due.sooner(table.tiers.get(tier, table.tiers["2"]).due)
    for key in reasons:
        if key in table.rules and table.rules[key].opens is Opens.CASE:
            due = due.sooner(table.rules[key].due)
    return due


def _planned(entry: Route, text: TaskText, staff: _Staff) -> PlannedTask:
    fallback = entry.fallback if text.fallback is None else text.fallback
    found = staff.find(entry, text.seat or entry.seat, fallback)
    return PlannedTask(
        kind=text.kind,
        title=text.title,
        compartment=entry.restricted,
        department=entry.department,
        role=found.seat.role,
        person_id=found.person_id,
        via=found.via,
        due_days=text.due,
    )


# -- who holds the role -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Found:
    """Who was found for which seat, how, and among how many who could have been."""

    seat: Seat
    person_id: int | None
    via: Via
    among: int = 1


@dataclass(frozen=True, slots=True)
class _Staff:
    """The holders whose place covers one place, on one day."""

    rows: tuple[Holder, ...]
    on: date
    loads: Loads

    @classmethod
    def at(cls, place: Place, holders: Iterable[Holder], on: date, loads: Loads | None) -> _Staff:
        return cls(tuple(h for h in holders if h.place.covers(place)), on, loads or {})

    def find(self, entry: Route, seat: Seat, fallback: Sequence[Seat]) -> Found:
        """Holder or deputy, the nearest first; the school's fallback roles; the network's; or nobody."""
        if seat.role == CASE_OWNER:
            return Found(seat, None, Via.HOLDER)
        tried = self._tries(entry, seat, fallback)
        return next((found for found in tried if found.person_id is not None), Found(seat, None, Via.UNOWNED))

    def _tries(self, entry: Route, seat: Seat, fallback: Sequence[Seat]) -> Iterator[Found]:
        for breadth in range(len(PlaceKind)):
            yield self._pick(seat, Via.HOLDER, self.holders(seat, breadth))
            yield self._pick(seat, Via.DEPUTY, self.deputies(seat, breadth, entry.restricted))
        for other in fallback:
            for breadth in (0, 1):  # somebody who goes from school to school belongs to each of them
                yield self._pick(other, Via.FALLBACK, self.holders(other, breadth))
        for other in (*fallback, *entry.network):
            for breadth in range(len(PlaceKind)):
                yield self._pick(other, Via.NETWORK_FALLBACK, self.holders(other, breadth))

    def _pick(self, seat: Seat, via: Via, able: Mapping[int, int | None]) -> Found:
        """Of several, whoever has the least open work for their hours, then the lowest id."""
        least = min(
            able, key=lambda person: (room.weight(self.loads.get(person, 0), able[person]), person), default=None
        )
        return Found(seat, least, via, len(able))

    def holders(self, seat: Seat, breadth: int) -> dict[int, int | None]:
        """Those who hold the seat today, at the school (0), the network (1) or the district (2), and their hours."""
        here = (h for h in self.rows if h.place.breadth == breadth and h.fits(seat) and h.active(self.on))
        return {h.person_id: h.hours for h in here}

    def deputies(self, seat: Seat, breadth: int, compartment: FieldClass | None) -> dict[int, int | None]:
        """Those named by a holder who is away, if they are there and may do the work."""
        away = (h for h in self.rows if h.place.breadth == breadth and h.fits(seat) and self._is_away(h))
        named = {h.deputy for h in away if h.deputy is not None}
        return {h.person_id: h.hours for h in self.rows if h.person_id in named and self._may_act(h, compartment)}

    def _is_away(self, holder: Holder) -> bool:
        return holder.started(self.on) and not holder.active(self.on)

    def _may_act(self, holder: Holder, compartment: FieldClass | None) -> bool:
        return may_act(holder, self.on, compartment)


# -- words ------------------------------------------------------------------------------------------------


def _why(entry: Route, found: Found) -> str:
    """One sentence on who was chosen and how, without a name."""
    asked, label = role(entry.seat.role).label, role(found.seat.role).label
    least = ", who of several has the least open work for their hours" if found.among > 1 else ""
    match found.via:
        case Via.HOLDER:
            return f"{entry.when}: led by the {asked}{least}."
        case Via.DEPUTY:
            return f"{entry.when}: led by the deputy, because the {asked} is away."
        case Via.FALLBACK:
            return f"{entry.when}: led by the {label}{least}, because the school has no {asked} today."
        case Via.NETWORK_FALLBACK:
            return f"{entry.when}: led by the {label} from outside, because the school has nobody for it today."
        case Via.UNOWNED:
            return f"{entry.when}: nobody holds the role of {asked} today. Please give it to someone."
