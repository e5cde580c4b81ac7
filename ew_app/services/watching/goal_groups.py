"""Which groups of a place a goal can be about, and how large each is: as of the month's tables, never of today.

Sizes that followed the roster from day to day would tell by one student when a group goes under ten.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date

from ew_app.kernel import today
from ew_app.services.watching import goal_counts, parts
from models.org import School
from models.queries import boards, groups
from models.queries import goals as rows
from rules.access import Place
from rules.grades import grade_order
from rules.stints import school_year_start
from rules.suppression import LEAST

YES_NO = {"true": "yes", "false": "no"}  # what the roster says, as goals are written


def size(schools: Sequence[School], kind: str, value: str) -> int:
    """How many belonged to a group of these schools when groups were last told."""
    return sum(rows.students_now([one.id for one in schools], _sized_on(schools), kind, value).values())


def groups_of(places: Sequence[Place]) -> list[str]:
    """The groups of these places' students that are large enough for a goal, as kind:value, by kind."""
    inside = [school for place in places for school in goal_counts.schools_of(str(place))]
    schools = dict.fromkeys((school.id for school in inside), _sized_on(inside))
    sizes: Counter[tuple[str, str]] = Counter()
    for kind, _, value, _, students in groups.tiers_by_group(schools, school_year_start(today())) if schools else []:
        sizes[kind, YES_NO.get(value, value)] += students
    large = [one for one, students in sizes.items() if students >= LEAST and one[1] and one[0] in rows.KINDS]
    return [f"{kind}:{value}" for kind, value in sorted(large, key=lambda one: (rows.KINDS.index(one[0]), _order(one)))]


def _order(one: tuple[str, str]) -> tuple[int, str]:
    kind, value = one
    return grade_order(value) if kind == "grade" else (0, value)


def _sized_on(schools: Sequence[School]) -> date:
    """The day as of which groups have a size: that of the month's tables, so that nobody sees one leave."""
    ids = [one.id for one in schools]
    return parts.told_on(ids, today()) or boards.newest_counted(ids, today()) or today()
