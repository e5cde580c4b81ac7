"""What the boards count: schools, the day ledger, tiers by day, open cases. Never a mark and never a name.

`schools_in` is the only function that takes an area; the others take the ids it gave. The number of queries
does not depend on how many schools there are.
"""

from __future__ import annotations

import operator
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import date
from typing import Protocol

from sqlalchemy import Select, func, select, text
from sqlalchemy.orm import contains_eager

from models.attendance import SchoolDay
from models.base import db
from models.bulk import ints
from models.org import Network, School
from models.queries.scope import AreaLike, schools


@dataclass(frozen=True, slots=True)
class Counts:
    """Students by tier; `too_early` stands beside: they are in one of the five already."""

    tier_1: int = 0
    watch: int = 0
    tier_2: int = 0
    tier_3: int = 0
    none: int = 0
    too_early: int = 0

    @property
    def students(self) -> int:
        return self.tier_1 + self.watch + self.tier_2 + self.tier_3 + self.none

    @property
    def needing(self) -> int:
        """Students in Tier 2 or 3."""
        return self.tier_2 + self.tier_3

    def __add__(self, other: Counts) -> Counts:
        return Counts(*map(operator.add, _COUNTS(self), _COUNTS(other)))

    def __sub__(self, other: Counts) -> Counts:
        return Counts(*map(operator.sub, _COUNTS(self), _COUNTS(other)))

    @classmethod
    def of_all(cls, some: Iterable[Counts]) -> Counts:
        """Their sum, also of none."""
        return cls(*map(sum, zip(*map(_COUNTS, some), strict=True)))


_COUNTS = operator.attrgetter(*(f.name for f in fields(Counts)))


@dataclass(frozen=True, slots=True)
class Work:
    """Cases of a school: open, without an owner, and still waiting for a first contact past its date.

    `in_time` of `asked`: families reached by the day set, of the cases begun lately whose day has come.
    """

    open: int = 0
    unowned: int = 0
    first_contact_late: int = 0
    asked: int = 0
    in_time: int = 0

    @classmethod
    def of_all(cls, some: Iterable[Work]) -> Work:
        """Their sum, also of none."""
        return cls(*map(sum, zip(*map(_WORK, some), strict=True)))


_WORK = operator.attrgetter(*(f.name for f in fields(Work)))


@dataclass(frozen=True, slots=True)
class Grade:
    """One grade of a school on one day."""

    grade: str
    counts: Counts


class Named(Protocol):
    """A school as far as a sentence names it."""

    @property
    def id(self) -> int: ...
    @property
    def name(self) -> str: ...


def _with_network() -> Select[School]:
    return select(School).join(School.network).options(contains_eager(School.network))


def schools_in(area: AreaLike, *, name: str = "") -> Sequence[School]:
    """The schools within the area, by name, each with its network; perhaps by part of a name."""
    wanted = _with_network().where(schools(area)).order_by(School.name, School.id)
    if name:
        wanted = wanted.where(School.name.icontains(name, autoescape=True) | (School.key == name))
    return db.session.scalars(wanted).all()


def names_in(area: AreaLike) -> Sequence[Named]:
    """The number and name of the schools within the area, by name."""
    return db.session.execute(
        select(School.id, School.name).where(schools(area)).order_by(School.name, School.id)
    ).all()


def school(key: str) -> School | None:
    """A school with its network by the district's key. For the guard to ask about, not yet to show."""
    return db.session.scalar(_with_network().where(School.key == key))


def networks_in(area: AreaLike) -> Sequence[Network]:
    """The networks that lie wholly within the area, by name."""
    wanted = select(Network).order_by(Network.name, Network.id)
    return db.session.scalars(wanted if area.district else wanted.where(Network.key.in_(sorted(area.networks)))).all()


def network(key: str) -> Network | None:
    """A network by the district's key."""
    return db.session.scalar(select(Network).where(Network.key == key))


def any_school() -> bool:
    """Whether a roster has ever been loaded."""
    return db.session.scalar(select(School.id).limit(1)) is not None


def last_day_in(area: AreaLike) -> date | None:
    """The last school day of which attendance came in anywhere in the area."""
    came = SchoolDay.school_id == School.id, SchoolDay.status.in_(("submitted", "partial"))
    newest = select(func.max(SchoolDay.day)).where(*came).correlate(School).scalar_subquery()
    last: date | None = db.session.scalar(select(func.max(newest)).select_from(School).where(schools(area)))
    return last


# Of each asked day and school the counts of its last counted day up to it: rows (asked, school_id, day, ...) of `last`.
# Most were counted on the newest day of all and are read at once; who was not is looked for by itself.
# Parameters: schools, days, start.
LAST = """
    newest AS MATERIALIZED (
        SELECT w.asked, (SELECT max(c.day) FROM school_count c
                         WHERE c.school_id = ANY(:schools) AND c.day BETWEEN :start AND w.asked) AS day
        FROM unnest(CAST(:days AS date[])) AS w (asked)
    ), there AS MATERIALIZED (
        SELECT n.asked, c.* FROM newest n JOIN school_count c ON c.day = n.day AND c.school_id = ANY(:schools)
    ), behind AS (
        SELECT n.asked, s.id FROM unnest(CAST(:schools AS int[])) AS s (id)
        LEFT JOIN (SELECT school_id, count(*) AS days FROM there GROUP BY 1) t ON t.school_id = s.id
        JOIN newest n ON n.day IS NOT NULL
        WHERE coalesce(t.days, 0) < (SELECT count(day) FROM newest)
          AND NOT EXISTS (SELECT FROM there t WHERE t.asked = n.asked AND t.school_id = s.id)
    ), last AS (
        TABLE there UNION ALL
        SELECT b.asked, c.* FROM behind b CROSS JOIN LATERAL (
            SELECT * FROM school_count WHERE school_id = b.id AND day BETWEEN :start AND b.asked
            ORDER BY day DESC LIMIT 1) c
    )
"""
COUNTED = 'tier_1, watch, tier_2, tier_3, "none", too_early'
_LAST_COUNTED = """
    WITH near AS MATERIALIZED (
        SELECT school_id, max(day) AS day FROM school_count
        WHERE school_id = ANY(:schools) AND day BETWEEN CAST(:until AS date) - 7 AND :until GROUP BY 1
    )
    TABLE near UNION ALL
    SELECT s.id, d.day FROM unnest(CAST(:schools AS int[])) AS s (id) CROSS JOIN LATERAL (
        SELECT day FROM school_count WHERE school_id = s.id AND day <= :until ORDER BY day DESC LIMIT 1) d
    WHERE NOT EXISTS (SELECT FROM near WHERE school_id = s.id)
"""


@dataclass(frozen=True, slots=True)
class Counted:
    """The counts of a school and the day they are of."""

    day: date
    counts: Counts


def last_counted(ids: Sequence[int], until: date) -> dict[int, date]:
    """School -> the last day up to `until` on which its students were counted."""
    rows = db.session.execute(text(_LAST_COUNTED), {"schools": ints(ids), "until": until})
    return {school: day for school, day in rows}


def newest_counted(ids: Sequence[int], until: date) -> date | None:
    """The last day up to `until` on which any of these schools was counted."""
    asked = text(f"SELECT max(day) FROM ({_LAST_COUNTED}) counted")
    found: date | None = db.session.scalar(asked, {"schools": ints(ids), "until": until})
    return found


def counted_on(ids: Sequence[int], days: Sequence[date], start: date) -> dict[tuple[int, date], Counted]:
    """(school, asked day) -> what was counted there on the last counted day from `start` up to the asked one."""
    asked = {"schools": ints(ids), "days": sorted(set(days)), "start": start}
    rows = db.session.execute(text(f"WITH {LAST} SELECT school_id, asked, day, {COUNTED} FROM last"), asked)
    return {(school, when): Counted(day, Counts(*counts)) for school, when, day, *counts in rows}


def counts_on(ids: Sequence[int], days: Sequence[date], start: date) -> dict[tuple[int, date], Counts]:
    """(school, asked day) -> its counts on its last counted day from `start` up to the asked one."""
    return {key: found.counts for key, found in counted_on(ids, days, start).items()}


def first_counted(school: int, since: date, until: date) -> date | None:
    """The first day within these on which a school's students were counted."""
    asked = text("SELECT min(day) FROM tier_count WHERE school_id = :school AND day BETWEEN :since AND :until")
    found: date | None = db.session.scalar(asked, {"school": school, "since": since, "until": until})
    return found


def by_grade(school: int, day: date) -> list[Grade]:
    """A school's counts of one day, grade by grade as they are written."""
    rows = db.session.execute(
        text("""
            SELECT grade, tier_1, watch, tier_2, tier_3, "none", too_early FROM tier_count
            WHERE school_id = :school AND day = :day ORDER BY grade
        """),
        {"school": school, "day": day},
    )
    return [Grade(grade, Counts(*counts)) for grade, *counts in rows]


def without_calendar(ids: Sequence[int], start: date) -> set[int]:
    """Schools that have no school day from `start` on."""
    rows = db.session.scalars(
        text("""
            SELECT s.id FROM unnest(CAST(:schools AS int[])) AS s (id) WHERE NOT EXISTS (
                SELECT FROM calendar_day d WHERE d.school_id = s.id AND d.day >= :start
                  AND d.day_type IN ('instructional', 'make_up') AND d.weight > 0)
        """),
        {"schools": ints(ids), "start": start},
    )
    return set(rows)


def work(ids: Sequence[int], today: date, since: date) -> dict[int, Work]:
    """School -> its cases; `asked` looks at those begun or taken up again from `since` on.

    A first contact is made when somebody was reached since then, not when a message was left.
    """
    rows = db.session.execute(
        text("""
            WITH begun AS (
                SELECT c.*, c.closed_on IS NULL AS here, coalesce(e.opened, c.opened) AS begun
                FROM support_case c
                LEFT JOIN case_episode e ON e.case_id = c.id AND e.episode = c.episode AND e.episode > 1
                WHERE c.school_id = ANY(:schools)
            )
            SELECT b.school_id, count(*) FILTER (WHERE here), count(*) FILTER (WHERE here AND owner_id IS NULL),
                   count(*) FILTER (WHERE here AND contact_due < :today AND status <> 'paused' AND reached IS NULL),
                   count(*) FILTER (WHERE begun >= :since AND (contact_due < :today OR reached <= contact_due)),
                   count(*) FILTER (WHERE begun >= :since AND reached <= contact_due)
            FROM begun b CROSS JOIN LATERAL (
                SELECT min(on_day) AS reached FROM outreach o
                WHERE o.student_id = b.student_id AND o.is_contact AND o.on_day >= b.begun) r
            WHERE here OR begun >= :since GROUP BY b.school_id
        """),
        {"schools": ints(ids), "today": today, "since": since},
    )
    return {school: Work(*counts) for school, *counts in rows}
