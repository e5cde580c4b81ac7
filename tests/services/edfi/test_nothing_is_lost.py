"""Pulls that break off, meet writers, take too long or find that the API has lost its memory."""

from __future__ import annotations

import pytest
from werkzeug.wrappers import Request, Response

from ew_app.services.sources import edfi_attendance, edfi_roster
from ew_app.services.sources.edfi_host import ApiFault
from tests.edfi_district import (
    BEN,
    CLEO,
    DAYS,
    EVENTS,
    STINTS,
    day,
    event,
    lines,
    stint,
    student,
)
from tests.edfi_server import EdfiServer, once, status
from tests.services.edfi.feed import LAST, Feed, first_event, marks, measured, only_id


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
    server.delete(EVENTS, first_event(server, DAYS[0]), keys=False)
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
