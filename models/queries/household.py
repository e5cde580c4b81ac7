"""Children who share a contact, and what was tried for any of them; who may see which child is asked elsewhere."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date, datetime

from sqlalchemy import Text, cast, func, select, text

from models.base import db
from models.cases import Outreach
from models.outreach import SchoolLadder
from models.people import PHONE_DIGITS

LARGEST = 10  # a number that more children share is an office's or a driver's, and makes no household
DIALLED = PHONE_DIGITS.replace("phone", "c.phone")
SHORTEST = 7  # digits of a number that can be dialled

# Neither an address nor a number alone makes a household: many families live at one address, and a school's office or
# a neighbour may answer for several. The same person does, and a number shared by children of one name.
_HOUSEHOLD = text(f"""
    WITH asked AS (
        SELECT a.id, s.household_key, lower(s.last_name) AS last_name
        FROM unnest(CAST(:students AS int[])) AS a (id) JOIN student s ON s.id = a.id
    ), ways AS (
        SELECT a.id, a.last_name, {DIALLED} AS digits, lower(c.name) AS name, lower(c.address) AS address
        FROM asked a JOIN student s ON s.id = a.id OR s.same_as = a.id JOIN contact c ON c.student_id = s.id
    ), shared AS (
        SELECT DISTINCT w.id, coalesce(o.same_as, o.id) AS other, 'p' || w.digits AS way FROM ways w
        JOIN contact c ON length(w.digits) >= {SHORTEST} AND c.phone <> '' AND {DIALLED} = w.digits
        JOIN student o ON o.id = c.student_id
        WHERE lower(c.name) = w.name OR lower(o.last_name) = w.last_name
        UNION
        SELECT DISTINCT w.id, coalesce(o.same_as, o.id), 'a' || w.address FROM ways w
        JOIN contact c ON w.address <> '' AND c.address <> '' AND lower(c.address) = w.address
          AND lower(c.name) = w.name
        JOIN student o ON o.id = c.student_id
        UNION
        SELECT a.id, o.id, 'h' || a.household_key FROM asked a
        JOIN student o ON o.household_key = a.household_key AND a.household_key <> '' AND o.same_as IS NULL
    ), few AS (
        SELECT id, way FROM shared GROUP BY 1, 2 HAVING count(DISTINCT other) <= {LARGEST}
    )
    SELECT DISTINCT id, other FROM shared JOIN few USING (id, way) WHERE other <> id
""")


def children(students: Collection[int]) -> dict[int, list[int]]:
    """Student -> themselves and the children who share a number, an address or a household of the roster with them."""
    found: dict[int, list[int]] = {student: [student] for student in students}
    for student, other in db.session.execute(_HOUSEHOLD, {"students": list(students)}):
        found[student].append(other)
    return found


def tries_since(student_id: int, day: date) -> Sequence[Outreach]:
    """Every contact and attempt about a student from a day on, in order."""
    wanted = select(Outreach).where(Outreach.student_id == student_id, Outreach.on_day >= day)
    return db.session.scalars(wanted.order_by(Outreach.at, Outreach.id)).all()


def stopped(students: Collection[int]) -> set[str]:
    """Methods that the family of these children has asked us not to use, and has not taken up again itself."""
    found = db.session.execute(
        text("""
            SELECT DISTINCT ON (method) method, outcome = 'asked_to_stop' AS stopped FROM outreach
            WHERE student_id = ANY(:students) AND (outcome IN ('asked_to_stop', 'way_again') OR direction = 'in')
            ORDER BY method, at DESC, id DESC
        """),
        {"students": list(students)},
    )
    return {method for method, is_stopped in found if is_stopped}


def last_called(students: Collection[int], since: datetime) -> datetime | None:
    """When somebody last tried to reach any of these children's families by voice or at the door, since a moment."""
    wanted = select(func.max(Outreach.at)).where(
        Outreach.student_id.in_(students),
        Outreach.at >= since,
        Outreach.direction == "out",
        Outreach.method.in_(("call", "virtual", "visit")),
    )
    last: datetime | None = db.session.scalar(wanted)
    return last


def automatic_since(students: Collection[int], methods: Collection[str], since: datetime) -> int:
    """How many messages went by themselves to these children's family since a moment; one about several counts once."""
    message = func.coalesce(func.nullif(Outreach.talk, ""), cast(Outreach.id, Text))
    wanted = select(func.count(message.distinct())).where(
        Outreach.student_id.in_(students), Outreach.method.in_(methods), Outreach.at >= since
    )
    return db.session.scalar(wanted) or 0


def own_ladder(school_id: int) -> SchoolLadder | None:
    """The ladder that a school has of its own."""
    return db.session.get(SchoolLadder, school_id)
