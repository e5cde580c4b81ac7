"""Lists and case pages of a large district, beside the fastest SELECT of the rows they show.

    python -m tests.bench.lists [--students 325000] [--cases 30000] [--schools 640]

The district is written by SQL: a school year of days, half of them behind, marks for whoever has a case, contacts,
tasks and cases that are over. Each page is asked for as its own role asks, signed in, by the application in this
process; its time is the median of twenty after two to warm up. Beside it: the rows on the page, read by their keys with
one hand-written SELECT over the same connection, median of twenty; the difference is what the page costs over them.
The column `cpu` is the processor time of this process alone, in ms a page: it says the same on a busy machine.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import secrets
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, text

from ew_app.config import load_settings
from ew_app.factory import create_app
from ew_app.kernel import now, transaction
from ew_app.local import Servers
from ew_app.services.measuring import policies
from ew_app.services.system import upkeep
from models.base import db
from models.staff import Person, SignIn
from tests.bench.lists_district import TODAY, write
from tests.opened import statements
from tests.scratch import folder

TIMES, WARM = 20, 2
GOAL, STRETCH, SLOW, RATIO = 40, 15, 20, 3  # milliseconds over the SELECT; from SLOW on at most RATIO times as long
# name, login, address, the SELECT of what is on it: {ids} are the numbers of the cases, or the ids of students
CASE_ROWS = """
    SELECT c.number, s.first_name, s.last_name, s.grade, h.name, c.next_step, c.due, c.tier, c.status, p.name,
           t.enrolled, t.absent
    FROM support_case c JOIN student s ON s.id = c.student_id JOIN school h ON h.id = c.school_id
    LEFT JOIN person p ON p.id = c.owner_id LEFT JOIN student_status t ON t.student_id = c.student_id
    WHERE {where} ORDER BY {order} LIMIT 25
"""
OPEN = "c.closed_on IS NULL"
MINE = f"{OPEN} AND c.owner_id = (SELECT id FROM person WHERE login = '{{login}}')"
HERE = f"{OPEN} AND c.school_id = 1"
FLAGGED = """
    SELECT s.id, s.first_name, s.last_name, t.tier, t.tier_since, t.enrolled, t.absent, c.number, x.sentence
    FROM student_status t JOIN student s ON s.id = t.student_id
    LEFT JOIN support_case c ON c.student_id = s.id AND c.closed_on IS NULL
    LEFT JOIN tier_change x ON x.student_id = s.id AND x.day = t.tier_since AND x.withdrawn_at IS NULL
    WHERE t.school_id IN ({schools}) AND t.enrolled_now AND t.tier >= 1 AND t.tier_since >= '2026-11-06'
    ORDER BY t.tier DESC, t.tier_since DESC LIMIT 25
"""
CASE = """
    SELECT * FROM support_case c JOIN student s ON s.id = c.student_id LEFT JOIN student_status t USING (student_id)
    LEFT JOIN outreach o USING (student_id) LEFT JOIN task k ON k.case_id = c.id
    LEFT JOIN case_reason r ON r.case_id = c.id
    WHERE c.number = {number}
"""
DAYS = """
    SELECT d.day, d.status, m.code FROM support_case c JOIN stint e ON e.student_id = c.student_id
    JOIN school_day d ON d.school_id = e.school_id AND d.day >= e.entry_date
    LEFT JOIN mark m ON m.student_id = c.student_id AND m.day = d.day WHERE c.number = {number}
"""


@dataclass(frozen=True, slots=True)
class Look:
    """A page, who looks at it, and the rows it shows by themselves."""

    name: str
    login: str
    path: str
    rows: str


def looks(number: int, of_network: str) -> list[Look]:
    """What is measured. `of_network`: the schools of the network's social worker, as a SELECT."""
    mine, everywhere = MINE.format(login="worker"), f"{OPEN} AND c.school_id IN ({of_network})"
    return [
        Look("Today", "worker", "/today", CASE_ROWS.format(where=f"{mine} AND c.due <= '{TODAY}'", order="c.due")),
        Look("Caseload, own", "worker", "/caseload?view=mine", CASE_ROWS.format(where=mine, order="c.due")),
        Look("Caseload, a network", "network", "/caseload?view=all", CASE_ROWS.format(where=everywhere, order="c.due")),
        Look("... by last name", "network", "/caseload?view=all&sort=name",
             CASE_ROWS.format(where=everywhere, order="s.last_name")),
        Look("... the district", "district", "/caseload?view=all", CASE_ROWS.format(where=OPEN, order="c.due")),
        Look("... page 400", "district", "/caseload?view=all&page=400",
             CASE_ROWS.format(where=OPEN, order="c.due") + " OFFSET 9975"),
        Look("... overdue, no contact", "district", "/caseload?view=all&overdue=1&first=1",
             CASE_ROWS.format(where=f"{OPEN} AND c.due < '{TODAY}'", order="c.due")),
        Look("Flagged, a school", "worker", "/flagged", FLAGGED.format(schools="1")),
        Look("Flagged, a network", "network", "/flagged", FLAGGED.format(schools=of_network)),
        Look("Today, a principal", "principal", "/today", CASE_ROWS.format(where=HERE, order="c.due")),
        *(
            Look(f"Case, {tab or 'overview'}", "worker", f"/cases/{number}{tab and '/' + tab}",
                 (DAYS if tab in ("", "attendance") else CASE).format(number=number))
            for tab in ("", "timeline", "plan", "tasks", "attendance", "contacts")
        ),
    ]  # fmt: skip


def main() -> None:
    """Write the district, look, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--students", type=int, default=325_000)
    parser.add_argument("--cases", type=int, default=30_000)
    parser.add_argument("--schools", type=int, default=640)
    asked = parser.parse_args()
    with folder() as here, opened(str(here)) as app:
        with app.app_context():
            seconds = _timed(lambda: write(asked.students, asked.cases, asked.schools))
            with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as alone:
                alone.execute(text("VACUUM ANALYZE"))  # as the server does by itself
        print(f"{asked.students:,} students at {asked.schools} schools, {asked.cases:,} open cases, written in "
              f"{seconds:.0f} s; {os.cpu_count()} cores")  # fmt: skip
        print(f"{'page':<28}{'ms':>8}{'SELECT':>9}{'over it':>9}{'ratio':>7}{'queries':>9}{'KB':>6}{'cpu':>7}")
        missed = [look.name for look in _all_looks(app) if not _row(app, look)]
    print(f"goal: at most {GOAL} ms over the SELECT, and {RATIO} times where it takes over {SLOW} ms; missed: "
          f"{', '.join(missed) or 'nothing'}")  # fmt: skip


@contextmanager
def opened(here: str) -> Iterator[Flask]:
    """The application on servers of its own, on the district's day."""
    given = {"EW_DATA_DIR": here, "EW_SECRET_KEY": "a key for measuring only", "EW_TODAY": TODAY.isoformat()}
    with Servers(load_settings(given), fast=True) as ready:
        app = create_app(ready)
        app.config["RATELIMIT_ENABLED"] = False
        with app.app_context():
            upkeep.upgrade()
            policies.timeline()
        yield app


def _all_looks(app: Flask) -> list[Look]:
    with app.app_context():
        network = "SELECT id FROM school WHERE network_id = 1"
        asked = (
            "SELECT number FROM support_case c JOIN person p ON p.id = c.owner_id WHERE p.login = 'worker' AND " + OPEN
        )
        return looks(db.session.scalar(text(asked + " ORDER BY number LIMIT 1")) or 0, network)


def _row(app: Flask, look: Look) -> bool:
    """Measure and print one page; whether it is within the goal."""
    browser = _signed_in(app, look.login)
    for _ in range(WARM):
        answer = browser.get(look.path)
    assert answer.status_code == 200, f"{look.path} answered {answer.status_code}"
    with statements(app) as sent:
        browser.get(look.path)
    page, cpu = _median(lambda: browser.get(look.path)), _median(lambda: browser.get(look.path), time.process_time)
    with app.app_context():
        least = _median(lambda: db.session.execute(text(look.rows)).all())
    over, ratio = page - least, page / least
    fine = over <= GOAL or (least > SLOW and ratio <= RATIO)
    print(
        f"{look.name:<28}{page:8.1f}{least:9.1f}{over:9.1f}{ratio:7.1f}{len(sent):9}{len(answer.data) / 1024:6.0f}"
        f"{cpu:7.1f}  {'within 15 ms' if over <= STRETCH else '' if fine else 'missed'}",
        flush=True,
    )
    return fine


def _signed_in(app: Flask, login: str) -> FlaskClient:
    token = secrets.token_urlsafe(32)
    with app.app_context(), transaction():
        person = db.session.scalars(select(Person.id).where(Person.login == login)).one()
        hashed, at = hashlib.sha256(token.encode()).hexdigest(), now()
        db.session.add(SignIn(token_hash=hashed, person_id=person, created_at=at, last_seen=at, proved_at=at, ip=""))
    browser = app.test_client()
    with browser.session_transaction() as session:
        session["_user_id"] = token
    return browser


def _median(work: Callable[[], object], clock: Callable[[], float] = time.perf_counter) -> float:
    """Milliseconds."""
    return statistics.median(_timed(work, clock) for _ in range(TIMES)) * 1000


def _timed(work: Callable[[], object], clock: Callable[[], float] = time.perf_counter) -> float:
    start = clock()
    work()
    return clock() - start


if __name__ == "__main__":
    main()
