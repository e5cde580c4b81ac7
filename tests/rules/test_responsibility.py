"""Every row of the responsibility table in eight staffing situations, from one table: tests/spec/routing.yaml."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

from rules import room
from rules.holders import Holder, who_acts
from rules.places import Place, PlaceKind
from rules.rising import Level, Waits, level
from rules.roles import FieldClass, Permission, Right, role
from rules.routing import Assignment, PlannedTask, Via, route, tasks_for
from rules.routing_table import Seat, routing_table

SPEC: dict[str, Any] = yaml.safe_load((Path(__file__).parents[1] / "spec" / "routing.yaml").read_text("utf-8"))
TABLE = routing_table()
TODAY = date(2026, 11, 20)
NETWORK, DISTRICT = Place.of_network("N1"), Place.district()
LINCOLN, DOUGLAS = Place.of_school("0101", "N1"), Place.of_school("0102", "N1")
PLACES = {PlaceKind.SCHOOL: LINCOLN, PlaceKind.NETWORK: NETWORK, PlaceKind.DISTRICT: DISTRICT}
HOLDER, SECOND, DEPUTY, OTHERS = 1, 2, 9, 100
YESTERDAY = TODAY - timedelta(days=1)
AWAY = ((TODAY - timedelta(days=4), TODAY + timedelta(days=4)),)


class Row(NamedTuple):
    """A line of the table. `asks`: what routing answers there."""

    number: int
    trigger: str
    department: str
    seat: Seat
    instead: tuple[Seat, ...]
    due: int
    compartment: FieldClass | None
    leads: bool

    def asks(self, holders: list[Holder], loads: dict[int, int] | None = None) -> Assignment | PlannedTask:
        if not self.leads:
            return tasks_for(self.trigger, LINCOLN, holders, on=TODAY, loads=loads)[0]
        tier, causes = (self.trigger, ()) if self.trigger in TABLE.tiers else ("2", (self.trigger,))
        return route([], tier, causes, LINCOLN, holders, on=TODAY, loads=loads)


def _rows() -> Iterator[Row]:
    for number, line in SPEC["cases"].items():
        yield _row(number, line, leads=True)
    for number, lines in SPEC["tasks"].items():
        yield from (_row(number, line, leads=False) for line in lines)


def _row(number: int, line: list[Any], *, leads: bool) -> Row:
    trigger, department, seat, instead, due, *inside = line
    trigger = trigger["tier"] if isinstance(trigger, dict) else trigger
    seats = tuple(Seat.parse(one, department) for one in instead)
    compartment = FieldClass(inside[0]) if inside else None
    return Row(number, trigger, department, Seat.parse(seat, department), seats, due, compartment, leads)


ROWS = list(_rows())


def holding(person: int, seat: Seat, **more: Any) -> Holder:
    """Somebody in the seat, as near to the school as the role goes."""
    place = next(place for kind, place in PLACES.items() if kind in role(seat.role).places)
    return replace(Holder(person, seat.role, place, department=seat.department), **more)


def others(row: Row) -> list[Holder]:
    """One person in each seat that is asked instead."""
    return [holding(OTHERS + n, seat) for n, seat in enumerate(row.instead)]


def standing_in(row: Row) -> Holder:
    """Somebody who may do the work without holding the seat: of the district, or another role of the school."""
    far = Holder(DEPUTY, row.seat.role, DISTRICT, department=row.seat.department)
    near = Holder(DEPUTY, "administrator" if row.seat.role == "principal" else "principal", LINCOLN)
    return far if row.compartment else near


# -- the eight situations: whom we have, and whom the table names then -------------------------------------------


@dataclass(frozen=True)
class Expected:
    """Who is asked, how, and in which role."""

    person: int | None
    via: Via
    role: str


def active(row: Row) -> tuple[list[Holder], Expected]:
    return [holding(HOLDER, row.seat), *others(row)], Expected(HOLDER, Via.HOLDER, row.seat.role)


def on_leave_with_a_deputy(row: Row) -> tuple[list[Holder], Expected]:
    """The named person stands in. For what only one role may read, that is somebody who holds the right as well."""
    deputy = standing_in(row)
    staff = [holding(HOLDER, row.seat, on_leave=AWAY, deputy=DEPUTY), deputy, *others(row)]
    if PlaceKind.DISTRICT not in role(row.seat.role).places and row.compartment:
        staff[1] = holding(DEPUTY, row.seat)  # a second one at the school
        return staff, Expected(DEPUTY, Via.HOLDER, row.seat.role)
    return staff, Expected(DEPUTY, Via.DEPUTY, row.seat.role)


def instead(row: Row) -> Expected:
    """The first seat of the table that somebody holds at the school, else the first held anywhere, else nobody."""
    seats = list(enumerate(row.instead))
    near = [(n, seat) for n, seat in seats if PlaceKind.SCHOOL in role(seat.role).places and not _is_wider(row, seat)]
    for found, via in ((near, Via.FALLBACK), (seats, Via.NETWORK_FALLBACK)):
        if found:
            return Expected(OTHERS + found[0][0], via, found[0][1].role)
    return Expected(None, Via.UNOWNED, row.seat.role)


def _is_wider(row: Row, seat: Seat) -> bool:
    """Seats that the table asks only after the school: they help from the network or the district."""
    entry = TABLE.tiers.get(row.trigger) or TABLE.trigger(row.trigger)
    return seat in entry.network


def on_leave_alone(row: Row) -> tuple[list[Holder], Expected]:
    return [holding(HOLDER, row.seat, on_leave=AWAY), *others(row)], instead(row)


def vacant(row: Row) -> tuple[list[Holder], Expected]:
    return others(row), instead(row)


def ended_yesterday(row: Row) -> tuple[list[Holder], Expected]:
    return [holding(HOLDER, row.seat, ends=YESTERDAY), *others(row)], instead(row)


def itinerant(row: Row) -> tuple[list[Holder], Expected]:
    """The same person at two schools: found for this one, by what they hold here."""
    here, wide = holding(HOLDER, row.seat), PlaceKind.SCHOOL not in role(row.seat.role).places
    both = [here] if wide else [replace(here, place=DOUGLAS), here]
    return [*both, *others(row)], Expected(HOLDER, Via.HOLDER, row.seat.role)


def two_holders(row: Row) -> tuple[list[Holder], Expected]:
    staff = [holding(SECOND, row.seat), holding(HOLDER, row.seat), *others(row)]
    return staff, Expected(HOLDER, Via.HOLDER, row.seat.role)


def nobody(row: Row) -> tuple[list[Holder], Expected]:
    """Only people of another school and another network are there."""
    elsewhere = Place.of_school("0900", "N9")
    return [Holder(HOLDER, row.seat.role, elsewhere)], Expected(None, Via.UNOWNED, row.seat.role)


Situation = Callable[[Row], tuple[list[Holder], Expected]]
SITUATIONS: tuple[Situation, ...] = (
    active, on_leave_with_a_deputy, on_leave_alone, vacant, ended_yesterday, itinerant, two_holders, nobody,
)  # fmt: skip


@pytest.mark.parametrize("situation", SITUATIONS, ids=lambda one: one.__name__)
@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.number}-{row.trigger}-{'case' if row.leads else 'task'}")
def test_every_row_in_every_situation(row: Row, situation: Situation):
    holders, expected = situation(row)
    found = row.asks(holders)
    assert (found.person_id, found.via, found.role) == (expected.person, expected.via, expected.role)
    assert found.department == row.department
    assert found.due_days == row.due
    here = [h for h in holders if h.person_id == found.person_id and h.active(TODAY)]
    assert here or found.person_id is None, "nothing goes to an ended assignment, or to somebody who is away"
    if found.person_id is None:
        assert level(Waits.UNOWNED, TABLE.alarm_after) is Level.NETWORK, "seen above within a day"
        assert level(Waits.UNOWNED, 0) is Level.PRINCIPAL
    if isinstance(found, PlannedTask):
        assert found.compartment == row.compartment
    if row.compartment and here:
        assert any(role(h.role).right(row.compartment, own=True).reaches(Right.READ) for h in here)


@pytest.mark.parametrize("situation", SITUATIONS, ids=lambda one: one.__name__)
@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.number}-{row.trigger}-{'case' if row.leads else 'task'}")
def test_what_somebody_has_already_goes_on_in_every_situation(row: Row, situation: Situation):
    """On leave it is the deputy's for that time, and without one nobody's: then it rises. Else it stays as it is."""
    holders, _ = situation(row)
    acts = who_acts(HOLDER, row.seat.role, holders, on=TODAY, compartment=row.compartment)
    if situation is on_leave_with_a_deputy:
        assert acts == (DEPUTY if may_stand_in(row, holders) else None)
    else:
        assert acts == (None if situation is on_leave_alone else HOLDER)
    after = AWAY[0][1] + timedelta(days=1)
    assert who_acts(HOLDER, row.seat.role, holders, on=after) == HOLDER, "it ends by itself"
    if acts is None:
        assert level(Waits.AWAY, 0) is Level.PRINCIPAL, "seen at the school on the day it is due"


def may_stand_in(row: Row, holders: list[Holder]) -> bool:
    """The deputy works at the place of the one who is away, or above it, and may do the work."""
    (away,) = [holder for holder in holders if holder.person_id == HOLDER]
    needs = (row.compartment, Right.READ) if row.compartment else (FieldClass.CASE, Right.WRITE)
    return any(
        holder.place.covers(away.place) and role(holder.role).right(needs[0], own=True).reaches(needs[1])
        for holder in holders
        if holder.person_id == DEPUTY
    )


def test_a_deputy_who_is_away_too_or_has_left_stands_in_for_nobody():
    seat = ROWS[0].seat
    away = holding(HOLDER, seat, on_leave=AWAY, deputy=DEPUTY)
    there = Holder(DEPUTY, "principal", LINCOLN)
    for gone in (replace(there, on_leave=AWAY), replace(there, ends=YESTERDAY), replace(there, place=DOUGLAS)):
        assert who_acts(HOLDER, seat.role, [away, gone], on=TODAY) is None
    assert who_acts(HOLDER, seat.role, [away, there], on=TODAY) == DEPUTY
    assert who_acts(HOLDER, "nurse", [away, there], on=TODAY) == HOLDER, "away from another role"
    assert who_acts(HOLDER, seat.role, [away, there], on=TODAY, compartment=FieldClass.STLS) is None, "may not read it"


def test_the_table_is_whole(capsys: pytest.CaptureFixture[str]):
    """All 40 rows, every cause, condition and restricted rule that the product routes, in eight situations."""
    rows = {row.number for row in ROWS} | set(SPEC["outside"])
    assert rows == set(range(1, 41))
    routed = {key for key, entry in TABLE.triggers.items() if entry.row and entry.key not in TABLE.tiers}
    in_rules = {row.trigger for row in ROWS if row.trigger in TABLE.rules}
    assert {row.trigger for row in ROWS if not row.leads} - in_rules == routed - set(TABLE.rules)
    assert {one for triggers in SPEC["outside"].values() for one in triggers} == set(TABLE.outside)
    with capsys.disabled():
        cells = len(ROWS) * len(SITUATIONS)
        print(
            f"\nresponsibility: {len(rows)} rows, {len(ROWS)} triggers x {len(SITUATIONS)} situations = {cells} cells"
        )


@pytest.mark.parametrize("number", SPEC["helped"])
def test_helpers_and_who_is_told_in_counts(number: int):
    trigger, helpers, told = SPEC["helped"][number]
    entry = TABLE.tiers[trigger["tier"]] if isinstance(trigger, dict) else TABLE.trigger(trigger)
    assert entry.helpers == tuple(Seat.parse(one, entry.department) for one in helpers)
    assert set(entry.told) == set(told) <= set(TABLE.departments)
    assert entry.first_step.endswith(".")


@pytest.mark.parametrize("entry", TABLE.rows.values(), ids=lambda entry: entry.key)
def test_whoever_helps_may(entry: Any):
    """A helper does tasks; inside a compartment, only somebody who may read it."""
    for seat in entry.helpers:
        assert Permission.DO_TASKS in role(seat.role).permissions
        if entry.restricted:
            assert role(seat.role).right(entry.restricted, own=True).reaches(Right.READ), seat


def test_two_holders_are_told_apart_by_work_for_their_hours():
    """Equal: the lower id. Less work wins; half the hours make the same work weigh twice."""
    row = ROWS[0]
    one, two = holding(HOLDER, row.seat), holding(SECOND, row.seat)
    assert row.asks([two, one]).person_id == HOLDER
    assert row.asks([one, two], {HOLDER: 3, SECOND: 2}).person_id == SECOND
    assert row.asks([one, replace(two, hours=10)], {HOLDER: 3, SECOND: 2}).person_id == HOLDER
    found = row.asks([one, two], {HOLDER: 3, SECOND: 2})
    assert isinstance(found, Assignment) and "the least open work for their hours" in found.why


def test_a_deputy_at_the_school_comes_before_the_same_role_further_away():
    row = next(row for row in ROWS if row.trigger == "R22")
    away = holding(HOLDER, row.seat, on_leave=AWAY, deputy=DEPUTY)
    city = Holder(3, "stls_liaison", DISTRICT)
    worker = Holder(DEPUTY, "social_worker", LINCOLN)
    assert row.asks([city, away, worker]).person_id == DEPUTY
    assert row.asks([city, replace(away, deputy=None), worker]).person_id == 3


# -- rising and room -----------------------------------------------------------------------------------------------


def test_what_waits_rises_to_the_principal_and_then_to_the_network():
    for why in Waits:
        reached = [level(why, days) for days in range(20)]
        assert reached == sorted(reached) and reached[-1] is Level.NETWORK
    assert level(Waits.OVERDUE, 2) is Level.SCHOOL
    assert level(Waits.OVERDUE, 3) is Level.PRINCIPAL


@pytest.mark.parametrize(
    ("hours", "cases"), [(None, 8), (40, 8), (20, 4), (8, 1), (3, 1), (0, 0)], ids=lambda value: str(value)
)
def test_room_for_new_cases_by_stated_hours(hours: int | None, cases: int):
    assert room.new_cases_a_week(hours) == cases


def test_somebody_without_hours_is_asked_last():
    assert room.weight(0, 0) > room.weight(500, 20) == 2 * room.weight(500, 40)
