"""A drop folder: what is put in is taken once, in order, and put away where it is found again."""

from __future__ import annotations

import errno
import os
import zipfile
from pathlib import Path

import pytest
from flask import Flask

from ew_app.kernel import OPERATOR, NotFound, Refused, settings
from ew_app.outbox import done_here
from ew_app.services.deliveries import ingest
from ew_app.services.sources import keeping, pulling, refusals, starting, telling
from ew_app.services.sources.fetching import CannotFetch, ask_of, fetcher, no_room
from models.base import db
from models.org import Source
from models.pulls import Arrival
from tests.services.lincoln_and_carver import build, covers, csv, query, standing
from tests.services.looks import AT_ONCE, became, drop_folder, files, folder_wanted, look, pull_numbered

FIRST = csv("ana lincoln 08-17 A", "ben lincoln 08-17 T", "fay carver 08-17 E")


@pytest.fixture(autouse=True)
def world(app: Flask) -> None:
    build()


def put(folder: Path, name: str, content: bytes, at: int = 0) -> Path:
    """A file, written at a moment of its own so that the order is known."""
    path = folder / name
    path.write_bytes(content)
    os.utime(path, (1_790_000_000 + at, 1_790_000_000 + at))
    return path


def why(folder: Path) -> str:
    return next(folder.rglob("*.why.txt")).read_text()


# -- taken once, in order ------------------------------------------------------------------------------------


def test_a_file_is_taken_in_like_an_upload_and_put_away() -> None:
    folder = drop_folder()
    put(folder, "attendance.csv", FIRST)
    told = look()
    assert (told.ended, became(told), told.sentence) == ("took", ["applied"], "1 delivery taken in.")
    assert standing() == {"ana 08-17": "A", "ben 08-17": "T", "fay 08-17": "E"}
    assert files(folder) == ["taken/attendance.csv"]
    assert query("SELECT received_by FROM batch") == [("source:sis",)]


def test_an_empty_folder_is_no_trouble() -> None:
    drop_folder()
    assert (look().ended, look().sentence) == ("nothing", "Nothing new.")


def test_several_files_go_in_one_after_the_other_the_older_first() -> None:
    folder = drop_folder()
    put(folder, "attendance-2026-08-18.csv", csv("ana lincoln 08-17 E", "ben lincoln 08-18 A"), at=0)
    put(folder, "attendance-2026-08-17.csv", FIRST, at=60)
    told = look()
    assert became(told) == ["applied", "applied"]
    assert standing()["ana 08-17"] == "A", "the later file counts, whatever it is called"
    assert query("SELECT name FROM batch ORDER BY id") == [
        ("attendance-2026-08-18.csv",),
        ("attendance-2026-08-17.csv",),
    ]


def test_a_roster_goes_in_before_the_attendance_that_came_with_it() -> None:
    folder = drop_folder(brings="both")
    put(folder, "attendance.csv", csv("zoe lincoln 08-17 A"), at=0)
    put(folder, "students.csv", b"student_id,first_name,last_name\nzoe,Zoe,Reyes\n", at=60)
    put(folder, "enrollments.csv", b"student_id,school_id,entry_date\nzoe,lincoln,2026-08-17\n", at=61)
    told = look()
    assert became(told) == ["applied", "applied"]
    assert query("SELECT kind FROM batch ORDER BY id") == [("roster",), ("attendance",)]
    assert standing() == {"zoe 08-17": "A"}


def test_days_that_are_claimed_whole_go_with_their_own_file() -> None:
    folder = drop_folder()
    put(folder, "attendance-08-17.csv", csv("ana lincoln 08-17 A"))
    put(folder, "covers-08-17.csv", covers("lincoln 08-17"))
    put(folder, "attendance-08-18.csv", csv("ben lincoln 08-18 A"), at=60)
    assert became(look()) == ["applied", "applied"]
    assert query("SELECT day::text FROM submission WHERE whole") == [("2026-08-17",)]


def test_a_zip_is_one_delivery() -> None:
    folder = drop_folder()
    with zipfile.ZipFile(folder / "tonight.zip", "w") as bundle:
        bundle.writestr("attendance.csv", FIRST)
        bundle.writestr("covers.csv", covers("lincoln 08-17"))
    assert became(look()) == ["applied"]
    assert files(folder) == ["taken/tonight.zip"]


def test_the_same_content_again_changes_nothing_and_makes_no_delivery() -> None:
    folder = drop_folder()
    put(folder, "attendance.csv", FIRST)
    look()
    put(folder, "attendance.csv", FIRST, at=3600)
    told = look()
    assert (told.ended, told.batches) == ("nothing", [])
    assert query("SELECT count(*) FROM batch") == [(1,)]
    assert files(folder) == ["taken/attendance (2).csv", "taken/attendance.csv"]


def test_what_was_taken_back_may_be_dropped_again() -> None:
    folder = drop_folder()
    put(folder, "attendance.csv", FIRST)
    first = look()
    ingest.take_back(first.batches[0], by=OPERATOR)
    ingest.undo(first.batches[0])
    assert standing() == {}
    put(folder, "attendance.csv", FIRST, at=3600)
    assert became(look()) == ["applied"]
    assert standing()["ana 08-17"] == "A"


# -- refused -------------------------------------------------------------------------------------------------


def test_a_refused_file_lies_beside_the_reason_and_the_others_go_in() -> None:
    folder = drop_folder()
    put(folder, "lunch.csv", b"meal,price\nsoup,3\n")
    put(folder, "attendance.csv", FIRST, at=60)
    told = look()
    assert told.ended == "failed" and told.sentence.startswith("lunch.csv")
    assert standing()["ana 08-17"] == "A"
    assert files(folder) == ["refused/lunch.csv", "refused/lunch.csv.why.txt", "taken/attendance.csv"]
    assert "nothing was changed by it" in why(folder) and "What to do" in why(folder)


def test_refused_files_stay_in_sight_until_a_later_one_of_the_name_goes_in_or_somebody_sets_them_aside() -> None:
    folder = drop_folder()
    put(folder, "attendance.csv", b"student_id,ssn\nana,1\n")
    put(folder, "lunch.csv", b"menu\npizza\n", at=60)
    look()
    assert look().ended == "nothing"
    assert telling.standing("sis").state is telling.State.REFUSED
    assert "sis: lunch.csv was refused" in " ".join(refusals.troubles())
    lunch, attendance = refusals.open_refusals(pull_numbered(1).source_id)
    assert (lunch.name, attendance.name) == ("lunch.csv", "attendance.csv") and "ssn" in attendance.why
    put(folder, "attendance.csv", FIRST, at=120)
    look()
    refusals.set_aside("sis", lunch.id, by=OPERATOR)
    assert telling.standing("sis").state is telling.State.WELL
    with pytest.raises(NotFound):
        refusals.set_aside("sis", lunch.id, by=OPERATOR)


def test_a_file_with_a_column_that_must_never_be_here_is_refused_like_an_upload() -> None:
    folder = drop_folder()
    put(folder, "attendance.csv", b"student_id,school_id,date,code,ssn\nana,lincoln,2026-08-17,A,1\n")
    told = look()
    assert became(told) == ["refused"]
    assert files(folder) == ["refused/attendance.csv", "refused/attendance.csv.why.txt"]
    assert query("SELECT count(*) FROM batch_file") == [(0,)]


def test_a_file_that_turns_out_unreadable_while_loading_is_put_with_the_refused() -> None:
    folder = drop_folder()
    put(folder, "attendance.csv", csv())
    told = look()
    assert became(told) == ["refused"]
    assert files(folder) == ["refused/attendance.csv", "refused/attendance.csv.why.txt"]
    assert "covers.csv" in why(folder)


def test_a_refused_file_is_not_tried_again_and_again_but_when_the_source_was_changed() -> None:
    folder = drop_folder(leave="yes", brings="roster")
    put(folder, "attendance.csv", FIRST)
    assert look().ended == "failed"
    assert look().ended == "nothing"
    keeping.change("sis", folder_wanted("sis", leave="yes"), by=OPERATOR)
    assert became(look()) == ["applied"]


def test_a_file_that_is_too_large_is_refused_unread() -> None:
    folder = drop_folder(largest=1)
    with (folder / "attendance.csv").open("wb") as file:
        file.truncate((1 << 20) + 1)
    told = look()
    assert told.ended == "failed" and "more than the 1 MB" in told.sentence
    assert files(folder) == ["refused/attendance.csv", "refused/attendance.csv.why.txt"]


def test_a_full_disk_says_so_and_takes_nothing() -> None:
    full = OSError(errno.ENOSPC, "No space left on device")
    assert "no room on the disk" in str(no_room(full))
    assert no_room(OSError(errno.EIO, "Input/output error")) is None


def test_an_unbelievable_file_is_held_as_if_somebody_had_sent_it() -> None:
    folder = drop_folder()
    put(folder, "attendance.csv", csv(*(f"nobody{n} lincoln 08-17 A" for n in range(30)), "ana lincoln 08-17 A"))
    assert became(look()) == ["held"]
    assert standing() == {}


# -- nothing is lost or taken twice --------------------------------------------------------------------------


def test_a_look_that_was_interrupted_after_a_file_went_in_goes_on_with_the_next() -> None:
    folder = drop_folder()
    put(folder, "attendance-08-17.csv", FIRST)
    number = starting.ask("sis", by=OPERATOR)
    ask = pulling._begin(number)
    assert ask is not None
    with pulling._folder(ask) as into:  # the worker is killed when the first file was taken in
        fetched = fetcher("folder").fetch(ask, into)
        pulling._take_one(ask, fetched.found[0])
    put(folder, "attendance-08-18.csv", csv("ben lincoln 08-18 A"), at=60)
    with done_here(AT_ONCE):
        pulling.pull(number)
    told = pull_numbered(number)
    assert told.ended == "took" and len(told.batches) == 2
    assert query("SELECT count(*) FROM batch") == [(2,)]
    assert query("SELECT count(*) FROM arrival") == [(2,)]


def test_two_looks_at_once_are_one() -> None:
    drop_folder()
    first = starting.ask("sis", by=OPERATOR)
    assert starting.ask("sis", by=OPERATOR) == first


def test_a_folder_that_is_left_alone_remembers_what_it_gave() -> None:
    folder = drop_folder(leave="yes")
    put(folder, "attendance.csv", FIRST)
    assert became(look()) == ["applied"]
    assert look().ended == "nothing"
    assert files(folder) == ["attendance.csv"]
    put(folder, "attendance.csv", csv("ana lincoln 08-17 E"), at=60)
    assert became(look()) == ["applied"], "a new content under the old name is a new file"


def test_a_file_that_cannot_be_moved_is_still_taken_once() -> None:
    folder = drop_folder()
    put(folder, "attendance.csv", FIRST)
    (folder / "taken").write_text("a file stands where the folder should be")
    assert became(look()) == ["applied"]
    assert look().ended == "nothing"
    assert (folder / "attendance.csv").exists()
    (folder / "taken").unlink()
    look()
    assert files(folder) == ["taken/attendance.csv"]


def test_a_file_that_was_replaced_before_it_was_put_away_stays() -> None:
    folder = drop_folder()
    put(folder, "attendance.csv", FIRST)
    number = starting.ask("sis", by=OPERATOR)
    pulling.pull(number)
    put(folder, "attendance.csv", csv("ben lincoln 08-18 A"), at=60)
    with done_here(AT_ONCE):
        pulling.pull(number)
    source = db.session.query(Source).filter_by(name="sis").one()
    fetcher("folder").clear(ask_of(source))
    assert files(folder) == ["attendance.csv"]


# -- what a folder may be ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["", "..", "../elsewhere", "/etc", "a/../../b"])
def test_a_folder_lies_inside_the_drop_folder(name: str) -> None:
    with pytest.raises(Refused, match="inside"):
        keeping.add("sis", folder_wanted(name), by=OPERATOR)


def test_a_link_leads_nowhere(tmp_path: Path) -> None:
    folder = drop_folder()
    (tmp_path / "secret.csv").write_bytes(FIRST)
    (folder / "attendance.csv").symlink_to(tmp_path / "secret.csv")
    told = look()
    assert told.ended == "nothing" and "is left alone" in told.sentence
    (settings().drops / "elsewhere").symlink_to(tmp_path)
    keeping.add("elsewhere", folder_wanted("elsewhere"), by=OPERATOR)
    assert "leads out of" in look("elsewhere").sentence


def test_odd_names_are_told_and_left() -> None:
    folder = drop_folder()
    put(folder, "attendance\n.csv", FIRST)
    (folder / "sub.csv").mkdir()
    told = look()
    assert told.ended == "nothing"
    said = [told.sentence, *told.told]
    assert any("rename it" in sentence for sentence in said)
    assert any("sub.csv is a folder" in sentence for sentence in said)


def test_a_folder_that_is_away_is_tried_again_later() -> None:
    folder = drop_folder()
    folder.rmdir()
    told = look()
    assert told.ended == "failed" and "There is no folder sis" in told.sentence
    assert told.retry_at is not None
    folder.mkdir()
    assert look().ended == "nothing"


def test_a_test_says_what_would_be_taken_and_takes_nothing() -> None:
    folder = drop_folder()
    put(folder, "attendance.csv", FIRST)
    source = db.session.query(Source).filter_by(name="sis").one()
    said = fetcher("folder").test(ask_of(source))
    assert said[0].startswith("1 file would be taken: attendance.csv")
    assert db.session.query(Arrival).count() == 0 and files(folder) == ["attendance.csv"]
    folder.rename(folder.with_name("gone"))
    with pytest.raises(CannotFetch):
        fetcher("folder").test(ask_of(source))
