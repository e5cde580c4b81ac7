"""The first pull from an Ed-Fi API, to what is measured of it, and what the key may not read."""

from __future__ import annotations

import pytest

from ew_app.services.sources.edfi_host import ApiFault
from tests.edfi_district import (
    ANA,
    BEN,
    CLEO,
    DAYS,
    EVENTS,
    SCHOOL,
    STINTS,
    calendar,
    day,
    pulled,
    stint,
)
from tests.edfi_server import EdfiServer
from tests.services.edfi.feed import Feed, marks, measured
from tests.services.rosters import rows


def test_the_first_pull_brings_a_district_that_is_measured(feed: Feed) -> None:
    roster, attendance = feed.pull()
    assert (roster["status"], attendance["applied"], attendance["unknown_code"]) == ("applied", 4, 0)
    assert rows("SELECT key, grade FROM student ORDER BY 1") == [(ANA, "9"), (BEN, "9"), (CLEO, "9")]
    assert rows("SELECT n.key, n.name, s.name FROM school s JOIN network n ON n.id = s.network_id") == [
        ("77", "Bayside", "Harbor School")
    ]
    # Three days were spoken of: two with events of Ana and Ben, the last with one of Cleo.
    assert measured() == ("3", "2", "1")
    assert measured(BEN) == ("3", "0", "0")


def test_what_must_never_be_here_is_not_even_in_the_files_of_a_pull(feed: Feed) -> None:
    feed.pull()
    assert not any("Faro" in path.read_text() for path in feed.last.files)
    assert "students: birthCity left out before anything was written; we never keep this." in feed.last.told


def test_the_same_cursor_again_brings_nothing(feed: Feed, server: EdfiServer) -> None:
    feed.pull()
    before = feed.cursor
    server.asked.clear()
    assert feed.pull() == [] and feed.cursor == before
    assert [path for path in server.asked if "/data/" in path] == []


def test_the_same_everything_again_changes_nothing(feed: Feed) -> None:
    feed.pull()
    before, feed.cursor = marks(), None
    feed.pull()
    assert marks() == before and rows("SELECT count(*) FROM mark_history") == [(0,)]


def test_days_on_which_attendance_was_taken_count_without_an_event(feed: Feed, server: EdfiServer) -> None:
    section = {"sectionReference": {"schoolId": SCHOOL, "sectionIdentifier": "HR-9"}}
    server.put("sectionAttendanceTakenEvents", *({**section, "eventDate": str(on)} for on in DAYS))
    feed.pull()
    assert measured() == ("10", "2", "1")


def test_a_source_for_attendance_alone_asks_for_nothing_else(feed: Feed, server: EdfiServer) -> None:
    found = pulled(server, None, feed.into, roster=False)
    assert [path.name for path in found.files] == ["covers.csv", f"{EVENTS}.ndjson"]
    assert not any("/ed-fi/students" in path for path in server.asked)


# -- what the key may not read ---------------------------------------------------------------------------------


def test_what_is_not_given_is_told_and_what_is_needed_stops_the_pull(feed: Feed, server: EdfiServer) -> None:
    server.refused = {"calendarDates": 403, "localEducationAgencies": 404}
    feed.pull()
    assert any("calendarDates" in told and "Send calendar.csv" in told for told in feed.last.told)
    server.refused = {STINTS: 403}
    feed.cursor = None
    with pytest.raises(ApiFault, match=f"does not give {STINTS} to this key .* nothing was taken"):
        feed.pull()


def test_what_was_given_before_and_is_not_now_stops_the_pull(feed: Feed, server: EdfiServer) -> None:
    feed.pull()
    server.put("calendarDates", day(DAYS[0], event="Weather day"))
    server.refused = {"calendars": 403}
    with pytest.raises(ApiFault, match="It was given before"):
        feed.pull()


def test_what_is_given_later_is_read_from_its_beginning(feed: Feed, server: EdfiServer) -> None:
    server.refused = {"calendarDates": 403}
    feed.pull()
    assert rows("SELECT count(*) FROM calendar_day") == [(0,)]
    server.refused = {}
    server.put("calendars", calendar("IEP8", "Student Specific"))
    feed.pull()
    assert measured() == ("3", "2", "1")


def test_an_api_that_hides_its_deletions_says_that_they_stay(feed: Feed, server: EdfiServer) -> None:
    feed.pull()
    server.refused = {f"{STINTS}/deletes": 403, f"{STINTS}/keyChanges": 404}
    server.put(STINTS, stint(BEN, fullTimeEquivalency=1))
    feed.pull()
    assert f"The API does not tell which {STINTS} were deleted; those stay here." in feed.last.told
