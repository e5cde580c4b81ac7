"""An Ed-Fi API as a source that runs by itself: set up, tried, looked at, and what is told when it does not answer."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from ew_app.kernel import OPERATOR, Refused
from ew_app.services.deliveries import ingest
from ew_app.services.measuring import measures
from ew_app.services.sources import edfi, keeping
from ew_app.services.sources.fetching import CannotFetch, ask_of
from ew_app.services.sources.keeping import Wanted
from models.base import db
from models.org import Source
from tests.edfi_district import ANA, DAYS, EVENTS, settled, stint, student
from tests.edfi_district import day as school_day
from tests.edfi_district import event as attended
from tests.edfi_server import EdfiServer, once, running, status
from tests.services.looks import became, look
from tests.services.rosters import rows

SECRET = "EW_SOURCE_EDFI_SECRET"


pytestmark = pytest.mark.usefixtures("district")


@pytest.fixture(autouse=True)
def secret(server: EdfiServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SECRET, server.secret)
    monkeypatch.setenv(f"{SECRET}_HOST", "127.0.0.1")


def set_up(server: EdfiServer, *, said: dict[str, str] | None = None, **place: Any) -> Source:
    """The source `api`, which asks this server."""
    location = {"address": server.address, "key": server.key, "secret": SECRET} | place
    keeping.add("api", Wanted("edfi_api", "both", location=location, said=said or {}), by=OPERATOR)
    return db.session.query(Source).filter_by(name="api").one()


def missed(number: str = ANA, on: date = DAYS[9]) -> str:
    (found,) = measures.measures(on, student=number)
    return str(found["absent_days"])


def test_looks_bring_a_district_and_then_only_what_changed(server: EdfiServer) -> None:
    set_up(server)
    first = look("api")
    assert (first.ended, became(first)) == ("took", ["applied", "applied"]) and missed() == "2"
    second = look("api")
    assert (second.ended, second.batches, second.sentence) == ("nothing", [], "Nothing new.")
    server.put("students", student("000126", "Dana", "Moss"))
    server.put("studentSchoolAssociations", stint("000126"))
    server.put(EVENTS, attended(DAYS[9], number="000126"))
    third = look("api")
    assert became(third) == ["applied", "applied"] and missed("000126") == "1"
    notes = [note for number in third.batches for note in ingest.describe(number)["notes"]]
    assert not any("students enrolled today" in note for note in notes)  # changes name few, and that is no sign


def test_sections_add_up_as_was_said_and_a_deleted_one_leaves_the_others(server: EdfiServer) -> None:
    def in_section(name: str, category: str) -> dict[str, Any]:
        section = {"schoolId": 770042, "schoolYear": 2027, "sessionName": "Fall", "sectionIdentifier": name}
        row = attended(DAYS[4], category)
        return {key: row[key] for key in row if not key.startswith(("school", "session"))} | {
            "sectionReference": section | {"localCourseCode": name}
        }

    sections = "studentSectionAttendanceEvents"
    (absent, _) = server.put(sections, in_section("ALG", "Unexcused Absence"), in_section("ENG", "In Attendance"))
    set_up(server, sections="yes", said={"periods": "rows"})
    look("api")
    assert missed() == "2.5"  # one of the two sections of that day, and two whole days before
    server.delete(sections, absent)
    assert became(look("api")) == ["applied"] and missed() == "2"


def test_a_look_says_which_change_it_went_up_to(server: EdfiServer) -> None:
    set_up(server)
    found = look("api")
    assert rows("SELECT DISTINCT name FROM batch") == [(f"Ed-Fi API up to change {server.version}",)]
    assert found.cursor is not None and found.cursor["version"] == server.version


def test_the_secret_stands_nowhere_but_in_the_environment(server: EdfiServer, monkeypatch: pytest.MonkeyPatch) -> None:
    set_up(server)
    look("api")
    everything = str(rows("SELECT to_jsonb(s)::text FROM source s UNION ALL SELECT to_jsonb(p)::text FROM pull p"))
    assert SECRET in everything and server.secret not in everything
    monkeypatch.delenv(SECRET)
    failed = look("api")
    assert failed.ended == "failed" and f"The secret {SECRET} is not set." in failed.sentence


def test_a_look_that_takes_too_long_is_gone_on_with_after_a_failed_one_too(
    server: EdfiServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(edfi, "SECONDS", 0.0)
    server.put("schools", {"schoolId": 770043, "nameOfInstitution": "Hill School"})
    server.put("studentSchoolAssociations", stint("000125", school=770043))
    server.put("calendarDates", school_day(DAYS[9], school=770043))
    server.put(EVENTS, attended(DAYS[9], number="000125", school=770043))
    set_up(server)
    first = look("api")
    assert (first.ended, became(first)) == ("waits", ["applied", "applied"]) and first.retry_at is not None
    server.faults.append(once("students", status(503, Retry_After="3600")))
    assert look("api").ended == "failed"
    server.asked.clear()
    last = look("api")
    assert (last.ended, became(last)) == ("took", ["applied"])
    assert not any("schoolId=770042" in path for path in server.asked)  # that school was read in the first look
    assert look("api").ended == "nothing"


def test_what_waiting_may_mend_is_looked_at_again_and_what_it_cannot_is_not(server: EdfiServer) -> None:
    set_up(server)
    server.faults.append(once("students", status(503, Retry_After="3600")))
    busy = look("api")
    assert busy.ended == "failed" and busy.retry_at is not None and "asks to wait 3600 seconds" in busy.sentence
    assert rows("SELECT count(*) FROM batch") == [(0,)]
    server.secret = "another"
    refused = look("api")
    assert refused.retry_at is None and "does not accept the key and secret" in refused.sentence


def test_another_address_is_read_from_its_beginning(server: EdfiServer) -> None:
    set_up(server)
    look("api")
    with running(settled(EdfiServer())) as other:
        other.version = server.version
        location = {"address": other.address, "key": other.key, "secret": SECRET}
        keeping.change("api", Wanted("edfi_api", "both", location=location), by=OPERATOR)
        look("api")
        assert any(f"{EVENTS}?" in path for path in other.asked)


def test_a_look_afresh_reads_everything_again_and_changes_nothing(server: EdfiServer) -> None:
    set_up(server)
    look("api")
    before = rows("SELECT student_id, day, code FROM mark ORDER BY 1, 2, 3")
    again = look("api", afresh=True)
    assert became(again)[0] == "applied"
    assert rows("SELECT student_id, day, code FROM mark ORDER BY 1, 2, 3") == before


def test_trying_it_out_says_what_the_key_may_read_and_takes_nothing(server: EdfiServer) -> None:
    source = set_up(server)
    server.refused = {"calendars": 403, "studentSchoolAssociations": 403}
    told = edfi.FETCHER.test(ask_of(source))
    assert told[0] == "Signed in. The API counts its changes." and "students: 3." in told
    assert "The API does not give calendars to this key (403)." in told
    assert any("studentSchoolAssociations" in one and one.endswith("It is needed.") for one in told)
    assert rows("SELECT count(*) FROM batch") == [(0,)]
    server.secret = "another"
    with pytest.raises(CannotFetch, match="does not accept"):
        edfi.FETCHER.test(ask_of(source))


@pytest.mark.parametrize(
    ("place", "told"),
    [
        ({"address": ""}, "Say also: Address of the API"),
        ({"address": "http://api.example.org"}, "Use https://api.example.org"),
        ({"secret": "hunter2"}, "Never type the secret itself"),
        ({"page": "5000"}, "between 1 and 500"),
        ({"token_address": "http://login.example.org"}, "Use https://login.example.org"),
    ],
)
def test_a_location_that_cannot_be_used_is_refused(server: EdfiServer, place: dict[str, str], told: str) -> None:
    with pytest.raises(Refused, match=told):
        set_up(server, **place)
