"""Who is away on a day and whom nobody has asked yet, and who is enrolled and has never come. No tier, no finding of
any other rule: an office that calls every family alike needs neither."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Boolean, ColumnElement, Integer, and_, exists, false, func, not_, or_, select, text
from sqlalchemy.dialects.postgresql import distinct_on

from models.base import db
from models.cases import Case, Outreach
from models.org import TEACHES, School
from models.people import Student
from models.queries import coded, scope
from models.queries.following import DID_NOT_ARRIVE, stands
from models.queries.measuring import SPEAKS_OF_ALL
from models.queries.scope import Reach
from models.tiers import Finding, StudentStatus

# Days away for the whole school are no absence of a family's; where two systems speak, the school's own is heard.
_AWAY = text(f"""
    SELECT coalesce(p.same_as, p.id) AS student_id, min(m.school_id) AS school_id,
           bool_or(m.period = '' AND coalesce(m.fraction, best.absent_fraction) >= 1000) AS all_day,
           count(*) FILTER (WHERE m.period <> '')::int AS periods,
           bool_and(best.excused IN ('excused', 'exempt') OR coalesce(m.reason, '') <> '') AS explained
    FROM mark m JOIN school s ON s.id = m.school_id JOIN student p ON p.id = m.student_id,
         LATERAL {coded.meaning("m")} best
    WHERE m.school_id = ANY(:schools) AND m.day = :day AND best.kind = 'absence'
      AND coalesce(m.fraction, best.absent_fraction) > 0
      AND (m.source_id = s.source_id OR NOT EXISTS (
          SELECT FROM mark own WHERE own.school_id = m.school_id AND own.day = m.day
            AND own.student_id = m.student_id AND own.source_id = s.source_id) AND NOT {SPEAKS_OF_ALL})
    GROUP BY 1
""").columns(student_id=Integer, school_id=Integer, all_day=Boolean, periods=Integer, explained=Boolean)


@dataclass(frozen=True, slots=True)
class Last:
    """The newest try to reach a family: when, how, with what result, by whom."""

    id: int
    author_id: int | None
    at: datetime
    method: str
    outcome: str
    author: str
    told: str


@dataclass(frozen=True, slots=True)
class CalledLine:
    """Whom the office calls about: the student, the school and in which language."""

    student_id: int
    key: str
    first_name: str
    last_name: str
    grade: str
    homeroom: str
    school_id: int
    school: str
    home_language: str
    interpreter: bool


@dataclass(frozen=True, slots=True)
class AwayLine(CalledLine):
    """A student who is away on the day, as the office calls: `periods` counts the classes missed, 0 for a day."""

    all_day: bool
    periods: int
    explained: bool
    reached: bool


@dataclass(frozen=True, slots=True)
class MissedLine(CalledLine):
    """A student who is enrolled and was never seen: since when, how often tried, the case about it."""

    since: date
    tries: int
    case_number: int | None


_last_try = select(func.max(Outreach.at)).where(Outreach.student_id == Student.id).correlate(Student).scalar_subquery()
SORTS: dict[str, tuple[Any, ...]] = {
    "homeroom": (Student.homeroom, Student.last_name, Student.first_name, Student.id),
    "name": (Student.last_name, Student.first_name, Student.id),
    "last": (_last_try.asc().nulls_first(), Student.last_name, Student.id),
}


@dataclass(frozen=True, slots=True)
class Away:
    """Whose absences a person calls about: students within reach at these schools, on one day."""

    reach: Reach
    person_id: int | None
    today: date
    schools: Collection[int]
    day: date

    def counts(self) -> tuple[int, int]:
        """(families still to be called, absences that are explained or about which a family was reached)."""
        away, here = self._who()
        done = self._done(away)
        counted = select(func.count().filter(not_(done)), func.count().filter(done)).select_from(Student)
        to_call, settled = db.session.execute(counted.join(away, away.c.student_id == Student.id).where(here)).one()
        return to_call, settled

    def rows(self, *, settled: bool, sort: str, page: int, size: int) -> list[AwayLine]:
        """A page of those to call, or of those that are settled."""
        away, here = self._who()
        done = self._done(away)
        wanted = (
            select(
                Student.id, Student.key, Student.first_name, Student.last_name, Student.grade, Student.homeroom,
                School.id, School.name, Student.home_language, Student.interpreter, away.c.all_day, away.c.periods,
                away.c.explained, self._reached(),
            )
            .join(away, away.c.student_id == Student.id)
            .join(School, School.id == away.c.school_id)
            .where(here, done if settled else not_(done))
            .order_by(*SORTS.get(sort, SORTS["homeroom"]))
            .offset((page - 1) * size)
            .limit(size)
        )  # fmt: skip
        found: Any = db.session.execute(wanted)
        return [AwayLine(*row) for row in found]

    def _who(self) -> tuple[Any, ColumnElement[bool]]:
        away = _AWAY.bindparams(schools=list(self.schools), day=self.day).subquery("away")
        return away, scope.students(self.reach, self.person_id, self.today)

    def _done(self, away: Any) -> ColumnElement[bool]:
        return or_(away.c.explained, self._reached())

    def _reached(self) -> ColumnElement[bool]:
        """Somebody was spoken with about this day, or on it."""
        about = or_(Outreach.about_day == self.day, and_(Outreach.about_day.is_(None), Outreach.on_day >= self.day))
        told = or_(Outreach.outcome != "reason_told", Outreach.told != "")  # a reason told of a sibling is none here
        return exists().where(Outreach.student_id == Student.id, Outreach.is_contact, about, told).correlate(Student)


def never_came(reach: Reach, person_id: int | None, on: date, *, page: int, size: int) -> tuple[list[MissedLine], int]:
    """Students within reach who are enrolled and were never present, those missed longest first; and how many."""
    missed = and_(stands(DID_NOT_ARRIVE), scope.students(reach, person_id, on) if reach else false())
    tries = select(func.count()).where(Outreach.student_id == Student.id, Outreach.on_day >= Finding.since)
    wanted = (
        select(
            Student.id, Student.key, Student.first_name, Student.last_name, Student.grade, Student.homeroom, School.id,
            School.name, Student.home_language, Student.interpreter, Finding.since,
            tries.correlate(Student, Finding).scalar_subquery(), Case.number,
        )
        .join(Finding, Finding.student_id == Student.id)
        .join(StudentStatus, StudentStatus.student_id == Student.id)
        .join(School, School.id == StudentStatus.school_id)
        .outerjoin(Case, and_(Case.student_id == Student.id, Case.closed_on.is_(None)))
        .where(missed)
    )  # fmt: skip
    rows = wanted.order_by(Finding.since, Student.last_name, Student.id).offset((page - 1) * size).limit(size)
    total = db.session.scalar(select(func.count()).select_from(wanted.subquery())) or 0
    found: Any = db.session.execute(rows)
    return [MissedLine(*row) for row in found], total


def last_tries(students: Collection[int], person_id: int | None) -> dict[int, Last]:
    """Student -> the newest try of the office or of this person; what others do on a case is not for this list."""
    ours = or_(Outreach.about_day.is_not(None), Outreach.case_id.is_(None), Outreach.author_id == person_id)
    wanted = (
        select(
            Outreach.student_id,
            Outreach.id,
            Outreach.author_id,
            Outreach.at,
            Outreach.method,
            Outreach.outcome,
            Outreach.author,
            Outreach.told,
        )
        .ext(distinct_on(Outreach.student_id))
        .where(Outreach.student_id.in_(students), ours)
        .order_by(Outreach.student_id, Outreach.at.desc(), Outreach.id.desc())
    )
    found: Any = db.session.execute(wanted)
    return {student: Last(*last) for student, *last in found}


def days_in(schools: Collection[int], until: date) -> dict[int, date]:
    """School -> the last day up to `until` of which attendance came in."""
    found = db.session.execute(
        text("""
            SELECT a.school_id, d.day FROM unnest(CAST(:schools AS int[])) AS a (school_id), LATERAL (
                SELECT day FROM school_day l WHERE l.school_id = a.school_id AND l.day <= :until
                  AND l.status IN ('submitted', 'partial') ORDER BY day DESC LIMIT 1) d
        """),
        {"schools": list(schools), "until": until},
    )
    return {school: day for school, day in found}


def came_in(schools: Collection[int], day: date) -> set[int]:
    """Those of these schools whose attendance of the day is in."""
    found = db.session.scalars(
        text("""
            SELECT school_id FROM school_day
            WHERE school_id = ANY(:schools) AND day = :day AND status IN ('submitted', 'partial')
        """),
        {"schools": list(schools), "day": day},
    )
    return set(found)


def any_teaches(schools: Collection[int], day: date) -> bool:
    """Whether there is school on the day at any of these schools."""
    found = text(f"""
        SELECT EXISTS (SELECT FROM calendar_day WHERE school_id = ANY(:schools) AND day = :day AND {TEACHES})
    """)
    return bool(db.session.scalar(found, {"schools": list(schools), "day": day}))
