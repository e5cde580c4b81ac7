"""Boards of a large district beside the fastest SELECT of the rows they show, early and late in the year.

    python -m tests.bench.boards [--students 325000] [--schools 640] [--days 180] [--at 5,90,180]

The district is the one of the lists, with a year of history behind it: every student's standings and the counts of each
school day. A page is asked for by somebody signed in, median of five after one; beside it the same numbers by
hand-written statements over the same connection, without names, freshness and words: counts and weeks from the sums of
counts, work from the cases, movement and groups from where everybody stood. `busy` is how long a processor worked for
the page, here and in the database, and `SQL` beside it the same of the statements: where others work on the machine as
well these can be compared. `queries`: statements of the page; `to first`: its time against the first of the days.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path

from flask import Flask
from sqlalchemy import text

from ew_app.kernel import transaction
from models.base import db
from models.staff import Grant, Person
from tests.bench import lists
from tests.bench.lists import GOAL, RATIO, SLOW
from tests.bench.lists_district import START, TODAY, write
from tests.opened import statements
from tests.scratch import folder

DAYS = [day for n in range(300) if (day := START + timedelta(days=n)).weekday() < 5]
HISTORY = (
    """INSERT INTO school_day (school_id, day, status, feed, rows, expected, absences)
       SELECT school_id, day, 'submitted', 'exception', 40, 500, 40 FROM calendar_day
       WHERE day > :today AND day <= :last""",
    # All are too early to judge for four weeks; four of ten change their tier twice, one of twenty the school as well.
    # Each school has nine grades.
    """INSERT INTO standing (student_id, since, until, school_id, grade, tier, too_early)
       SELECT n, r.since, r.until, r.school, (1 + n / :schools % 9)::text, r.tier, r.early
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
)
KEPT = ("standing", "tier_count", "school_count")
COUNTED = "sum(tier_1), sum(watch), sum(tier_2), sum(tier_3), sum(too_early)"
# Of the cases of some schools: open, without an owner, not reached in time, and how many of the last weeks were.
WORK = """
    SELECT school_id, count(*) FILTER (WHERE closed_on IS NULL), count(*) FILTER (WHERE owner_id IS NULL),
           count(*) FILTER (WHERE reached IS NULL AND contact_due < '{day}'),
           count(*) FILTER (WHERE reached <= contact_due AND opened >= '{lately}')
    FROM (SELECT school_id, closed_on, owner_id, contact_due, opened, (
              SELECT min(on_day) FROM outreach o
              WHERE o.student_id = c.student_id AND o.is_contact AND o.on_day >= c.opened) AS reached
          FROM support_case c WHERE (closed_on IS NULL OR opened >= '{lately}') AND {where}) x GROUP BY 1
"""
CAME = "SELECT school_id, max(day) FROM school_day WHERE day > CAST('{day}' AS date) - 7 AND {where} GROUP BY 1"


@dataclass(frozen=True, slots=True)
class Look:
    """A page, and statements that give the numbers of it."""

    name: str
    path: str
    rows: tuple[str, ...]


def looks(day: date) -> list[Look]:
    """The pages of the district, of a network and of a school as of a day."""
    places = (
        ("district", "/district", "true", "network_id"),
        ("network", "/networks/N1", "school_id IN (SELECT id FROM school WHERE network_id = 1)", "school_id"),
        ("school", "/schools/S1", "school_id = 1", "school_id"),
    )
    found = [one for place in places for one in _of_place(day, *place)]
    all_now = next(one for one in found if one.name == "district: now").rows
    return [*found, Look("every network", "/networks", all_now), Look("every school", "/schools", all_now)]


def _of_place(day: date, name: str, path: str, where: str, by: str) -> list[Look]:
    week, lately = day - timedelta(days=7), day - timedelta(days=28)
    fridays = ", ".join(f"'{day - timedelta(days=7 * n)}'" for n in range(12))
    stood = f"SELECT student_id, school_id, tier FROM standing WHERE {where} AND since <= '{{0}}' AND "
    stood += "coalesce(until, 'infinity'::date) >= '{0}'"
    joined = "SELECT t.school_id, t.tier, n.school_id, n.tier, count(*) FROM ({0}) t FULL JOIN ({1}) n "
    joined += "USING (student_id) GROUP BY 1, 2, 3, 4"
    groups = f"SELECT s.grade, english_learner, tier, count(*) FROM ({stood.format(day)}) x JOIN student s "
    groups += "ON s.id = x.student_id GROUP BY 1, 2, 3"
    sums = f"SELECT {by}, day, {COUNTED} FROM school_count JOIN school ON school.id = school_id WHERE {where} AND "
    now = f"SELECT * FROM school_count WHERE {where} AND day IN ('{day}', '{week}')"
    given = {"day": day, "lately": lately, "where": where}
    return [
        Look(
            f"{name}: now",
            path,
            (now, f"{sums} day IN ({fridays}) GROUP BY 1, 2", WORK.format(**given), CAME.format(**given)),
        ),
        *(
            Look(
                f"{name}: movement, {words}",
                f"{path}/movement?from={since}&to={day}",
                (joined.format(stood.format(since), stood.format(day)),),
            )
            for words, since in (("a week", week), ("the year", START))
        ),
        Look(
            f"{name}: over the year",
            f"{path}/year",
            (f"{sums} extract(isodow FROM day) = 5 AND day <= '{day}' GROUP BY 1, 2",),
        ),
        Look(f"{name}: groups", f"{path}/groups", (groups,)),
        Look(f"{name}: does help arrive", f"{path}/follow-through", (WORK.format(**given), CAME.format(**given))),
    ]


def main() -> None:
    """Write the district with its history, look at it on each day, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--students", type=int, default=325_000)
    parser.add_argument("--schools", type=int, default=640)
    parser.add_argument("--days", type=int, default=180)
    parser.add_argument("--at", default="5,90,180", help="school days on which the pages are looked at")
    asked = parser.parse_args()
    lists.TIMES, lists.WARM = 5, 1
    with folder() as here, lists.opened(str(here)) as app:
        with app.app_context():
            seconds = lists._timed(lambda: _write(asked.students, asked.schools, asked.days))
            sizes = {name: db.session.scalar(text(f"SELECT pg_total_relation_size('{name}')")) or 0 for name in KEPT}
        print(f"{asked.students:,} students, {asked.schools} schools, {asked.days} days of history written in "
              f"{seconds:.0f} s; {os.cpu_count()} cores")  # fmt: skip
        told = ", ".join(f"{name} {size / asked.days:,.0f}" for name, size in sizes.items())
        print(f"bytes of history a day: {sum(sizes.values()) / asked.days:,.0f} ({told})")
        first: dict[str, float] = {}
        missed: list[str] = []
        for number in (int(at) for at in asked.at.split(",")):
            print(
                f"day {number:<4}load {os.getloadavg()[0]:<15.1f}{'ms':>8}{'SQL':>8}{'over it':>9}"
                f"{'ratio':>7}{'busy':>8}{'SQL':>8}{'queries':>9}{'KB':>6}{'to first':>10}"
            )
            for look in looks(DAYS[number - 1]):
                took, fine = _row(app, look, DAYS[number - 1], first.get(look.name))
                first.setdefault(look.name, took)
                missed += [] if fine else [f"{look.name} on day {number}"]
        print(f"goal: at most {GOAL} ms over the statements, and {RATIO} times where they take over {SLOW} ms; "
              f"missed: {', '.join(missed) or 'nothing'}")  # fmt: skip


def _write(students: int, schools: int, days: int) -> None:
    write(students, min(30_000, students // 10), schools)
    given = {"students": students, "schools": schools, "start": START, "today": TODAY, "last": DAYS[days - 1]}
    with transaction():
        for statement in HISTORY:
            db.session.execute(text(statement), given)
        analyst = db.session.query(Person).filter_by(login="principal").one()
        db.session.add(Grant(person_id=analyst.id, role="district_analyst", place="district", starts=START))
    with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as alone:
        alone.execute(text("VACUUM ANALYZE"))  # as the server does by itself


def _row(app: Flask, look: Look, day: date, first: float | None) -> tuple[float, bool]:
    app.extensions["ew"] = replace(app.extensions["ew"], today=day)
    browser = lists._signed_in(app, "principal")
    answer = browser.get(look.path)
    assert answer.status_code == 200, f"{look.path} answered {answer.status_code}"
    with statements(app) as sent:
        browser.get(look.path)
    clock, page = _times(app, lambda: browser.get(look.path))
    with app.app_context():
        each = [_times(app, lambda asked=asked: db.session.execute(text(asked)).all()) for asked in look.rows]
    least_clock, least = (sum(times) for times in zip(*each, strict=True))
    over, ratio = clock - least_clock, clock / least_clock
    fine = over <= GOAL or (least_clock > SLOW and ratio <= RATIO)
    later = f"{clock / first:10.2f}" if first else f"{'':10}"
    print(
        f"{look.name:<28}{clock:8.1f}{least_clock:8.1f}{over:9.1f}{ratio:7.1f}{page:8.1f}{least:8.1f}{len(sent):9}"
        f"{len(answer.data) / 1024:6.0f}{later}{'' if fine else '  missed'}",
        flush=True,
    )
    return clock, fine


def _times(app: Flask, work: Callable[[], object]) -> tuple[float, float]:
    """Milliseconds by the clock, and of a processor in this process and in the database; medians."""
    with app.app_context():
        asked = text("SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend'")
        servers = [Path(f"/proc/{pid}/schedstat") for pid in db.session.scalars(asked)]
        db.session.remove()
    found = []
    for _ in range(lists.TIMES):
        before = time.perf_counter(), time.process_time() + _worked(servers)
        work()
        after = time.perf_counter(), time.process_time() + _worked(servers)
        found.append([(late - early) * 1000 for early, late in zip(before, after, strict=True)])
    clock, busy = (statistics.median(times) for times in zip(*found, strict=True))
    return clock, busy


def _worked(servers: Sequence[Path]) -> float:
    """Seconds for which the database's processes of our connections ran."""
    return sum(int(one.read_text().split()[0]) for one in servers) / 1e9


if __name__ == "__main__":
    main()
