"""Boards of a large district beside the bare aggregate of what they count, early and late in the year.

    python -m tests.bench.boards [--students 325000] [--schools 640] [--days 180] [--at 5,90,180]

The district is the one of the lists, with a year of history behind it: every student's standings and the counts of each
school day. A page is asked for by somebody signed in, median of five after one; beside it one hand-written aggregate
over the same connection that gives the numbers of the page without names, days, freshness or work.
"""

from __future__ import annotations

import argparse
import os
from dataclasses import dataclass, replace
from datetime import date, timedelta

from flask import Flask
from sqlalchemy import text

from ew_app.kernel import transaction
from models.base import db
from models.staff import Grant, Person
from tests.bench import lists
from tests.bench.lists_district import START, TODAY, write
from tests.opened import statements
from tests.scratch import folder

HISTORY = (
    """INSERT INTO school_day (school_id, day, status, feed, rows, expected, absences)
       SELECT school_id, day, 'submitted', 'exception', 40, 500, 40 FROM calendar_day
       WHERE day > :today AND day <= :last""",
    # All are too early to judge for four weeks; four of ten change their tier twice, one of twenty the school as well.
    """INSERT INTO standing (student_id, since, until, school_id, grade, tier, too_early)
       SELECT n, r.since, r.until, r.school, (1 + n % 12)::text, r.tier, r.early
       FROM (SELECT n, CAST(:start AS date) AS a, CAST(:start AS date) + 28 AS b,
                    CAST(:start AS date) + 29 + n * 7 % 110 AS c,
                    CAST(:start AS date) + 29 + n * 7 % 110 + 20 + n % 60 AS d,
                    1 + n % :schools AS home,
                    CASE WHEN n % 20 = 7 THEN 1 + (n * 31) % :schools ELSE 1 + n % :schools END AS later
             FROM generate_series(1, :students) n) s
       CROSS JOIN LATERAL (VALUES
           (a, b - 1, home, 0, true, true), (b, NULL, home, 0, false, n % 10 < 6),
           (b, c - 1, home, 0, false, n % 10 >= 6), (c, d - 1, later, 1 + n % 3, false, n % 10 >= 6),
           (d, NULL, later, n % 4, false, n % 10 >= 6)) AS r (since, until, school, tier, early, there)
       WHERE r.there""",
    """INSERT INTO tier_count (school_id, day, grade, tier_1, watch, tier_2, tier_3, "none", too_early)
       SELECT w.school_id, w.day, s.grade, count(*) FILTER (WHERE s.tier = 0), count(*) FILTER (WHERE s.tier = 1),
              count(*) FILTER (WHERE s.tier = 2), count(*) FILTER (WHERE s.tier = 3), 0,
              count(*) FILTER (WHERE s.too_early)
       FROM calendar_day w JOIN standing s ON s.school_id = w.school_id AND s.since <= w.day
            AND coalesce(s.until, 'infinity'::date) >= w.day
       WHERE w.day BETWEEN :start AND :last GROUP BY 1, 2, 3""",
    "ANALYZE",
)
SIZES = """SELECT pg_total_relation_size('tier_count') + pg_total_relation_size('standing')"""
COUNTED = "sum(tier_1), sum(watch), sum(tier_2), sum(tier_3)"


@dataclass(frozen=True, slots=True)
class Look:
    """A page, and the aggregate of what it counts."""

    name: str
    path: str
    rows: str


def looks(day: date) -> list[Look]:
    """The pages of the district, of a network and of a school as of a day."""
    week, found = day - timedelta(days=7), []
    places = (
        ("district", "/district", "true"),
        ("network", "/networks/N1", "school_id IN (SELECT id FROM school WHERE network_id = 1)"),
        ("school", "/schools/S1", "school_id = 1"),
    )
    for name, path, where in places:
        stood = f"SELECT student_id, school_id, tier FROM standing WHERE {where} AND since <= '{{0}}' AND "
        stood += "coalesce(until, 'infinity'::date) >= '{0}'"
        joined = "SELECT t.school_id, t.tier, n.school_id, n.tier, count(*) FROM ({0}) t FULL JOIN ({1}) n "
        joined += "USING (student_id) GROUP BY 1, 2, 3, 4"
        fridays = f"school_id, day, {COUNTED} FROM tier_count WHERE {where} AND extract(isodow FROM day) = 5"
        moved = [(words, joined.format(stood.format(since), stood.format(day))) for words, since in
                 (("a week", week), ("the year", START))]  # fmt: skip
        groups = f"SELECT s.grade, english_learner, tier, count(*) FROM ({stood.format(day)}) x JOIN student s "
        groups += "ON s.id = x.student_id GROUP BY 1, 2, 3"
        now = f"SELECT school_id, {COUNTED} FROM tier_count WHERE {where} AND day IN ('{day}', '{week}') GROUP BY 1"
        found += [
            Look(f"{name}: now", path, now),
            Look(f"{name}: movement, {moved[0][0]}", f"{path}/movement?from={week}&to={day}", moved[0][1]),
            Look(f"{name}: movement, {moved[1][0]}", f"{path}/movement?from={START}&to={day}", moved[1][1]),
            Look(f"{name}: over the year", f"{path}/year", f"SELECT {fridays} AND day <= '{day}' GROUP BY 1, 2"),
            Look(f"{name}: groups", f"{path}/groups", groups),
        ]
    return found


def main() -> None:
    """Write the district with its history, look at it on each day, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--students", type=int, default=325_000)
    parser.add_argument("--schools", type=int, default=640)
    parser.add_argument("--days", type=int, default=180)
    parser.add_argument("--at", default="5,90,180", help="school days on which the pages are looked at")
    asked = parser.parse_args()
    lists.TIMES, lists.WARM = 5, 1
    with folder() as here, lists._opened(str(here)) as app:
        with app.app_context():
            seconds = lists._timed(lambda: _write(asked.students, asked.schools, asked.days))
            size = db.session.scalar(text(SIZES)) or 0
        print(f"{asked.students:,} students, {asked.schools} schools, {asked.days} days of history written in "
              f"{seconds:.0f} s; {size / asked.days / 1e6:.2f} MB a day; {os.cpu_count()} cores")  # fmt: skip
        days = [day for n in range(300) if (day := START + timedelta(days=n)).weekday() < 5]
        first: dict[str, float] = {}
        for number in (int(at) for at in asked.at.split(",")):
            print(
                f"day {number:<24}{'ms':>8}{'SQL':>9}{'over it':>9}{'ratio':>7}{'queries':>9}{'KB':>6}{'to first':>10}"
            )
            for look in looks(days[number - 1]):
                took = _row(app, look, days[number - 1], first.get(look.name))
                first.setdefault(look.name, took)


def _write(students: int, schools: int, days: int) -> None:
    write(students, min(30_000, students // 10), schools)
    last = [day for n in range(300) if (day := START + timedelta(days=n)).weekday() < 5][days - 1]
    given = {"students": students, "schools": schools, "start": START, "today": TODAY, "last": last}
    with transaction():
        for statement in HISTORY:
            db.session.execute(text(statement), given)
        analyst = db.session.query(Person).filter_by(login="principal").one()
        db.session.add(Grant(person_id=analyst.id, role="district_analyst", place="district", starts=START))


def _row(app: Flask, look: Look, day: date, first: float | None) -> float:
    app.extensions["ew"] = replace(app.extensions["ew"], today=day)
    browser = lists._signed_in(app, "principal")
    answer = browser.get(look.path)
    assert answer.status_code == 200, f"{look.path} answered {answer.status_code}"
    with statements(app) as sent:
        browser.get(look.path)
    page = lists._median(lambda: browser.get(look.path))
    with app.app_context():
        least = lists._median(lambda: db.session.execute(text(look.rows)).all())
    later = f"{page / first:10.2f}" if first else ""
    print(
        f"{look.name:<28}{page:8.1f}{least:9.1f}{page - least:9.1f}{page / least:7.1f}{len(sent):9}"
        f"{len(answer.data) / 1024:6.0f}{later}",
        flush=True,
    )
    return page


if __name__ == "__main__":
    main()
