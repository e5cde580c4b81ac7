"""When each place was reviewed last and when it is due again; what a review looks at in groups; what was asked of whom.

Counts only. Every function is one statement, however many schools there are.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import ColumnElement, and_, func, or_, select, text

from models.base import db
from models.reviews import Nudge, Review, ReviewLine
from models.staff import Person


@dataclass(frozen=True, slots=True)
class Turn:
    """When a place was reviewed last, and when it is next. late: school days since then. due: None past the calendar.

    held_as: review or meeting, what the last one was.
    """

    place: str
    last: date | None
    held_as: str
    due: date | None
    late: int


_TURNS = """
    WITH inside AS (
        SELECT 'school:' || s.key AS place, s.id AS school_id FROM school s WHERE s.id = ANY(:schools)
        UNION ALL
        SELECT 'network:' || n.key, s.id FROM network n JOIN school s ON s.network_id = n.id
        WHERE n.key = ANY(:networks)
        UNION ALL SELECT 'district', s.id FROM school s WHERE :district
    ), held AS (
        SELECT DISTINCT ON (place) place, day, held_as FROM (
            SELECT place, day, 'review' AS held_as FROM review WHERE ended_at IS NOT NULL AND day <= :on
            UNION ALL
            SELECT 'school:' || s.key, m.day, 'meeting' FROM meeting m JOIN school s ON s.id = m.school_id
            WHERE m.ended_at IS NOT NULL AND m.day <= :on AND s.id = ANY(:schools)) looked
        ORDER BY place, day DESC, held_as
    ), places AS (
        SELECT DISTINCT i.place, h.day AS last, coalesce(h.held_as, '') AS held_as,
               greatest(h.day, CAST(:before AS date), g.first) AS since
        FROM inside i LEFT JOIN held h ON h.place = i.place
        LEFT JOIN (SELECT place, min(starts) - 1 AS first FROM role_grant WHERE role = ANY(:able) GROUP BY 1) g
          ON g.place = i.place
    ), days AS (
        SELECT place, day, row_number() OVER (PARTITION BY place ORDER BY day) AS nth FROM (
            SELECT DISTINCT i.place, d.day FROM inside i JOIN places p ON p.place = i.place
            JOIN calendar_day d ON d.school_id = i.school_id AND d.day > p.since
            WHERE d.weight > 0 AND d.day_type IN ('instructional', 'make_up') AND d.day <= CAST(:on AS date) + 60) known
    )
    SELECT p.place, p.last, p.held_as, min(d.day) FILTER (WHERE d.nth = :every),
           (count(*) FILTER (WHERE d.nth > :every AND d.day <= :on))::int
    FROM places p LEFT JOIN days d ON d.place = p.place GROUP BY 1, 2, 3 ORDER BY 1
"""


def turns(
    schools: Collection[int],
    networks: Collection[str],
    district: bool,
    *,
    on: date,
    before: date,
    every: int,
    able: Collection[str],
) -> list[Turn]:
    """Schools by id, networks by key, and the district if asked: each place's turn.

    before: the day before the year. able: the roles that hold reviews; nothing is late from before the first person
    who could have held it came to the place.
    """
    asked = {
        "schools": list(schools), "networks": list(networks), "district": district, "on": on, "before": before,
        "every": every, "able": list(able),
    }  # fmt: skip
    return [Turn(*row) for row in db.session.execute(text(_TURNS), asked)]


def held(places: Collection[str], limit: int = 30) -> Sequence[Review]:
    """The reviews of some places, the newest first."""
    wanted = select(Review).where(Review.place.in_(sorted(places))).order_by(Review.day.desc(), Review.id.desc())
    return db.session.scalars(wanted.limit(limit)).all()


def last_before(place: str, day: date) -> date | None:
    """The day of the last ended review of a place before a day."""
    earlier = select(func.max(Review.day)).where(Review.place == place, Review.day < day)
    return db.session.scalar(earlier.where(Review.ended_at.is_not(None)))


def lines(review_id: int) -> Sequence[ReviewLine]:
    """What a review walks past, in its order."""
    wanted = select(ReviewLine).where(ReviewLine.review_id == review_id).order_by(ReviewLine.position)
    return db.session.scalars(wanted.execution_options(populate_existing=True)).all()


def holders(roles: Collection[str], on: date) -> list[tuple[int, str, str]]:
    """(person, role, place) of whoever holds one of these roles on a day."""
    found = db.session.execute(
        text("""
            SELECT g.person_id, g.role, g.place FROM role_grant g JOIN person p ON p.id = g.person_id
            WHERE g.role = ANY(:roles) AND g.starts <= :on AND (g.ends IS NULL OR g.ends >= :on)
              AND p.disabled_at IS NULL ORDER BY g.id
        """),
        {"roles": list(roles), "on": on},
    )
    return [(person, role, place) for person, role, place in found]


# -- what was asked ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Asked:
    """A nudge with the name of whoever is asked."""

    nudge: Nudge
    owner: str

    def late(self, on: date) -> bool:
        """Whether its day has passed without an answer."""
        return self.nudge.answered_at is None and self.nudge.due < on


def asked_of(person_id: int, *, still_open: bool = True) -> list[Asked]:
    """What one person is asked, the earliest day first."""
    mine = Nudge.owner_id == person_id
    return _asked(and_(mine, Nudge.answered_at.is_(None)) if still_open else mine)


def asked_by(person_id: int, since: datetime) -> list[Asked]:
    """What one person asked of others: what has no answer, and what was answered since."""
    return _asked(and_(Nudge.asked_id == person_id, or_(Nudge.answered_at.is_(None), Nudge.answered_at >= since)))


def asked_about(place: str, since: datetime) -> list[Asked]:
    """What was asked about a place: what has no answer, and what was answered since."""
    return _asked(and_(Nudge.place == place, or_(Nudge.answered_at.is_(None), Nudge.answered_at >= since)))


def agreed_in(review_id: int) -> list[tuple[int, Asked]]:
    """(line, what was agreed on it) of a review."""
    found = db.session.execute(
        select(ReviewLine.id, Nudge, Person.name)
        .join(Nudge, Nudge.review_line_id == ReviewLine.id)
        .join(Person, Person.id == Nudge.owner_id)
        .where(ReviewLine.review_id == review_id)
        .order_by(ReviewLine.position, Nudge.id)
    )
    return [(line, Asked(nudge, name)) for line, nudge, name in found]


def agreed_before(place: str, review_id: int) -> list[Asked]:
    """What earlier reviews of a place agreed that has no answer yet."""
    lines_of = (
        select(ReviewLine.id)
        .join(Review, Review.id == ReviewLine.review_id)
        .where(Review.place == place, Review.id < review_id)
    )
    return _asked(and_(Nudge.review_line_id.in_(lines_of), Nudge.answered_at.is_(None)))


def _asked(wanted: ColumnElement[bool]) -> list[Asked]:
    found = db.session.execute(
        select(Nudge, Person.name).join(Person, Person.id == Nudge.owner_id).where(wanted).order_by(Nudge.due, Nudge.id)
    )
    return [Asked(nudge, name) for nudge, name in found]
