"""Which look is due: each time of a timetable once, whatever clocks do, a failed one again, and never while paused."""

from __future__ import annotations

import threading
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from sqlalchemy import update

from ew_app.kernel import OPERATOR, now, told_as_of, transaction
from ew_app.outbox import MAX_ATTEMPTS, Job
from ew_app.services.sources import keeping, pulling, starting
from ew_app.services.sources.keeping import Wanted
from ew_app.services.system import schedule
from models.base import db
from models.jobs import Outbox
from models.org import Source
from models.pulls import Pull
from rules.timetable import Days, Timetable
from tests.services.lincoln_and_carver import build, query
from tests.services.looks import drop_folder, folder_wanted, look

CHICAGO = ZoneInfo("America/Chicago")
EVENING = {"times": ["18:15"], "days": "all"}
SET_UP = datetime(2026, 10, 1, 12, tzinfo=CHICAGO)


def source(timetable: dict[str, object], name: str = "sis") -> None:
    with told_as_of(SET_UP):
        keeping.add(name, Wanted("folder", location={"folder": name, "quiet": 0}, timetable=timetable), by=OPERATOR)


def tick(moment: datetime) -> int:
    """A tick at a moment, its looks done at once with nothing found; how many were started."""
    with told_as_of(moment):
        started = starting.start_due()
    with transaction():
        db.session.execute(update(Pull).where(Pull.ended_at.is_(None)).values(ended_at=now(), ended="nothing"))
    return len(started)


def slots() -> list[tuple[date, str]]:
    return query("SELECT local_date, slot FROM pull ORDER BY id")


@pytest.mark.parametrize("around", [date(2026, 11, 1), date(2027, 3, 14)])
@pytest.mark.parametrize("at", ["01:30", "02:30", "18:15"])
def test_when_clocks_change_each_day_is_looked_at_once(app: Flask, around: date, at: str) -> None:
    """01:30 comes twice on the first of these days, and 02:30 not at all on the second."""
    source({"times": [at], "days": "all"})
    first = datetime.combine(around - timedelta(days=1), time(0), CHICAGO).astimezone(UTC)
    tick(first)
    for step in range(4 * 72):
        tick(first + timedelta(minutes=15 * step))
    days = [day for day, _ in slots() if day >= around - timedelta(days=1)]
    assert days == [around - timedelta(days=1), around, around + timedelta(days=1)]


def test_a_clock_that_jumps_starts_nothing_twice_and_leaves_nothing_out(app: Flask) -> None:
    source({"every": 15, "start": "06:00", "until": "20:00", "days": "all"})
    noon = datetime(2026, 11, 18, 12, 1, tzinfo=CHICAGO)
    for jump in (0, 90, -90, 0, 90, 91):
        tick(noon + timedelta(minutes=jump))
    assert slots() == [
        (date(2026, 11, 18), "12:00"),
        (date(2026, 11, 18), "13:30"),
        (date(2026, 11, 18), "10:30"),
    ]


def test_a_time_missed_while_the_machine_was_off_is_made_up_once(app: Flask) -> None:
    source(EVENING)
    assert tick(datetime(2026, 11, 20, 7, tzinfo=CHICAGO)) == 1
    assert tick(datetime(2026, 11, 20, 7, 5, tzinfo=CHICAGO)) == 0
    assert slots() == [(date(2026, 11, 19), "18:15")]


def test_a_fresh_source_begins_with_its_next_time(app: Flask) -> None:
    source(EVENING)
    assert tick(SET_UP + timedelta(hours=1)) == 0
    assert tick(SET_UP + timedelta(hours=7)) == 1


def test_two_ticks_at_once_start_it_once(app: Flask) -> None:
    source(EVENING)
    moment = datetime(2026, 11, 18, 18, 20, tzinfo=CHICAGO)
    started = []

    def run() -> None:
        with app.app_context(), told_as_of(moment):
            started.extend(starting.start_due())
            db.session.remove()

    both = [threading.Thread(target=run) for _ in range(2)]
    for one in both:
        one.start()
    for one in both:
        one.join()
    assert len(started) == 1
    assert db.session.query(Outbox).filter_by(job="pull").count() == 1


def test_on_school_days_means_the_calendar(app: Flask) -> None:
    build()
    source({"times": ["18:15"]})
    tick(datetime(2026, 11, 20, 18, 20, tzinfo=CHICAGO))
    assert tick(datetime(2026, 11, 21, 18, 20, tzinfo=CHICAGO)) == 0, "a Saturday"
    assert tick(datetime(2026, 9, 7, 18, 20, tzinfo=CHICAGO)) == 0, "Labor Day, and before the source was set up"


def test_without_a_calendar_weekdays_stand_for_school_days(app: Flask) -> None:
    timetable = Timetable.of({"times": ["18:15"]})
    assert starting.looks_on(timetable, date(2026, 11, 20))
    assert not starting.looks_on(timetable, date(2026, 11, 21))
    assert starting.looks_on(Timetable((time(6),), days=Days.ALL), date(2026, 11, 21))


def test_a_paused_source_is_left_alone_until_it_is_resumed_and_makes_nothing_up(app: Flask) -> None:
    source(EVENING)
    keeping.pause("sis", by=OPERATOR)
    assert tick(datetime(2026, 11, 18, 18, 20, tzinfo=CHICAGO)) == 0
    with told_as_of(datetime(2026, 11, 19, 9, tzinfo=CHICAGO)):
        keeping.resume("sis", by=OPERATOR)
    assert tick(datetime(2026, 11, 19, 9, 5, tzinfo=CHICAGO)) == 0
    assert tick(datetime(2026, 11, 19, 18, 20, tzinfo=CHICAGO)) == 1


def test_a_failed_look_is_made_again_each_time_a_little_later_and_not_for_ever(app: Flask) -> None:
    drop_folder().rmdir()
    tries, moment = 0, now()
    look()
    for _ in range(12 * 24):
        moment += timedelta(minutes=5)
        with told_as_of(moment):
            if starting.start_due():
                tries += 1
                _fail_the_open_one()
    assert tries == 7
    assert query("SELECT max(tries) FROM pull") == [(8,)]


def _fail_the_open_one() -> None:
    for (number,) in query("SELECT id FROM pull WHERE ended_at IS NULL"):
        pulling.pull(number)


def test_a_look_that_broke_off_three_times_is_ended_so_that_the_timetable_goes_on(app: Flask) -> None:
    drop_folder()
    number = starting.ask("sis", by=OPERATOR)
    with transaction():
        aside = {"quarantined_at": now(), "attempts": MAX_ATTEMPTS, "error": "lost"}
        db.session.execute(update(Outbox).where(Outbox.job == Job.PULL.value).values(**aside))
    starting.start_due()
    ended = db.session.get_one(Pull, number, populate_existing=True)
    assert ended.ended == "failed" and "three times" in ended.sentence
    assert starting.ask("sis", by=OPERATOR) != number


def test_the_tick_of_the_schedule_starts_looks(app: Flask) -> None:
    with told_as_of(now() - timedelta(days=3)):
        folder_wanted_every_day = folder_wanted("sis")
        keeping.add("sis", folder_wanted_every_day, by=OPERATOR)
        keeping.change(
            "sis", Wanted("folder", location=folder_wanted_every_day.location, timetable=EVENING), by=OPERATOR
        )
    schedule.tick()
    assert len(slots()) == 1


def test_looks_that_found_nothing_are_forgotten_after_a_month_except_the_last(app: Flask) -> None:
    source(EVENING)
    for day in (1, 3, 30):
        tick(datetime(2026, 11, day, 18, 20, tzinfo=CHICAGO))
    with transaction():
        db.session.execute(update(Pull).values(ended_at=Pull.asked_at))
    with told_as_of(datetime(2026, 12, 2, 20, tzinfo=CHICAGO)):
        assert pulling.forget_old() == 1
    with told_as_of(datetime(2027, 6, 2, 20, tzinfo=CHICAGO)):
        pulling.forget_old()
    assert slots() == [(date(2026, 11, 30), "18:15")]


def test_the_next_look_is_told(app: Flask) -> None:
    source({"times": ["06:00", "18:15"], "days": "weekdays"})
    with told_as_of(datetime(2026, 11, 20, 18, 15, tzinfo=CHICAGO)):
        found = starting.next_look(db.session.query(Source).filter_by(name="sis").one())
    assert str(found) == "2026-11-23 06:00:00"
