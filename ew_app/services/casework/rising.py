"""Work that does not go on is shown above: to the principal, then to the network, until somebody goes on with it.

Looked at every hour. Twice in a row, or two at once, changes nothing; a raised row tells since when, and when it ended.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from typing import Any

from ew_app.kernel import WORKER, Actor, Told, now, operation, record_all, today
from ew_app.services.casework import reaching
from ew_app.services.casework.origin import LEAVES
from ew_app.services.casework.risen_news import RisenNews
from ew_app.services.casework.staffing import Staff, readers_of
from models.queries import boards as schools
from models.queries import following, unowned
from models.queries import rising as rows
from rules import access, room
from rules.access import FieldClass, Permission, Place, PlaceKind
from rules.rising import Level, Waits, level
from rules.school_days import school_days_late

LONGEST_WAIT = timedelta(days=400)  # how far back school days are read


@operation
def release() -> int:
    """Take work from people whose role there has ended or who are shut out, so that it is handed out anew."""
    on = today()
    released = unowned.release_cases(on)
    record_all(
        [Told("case_released", WORKER, f"case:{row.number}", row.student_id, row.id, data={"role": row.owner_role})
         for row in released]
    )  # fmt: skip
    unowned.move_promises()
    unowned.move_tasks(on, f"{LEAVES}/")
    readers = {str(one): readers_of(one) for one in FieldClass if one.restricted}
    return len(released) + unowned.release_tasks(on, readers) + unowned.release_promises(on, readers)


@operation
def rise() -> dict[str, int]:
    """Raise what waits too long, show the longest waits to the network, end what goes on; how many of each."""
    standing, at = rows.standing(), now()
    begin, lift, kept = [], [], set()
    told = RisenNews()
    for key, row, since, reached, days in _reached(standing):
        kept.add(key)
        if key not in standing:
            about = dict(zip(("why", *rows.ABOUT), key, strict=True))
            network_at = at if reached is Level.NETWORK else None
            begin.append(
                {**about, "school_id": row.school_id, "level": int(reached), "since": since, "raised_at": at,
                 "network_at": network_at}
            )  # fmt: skip
            told.add(row, reached, days, new=True)
        elif reached > standing[key].level:
            lift.append(standing[key].id)
            told.add(row, reached, days, new=False)
    ended = [row.id for key, row in standing.items() if key not in kept]
    rows.begin(begin)
    rows.lift(lift, at)
    rows.end(ended, at)
    told.tell()
    return {"raised": len(begin), "to the network": len(lift), "ended": len(ended)}


def _reached(standing: dict[rows.Key, Any]) -> Iterator[tuple[rows.Key, Any, date, Level, int]]:
    """What waits at the principal or the network, since when, and for how many school days.

    What nobody owns waits since it was first seen so; the look comes every hour.
    """
    on = today()
    waiting = rows.waits(on)
    days = following.school_days({row.school_id for row in waiting}, on - LONGEST_WAIT)

    @cache
    def late(school: int, since: date) -> int:
        return school_days_late(since, on, days.get(school, []))

    stranded = _without_stand_in(waiting)
    for row in waiting:
        why = Waits.AWAY if row in stranded else Waits(row.why)
        key = (str(why), row.case_id, row.task_id, row.hand_over_id)
        since = standing[key].since if why is Waits.UNOWNED and key in standing else row.since
        waited = late(row.school_id, since)
        if (reached := level(why, waited)) is not Level.SCHOOL:
            yield key, row, since, reached, waited


def _without_stand_in(waiting: Sequence[Any]) -> set[Any]:
    """What is due of somebody who is on leave, and nobody goes on with it in their place."""
    away = [row for row in waiting if row.away]
    staff = Staff({row.school_id for row in away}) if away else None
    return {
        row
        for row in away
        if staff is not None
        and staff.who_acts(
            row.school_id, row.owner_id, row.owner_role, FieldClass(row.compartment) if row.compartment else None
        )
        is None
    }


# -- what a supervisor is shown ------------------------------------------------------------------------------------


def seen_by(by: Actor) -> list[rows.Waiting]:
    """What waits at the schools whose cases someone may open, with names. Empty for who may open none."""
    access.check(by.grants, Permission.SEE_WAITING)
    area = access.scope_of(by.grants, Permission.SEE_CASELOAD).whole
    return rows.of_schools(area, reaching.openings(by), by.person_id) if area else []


def escalated_to(by: Actor) -> list[rows.Escalated]:
    """What has risen to the network: case number, school and days, for those who see no names."""
    access.check(by.grants, Permission.SEE_WAITING)
    if access.scope_of(by.grants, Permission.SEE_CASELOAD).whole:
        return []
    return rows.of_networks(access.scope_of(by.grants, Permission.SEE_WAITING).whole)


def how_many(by: Actor) -> dict[int, int]:
    """School -> how much of it is on the list that this person is shown: `seen_by`, or else `escalated_to`."""
    access.check(by.grants, Permission.SEE_WAITING)
    named = access.scope_of(by.grants, Permission.SEE_CASELOAD).whole
    if named:
        return rows.how_many(named, reaching.openings(by), by.person_id)
    return rows.how_many_above(access.scope_of(by.grants, Permission.SEE_WAITING).whole)


def days_waited(found: Sequence[rows.Waiting] | Sequence[rows.Escalated]) -> dict[tuple[int, date], int]:
    """(school, since) -> school days after it up to today, for everything on a list."""
    if not found:
        return {}
    days = following.school_days({row.school_id for row in found}, min(row.since for row in found))
    return {
        (row.school_id, row.since): school_days_late(row.since, today(), days.get(row.school_id, [])) for row in found
    }


def unread_there(by: Actor) -> list[tuple[str, list[FieldClass]]]:
    """(school, compartments) of which nobody is there today who reads them, whether or not they hold anything.

    Work inside would wait on nobody's list, and to show it would tell what it is: so the empty role is shown.
    """
    access.check(by.grants, Permission.SEE_WAITING)
    inside = schools.schools_in(access.scope_of(by.grants, Permission.SEE_WAITING).whole)
    staff = Staff({school.id for school in inside}) if inside else None
    readers = {one: set(readers_of(one)) for one in FieldClass if one.restricted}
    found = []
    for school in inside:
        here = {one.role for one in staff.everybody(school.id) if one.active(staff.on)} if staff else set()
        if shut := [one for one, roles in readers.items() if not roles & here]:
            found.append((school.name, shut))
    return found


def seen_by_one(by: Actor) -> list[tuple[str, list[FieldClass]]]:
    """(school, compartments) that one person alone reads there: nobody else is told when work inside is late.

    For those who see the school's cases, who can name a second reader; the same whether or not they hold anything.
    """
    access.check(by.grants, Permission.SEE_WAITING)
    area = access.scope_of(by.grants, Permission.SEE_CASELOAD).whole
    inside = schools.schools_in(area) if area else []
    staff = Staff({school.id for school in inside}) if inside else None
    readers = {one: set(readers_of(one, own=False)) for one in FieldClass if one.restricted}
    found = []
    for school in inside:
        here = [one for one in staff.everybody(school.id) if one.holds(staff.on)] if staff else []
        people = {one: {holder.person_id for holder in here if holder.role in roles} for one, roles in readers.items()}
        if alone := [one for one, them in people.items() if len(them) == 1]:
            found.append((school.name, alone))
    return found


def over_room(by: Actor) -> list[tuple[rows.Begun, int]]:
    """Assignments with the new cases of this week and how many can be begun well, the fullest first. NotAllowed."""
    access.check(by.grants, Permission.SEE_WAITING)
    return room_in(access.scope_of(by.grants, Permission.SEE_WAITING).whole)


@dataclass(frozen=True, slots=True)
class Room:
    """An assignment, or a whole school in sums, with the new cases of this week; `fits`, `new` None: not told."""

    place: str
    over: int
    begun: rows.Begun | None = None
    fits: int | None = None


def room_told(by: Actor) -> tuple[bool, list[Room]]:
    """(True, each assignment) for whoever may open every case counted; else of how many cases a school has too many.

    New cases of one role at a school are cases of one kind of reason, so to a reader of counts a school is one sum.
    """
    found, waiting = over_room(by), access.scope_of(by.grants, Permission.SEE_WAITING).whole
    named = access.scope_of(by.grants, Permission.SEE_CASELOAD).whole
    theirs = {school.id for school in schools.schools_in(named)} if named else set()
    exact = {school.id for school in schools.schools_in(waiting)} <= theirs
    return exact, room_lines(found, exact=exact)


def room_lines(found: Sequence[tuple[rows.Begun, int]], *, exact: bool) -> list[Room]:
    """The same of what was found; those who go from school to school are part of no school's sum."""
    if exact:
        return [Room(one.place, max(0, one.new - fits), one, fits) for one, fits in found]
    sums: Counter[str] = Counter()
    for one, fits in found:
        if Place.parse(one.place).kind is PlaceKind.SCHOOL:
            sums[one.place] += max(0, one.new - fits)
    return [Room(place, over) for place, over in sorted(sums.items()) if over]


def room_in(area: access.Area) -> list[tuple[rows.Begun, int]]:
    """The same of an area. It names people: whoever may see counts alone is given sums of it."""
    on = today()
    found = [(one, room.new_cases_a_week(one.hours)) for one in rows.begun(area, on - timedelta(days=on.weekday()), on)]
    return sorted(found, key=lambda pair: (pair[1] - pair[0].new, pair[0].person, pair[0].place))
