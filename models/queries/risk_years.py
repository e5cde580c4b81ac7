"""What a risk model learns from: completed school years, their calendars, how they came in, and how they ended."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

import numpy as np
from sqlalchemy import text

from models.base import db
from models.bulk import copy_in, read_ints
from models.queries.local_days import local_day

Columns = dict[str, np.ndarray]
NOT_KNOWN = -1


def completed_years(before: date) -> list[date]:
    """The 1 July of each school year before this one of which a school submitted a day, the earliest first."""
    found = db.session.scalars(
        text("""
            SELECT DISTINCT make_date(extract(year FROM day - INTERVAL '6 months')::int, 7, 1) FROM school_day
            WHERE day < :before AND status IN ('submitted', 'partial') ORDER BY 1
        """),
        {"before": before},
    )
    return list(found)


def came_in_time(start: date, until: date, within: timedelta) -> tuple[int, int]:
    """(school-days first received within so long, all submitted school-days) of a year."""
    asked = text(f"""
        SELECT count(*) FILTER (WHERE first <= day + CAST(:days AS int)), count(*) FROM (
            SELECT l.day, (SELECT {local_day("min(s.recorded_at)")} FROM submission s
                           WHERE s.school_id = l.school_id AND s.day = l.day AND s.ended_at IS NULL) AS first
            FROM school_day l WHERE l.day BETWEEN :start AND :until AND l.status IN ('submitted', 'partial')
        ) came
    """)
    in_time, every = db.session.execute(asked, {"start": start, "until": until, "days": within.days}).one()
    return in_time, every


def taught_days(start: date, until: date) -> list[date]:
    """The 1st, 2nd ... school day of a year: each the date on which most schools had so many; of equals the earliest.

    How schools go on after a day says nothing about its number.
    """
    found = db.session.execute(
        text("""
            SELECT DISTINCT ON (nth) nth, day FROM (
                SELECT row_number() OVER (PARTITION BY school_id ORDER BY day) AS nth, day FROM (
                    SELECT DISTINCT school_id, day FROM calendar_day
                    WHERE day BETWEEN :start AND :until AND calendar_key = ''
                      AND day_type IN ('instructional', 'make_up')) taught
            ) numbered GROUP BY nth, day ORDER BY nth, count(*) DESC, day
        """),
        {"start": start, "until": until},
    )
    return [day for _, day in found]


def sizes(start: date, until: date) -> list[tuple[int, int]]:
    """(school, students) of a year, each student at the school with the lowest number among theirs."""
    found = db.session.execute(
        text("""
            SELECT school, count(*) FROM (
                SELECT min(school_id) AS school FROM stint
                WHERE entry_date <= :until AND (exit_date IS NULL OR exit_date >= :start) GROUP BY student_id
            ) each GROUP BY school ORDER BY school
        """),
        {"start": start, "until": until},
    )
    return [(school, students) for school, students in found]


def students_at(schools: Sequence[int], start: date, until: date) -> np.ndarray:
    """Those students of the year, ascending; each is found under one school alone."""
    found = read_ints(
        """
        SELECT student_id FROM stint
        WHERE student_id IN (SELECT student_id FROM stint WHERE school_id = ANY(%(schools)s))
          AND entry_date <= %(until)s AND (exit_date IS NULL OR exit_date >= %(start)s)
        GROUP BY student_id HAVING min(school_id) = ANY(%(schools)s) ORDER BY student_id
        """,
        ["student"],
        {"schools": list(schools), "start": start, "until": until},
    )
    return found["student"].astype(np.int64)


def year_ends(students: np.ndarray, year: date) -> Columns:
    """How that school year ended for these students; numbers that are not known are -1."""
    return read_ints(
        f"""
        SELECT student_id, enrolled, absent, coalesce(late_enrolled, {NOT_KNOWN}), coalesce(late_absent, {NOT_KNOWN})
        FROM year_end WHERE school_year = %(year)s AND student_id = ANY(%(students)s) ORDER BY student_id
        """,
        ["student", "enrolled", "absent", "late_enrolled", "late_absent"],
        {"students": students, "year": year},
    )


def is_read(year: date) -> bool:
    """Whether it is known from marks how a school year ended."""
    asked = text("SELECT EXISTS (SELECT 1 FROM year_end WHERE school_year = :year AND known_by = 'marks')")
    return bool(db.session.scalar(asked, {"year": year}))


def replace_year_ends(students: np.ndarray, year: date, columns: Mapping[str, Any]) -> None:
    """Store how the year ended for these students; what was there of them is gone."""
    db.session.execute(
        text("DELETE FROM year_end WHERE school_year = :year AND student_id = ANY(:students)"),
        {"year": year, "students": students},
    )
    copy_in("year_end", columns)


def forget_year_ends(year: date, began: Sequence[int] | np.ndarray) -> None:
    """Drop rows of students who were enrolled on no day of that year any more, or are read as others now."""
    db.session.execute(
        text("DELETE FROM year_end WHERE school_year = :year AND known_by = 'marks' AND student_id <> ALL(:began)"),
        {"year": year, "began": np.asarray(began)},
    )


def told_students(names: Sequence[str]) -> np.ndarray:
    """The ids of which a roster told totals under one of these names of a school year."""
    found = read_ints(
        "SELECT DISTINCT student_id FROM prior_year WHERE school_year = ANY(%(names)s)", ["student"],
        {"names": list(names)},
    )  # fmt: skip
    return found["student"]


def told_since(year: date, names: Sequence[str]) -> bool:
    """Whether a roster told totals, under one of these names, of a student of whom nothing is kept of that year."""
    asked = text("""
        SELECT EXISTS (
            SELECT FROM prior_year p JOIN student s ON s.id = p.student_id
            WHERE p.school_year = ANY(:names) AND p.enrolled > 0 AND NOT EXISTS (
                SELECT FROM year_end e WHERE e.school_year = :year AND e.student_id = coalesce(s.same_as, s.id)))
    """)
    return db.session.scalar(asked, {"names": list(names), "year": year}) is True


def replace_told(year: date, columns: Mapping[str, Any]) -> None:
    """Store totals that were told, for whom no marks are; what was told before is gone."""
    db.session.execute(text("DELETE FROM year_end WHERE school_year = :year AND known_by = 'told'"), {"year": year})
    db.session.execute(text("CREATE TEMP TABLE IF NOT EXISTS told_now (LIKE year_end) ON COMMIT DELETE ROWS"))
    if copy_in("told_now", columns):
        db.session.execute(text("INSERT INTO year_end SELECT * FROM told_now ON CONFLICT DO NOTHING"))
        db.session.execute(text("DELETE FROM told_now"))


def groups_of(students: np.ndarray) -> dict[str, np.ndarray]:
    """Group -> which of these students, ascending, are in it as the roster says now; for a model's audit alone."""
    found = db.session.execute(
        text("""
            SELECT name, array_agg(student_id) FROM (
                SELECT id AS student_id, 'race_ethnicity: ' || race_ethnicity AS name FROM student
                WHERE id = ANY(:students) AND race_ethnicity <> ''
                UNION ALL
                SELECT id, 'english_learner: ' || CASE WHEN english_learner THEN 'yes' ELSE 'no' END FROM student
                WHERE id = ANY(:students) AND english_learner IS NOT NULL
                UNION ALL
                SELECT id, 'low_income: ' || CASE WHEN low_income THEN 'yes' ELSE 'no' END FROM student
                WHERE id = ANY(:students) AND low_income IS NOT NULL
                UNION ALL
                SELECT student_id, key || ': yes' FROM support_flag WHERE student_id = ANY(:students)
            ) each GROUP BY name ORDER BY name
        """),
        {"students": students},
    )
    return {name: np.isin(students, np.array(members)) for name, members in found}


def in_touch(since: date, until: date) -> np.ndarray:
    """The ids of whom staff logged a contact or a support given on one of these days; nothing restricted."""
    found = read_ints(
        """
        SELECT student_id FROM outreach WHERE is_contact AND on_day BETWEEN %(since)s AND %(until)s
        UNION
        SELECT p.student_id FROM support_given g JOIN plan_support p ON p.id = g.support_id
        WHERE g.taken_back_at IS NULL AND p.compartment IS NULL AND g.on_day BETWEEN %(since)s AND %(until)s
        """,
        ["student"],
        {"since": since, "until": until},
    )
    return found["student"]


def excluded() -> np.ndarray:
    """Every id that somebody asked to leave out, as it was named."""
    found = read_ints("SELECT DISTINCT student_id FROM risk_excluded WHERE ended_at IS NULL", ["student"])
    return found["student"]


def set_aside(model: int) -> bool:
    """Whether a slice of a training was given up after several attempts."""
    asked = text(
        "SELECT EXISTS (SELECT FROM outbox WHERE job = 'train_risk' AND key LIKE :slices"
        " AND quarantined_at IS NOT NULL)"
    )
    return db.session.scalar(asked, {"slices": f"{model}:%"}) is True
