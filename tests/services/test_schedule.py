"""The clock's work: signs of life, and each daily job once per local day whatever the clocks do."""

from __future__ import annotations

import threading
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from flask import Flask

from ew_app.kernel import OPERATOR, now, record, transaction
from ew_app.outbox import Job
from ew_app.services.system import opening, schedule
from models.base import db
from models.jobs import Beat, JobRun, Outbox

CHICAGO = ZoneInfo("America/Chicago")
NIGHTLY = schedule.DAILY[0]


def due(text: str) -> date:
    return schedule.due_date(NIGHTLY, datetime.fromisoformat(text))


def test_the_nightly_run_is_due_from_eight_in_the_evening() -> None:
    assert due("2026-11-20T19:59:59") == date(2026, 11, 19)
    assert due("2026-11-20T20:00:00") == date(2026, 11, 20)
    assert due("2026-11-21T06:00:00") == date(2026, 11, 20), "one missed by midnight is made up in the morning"


@pytest.mark.parametrize("around", [datetime(2026, 11, 1, tzinfo=UTC), datetime(2027, 3, 14, tzinfo=UTC)])
def test_when_clocks_change_no_day_is_left_out_or_told_twice(around: datetime) -> None:
    ticks = (around - timedelta(days=3) + timedelta(minutes=5 * step) for step in range(12 * 24 * 6))
    days = list(dict.fromkeys(schedule.due_date(NIGHTLY, tick.astimezone(CHICAGO)) for tick in ticks))
    assert days == sorted(days)
    assert all(later - earlier == timedelta(days=1) for earlier, later in zip(days, days[1:], strict=False))


def test_a_clock_set_back_starts_nothing_a_second_time(app: Flask) -> None:
    day = date(2026, 11, 20)
    assert schedule._start(Job.NIGHTLY, day)
    assert schedule._start(Job.NIGHTLY, day + timedelta(days=1))
    assert not schedule._start(Job.NIGHTLY, day), "back by a day"
    assert db.session.query(JobRun).count() == 2


def test_a_tick_asks_for_the_run_once(app: Flask) -> None:
    assert schedule.tick() == [Job.NIGHTLY, Job.TELL_REVIEWS, Job.HAND_OUT, Job.FIND_CLUSTERS]
    assert schedule.tick() == []
    assert db.session.query(Outbox).filter_by(job="nightly").count() == 1
    assert db.session.get(Beat, "schedule") is not None


def test_nothing_of_today_comes_between_while_the_demo_tells_its_past(app: Flask) -> None:
    with transaction():
        record(opening.STARTED, by=OPERATOR, subject="demo", today="2026-11-20")
    assert schedule.tick() == []
    with transaction():
        record(opening.FINISHED, by=OPERATOR, subject="demo")
    assert schedule.tick() == [Job.NIGHTLY, Job.TELL_REVIEWS, Job.HAND_OUT, Job.FIND_CLUSTERS]


def test_two_ticks_at_once_start_it_once(app: Flask) -> None:
    started = []

    def tick() -> None:
        with app.app_context():
            started.extend(schedule.tick())

    threads = [threading.Thread(target=tick) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    asked = [Job.FIND_CLUSTERS, Job.HAND_OUT, Job.NIGHTLY, Job.TELL_REVIEWS]
    assert sorted(started) == asked, "each once, by whichever tick came first"


def test_a_sweep_shows_the_worker_alive_and_sends_what_was_lost(app: Flask) -> None:
    with transaction():
        at = now() - timedelta(minutes=5)
        db.session.add(Outbox(job="evaluate", key="touched", args=[], created_at=at, sent_at=at, attempts=0))
    assert schedule.sweep() == 1
    seen = db.session.get_one(Beat, "worker").at
    assert schedule.sweep() == 0, "sent a moment ago"
    assert db.session.get_one(Beat, "worker", populate_existing=True).at > seen


def test_a_new_daily_job_is_one_line() -> None:
    morning = schedule.Daily(Job.NIGHTLY, time(5))
    assert schedule.due_date(morning, datetime(2026, 11, 20, 5, tzinfo=CHICAGO)) == date(2026, 11, 20)
