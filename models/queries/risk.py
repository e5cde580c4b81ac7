"""Models, what they said, and how everybody stands: what scoring reads and what screens are told."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from typing import Any

import numpy as np
from sqlalchemy import ColumnElement, and_, exists, func, or_, select, text
from sqlalchemy.orm import aliased, defer

from models.base import db
from models.bulk import copy_in, read_columns
from models.cases import Case, Task
from models.org import School
from models.people import Student
from models.queries import scope
from models.queries.scope import Reach
from models.risk import RiskAnswer, RiskExcluded, RiskModel, RiskNight, RiskScore, RiskStep
from models.staff import Grant, Person
from models.tiers import StudentStatus


def newest(school_year: date) -> RiskModel | None:
    """The model that was asked for last, of the school year that starts on this day."""
    found = select(RiskModel).where(RiskModel.school_year == school_year, RiskModel.status != "stopped")
    return db.session.scalars(found.order_by(RiskModel.id.desc())).first()


def refused_after(model: RiskModel) -> int | None:
    """The latest training of the same school year that was refused after this one; None where there is none."""
    later = RiskModel.school_year == model.school_year, RiskModel.id > model.id, RiskModel.status == "refused"
    found: int | None = db.session.scalar(select(func.max(RiskModel.id)).where(*later))
    return found


def to_tell_of(school_year: date) -> RiskModel | None:
    """The model that serves, else the one in shadow, else the newest of the school year that starts on this day."""
    of_year = and_(RiskModel.school_year == school_year, RiskModel.status != "stopped")
    found = select(RiskModel).where(or_(RiskModel.stage.in_(("serving", "shadow")), of_year))
    first = (RiskModel.stage == "serving").desc(), (RiskModel.stage == "shadow").desc(), RiskModel.id.desc()
    return db.session.scalars(found.order_by(*first).limit(1)).first()


def all_models() -> Sequence[RiskModel]:
    """Every model that was asked for and not given up, the latest first; what it is written from is not read."""
    found = select(RiskModel).where(RiskModel.status != "stopped").options(defer(RiskModel.artefact))
    return db.session.scalars(found.order_by(RiskModel.id.desc())).all()


def every_step() -> Sequence[RiskStep]:
    """What was decided about any model, the latest first."""
    return db.session.scalars(select(RiskStep).order_by(RiskStep.id.desc())).all()


def holders(roles: Sequence[str], on: date) -> list[tuple[int, str, str]]:
    """(person, name, role) of whoever holds one of these roles on a day."""
    found = select(Person.id, Person.name, Grant.role).join(Grant, Grant.person_id == Person.id)
    here = Grant.role.in_(list(roles)), Grant.starts <= on, or_(Grant.ends.is_(None), Grant.ends >= on)
    found = found.where(*here, Person.disabled_at.is_(None)).order_by(Person.name, Grant.id)
    return [(person, name, role) for person, name, role in db.session.execute(found)]


def last_night(model: int) -> RiskNight | None:
    """The last evening on which a model was asked."""
    found = select(RiskNight).where(RiskNight.model_id == model).order_by(RiskNight.day.desc())
    return db.session.scalars(found).first()


def standing_of(students: np.ndarray) -> dict[str, Any]:
    """School, grade and whether they are enrolled, of these students as the last evaluation left them."""
    return read_columns(
        """
        SELECT student_id, school_id, enrolled_now::int, grade FROM student_status
        WHERE student_id = ANY(%(students)s) ORDER BY student_id
        """,
        ["student", "school", "enrolled"],
        ["grade"],
        {"students": students},
    )


def submitted_shares(start: date, day: date) -> dict[int, float]:
    """School -> the share of its school days from the year's start up to a day that it has submitted."""
    found = db.session.execute(
        text("""
            SELECT c.school_id, avg((l.day IS NOT NULL)::int)::float FROM (
                SELECT DISTINCT school_id, day FROM calendar_day WHERE day BETWEEN :start AND :day
                   AND calendar_key = '' AND day_type IN ('instructional', 'make_up')) c
            LEFT JOIN school_day l ON l.school_id = c.school_id AND l.day = c.day
                 AND l.status IN ('submitted', 'partial')
            GROUP BY 1
        """),
        {"start": start, "day": day},
    )
    return {school: share for school, share in found}


def _let_in() -> ColumnElement[bool]:
    """That nobody wants the row's Student to be left out, whichever id of the child was named."""
    named = aliased(Student)
    own = func.coalesce(named.same_as, named.id)
    asked = select(own).join(RiskExcluded, RiskExcluded.student_id == named.id).where(RiskExcluded.ended_at.is_(None))
    return func.coalesce(Student.same_as, Student.id).not_in(asked)


def scores_of(model: int, students: Sequence[int], reach: ColumnElement[bool]) -> Sequence[RiskScore]:
    """What a model says of these students, as far as `reach`, a condition on Student, goes; the highest first."""
    found = select(RiskScore).join(Student, Student.id == RiskScore.student_id)
    here = RiskScore.model_id == model, RiskScore.student_id.in_(list(students)), reach, _let_in()
    return db.session.scalars(found.where(*here).order_by(RiskScore.logit.desc().nulls_last(), Student.id)).all()


def not_reached(
    model: int, reach: ColumnElement[bool], schools: ColumnElement[bool], least: int, most: int, since: datetime
) -> Sequence[tuple[RiskScore, Student]]:
    """(score, student) of whom no rule has reached: in no tier above 1, with no rule standing and without an open case.

    Of each school the `most` highest, none under `least` thousandths, and nobody about whom was answered since,
    whichever model it was that was answered.
    """
    open_case = exists().where(Case.student_id == Student.id, Case.closed_on.is_(None))
    answered = exists().where(RiskAnswer.student_id == Student.id, RiskAnswer.written_at >= since)
    place = func.row_number().over(
        partition_by=RiskScore.school_id, order_by=(RiskScore.logit.desc(), RiskScore.student_id)
    )
    chosen = (
        select(RiskScore.student_id, place.label("place"))
        .join(Student, Student.id == RiskScore.student_id)
        .join(StudentStatus, StudentStatus.student_id == Student.id)
        .join(School, School.id == RiskScore.school_id)
        .where(RiskScore.model_id == model, RiskScore.logit >= least, reach, schools, _let_in())
        .where(
            StudentStatus.enrolled_now,
            StudentStatus.tier < 1,
            func.cardinality(StudentStatus.rules) == 0,
            ~open_case,
            ~answered,
        )
        .subquery()
    )
    found = (
        select(RiskScore, Student)
        .join(Student, Student.id == RiskScore.student_id)
        .join(chosen, chosen.c.student_id == RiskScore.student_id)
        .where(RiskScore.model_id == model, chosen.c.place <= most)
        .order_by(RiskScore.logit.desc(), RiskScore.student_id)
    )
    return [(score, student) for score, student in db.session.execute(found)]


def answered(model: int, reach: ColumnElement[bool], since: datetime) -> Sequence[tuple[RiskAnswer, Student]]:
    """(answer, student) of what was answered to a model since, of students within `reach`; the latest first."""
    found = select(RiskAnswer, Student).join(Student, Student.id == RiskAnswer.student_id)
    here = RiskAnswer.model_id == model, RiskAnswer.written_at >= since, reach
    return [(one, student) for one, student in db.session.execute(found.where(*here).order_by(RiskAnswer.id.desc()))]


def looks_of(person: int, kind: str) -> Sequence[tuple[Task, Student]]:
    """(task, student) of a person's open tasks of a kind, what is due first."""
    found = select(Task, Student).join(Student, Student.id == Task.student_id)
    mine = Task.owner_id == person, Task.kind == kind, Task.status == "open", Task.compartment.is_(None)
    return [(task, student) for task, student in db.session.execute(found.where(*mine).order_by(Task.due, Task.id))]


def answers_of(ids: Sequence[int]) -> Sequence[RiskAnswer]:
    """What was answered about a child under these ids, the latest first."""
    found = select(RiskAnswer).where(RiskAnswer.student_id.in_(ids)).order_by(RiskAnswer.id.desc())
    return db.session.scalars(found).all()


def works(school_year: date) -> bool:
    """Whether a model of the school year that starts on this day is at work, whatever it says tonight."""
    here = RiskModel.stage == "serving", RiskModel.school_year == school_year
    return bool(db.session.scalar(select(exists().where(*here))))


def school_of(student: int) -> int | None:
    """The school of a student as the last evaluation left it."""
    found: int | None = db.session.scalar(select(StudentStatus.school_id).where(StudentStatus.student_id == student))
    return found


def schools_of(reach: Reach) -> list[tuple[str, str]]:
    """(key, name) of the schools at which a person reads what a model says, by name."""
    here = or_(*(scope.schools(area) for area in (reach.whole, reach.caseload, reach.own)))
    found = db.session.execute(select(School.key, School.name).where(here).order_by(School.name))
    return [(key, name) for key, name in found]


def school_names(students: Collection[int]) -> dict[int, str]:
    """Student -> the name of the school, as the last evaluation left them."""
    wanted = select(StudentStatus.student_id, School.name).join(School, School.id == StudentStatus.school_id)
    found = db.session.execute(wanted.where(StudentStatus.student_id.in_(students)))
    return {student: name for student, name in found}


def within(student: int, reach: ColumnElement[bool]) -> bool:
    """Whether `reach`, a condition on Student, takes a student in."""
    return bool(db.session.scalar(select(exists().where(Student.id == student, reach))))


def place_of_student(model: int, reach: ColumnElement[bool]) -> ColumnElement[int | None]:
    """What a model says of the row's Student, to order by; NULL beyond `reach` and where it says nothing."""
    here = RiskScore.model_id == model, RiskScore.student_id == Student.id, reach, _let_in()
    return select(RiskScore.logit).where(*here).correlate(Student).scalar_subquery()


def place_of_case(model: int, reach: ColumnElement[bool]) -> ColumnElement[int | None]:
    """The same of the row's Case."""
    found = select(RiskScore.logit).join(Student, Student.id == RiskScore.student_id)
    here = RiskScore.model_id == model, RiskScore.student_id == Case.student_id, reach, _let_in()
    return found.where(*here).correlate(Case).scalar_subquery()


def answers_to(model: int) -> dict[str, int]:
    """Answer -> how many of a model's scores were answered so."""
    found = select(RiskAnswer.answer, func.count()).where(RiskAnswer.model_id == model).group_by(RiskAnswer.answer)
    return {answer: count for answer, count in db.session.execute(found)}


def nights(model: int) -> Sequence[RiskNight]:
    """The evenings on which a model was asked, the latest first."""
    found = select(RiskNight).where(RiskNight.model_id == model).order_by(RiskNight.day.desc())
    return db.session.scalars(found).all()


def scored_in_month(model: int, day: date) -> bool:
    """Whether a model said something on an earlier evening of the month."""
    earlier = RiskNight.day >= day.replace(day=1), RiskNight.day < day
    found = select(exists().where(RiskNight.model_id == model, RiskNight.outcome == "scored", *earlier))
    return bool(db.session.scalar(found))


def forget_scores(model: int, students: np.ndarray) -> None:
    """Delete what a model said of these ids and tells of them."""
    for table in ("risk_score", "risk_told"):
        query = text(f"DELETE FROM {table} WHERE model_id = :model AND student_id = ANY(:students)")
        db.session.execute(query, {"model": model, "students": students})


def replace_scores(model: int, keep: Sequence[int], columns: Mapping[str, Any]) -> int:
    """Store what a model says tonight. At the schools to `keep` what it said before stands, marked stale."""
    kept = {"model": model, "schools": list(keep)}
    db.session.execute(
        text("DELETE FROM risk_score WHERE model_id = :model AND school_id <> ALL(CAST(:schools AS int[]))"), kept
    )
    db.session.execute(
        text("UPDATE risk_score SET stale = true WHERE model_id = :model AND NOT stale"), {"model": model}
    )
    db.session.execute(
        text("DELETE FROM risk_score WHERE model_id = :model AND student_id = ANY(:students)"),
        {"model": model, "students": np.asarray(columns["student_id"])},
    )
    return copy_in("risk_score", columns)


def damaged(model: int) -> int:
    """How many of a model's scores have lost their form: a range that is none, reasons without beginning or end."""
    found = text("""
        SELECT count(*) FROM risk_score WHERE model_id = :model AND NOT CASE
            WHEN logit IS NULL THEN reasons LIKE '"%"'
            ELSE range_key BETWEEN '0' AND '9' AND length(range_key) = 1 AND (reasons = '[]' OR reasons LIKE '[[%]]')
        END
    """)
    return db.session.scalar(found, {"model": model}) or 0
