"""What a data team would put in its warehouse: every row kept, everything counted anew by one statement."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

import psycopg

from tests.bench.files import Day

_TABLES = """
    CREATE UNLOGGED TABLE {name}.raw (student_id text, school_id text, date date, code text, last_modified text,
                                      nth int);
    CREATE UNLOGGED TABLE {name}.covers (school_id text, date date);
"""
_SESSION = "SET work_mem = '256MB'; SET enable_nestloop = off"  # nobody would leave it to a guess for long
# Policy `rates`. A day counts once, absent only if absent everywhere; the newest change of a row stands.
_STUDENTS = """
    WITH stood AS (
        SELECT DISTINCT ON (student_id, school_id, date) student_id, school_id, date, code
        FROM bench_view.raw ORDER BY student_id, school_id, date, last_modified DESC, nth DESC
    ), stints AS (
        SELECT e.*, coalesce(e.exit_date, 'infinity')
               - CASE WHEN EXISTS (SELECT FROM bench_view.enrollments b WHERE b.student_id = e.student_id
                      AND b.school_id <> e.school_id AND b.entry_date = e.exit_date AND b.entry_date > e.entry_date)
                      THEN 1 ELSE 0 END AS last
        FROM bench_view.enrollments e WHERE NOT lower(e.exit_code) = ANY(ARRAY['no show', 'invalid enrollment', '99'])
    ), member AS (
        SELECT DISTINCT s.student_id, s.school_id, k.date
        FROM stints s JOIN bench_view.calendar k ON k.school_id = s.school_id AND k.date BETWEEN s.entry_date AND s.last
        JOIN bench_view.covers c ON c.school_id = k.school_id AND c.date = k.date
    ), day AS (
        SELECT m.student_id, m.date, min(coalesce(a.absent_fraction * 1000, 0)) AS absent
        FROM member m {join} stood r USING (student_id, school_id, date)
        LEFT JOIN bench_view.codes a ON a.code = r.code
        WHERE r.code IS NULL OR (a.code IS NOT NULL AND a.kind NOT IN ('homebound', 'hospital', 'non_membership'))
        GROUP BY 1, 2
    ), total AS (
        SELECT student_id, count(*) * 1000 AS enrolled, sum(absent)::bigint AS absent FROM day GROUP BY 1
    )
    SELECT student_id, enrolled, absent, CASE
        WHEN enrolled >= 20000 AND absent * 5 >= enrolled AND absent >= 5000 THEN '3'
        WHEN enrolled >= 20000 AND absent * 10 >= enrolled AND absent >= 3000 THEN '2'
        WHEN enrolled >= 20000 AND absent * 20 >= enrolled THEN 'watch' ELSE '1' END AS tier
    FROM total
"""
_BY_SCHOOL = """
    SELECT e.school_id, count(*) FILTER (WHERE t.tier = '2'), count(*) FILTER (WHERE t.tier = '3')
    FROM ({students}) t JOIN bench_view.enrollments e USING (student_id) WHERE e.exit_date IS NULL GROUP BY 1
"""


class View:
    """The rows of all files in tables of their own, on the server that is measured."""

    def __init__(self, url: str, folder: Path, feed: str) -> None:
        self._url, self._students = url, _STUDENTS.format(join="JOIN" if feed == "full" else "LEFT JOIN")
        with psycopg.connect(url) as line:
            line.execute("DROP SCHEMA IF EXISTS bench_view CASCADE; CREATE SCHEMA bench_view")
            line.execute(_TABLES.format(name="bench_view").encode())
            for name, table, columns in (
                ("enrollments", "enrollments", "student_id text, school_id text, entry_date date, exit_date date,"
                 " exit_code text, grade text, calendar_id text, is_primary text"),
                ("calendar", "calendar", "school_id text, calendar_id text, date date, day_type text, day_value text,"
                 " day_minutes text"),
                ("absence_codes", "codes", "school_id text, code text, title text, kind text, absent_fraction numeric,"
                 " excused text, valid_from text, valid_to text"),
            ):  # fmt: skip
                line.execute(f"CREATE UNLOGGED TABLE bench_view.{table} ({columns})".encode())
                _copy(line, f"bench_view.{table}", (folder / f"{name}.csv").read_bytes())
            line.execute("DELETE FROM bench_view.calendar WHERE day_type NOT IN ('instructional', 'make_up')")
            line.execute("UPDATE bench_view.enrollments SET exit_code = '' WHERE exit_code IS NULL")
            line.execute("CREATE INDEX ON bench_view.enrollments (student_id)")

    def add(self, days: Sequence[Day]) -> None:
        """The rows of more days."""
        with psycopg.connect(self._url) as line:
            for nth, day in enumerate(days):
                header = day.attendance.open(encoding="utf-8").readline().strip().split(",")
                columns = ", ".join(f"{name} text" for name in header)
                line.execute(f"CREATE TEMP TABLE come ({columns}) ON COMMIT DROP".encode())
                _copy(line, "come", day.attendance.read_bytes())
                line.execute(
                    f"INSERT INTO bench_view.raw SELECT student_id, school_id, date::date, code,"
                    f" coalesce(last_modified, ''), {nth} FROM come".encode()
                )
                _copy(line, "bench_view.covers", day.covers.read_bytes())
                line.commit()
            line.execute("ANALYZE")

    def students(self) -> tuple[float, dict[str, tuple[int, int, str]]]:
        """Seconds, and student -> (enrolled, absent, tier), days in thousandths."""
        with psycopg.connect(self._url) as line:
            line.execute(_SESSION)
            start = time.perf_counter()
            rows = line.execute(self._students.encode()).fetchall()
            seconds = time.perf_counter() - start
        return seconds, {student: (enrolled, absent, tier) for student, enrolled, absent, tier in rows}

    def by_school(self) -> float:
        """Seconds to count every school's tiers."""
        with psycopg.connect(self._url) as line:
            line.execute(_SESSION)
            start = time.perf_counter()
            line.execute(_BY_SCHOOL.format(students=self._students).encode()).fetchall()
            return time.perf_counter() - start

    def drop(self) -> None:
        """Take everything away again."""
        with psycopg.connect(self._url) as line:
            line.execute("DROP SCHEMA IF EXISTS bench_view CASCADE")


def _copy(line: psycopg.Connection, table: str, content: bytes) -> None:
    with line.cursor().copy(f"COPY {table} FROM STDIN (FORMAT csv, HEADER)".encode()) as copy:
        copy.write(content)
