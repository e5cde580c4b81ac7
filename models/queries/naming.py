"""Keys and names behind internal numbers."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sqlalchemy import func, select, text

from models.base import db
from models.bulk import ints
from models.org import Network, School
from models.people import Student


def student_id(key: str) -> int | None:
    """The number of a student by the district's key, a former one too."""
    return db.session.scalar(select(func.coalesce(Student.same_as, Student.id)).where(Student.key == key))


def student_keys(students: Sequence[int]) -> dict[int, str]:
    """Number -> the district's key."""
    found = db.session.execute(text("SELECT id, key FROM student WHERE id = ANY(:ids)"), {"ids": ints(students)})
    return {number: key for number, key in found}


def school_keys() -> dict[int, str]:
    """Number -> the district's key, of every school."""
    return {number: key for number, key in db.session.execute(select(School.id, School.key))}


def places(schools: Collection[int] | None = None) -> dict[int, tuple[str, str]]:
    """School number -> (network key, school key), of these schools or of all."""
    found = select(School.id, Network.key, School.key).join(Network, Network.id == School.network_id)
    if schools is not None:
        found = found.where(School.id.in_(schools))
    return {school: (network, key) for school, network, key in db.session.execute(found)}
