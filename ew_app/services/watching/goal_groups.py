"""Goals of a group: which groups there are and how each stands, out of the tables that are told for the month.

A count of their own would be a second table of the same children, and the two could be set against each other.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Final

from ew_app.kernel import today
from ew_app.services.watching import goal_counts, groups, kept
from ew_app.services.watching.kept import Kept
from models.goals import Goal
from models.queries import boards
from rules.access import Area, Place
from rules.goals import Measure
from rules.grades import grade_order
from rules.overlaps import REST, in_tens
from rules.tiers import Tier

KINDS: Final = ("grade", "english_learner", "low_income", "home_language", "race_ethnicity")
MEASURE: Final = Measure.TIERS  # what the tables of groups tell
YES_NO: Final = {"true": "yes", "false": "no"}  # what the roster says, as goals are written
_NEEDING: Final = groups.COLUMNS.index(groups.COLUMN[Tier.TWO])


def groups_of(places: Sequence[Place]) -> list[str]:
    """The groups of these places whose size is told, as kind:value, by kind."""
    found = {
        (kind, YES_NO.get(name, name))
        for place in places
        for kind, table in tell(str(place)).items()
        for name, row in zip(table.counted.names, table.shown, strict=True)
        if row[-1] and name not in ("", REST)
    }
    return [f"{kind}:{value}" for kind, value in sorted(found, key=lambda one: (KINDS.index(one[0]), _order(one)))]


def _order(one: tuple[str, str]) -> tuple[int, str]:
    kind, value = one
    return grade_order(value) if kind == "grade" else (0, value)


def tell(place: str) -> dict[str, Kept]:
    """The tables of a place for the month, by kind; told now if nobody has asked for them yet."""
    return groups.told([school.id for school in goal_counts.schools_of(place)], today(), KINDS)


def points(goals: Sequence[Goal]) -> dict[str, list[tuple[date, int, int]]]:
    """Of goals of a group: thread -> (day, part, whole) in tens, month by month; 0 of 0 where it is not in sight."""
    of_groups = [one for one in goals if one.subgroup]
    every = boards.schools_in(Area(district=True)) if of_groups else ()
    schools = [(one.id, Place.of_school(one.key, one.network.key)) for one in every]
    inside = {place: kept.fingerprint([number for number, school in schools if Place.parse(place).covers(school)])
              for place in {one.place for one in of_groups}}  # fmt: skip
    tables = kept.known(inside.values(), today()) if inside else {}
    return {one.thread: [_point(one, table) for table in tables.get((inside[one.place], _kind(one)), ())
                         if one.measure == MEASURE] for one in of_groups}  # fmt: skip


def _kind(goal: Goal) -> str:
    return goal.subgroup.partition(":")[0]


def _point(goal: Goal, table: Kept) -> tuple[date, int, int]:
    value = goal.subgroup.partition(":")[2]
    for name, row in zip(table.counted.names, table.shown, strict=True):
        if YES_NO.get(name, name) == value:
            part, whole = (in_tens(n) if table.exact and n is not None else n for n in (row[_NEEDING], row[-1]))
            return (table.day, part, whole) if part and whole else (table.day, 0, 0)
    return table.day, 0, 0
