"""Scores of a large district with their reasons, beside one plain aggregate over the same marks.

    python -m tests.bench.risk_evening [--students 325000] [--schools 640] [--days 60]

A running year of so many school days with eight marks a student, and how the two years before ended, are written by
SQL and decided about once, as any evening. Then, in a process of their own so that the peak of memory is theirs:
features, scores, reasons and COPY from what the evaluation packed, and the aggregate (absences and late days of each
student by code) over the same connection. Each the best of three.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path

from sqlalchemy import text

from ew_app.kernel import transaction
from ew_app.services.deciding import flagging
from models.base import db
from tests.bench import lists
from tests.scratch import folder

START, TODAY = date(2026, 8, 17), date(2026, 11, 20)
STATEMENTS = (
    "INSERT INTO source (name, feed, exit_inclusive) VALUES ('Aspen', 'exception', true)",
    "INSERT INTO network (key, name) VALUES ('N1', 'Network 1')",
    """INSERT INTO school (key, name, network_id, level, day_minutes, min_full_minutes, min_half_minutes, source_id)
       SELECT 'S' || n, 'School ' || n, 1, '', 420, 300, 150, 1 FROM generate_series(1, :schools) n""",
    """INSERT INTO calendar_day (school_id, calendar_key, day, day_type, weight)
       SELECT s.id, '', d::date, 'instructional', 1000
       FROM school s, generate_series(CAST(:start AS date), CAST(:start AS date) + 280, '1 day') d
       WHERE extract(isodow FROM d) < 6""",
    """INSERT INTO absence_code (code, title, kind, absent_fraction, excused) VALUES
       ('UX', 'Unexcused', 'absence', 1000, 'unexcused'), ('EX', 'Excused', 'absence', 1000, 'excused'),
       ('T', 'Tardy', 'tardy', 0, 'unknown')""",
    """INSERT INTO student (key, first_name, last_name, grade, homeroom, bus_route, household_key, home_language,
                            interpreter, race_ethnicity)
       SELECT lpad(n::text, 7, '0'), 'First' || n % 977, 'Last' || n % 7919, (1 + n % 12)::text, '', '', '', '',
              false, '' FROM generate_series(1, :students) n""",
    """INSERT INTO stint (student_id, school_id, entry_date, exit_code, grade, calendar_key)
       SELECT n, 1 + n % :schools, CAST(:start AS date), '', '', '' FROM generate_series(1, :students) n""",
    """INSERT INTO batch (kind, source_id, feed, status, name, sha256, received_at, received_by, applied_at,
                          accept_held, preview, options, counts, effect, sentence, percent, step)
       VALUES ('attendance', 1, 'exception', 'applied', 'all.csv', 'x', now(), 'worker', now(), false, false, '{}',
               '{}', '{}', '', 100, '')""",
    """INSERT INTO submission (school_id, day, batch_id, feed, rows, whole)
       SELECT school_id, day, 1, 'exception', 40, false FROM calendar_day WHERE day <= :last""",
    """INSERT INTO school_day (school_id, day, status, feed, rows, expected, absences)
       SELECT school_id, day, 'submitted', 'exception', 40, 500, 40 FROM calendar_day WHERE day <= :last""",
    """INSERT INTO mark (school_id, student_id, day, period, source_id, code, batch_id, file, line)
       SELECT 1 + s % :schools, s, d.day, '', 1, (ARRAY['UX', 'EX', 'T'])[1 + d.n % 3], 1, 0, 2
       FROM generate_series(1, :students) s
       JOIN LATERAL (SELECT CAST(:start AS date) + ((s * 7 + n * 11) % (CAST(:last AS date) - CAST(:start AS date)))
                            AS day, n FROM generate_series(1, 1 + s % 16) n) d ON extract(isodow FROM d.day) < 6
       ON CONFLICT DO NOTHING""",
    *(f"""INSERT INTO year_end (school_year, student_id, known_by, enrolled, absent, late_enrolled, late_absent,
                                school_id, grade)
          SELECT DATE '{year}-07-01', n, 'marks', 170000, 1500 * (n % 16) + 1000 * (n % 5), 44000, 400 * (n % 16),
                 1 + n % :schools, ''
          FROM generate_series(1, :students) n""" for year in (2024, 2025)),
    "ANALYZE",
)  # fmt: skip
AGGREGATE = """
    SELECT m.student_id, count(*) FILTER (WHERE c.kind = 'absence'), count(*) FILTER (WHERE c.excused = 'unexcused'),
           count(*) FILTER (WHERE c.kind = 'tardy')
    FROM mark m JOIN absence_code c ON c.code = m.code WHERE m.day >= :start GROUP BY m.student_id
"""


def main() -> None:
    """Write the district, decide, and measure in a fresh process."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--students", type=int, default=325_000)
    parser.add_argument("--schools", type=int, default=640)
    parser.add_argument("--days", type=int, default=60)
    asked = parser.parse_args()
    with folder() as here, lists.opened(str(here)) as app, app.app_context():
        wrote = _seconds(lambda: _write(asked.students, asked.schools, asked.days))
        decided = _seconds(flagging.evaluate_all)
        marks = db.session.scalar(text("SELECT count(*) FROM mark"))
        print(f"{asked.students:,} students at {asked.schools} schools, {asked.days} school days, {marks:,} marks: "
              f"written in {wrote:.0f} s, decided in {decided:.0f} s; {os.cpu_count()} cores", flush=True)  # fmt: skip
        address = db.engine.url.render_as_string(hide_password=False).replace("+psycopg", "")
        env = os.environ | {"EW_DATABASE_URL": address, "EW_SECRET_KEY": "a key for measuring only",
                            "EW_TODAY": TODAY.isoformat(), "EW_DATA_DIR": str(here)}  # fmt: skip
        db.session.rollback()
        asked_alone = "from tests.bench import risk_evening; risk_evening.measure()"
        subprocess.run([sys.executable, "-c", asked_alone], check=True, env=env)


def _write(students: int, schools: int, days: int) -> None:
    asked = {"students": students, "schools": schools, "start": START}
    with transaction():
        for statement in STATEMENTS:
            if ":last" in statement:
                asked["last"] = db.session.scalar(text(
                    "SELECT day FROM calendar_day WHERE school_id = 1 ORDER BY day OFFSET :nth LIMIT 1"
                ), {"nth": days - 1})  # fmt: skip
            used = {name: value for name, value in asked.items() if f":{name}" in statement}
            db.session.execute(text(statement), used)


def measure() -> None:
    """What scoring takes, and the aggregate beside it; run in a process of its own."""
    from ew_app.config import load_settings
    from ew_app.factory import create_app
    from tests.services import risk_model

    app = create_app(load_settings(dict(os.environ)), screens=False)
    with app.app_context():
        before = _peak()
        number = risk_model.trained()
        told = min((risk_model.timed_night(number) for _ in range(3)), key=_whole)
        peak = _peak()
        plain = min(_seconds(lambda: db.session.execute(text(AGGREGATE), {"start": START}).all()) for _ in range(3))
        whole = _whole(told)
        for name, seconds in told.items():
            print(f"  {name:<36}{seconds:8.2f} s")
        print(f"  {'all of an evening':<36}{whole:8.2f} s")
        print(f"  {'one plain aggregate':<36}{plain:8.2f} s, ratio {whole / plain:.1f}")
        print(f"  peak of memory {peak:.0f} MB, of which {before:.0f} MB before anything was asked")


def _whole(parts: dict[str, float]) -> float:
    """All of an evening; parts that are told beside it begin with a blank."""
    return sum(seconds for name, seconds in parts.items() if not name.startswith(" "))


def _peak() -> float:
    """Megabytes, since this program began (what `getrusage` tells remembers the one that started it)."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) / 1024


def _seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
