"""A school that has not sent a day is asked for it: once, by its own people, then by whoever keeps the feeds."""

from __future__ import annotations

import threading
from datetime import date, time
from pathlib import Path

import pytest
from flask import Flask

from ew_app.kernel import NotFound, now, transaction
from ew_app.services.casework import handing_out, tasks
from ew_app.services.deliveries import ingest, late_days, releasing
from ew_app.services.people import accounts
from ew_app.services.system import health, schedule
from models.base import db
from models.cases import Task
from models.org import CalendarDay
from models.queries import late_days as rows
from models.staff import Grant, Person
from rules.access import Area, NotAllowed
from rules.late_days import Move
from tests.services.lincoln_and_carver import FIRST_DAY, build, covers, csv, load_files, query, school_named
from tests.services.looks import look
from tests.services.test_expected_files import at, came, expect

STAFF = (
    ("clara", "attendance_clerk", "school:lincoln"),
    ("carl", "attendance_clerk", "school:carver"),
    ("ada", "system_admin", "district"),
    ("dana", "data_steward", "district"),
)
SEE_ALL = Area(district=True)
SOMEBODY = {"lincoln": "ana", "carver": "fay"}


@pytest.fixture(autouse=True)
def world(app: Flask) -> None:
    build()
    for login, role, place in STAFF:
        give(login, role, place)


def give(login: str, role: str, place: str) -> int:
    with transaction():
        person = Person(login=login, name=login.title(), created_at=now())
        person.grants = [Grant(role=role, place=place, starts=FIRST_DAY)]
        db.session.add(person)
    return person.id


def sent(day: str, *schools: str) -> None:
    """A file in which nobody of these schools was absent."""
    load_files({"attendance.csv": csv(), "covers.csv": covers(*(f"{school} {day}" for school in schools))})


def begun() -> None:
    """The first day came in from both schools, by hand: each day is due at the midnight after it."""
    with at("08-17 15:00"):
        sent("08-17", "lincoln", "carver")


def begun_by_itself() -> Path:
    """The same from a folder that is to bring each day by half past six; returns the folder."""
    folder = expect("18:30")
    with at("08-17 15:00"):
        came(folder, "08-17", "lincoln", "carver")
        look()  # as the schedule does once more where something came
    return folder


def asked() -> list[tuple[str, str, str, str | None, str]]:
    """(school, day, status, who, role) of every task about a day."""
    return query("""
        SELECT s.key, to_char(t.day, 'MM-DD'), t.status, p.login, t.owner_role FROM task t
        JOIN school s ON s.id = t.school_id LEFT JOIN person p ON p.id = t.owner_id
        WHERE t.student_id IS NULL ORDER BY t.day, s.key
    """)


def history(where: str) -> list[str]:
    """What happened to the first task about a day of a school, oldest first."""
    found = "SELECT t.id FROM task t JOIN school s ON s.id = t.school_id WHERE s.key = :key ORDER BY t.day"
    return [event.kind for event in reversed(rows.history(query(found, key=where)[0][0]))]


def one(where: str) -> tuple[str, str, str | None, str]:
    (found,) = [row[1:] for row in asked() if row[0] == where]
    return found


def test_at_the_hour_each_late_school_is_asked_once_by_its_own_clerk() -> None:
    folder = begun_by_itself()
    with at("08-18 18:29"):
        came(folder, "08-18", "lincoln")
        schedule.tick()
        assert asked() == [], "the hour has not come"
    with at("08-18 18:30"):
        schedule.tick()
        schedule.tick()
        assert asked() == [("carver", "08-18", "open", "carl", "attendance_clerk")]
        assert history("carver") == ["day_asked"]
    assert query("SELECT DISTINCT student_id FROM task WHERE kind = 'feed'") == [(None,)], "the school, not a child"


def test_where_no_hour_is_set_a_day_is_late_from_midnight() -> None:
    begun()
    with at("08-18 23:59"):
        assert late_days.follow() == {}
    with at("08-19 00:00"):
        assert late_days.follow() == {Move.ASK: 2}


def test_a_source_that_brings_nothing_for_anybody_asks_whoever_keeps_it_once_and_the_schools_left_over_later() -> None:
    folder = begun_by_itself()
    with at("08-18 18:31"):
        schedule.tick()
        schedule.tick()
        assert asked() == [("lincoln", "08-18", "open", "ada", "system_admin")], "for all of its schools"
        assert query("SELECT title FROM task WHERE student_id IS NULL") == [(late_days.WHOLE_SOURCE,)]
    with at("08-18 19:00"):
        came(folder, "08-18", "lincoln")
        schedule.tick()
        assert one("lincoln") == ("08-18", "done", "ada", "system_admin")
        assert one("carver") == ("08-18", "open", "carl", "attendance_clerk")
        assert history("lincoln") == ["day_asked", "day_came"]
        assert health.late_schools()[0].name == "Carver"


def test_a_day_in_part_has_come_in() -> None:
    begun()
    with at("08-19 08:00"):
        late_days.follow()
        load_files({"attendance.csv": csv("ana lincoln 08-18 A")}, feed="full", accept_held=True)
        assert late_days.follow() == {Move.END: 1}
        assert query("SELECT status FROM school_day WHERE day = '2026-08-18'") == [("partial",)]


def test_a_day_that_turns_out_to_be_without_school_ends_it() -> None:
    begun()
    with at("08-19 08:00"):
        late_days.follow()
        with transaction():
            number = school_named("carver").id
            db.session.get_one(CalendarDay, (number, "", date(2026, 8, 18))).day_type = "weather"
        assert late_days.follow() == {Move.END: 1}
        assert one("carver")[1] == "done" and one("lincoln")[1] == "open"
        assert history("carver") == ["day_asked", "day_closed"]
        assert query("SELECT DISTINCT note FROM task WHERE status = 'done'") == [("There was no school that day.",)]


def test_when_the_next_day_is_missing_too_the_first_goes_up_once() -> None:
    begun()
    with at("08-19 00:01"):
        late_days.follow()
    with at("08-19 23:59"):
        assert late_days.follow() == {}
    with at("08-20 00:01"):
        assert late_days.follow() == {Move.ASK: 2, Move.RAISE: 2}
        assert late_days.follow() == {}
        assert asked() == [
            ("carver", "08-18", "open", "ada", "system_admin"),
            ("lincoln", "08-18", "open", "ada", "system_admin"),
            ("carver", "08-19", "open", "carl", "attendance_clerk"),
            ("lincoln", "08-19", "open", "clara", "attendance_clerk"),
        ]
        assert history("lincoln") == ["day_asked", "day_raised"]
        first = rows.open_days(SEE_ALL, date(2026, 7, 1), date(2026, 8, 20), time(0, 1))[0]
        assert (first.school, first.days_late, first.owner) == ("Carver", 2, "Ada")
    with at("08-21 00:01"):
        assert late_days.follow() == {Move.ASK: 2, Move.RAISE: 2}, "the second day; the first goes up only once"


def test_a_weekend_raises_nothing() -> None:
    begun()
    with at("08-21 23:00"):
        sent("08-18", "lincoln", "carver")
        sent("08-19", "lincoln", "carver")
        sent("08-20", "lincoln", "carver")
    with at("08-22 00:01"):
        assert late_days.follow() == {Move.ASK: 2}, "Friday"
    with at("08-24 12:00"):
        assert late_days.follow() == {}
    with at("08-25 00:00"):
        assert late_days.follow() == {Move.ASK: 2, Move.RAISE: 2}


def test_a_file_that_is_taken_back_opens_the_same_task_again() -> None:
    begun()
    with at("08-19 08:00"):
        late_days.follow()
        sent("08-18", "lincoln")
        late_days.follow()
        batch = query("SELECT max(id) FROM batch")[0][0]
        ingest.undo(batch)
        assert late_days.follow() == {Move.ASK_AGAIN: 1}
        assert one("lincoln") == ("08-18", "open", "clara", "attendance_clerk")
        assert history("lincoln") == ["day_asked", "day_came", "day_missing_again"]


def held(day: str, *schools: str, preview: bool = False) -> int:
    """A file of these schools that nobody believes, because half of its rows name no student."""
    rows = [row for at in schools for row in (f"{SOMEBODY[at]} {at} {day} A", f"nobody {at} {day} A")]
    claims = covers(*(f"{at} {day}" for at in schools))
    told = load_files({"attendance.csv": csv(*rows), "covers.csv": claims}, preview=preview)
    assert told["status"] == "held"
    return int(told["batch"])


def waiting() -> dict[str, tuple[str, str | None]]:
    """School -> (how the file of its first missing day waits, who was asked)."""
    found = late_days.asked_for(by=accounts.acting_as("dana"))
    return {day.school_key: (day.waiting_as, day.owner) for day in reversed(found)}


def test_a_school_whose_file_is_held_is_not_asked_to_send_it_again() -> None:
    begun()
    with at("08-18 16:00"):
        held("08-18", "lincoln", "carver")
    with at("08-19 00:00"):
        assert late_days.follow() == {Move.ASK_TO_LOOK: 1}, "once for the file, and no school"
        assert late_days.follow() == {}
        assert waiting() == {"lincoln": ("held", "Dana")}
    with at("08-20 00:00"):
        assert late_days.follow() == {Move.ASK: 2}, "the next day, of which nothing came; the first does not go up"


def test_a_day_that_was_asked_for_is_handed_on_when_its_file_is_held_and_back_when_that_is_put_away() -> None:
    begun()
    with at("08-19 08:00"):
        late_days.follow()
        batch = held("08-18", "lincoln")
        late_days.came_with(batch)
        assert waiting() == {"carver": ("", "Carl"), "lincoln": ("held", "Dana")}
        ingest.cancel(batch, by=accounts.acting_as("dana"))
        assert late_days.follow() == {Move.HAND_BACK: 1}
        assert waiting() == {"carver": ("", "Carl"), "lincoln": ("", "Clara")}
        again = held("08-18", "lincoln", preview=True)
        assert late_days.follow() == {Move.HAND_ON: 1}, "checked in the browser and held is the same"
        releasing.let_in(again, by=accounts.acting_as("dana"), reason="It is right.")
        ingest.load(again)
        late_days.came_with(again)
        assert history("lincoln") == ["day_asked", "day_held", "day_held_no_more", "day_held", "day_came"]


def test_a_file_that_was_checked_and_not_applied_waits_and_its_school_is_still_asked() -> None:
    begun()
    with at("08-19 08:00"):
        load_files({"attendance.csv": csv(), "covers.csv": covers("lincoln 08-18")}, preview=True)
        assert late_days.follow() == {Move.ASK: 2}
        assert waiting() == {"carver": ("", "Carl"), "lincoln": ("checked", "Clara")}


def test_before_the_first_attendance_of_the_year_nobody_is_asked() -> None:
    with at("08-26 12:00"):
        assert late_days.follow() == {}
        sent("08-25", "lincoln")
        assert late_days.follow() == {Move.ASK: 9}, "a week back, and no further: five days of Carver, four of Lincoln"


def test_two_clocks_at_once_ask_once(app: Flask) -> None:
    begun()
    done = []

    def tick() -> None:
        with app.app_context(), at("08-19 08:00"):
            done.append(late_days.follow())

    threads = [threading.Thread(target=tick) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(map(len, done)) == [0, 0, 0, 1] and len(asked()) == 2


def test_a_day_that_nobody_could_be_asked_for_finds_somebody_in_the_morning() -> None:
    with transaction():
        db.session.query(Grant).delete()
    begun()
    with at("08-19 08:00"):
        late_days.follow()
        assert one("lincoln") == ("08-18", "open", None, "attendance_clerk")
        give("carla", "attendance_clerk", "school:lincoln")
        assert handing_out.hand_out() == 1
        assert one("lincoln")[2] == "carla"


def test_nobody_can_say_that_it_is_done() -> None:
    begun()
    with at("08-19 08:00"):
        late_days.follow()
        number = query("SELECT id FROM task WHERE student_id IS NULL ORDER BY id")[0][0]
        for login in ("carl", "dana"):
            with pytest.raises(NotFound):
                tasks.finish(number, by=accounts.acting_as(login))
        assert db.session.get_one(Task, number).status == "open"


def test_health_says_how_many_days_are_asked_for_and_how_many_went_up() -> None:
    begun()
    with at("08-19 00:01"):
        late_days.follow()
    with at("08-20 00:01"):
        late_days.follow()
        (feeds,) = [check for check in health.checks() if check.name == "Feeds"]
        assert feeds.sentence == (
            "2 of 2 schools are late; Carver lacks 2 school days. "
            "Schools were asked for 4 days, 2 of them passed up to whoever keeps the feeds."
        )


def test_everybody_learns_of_the_days_of_their_own_schools() -> None:
    begun()
    with at("08-19 08:00"):
        late_days.follow()

        def seen(login: str) -> list[str]:
            return [day.school for day in late_days.asked_for(by=accounts.acting_as(login))]

        assert seen("carl") == ["Carver"] and seen("clara") == ["Lincoln"]
        assert seen("ada") == seen("dana") == ["Carver", "Lincoln"]
        give("nell", "network_lead", "network:N")
        give("paul", "principal", "school:carver")
        give("nia", "nurse", "school:carver")
        assert seen("nell") == ["Carver", "Lincoln"] and seen("paul") == ["Carver"]
        with pytest.raises(NotAllowed):
            seen("nia")


def test_a_delivery_ends_what_asked_for_its_own_days_and_nothing_else() -> None:
    begun()
    with at("08-20 08:00"):
        assert late_days.follow() == {Move.ASK: 4}
        sent("08-19", "lincoln")
        late_days.came_with(query("SELECT max(id) FROM batch")[0][0])
        assert [row[:3] for row in asked()] == [
            ("carver", "08-18", "open"),
            ("lincoln", "08-18", "open"),
            ("carver", "08-19", "open"),
            ("lincoln", "08-19", "done"),
        ]
        late_days.came_with(query("SELECT min(id) FROM batch")[0][0])
        assert history("lincoln") == ["day_asked", "day_raised"], "of the same school, and over its hour by a day"
