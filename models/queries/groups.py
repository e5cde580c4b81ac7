"""How parts of a place stand: tiers by grade and by what the roster says of students, causes of open cases.

Counts only. They are told through `services/watching/parts`, never as they are.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date

from sqlalchemy import func, select, text

from models.base import db
from models.cuts import ToldPart
from models.org import School
from models.queries.local_days import local_day

# Of the schools `w`, each on a day of its own, whoever stood there.
_STOOD = """
    FROM unnest(CAST(:schools AS int[]), CAST(:days AS date[])) AS w (school_id, day)
    JOIN standing s ON s.school_id = w.school_id AND s.since BETWEEN :start AND w.day
                   AND coalesce(s.until, 'infinity'::date) >= w.day
"""
DIMENSIONS = ("grade", "race_ethnicity", "english_learner", "low_income", "home_language")
Row = tuple[str, int, str, int, int]  # dimension, school, value, tier, students


def schools_near(schools: Collection[int]) -> Sequence[int]:
    """Every school of the networks of these."""
    networks = select(School.network_id).where(School.id.in_(schools))
    return db.session.scalars(select(School.id).where(School.network_id.in_(networks))).all()


def told_last(marks: Collection[str], by: str, start: date, until: date) -> dict[str, date]:
    """Fingerprint -> the day of its last told table by this within some days."""
    within = ToldPart.schools.in_(marks), ToldPart.by == by, ToldPart.day.between(start, until)
    found = select(ToldPart.schools, func.max(ToldPart.day)).where(*within).group_by(ToldPart.schools)
    return {mark: day for mark, day in db.session.execute(found)}


def tiers_by_group(days: Mapping[int, date], start: date) -> list[Row]:
    """Of each school on its day: (dimension, school, value as written, tier, students), one pass for all."""
    columns = "race_ethnicity, english_learner::text, low_income::text, home_language"
    rows = db.session.execute(
        text(f"""
            WITH stood AS (
                SELECT s.school_id, s.grade, s.tier, s.student_id {_STOOD}
            ), known AS (
                SELECT x.school_id, x.grade, x.tier, {columns} FROM stood x JOIN student t ON t.id = x.student_id
            )
            SELECT CASE grouping(grade, race_ethnicity, english_learner, low_income, home_language)
                   WHEN 15 THEN 'grade' WHEN 23 THEN 'race_ethnicity' WHEN 27 THEN 'english_learner'
                   WHEN 29 THEN 'low_income' ELSE 'home_language' END,
                   school_id, coalesce(grade, race_ethnicity, english_learner, low_income, home_language, ''), tier,
                   count(*)
            FROM known
            GROUP BY GROUPING SETS ((school_id, grade, tier), (school_id, race_ethnicity, tier),
                                    (school_id, english_learner, tier), (school_id, low_income, tier),
                                    (school_id, home_language, tier))
        """),
        {"schools": list(days), "days": list(days.values()), "start": start},
    )
    return [tuple(row) for row in rows]


def tiers_by_flag(days: Mapping[int, date], start: date, compartments: Collection[str]) -> list[Row]:
    """The same by facts of compartments, for whoever may read them; the values are true and false."""
    rows = db.session.execute(
        text(f"""
            SELECT c.key, s.school_id, EXISTS (SELECT FROM support_flag f WHERE f.student_id = s.student_id
                                    AND f.compartment = c.key)::text, s.tier, count(*)
            {_STOOD} CROSS JOIN unnest(CAST(:compartments AS text[])) AS c (key) GROUP BY 1, 2, 3, 4
        """),
        {
            "schools": list(days),
            "days": list(days.values()),
            "start": start,
            "compartments": sorted(compartments),
        },
    )
    return [tuple(row) for row in rows]


def causes(schools: Sequence[int], on: date, codes: Collection[str]) -> dict[str, int]:
    """Code -> students with a case open at these schools on the day and the cause on it; only of the codes given."""
    rows = db.session.execute(
        text(f"""
            SELECT r.code, count(DISTINCT r.student_id) FROM cause r JOIN support_case c ON c.id = r.case_id
            WHERE c.school_id = ANY(:schools) AND c.opened <= :on AND coalesce(c.closed_on, 'infinity'::date) > :on
              AND r.compartment IS NULL AND r.code = ANY(:codes) AND {local_day("r.written_at")} <= :on
              AND coalesce({local_day("r.ended_at")}, 'infinity'::date) > :on
            GROUP BY 1
        """),
        {"schools": list(schools), "on": on, "codes": sorted(codes)},
    )
    return {code: students for code, students in rows}
