"""Figures that leave the product: the tier counts of some schools on a day, from what was known at a moment.

The same day and moment give the same bytes, whoever takes them and whenever. So who took a file, and when, stands in
its name and in the audit, and not inside.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from ew_app.kernel import Actor, NotFound, Refused, audit, local, now, operation, today
from ew_app.services.measuring import hindsight
from ew_app.services.measuring import measures as numbers
from ew_app.services.measuring.policies import timeline
from ew_app.services.watching import groups
from ew_app.services.watching.columns import COUNTS
from ew_app.services.watching.parts import Told
from models.org import School
from models.queries import boards as rows
from rules import access
from rules.access import Area, Permission, Place, PlaceKind

TIERS = ("tier_1", "watch", "needing", "none")  # by grade: the columns of groups
STAMP = ("as_of", "known_at", "policy_version")
COUNTED = (*STAMP, "network_id", "network", "school_id", "school", *COUNTS)
GRADES = ("told_of", "known_at", "network_id", "school_id", "school", "grade", *TIERS, "students")


SEES = {
    PlaceKind.SCHOOL: Permission.SEE_SCHOOL_BOARD,
    PlaceKind.NETWORK: Permission.SEE_NETWORK_BOARD,
    PlaceKind.DISTRICT: Permission.SEE_DISTRICT_BOARD,
}
NOWHERE = "There is no such place, or it is not one whose counts you may see."


@dataclass(frozen=True, slots=True)
class Figures:
    """What a file of counts says; `behind`: schools of which the day has not come, with the last day that has."""

    as_of: date
    known_at: datetime
    policy_version: str
    counted: tuple[dict[str, Any], ...]  # a row a school, by COUNTED
    grades: tuple[dict[str, Any], ...]  # a row a grade, by GRADES, small numbers kept back
    behind: tuple[tuple[str, str], ...]

    @property
    def moment(self) -> str:
        """The moment in UTC, as it is written and can be asked for again."""
        return self.known_at.astimezone(UTC).isoformat()


def schools_of(place: str, *, by: Actor) -> Sequence[School]:
    """The schools of a place (district, network:ID, school:ID) whose counts `by` may see. Raises NotFound."""
    try:
        where = Place.parse(place)
    except ValueError as error:
        raise NotFound(NOWHERE) from error
    one = rows.school(where.key) if where.kind is PlaceKind.SCHOOL else None
    if one is not None:
        where = Place.of_school(one.key, one.network.key)
    missing = (where.kind is PlaceKind.SCHOOL and one is None) or (
        where.kind is PlaceKind.NETWORK and rows.network(where.key) is None
    )
    if missing or not access.can(by.grants, SEES[where.kind], where):
        raise NotFound(NOWHERE)
    if one is not None:
        return [one]
    district = where.kind is PlaceKind.DISTRICT
    return rows.schools_in(Area(district=True) if district else Area(networks=frozenset({where.key})))


@operation
def take(
    schools: Sequence[School], place: str, *, by: Actor, as_of: date | None = None, known_at: datetime | None = None
) -> Figures:
    """The figures of these schools, which make up a place that `by` may see; written down as taken. Raises Refused."""
    if not schools:
        raise Refused("There is no school there whose counts could be taken along.")
    hindsight.check_come(as_of, known_at)
    keys = {one.id: (one.network.key, one.network.name, one.key, one.name) for one in schools}
    day = as_of or max(rows.last_counted(list(keys), today()).values(), default=None)
    if day is None:
        raise Refused("No school day has been counted yet, so there is nothing to take along.")
    if known_at is None:
        groups.tell_grades(keys, day)
    moment = known_at or now()
    told = groups.grades_by(keys, day, moment)
    audit("figures_taken", by=by, subject=f"figures:{place}", reason=f"as of {day}, known at {moment.isoformat()}")
    with hindsight.known_at(known_at):
        found = numbers.tiers(day, by="school", schools=list(keys))
        version = timeline().on(day).version
    return _figures(day, moment, version, keys, {row["school_id"]: row for row in found}, told)


Keys = dict[int, tuple[str, str, str, str]]


def _figures(
    day: date, moment: datetime, version: str, keys: Keys, found: dict[str, dict[str, Any]], told: dict[int, Told]
) -> Figures:
    in_order = sorted(keys.items(), key=lambda item: item[1][::2])
    stamp = dict(zip(STAMP, (str(day), moment.astimezone(UTC).isoformat(), version), strict=True))
    counted = [
        stamp | _place(names) | {name: found[names[2]][name] for name in COUNTS}
        for _, names in in_order
        if names[2] in found
    ]
    grades = [line for school, names in in_order if school in told for line in _grades(told[school], names, stamp)]
    through = {names[3]: found.get(names[2], {}).get("data_through", "") for _, names in in_order}
    newest = max(through.values())
    behind = tuple((name, last) for name, last in through.items() if last < newest or not last)
    return Figures(day, moment, version, tuple(counted), tuple(grades), behind)


def _place(names: tuple[str, str, str, str]) -> dict[str, str]:
    return dict(zip(("network_id", "network", "school_id", "school"), names, strict=True))


def _grades(told: Told, names: tuple[str, str, str, str], stamp: dict[str, str]) -> list[dict[str, Any]]:
    place = {name: value for name, value in _place(names).items() if name != "network"}
    lines = zip(told.names, told.rows, told.totals, strict=True)
    columns = [dict(zip(groups.COLUMNS, TIERS, strict=True))[name] for name in told.columns]
    return [
        {"told_of": str(told.day), "known_at": stamp["known_at"], **place, "grade": grade, **dict.fromkeys(TIERS, 0)}
        | {name: told.cell(count) for name, count in zip((*columns, "students"), (*row, total), strict=True)}
        for grade, row, total in lines
    ]


def name_of(found: Figures, place: str, by: Actor) -> str:
    """What the file is called: the place, the day, when it was taken (on the district's clock) and by whom."""
    where = place.replace(":", "-")
    return f"tiers-{where}-{found.as_of}-taken-{local(now()):%Y-%m-%dT%H%M}-by-{by.login}"
