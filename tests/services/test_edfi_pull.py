"""Pulls from an Ed-Fi API, from what a student information system writes there to what is measured here."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from werkzeug.wrappers import Request, Response

from ew_app.config import Settings
from ew_app.feeds import ATTENDANCE, Delivery, open_delivery
from ew_app.kernel import OPERATOR
from ew_app.services.deliveries import ingest
from ew_app.services.measuring import measures
from ew_app.services.sources import edfi_attendance, edfi_roster
from ew_app.services.sources.edfi_host import ApiFault
from ew_app.services.sources.edfi_pull import Pulled
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
    event,
    lines,
    pulled,
    settled,
    stint,
    student,
)  # fmt: skip
from tests.edfi_server import EdfiServer, once, running, status
from tests.services.lincoln_and_carver import assert_identity
from tests.services.rosters import open_district, rows

LAST = DAYS[9]


@pytest.fixture
def server() -> Iterator[EdfiServer]:
    with running(settled(EdfiServer())) as found:
        yield found


@pytest.fixture(autouse=True)
def district(settings: Settings) -> Iterator[None]:
    with open_district(settings):
        yield


@dataclass
class Feed:
    """The source of these tests: each pull goes on from where the last one ended, and everything it brings goes in."""

    server: EdfiServer
    into: Path
    cursor: Any = None
    last: Pulled = field(default_factory=lambda: Pulled((), {}))

    def pull(self, **wanted: Any) -> list[dict[str, Any]]:
        """What became of the deliveries of one pull: roster, then attendance."""
        self.last = pulled(self.server, self.cursor, self.into, **wanted)
        told = self._take_in() if self.last.files else []
        self.cursor = self.last.cursor
        return told

    def _take_in(self) -> list[dict[str, Any]]:
        delivery = open_delivery([self.last.files[0].parent])
        found = []
        for kind in ("roster", "attendance"):
            if any((part.table in ATTENDANCE) == (kind == "attendance") for part in delivery.parts):
                found.append(_load(kind, delivery))
        return found


def _load(kind: str, delivery: Delivery) -> dict[str, Any]:
    batch = ingest.receive(kind=kind, name="pull", files=delivery, by=OPERATOR, source="api")
    ingest.load(batch)
    told = ingest.describe(batch)
    assert_identity(told)
    assert told["status"] in ("applied", "duplicate"), told["sentence"]
    return told


@pytest.fixture
def feed(server: EdfiServer, tmp_path: Path) -> Feed:
    return Feed(server, tmp_path)


def measured(number: str = ANA, on: date = LAST) -> tuple[str, str, str]:
    """Days enrolled, absent, and absent without an excuse."""
    (found,) = measures.measures(on, student=number)
    return found["enrolled_days"], found["absent_days"], found["unexcused_days"]


def marks() -> list[tuple[Any, ...]]:
    """What stands: student, day, code."""
    return rows("SELECT s.key, m.day, m.code FROM mark m JOIN student s ON s.id = m.student_id ORDER BY 1, 2, 3")


def only_id(server: EdfiServer, resource: str, **wanted: Any) -> str:
    """The id of the one row with these values, in it or in a reference of it."""
    (found,) = [
        row_id
        for row_id, stored in server.rows[resource].items()
        if wanted.items() <= {**stored.row, **stored.row.get("studentReference", {})}.items()
    ]
    return found


# -- the first pull ------------------------------------------------------------------------------------------


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


# -- changes -------------------------------------------------------------------------------------------------


def test_a_new_event_and_a_changed_one_arrive(feed: Feed, server: EdfiServer) -> None:
    feed.pull()
    server.put(EVENTS, event(DAYS[2]), event(DAYS[0], eventDuration=0.5))
    (told,) = feed.pull()
    assert (told["rows_in"], told["applied"], told["superseded"]) == (2, 1, 1)
    assert measured() == ("4", "2.5", "1.5")


def test_a_category_that_was_corrected_takes_the_old_event_away(feed: Feed, server: EdfiServer) -> None:
    """The category is part of the key: the student system deletes one event and adds another."""
    feed.pull()
    server.delete(EVENTS, only_id(server, EVENTS, eventDate=str(DAYS[0])))
    server.put(EVENTS, event(DAYS[0], "Tardy"))
    (told,) = feed.pull()
    assert told["superseded"] == 1 and (ANA, DAYS[0], "Tardy") in marks()
    assert measured() == ("3", "1", "0")


def test_an_event_that_was_deleted_takes_its_mark_away(feed: Feed, server: EdfiServer) -> None:
    feed.pull()
    server.delete(EVENTS, only_id(server, EVENTS, eventDate=str(DAYS[0])))
    (told,) = feed.pull()
    assert (told["rows_in"], told["removed"]) == (0, 1)
    assert [mark for mark in marks() if mark[1] == DAYS[0]] == []
    assert measured() == ("3", "1", "0")  # the day was taken and counts
    assert rows("SELECT code, ended FROM mark_history") == [("Unexcused Absence", "removed")]


def test_of_two_events_on_a_day_the_one_that_is_left_stays(feed: Feed, server: EdfiServer) -> None:
    """The correction came first and the deletion later: the day is asked for, because Tardy itself has not changed."""
    feed.pull()
    server.put(EVENTS, event(DAYS[0], "Tardy"))
    feed.pull()
    server.delete(EVENTS, only_id(server, EVENTS, eventDate=str(DAYS[0]), id=_first(server, DAYS[0])))
    feed.pull()
    assert [mark for mark in marks() if mark[1] == DAYS[0]] == [(ANA, DAYS[0], "Tardy")]


def _first(server: EdfiServer, on: date) -> str:
    """The id of the event of a day that was there first."""
    return min(
        (stored.place, row_id) for row_id, stored in server.rows[EVENTS].items() if stored.row["eventDate"] == str(on)
    )[1]


def test_a_correction_that_forgets_the_deletion_leaves_one_mark_and_says_so(feed: Feed, server: EdfiServer) -> None:
    server.put(EVENTS, event(DAYS[0], "Tardy"))
    _, told = feed.pull()
    assert told["duplicate"] == 1 and measured() == ("3", "1", "0")
    (problem,) = told["problems"]
    assert problem["reason"].startswith("The file says two things of this student and day.")
    assert (problem["column"], problem["value"]) == ("code", "Unexcused Absence")


def test_a_new_student_arrives_with_grade_and_events(feed: Feed, server: EdfiServer) -> None:
    feed.pull()
    server.put("students", student("000126", "Dana", "Moss"))
    server.put(STINTS, stint("000126", str(DAYS[1]), "Tenth grade"))
    server.put(EVENTS, event(DAYS[9], number="000126"))
    roster, attendance = feed.pull()
    assert roster["status"] == "applied" and attendance["applied"] == 1
    assert measured("000126") == ("2", "1", "1")
    assert rows("SELECT key, grade FROM student WHERE key IN ('000123', '000126') ORDER BY 1") == [
        (ANA, "9"), ("000126", "10"),
    ]  # fmt: skip


def test_a_changed_student_keeps_the_grade_of_an_enrolment_that_did_not_change(feed: Feed, server: EdfiServer) -> None:
    feed.pull()
    server.put("students", student(ANA, "Anna", "Rivera"))
    feed.pull()
    assert rows("SELECT first_name, grade FROM student WHERE key = '000123'") == [("Anna", "9")]
    assert len(lines(feed.last, "students")) == len(lines(feed.last, STINTS)) == 1


def test_a_student_who_moves_up_has_the_grade_of_the_latest_enrolment(feed: Feed, server: EdfiServer) -> None:
    feed.pull()
    server.put(STINTS, stint(entry=str(DAYS[5]), grade="Tenth grade"))
    server.put(STINTS, stint(exitWithdrawDate=str(DAYS[4])))
    feed.pull()
    assert rows("SELECT grade FROM student WHERE key = '000123'") == [("10",)]
    assert measured() == ("3", "2", "1")


def test_an_enrolment_under_another_first_day_replaces_the_old_one(feed: Feed, server: EdfiServer) -> None:
    feed.pull()
    assert measured() == ("3", "2", "1")
    server.rekey(STINTS, only_id(server, STINTS, studentUniqueId=ANA), entryDate=str(DAYS[1]))
    feed.pull()
    assert measured() == ("2", "1", "0")  # the first day lies before the enrolment now


def test_an_enrolment_that_was_deleted_counts_no_more(feed: Feed, server: EdfiServer) -> None:
    feed.pull()
    server.delete(STINTS, only_id(server, STINTS, studentUniqueId=CLEO))
    feed.pull()
    assert [row["student_id"] for row in measures.measures(LAST) if row["enrolled_days"] != "0"] == [ANA, BEN]


def test_a_new_id_of_a_student_comes_with_the_old_one(feed: Feed, server: EdfiServer) -> None:
    feed.pull()
    server.rekey("students", only_id(server, "students", studentUniqueId=ANA), studentUniqueId="900123")
    feed.pull()
    (line,) = lines(feed.last, "students_keyChanges")
    assert '"oldKeyValues":{"studentUniqueId":"000123"},"newKeyValues":{"studentUniqueId":"900123"}' in line


def test_a_snow_day_and_a_day_taken_out_of_the_calendar(feed: Feed, server: EdfiServer) -> None:
    feed.pull()
    server.put("calendarDates", day(DAYS[0], event="Weather day"))
    server.delete("calendarDates", only_id(server, "calendarDates", date=str(DAYS[1])))
    server.delete("calendarDates", _own(server))
    feed.pull()
    assert measured() == ("1", "0", "0")
    kept = "SELECT calendar_key, day, day_type FROM calendar_day WHERE day IN (:first, :last) ORDER BY 1, 2"
    assert rows(kept, first=DAYS[0], last=LAST) == [
        ("", DAYS[0], "weather"), ("", LAST, "instructional"), ("IEP7", LAST, "non_instructional"),
    ]  # fmt: skip


def _own(server: EdfiServer) -> str:
    """The day in the calendar of one student."""
    (found,) = [
        row_id
        for row_id, stored in server.rows["calendarDates"].items()
        if stored.row["calendarReference"]["calendarCode"] == "IEP7"
    ]
    return found


def test_days_of_a_calendar_that_is_gone_close_nothing(feed: Feed, server: EdfiServer) -> None:
    feed.pull()
    server.delete("calendarDates", _own(server))
    server.delete("calendars", only_id(server, "calendars", calendarCode="IEP7"))
    feed.pull()
    assert rows("SELECT day_type FROM calendar_day WHERE calendar_key = '' AND day = :on", on=LAST) == [
        ("instructional",)
    ]


@pytest.mark.parametrize("on", [f"{DAYS[3]}T00:00:00Z", f"{DAYS[3]}T00:00:00", f"{DAYS[3]}T00:00:00+00:00"])
def test_a_date_with_a_time_is_the_schools_own_day(feed: Feed, server: EdfiServer, on: str) -> None:
    server.put(EVENTS, event(on))
    feed.pull()
    assert (ANA, DAYS[3], "Unexcused Absence") in marks()
    server.delete(EVENTS, only_id(server, EVENTS, eventDate=on))
    feed.pull()
    assert not any(mark[1] == DAYS[3] for mark in marks())


def test_events_of_sections_are_read_where_they_are_wanted(feed: Feed, server: EdfiServer) -> None:
    section = {"sectionReference": {"schoolId": SCHOOL, "schoolYear": 2027, "sessionName": "Fall",
                                    "sectionIdentifier": "ALG-1", "localCourseCode": "ALG"}}  # fmt: skip
    one = {name: value for name, value in event(DAYS[4]).items() if not name.startswith(("school", "session"))}
    (row_id,) = server.put("studentSectionAttendanceEvents", one | section)
    feed.pull()
    assert lines(feed.last, "studentSectionAttendanceEvents") == []
    server.put("students", student(ANA, "Anna"))
    found = pulled(server, feed.cursor, feed.into, sections=True)
    assert len(lines(found, "studentSectionAttendanceEvents")) == 1  # never read before, so all of them
    server.delete("studentSectionAttendanceEvents", row_id)
    found = pulled(server, found.cursor, feed.into, sections=True)
    assert lines(found, "covers") == ["school_id,date", f"{SCHOOL},{DAYS[4]}"]


# -- nothing is lost -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("where", ["calendarDates", STINTS, f"{EVENTS}/deletes", f"{EVENTS}?schoolId"])
def test_a_pull_that_breaks_off_is_made_again_from_the_same_place(feed: Feed, server: EdfiServer, where: str) -> None:
    feed.pull()
    server.put("students", student("000126", "Dana", "Moss"))
    server.put(STINTS, stint("000126"))
    server.delete(EVENTS, only_id(server, EVENTS, eventDate=str(DAYS[0])))
    server.faults.append(once(where, status(500), times=4))
    before = feed.cursor
    with pytest.raises(ApiFault, match="nothing was taken"):
        feed.pull()
    assert feed.cursor == before
    feed.pull()
    assert measured() == ("3", "1", "0") and measured("000126") == ("3", "0", "0")


def test_what_is_written_while_a_pull_reads_comes_with_this_one_or_the_next(feed: Feed, server: EdfiServer) -> None:
    """A row that changes leaves the window that is read; the first pull claims days, so it must not miss it."""
    written: list[bool] = []

    def changes(request: Request) -> Response | None:
        if EVENTS in request.path and "maxChangeVersion" in request.full_path and not written:
            written.append(True)
            server.put(EVENTS, event(DAYS[0], eventDuration=0.5), event(DAYS[5]))
        return None

    server.faults.append(changes)
    feed.pull()
    assert measured() == ("4", "2.5", "1.5")
    feed.pull()
    assert measured() == ("4", "2.5", "1.5")


@pytest.mark.parametrize("how", ["set up anew", "forgotten"])
def test_an_api_that_lost_its_memory_is_read_whole_again(feed: Feed, server: EdfiServer, how: str) -> None:
    feed.pull()
    server.delete(EVENTS, only_id(server, EVENTS, eventDate=str(DAYS[0])))
    server.put(EVENTS, event(DAYS[0], "Excused Absence", BEN))
    server.deletes[EVENTS].clear()
    if how == "forgotten":
        server.version += 100
        server.oldest = server.version - 10
    else:
        feed.cursor = feed.cursor | {"version": 10_000}
    feed.pull()
    assert how in feed.last.told[0] and "everything was read again" in feed.last.told[0]
    assert measured() == ("3", "1", "0") and measured(BEN) == ("3", "1", "0")


def test_an_api_without_change_versions_is_read_whole_each_time(feed: Feed, server: EdfiServer) -> None:
    server.change_queries = False
    feed.pull()
    assert feed.cursor == {} and "keeps no change versions" in feed.last.told[0]
    server.delete(EVENTS, only_id(server, EVENTS, eventDate=str(DAYS[0])))
    server.put(EVENTS, event(DAYS[0], "Tardy", BEN))
    feed.pull()
    assert measured() == ("3", "1", "0")


def test_deletions_without_keys_as_older_apis_tell_them(feed: Feed, server: EdfiServer) -> None:
    feed.pull()
    server.put(EVENTS, event(DAYS[0], "Tardy", BEN))
    server.delete(EVENTS, _first(server, DAYS[0]), keys=False)
    feed.pull()
    assert any("all attendance was read again" in told for told in feed.last.told)
    assert measured() == ("3", "1", "0")


def test_very_many_changes_are_read_whole(feed: Feed, server: EdfiServer, monkeypatch: pytest.MonkeyPatch) -> None:
    feed.pull()
    for half in (edfi_attendance, edfi_roster):
        monkeypatch.setattr(half, "MOST_LOOKED_UP", 1)
    server.put(STINTS, stint(BEN, fullTimeEquivalency=1), stint(CLEO, fullTimeEquivalency=1))
    for on in (DAYS[0], LAST):
        server.delete(EVENTS, only_id(server, EVENTS, eventDate=str(on)))
    server.put(EVENTS, event(DAYS[0], "Tardy", BEN))
    feed.pull()
    assert len(lines(feed.last, "students")) == 3 and len(lines(feed.last, "covers")) == 4
    assert measured() == ("3", "1", "0") and measured(CLEO) == ("3", "0", "0")


def test_a_pull_that_takes_too_long_goes_on_school_by_school(feed: Feed, server: EdfiServer) -> None:
    hill = {"schoolId": 770043, "nameOfInstitution": "Hill School"}
    server.put("schools", hill | {"localEducationAgencyReference": {"localEducationAgencyId": 77}})
    server.put("calendarDates", *(day(on, school=770043) for on in DAYS))
    server.put(STINTS, stint(CLEO, school=770043))
    server.put(EVENTS, event(DAYS[0], number=CLEO, school=770043))
    first = feed.pull(seconds=0.0)
    assert feed.last.unfinished and feed.cursor["left"] == ["770043"] and first[1]["applied"] == 4
    server.put(EVENTS, event(DAYS[1], number=CLEO, school=770043), event(DAYS[2]))
    (second,) = feed.pull(seconds=0.0)
    assert not feed.last.unfinished and second["applied"] == 2 and "left" not in feed.cursor
    third = feed.pull()  # what was written after the first one had begun
    assert [told["applied"] for told in third] == [1]
    assert [mark[1] for mark in marks() if mark[0] == CLEO] == [DAYS[0], DAYS[1], LAST]


# -- what the key may not read -------------------------------------------------------------------------------


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
