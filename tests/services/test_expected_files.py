"""The alarm of a source: on at its hour, off when the file comes, silent where there is no school."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from flask import Flask

from ew_app.kernel import OPERATOR, settings, told_as_of
from ew_app.services.deliveries import ingest
from ew_app.services.sources import expecting, keeping
from ew_app.services.sources.keeping import Wanted
from ew_app.services.system import health
from tests.services.lincoln_and_carver import build, covers, csv
from tests.services.looks import drop_folder, look

CHICAGO = ZoneInfo("America/Chicago")


@pytest.fixture(autouse=True)
def world(app: Flask) -> None:
    build()


@contextmanager
def at(text: str) -> Iterator[None]:
    """Local time of 2026: `08-18 18:30`."""
    moment = datetime.strptime(f"2026-{text} -0500", "%Y-%m-%d %H:%M %z").astimezone(CHICAGO)
    with told_as_of(moment):
        yield


def expect(by: str, day: str = "same", brings: str = "attendance") -> Path:
    folder = settings().drops / "sis"
    folder.mkdir(parents=True)
    location = {"folder": "sis", "quiet": 0}
    with at("08-14 12:00"):
        keeping.add("sis", Wanted("folder", brings, location=location, expected_by=by, expected_day=day), by=OPERATOR)
    return folder


def came(folder: Path, days: str, *schools: str) -> None:
    """A file that claims a day whole for these schools, fetched now."""
    (folder / f"attendance-{days}.csv").write_bytes(csv(*(f"{who} {days} A" for who in _someone(schools))))
    (folder / f"covers-{days}.csv").write_bytes(covers(*(f"{school} {days}" for school in schools)))
    look()


def _someone(schools: tuple[str, ...]) -> list[str]:
    return [{"lincoln": "ana lincoln", "carver": "fay carver"}[school] for school in schools]


def sentences() -> list[str]:
    return [alarm.sentence for alarm in expecting.alarms()]


def late() -> list[str]:
    return [one.name for one in health.late_schools()]


def test_it_goes_on_at_its_hour_and_off_when_the_file_comes() -> None:
    folder = expect("18:30")
    with at("08-17 18:29"):
        assert sentences() == [] and late() == []
    with at("08-17 18:30"):
        (told,) = sentences()
        assert told.startswith("sis: attendance since Mon 17 Aug is missing for Carver and Lincoln; expected by 18:30.")
        assert told.endswith("Nothing has ever come from it.")
        assert late() == ["Carver", "Lincoln"], "the same schools on every page"
        came(folder, "08-17", "lincoln", "carver")
        assert sentences() == [] and late() == []


def test_a_file_for_some_schools_leaves_the_others_late() -> None:
    folder = expect("18:30")
    with at("08-17 18:00"):
        came(folder, "08-17", "lincoln")
    with at("08-17 18:31"):
        (alarm,) = expecting.alarms()
        assert "missing for Carver" in alarm.sentence and len(alarm.schools) == 1
        assert alarm.sentence.endswith("The last file came today at 18:00.")


def test_a_morning_file_is_about_the_school_day_before() -> None:
    folder = expect("07:00", "before")
    with at("08-17 09:00"):
        assert sentences() == [] and late() == [], "there is no school day before the first"
    with at("08-18 06:59"):
        assert sentences() == [] and late() == [], "not before its hour, although the day is over"
    with at("08-18 07:00"):
        assert late() == ["Carver", "Lincoln"]
        came(folder, "08-17", "lincoln", "carver")
        assert sentences() == []
    with at("08-22 12:00"):
        assert len(late()) == 2, "Tuesday to Thursday are still out"


def test_on_days_without_school_it_is_silent() -> None:
    expect("18:30")
    with at("08-22 19:00"):
        assert sentences() == [], "a Saturday"
    with at("09-07 19:00"):
        assert sentences() == [], "Labor Day"
    with at("07-06 19:00"):
        assert sentences() == [], "summer"


def test_a_paused_source_is_not_expected_and_its_schools_are_late_from_midnight() -> None:
    expect("18:30")
    keeping.pause("sis", by=OPERATOR)
    with at("08-17 19:00"):
        assert sentences() == [] and late() == []
    with at("08-18 00:01"):
        assert late() == ["Carver", "Lincoln"]


def test_a_source_that_was_set_up_after_its_hour_is_not_late_yet() -> None:
    expect("18:30")
    with at("08-17 20:00"):
        keeping.resume("sis", by=OPERATOR)
        keeping.pause("sis", by=OPERATOR)
        keeping.resume("sis", by=OPERATOR)
        assert sentences() == []


def test_a_held_file_says_that_somebody_has_to_look() -> None:
    folder = expect("18:30")
    with at("08-17 18:00"):
        (folder / "attendance.csv").write_bytes(csv(*(f"nobody{n} lincoln 08-17 A" for n in range(30))))
        look()
    with at("08-17 18:31"):
        assert "is held: somebody has to look at it" in sentences()[0]


def test_a_look_that_failed_says_why() -> None:
    folder = expect("18:30")
    folder.rmdir()
    with at("08-17 18:20"):
        look()
    with at("08-17 18:31"):
        assert "The last look failed: There is no folder sis" in sentences()[0]
        assert expecting.troubles()[0].startswith("sis: There is no folder")


def test_a_roster_is_expected_each_school_day() -> None:
    folder = expect("06:00", brings="roster")
    with at("08-17 06:01"):
        assert sentences() == [], "the first day has none before it to count from"
    with at("08-18 06:01"):
        assert sentences()[0].startswith("sis: the roster of Tue 18 Aug has not come; expected by 06:00.")
        (folder / "students.csv").write_bytes(b"student_id,first_name,last_name\nana,Ana,Reyes\n")
        look()
        assert sentences() == []
    with at("08-19 06:01"):
        assert sentences() == [], "it came since yesterday's hour"
    with at("08-20 06:01"):
        assert len(sentences()) == 1


def test_health_tells_it_in_one_line() -> None:
    expect("18:30")
    with at("08-17 18:31"):
        check = next(check for check in health.checks() if check.name == "Sources")
    assert check.state is health.State.LATE and check.sentence.startswith("sis: attendance since Mon 17 Aug")


def test_without_sources_nothing_is_said() -> None:
    with at("08-17 18:31"):
        assert sentences() == []
        assert "Nothing is fetched by itself" in next(c for c in health.checks() if c.name == "Sources").sentence


def test_what_was_taken_back_is_missing_again() -> None:
    folder = expect("18:30")
    with at("08-17 18:00"):
        came(folder, "08-17", "lincoln", "carver")
    with at("08-17 18:31"):
        assert sentences() == []
        number = int(look().id and ingest.history(1)[0]["batch"])
        ingest.take_back(number, by=OPERATOR)
        ingest.undo(number)
        assert late() == ["Carver", "Lincoln"]


def test_a_second_source_does_not_answer_for_the_first() -> None:
    folder = expect("18:30")
    with at("08-17 18:00"):
        came(folder, "08-17", "lincoln", "carver")
        drop_folder("other")
    with at("08-18 18:31"):
        assert [alarm.source for alarm in expecting.alarms()] == ["sis"]
