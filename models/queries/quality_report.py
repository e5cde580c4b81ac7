"""The newest look through the records, and what it found within reach."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, func, or_, select, true

from models.base import db
from models.org import CalendarDay, School
from models.quality import QualityFinding, QualityRun
from models.queries import scope
from models.queries.scope import AreaLike

MENDED_FOR = timedelta(days=7)  # so long what was mended is still told


@dataclass(frozen=True, slots=True)
class Row:
    """A finding and where it is; school "" belongs to no school."""

    id: int
    check: str
    school_key: str
    school: str
    first_seen: date
    count: int
    examples: list[dict[str, Any]]
    mended_on: date | None
    known_reason: str
    known_by: str
    known_on: date | None
    known_count: int

    @property
    def known(self) -> bool:
        """Somebody said that it is right as it is, and it has not grown since."""
        return bool(self.known_reason) and self.count <= self.known_count


def newest() -> QualityRun | None:
    """The last look that came to its end."""
    done = select(QualityRun).where(QualityRun.finished_at.is_not(None))
    return db.session.scalars(done.order_by(QualityRun.local_date.desc(), QualityRun.id.desc()).limit(1)).first()


def before(day: date) -> QualityRun | None:
    """The last look of an earlier day that came to its end."""
    done = select(QualityRun).where(QualityRun.finished_at.is_not(None), QualityRun.local_date < day)
    return db.session.scalars(done.order_by(QualityRun.local_date.desc(), QualityRun.id.desc()).limit(1)).first()


def under_way(since: datetime) -> int | None:
    """The look that was asked for since a moment and is not through."""
    going = select(QualityRun.id).where(QualityRun.finished_at.is_(None), QualityRun.asked_at >= since)
    return db.session.scalar(going.order_by(QualityRun.id.desc()).limit(1))


def run(run_id: int) -> QualityRun | None:
    return db.session.get(QualityRun, run_id)


def last_school_day(until: date) -> date | None:
    """The last day up to `until` on which any school teaches."""
    taught = CalendarDay.day_type.in_(("instructional", "make_up"))
    return db.session.scalar(select(func.max(CalendarDay.day)).where(taught, CalendarDay.day <= until))


def standing(check: str) -> Sequence[QualityFinding]:
    """The findings of a check that last."""
    live = select(QualityFinding).where(QualityFinding.check_key == check, QualityFinding.mended_on.is_(None))
    return db.session.scalars(live).all()


def finding(finding_id: int, area: AreaLike) -> QualityFinding | None:
    """A finding that lasts, within reach, locked for a change."""
    found = select(QualityFinding).where(QualityFinding.id == finding_id, QualityFinding.mended_on.is_(None))
    return db.session.scalars(found.where(_within(area)).with_for_update()).first()


def findings(area: AreaLike, school: str = "", most: int = 1000) -> list[Row]:
    """What lasts within reach, perhaps at one school only: of each check the `most` with the most rows."""
    return _rows(QualityFinding.mended_on.is_(None), area, school, most)


def mended(area: AreaLike, until: date, school: str = "", most: int = 100) -> list[Row]:
    """What was mended in the week up to a day: of each check the `most` with the most rows."""
    return _rows(QualityFinding.mended_on > until - MENDED_FOR, area, school, most)


def totals(area: AreaLike, school: str = "") -> dict[str, tuple[int, int]]:
    """Check -> findings that last and are not said to be right, and their rows."""
    f = QualityFinding
    shown = f.mended_on.is_(None), or_(f.known_reason == "", f.count > f.known_count), _within(area)
    found = select(f.check_key, func.count(), func.sum(f.count)).where(*shown).group_by(f.check_key)
    if school:
        found = found.join(School, School.id == f.school_id).where(School.key == school)
    return {check: (number, rows) for check, number, rows in db.session.execute(found)}


def schools(area: AreaLike) -> list[tuple[str, str]]:
    """(key, name) of schools within reach at which anything lasts."""
    here = select(QualityFinding.school_id).where(QualityFinding.mended_on.is_(None), _within(area))
    found = select(School.key, School.name).where(School.id.in_(here)).order_by(School.name)
    return [(key, name) for key, name in db.session.execute(found)]


def news(area: AreaLike) -> int:
    """How many findings within reach are new with the newest look, against an earlier day, and not said to be right."""
    last = newest()
    if last is None or before(last.local_date) is None:
        return 0
    fresh = QualityFinding.mended_on.is_(None), QualityFinding.first_seen == last.local_date
    found = select(func.count()).select_from(QualityFinding).where(*fresh, _within(area))
    return db.session.scalar(found.where(QualityFinding.known_reason == "")) or 0


def _rows(which: ColumnElement[bool], area: AreaLike, school: str, most: int) -> list[Row]:
    f = QualityFinding
    place = func.row_number().over(partition_by=f.check_key, order_by=(f.count.desc(), f.id)).label("place")
    wanted = select(f.id, place).where(which, _within(area))
    if school:
        wanted = wanted.join(School, School.id == f.school_id).where(School.key == school)
    chosen = wanted.subquery()
    found = select(
        f.id, f.check_key, func.coalesce(School.key, ""), func.coalesce(School.name, ""), f.first_seen, f.count,
        f.examples, f.mended_on, f.known_reason, f.known_by, f.known_on, f.known_count,
    ).join(chosen, chosen.c.id == f.id).outerjoin(School, School.id == f.school_id)  # fmt: skip
    found = found.where(chosen.c.place <= most).order_by(f.count.desc(), School.name, f.id)
    return [Row(*row) for row in db.session.execute(found)]


def _within(area: AreaLike) -> ColumnElement[bool]:
    """At a school of the area; what belongs to no school is the district's."""
    if area.district:
        return true()
    return QualityFinding.school_id.in_(scope.school_ids(area))
