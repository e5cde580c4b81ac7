"""A drop folder: what is put in is taken whole, also where its writer is slow."""

from __future__ import annotations

import os
import threading
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask

from ew_app.kernel import now, told_as_of
from tests.services.lincoln_and_carver import build, covers, csv, query, standing
from tests.services.looks import became, drop_folder, files, look
from tests.services.test_drop_folder import FIRST, put


@pytest.fixture(autouse=True)
def world(app: Flask) -> None:
    build()


def test_a_file_that_is_still_being_written_waits() -> None:
    folder = drop_folder(quiet=1)
    path = put(folder, "attendance.csv", FIRST[:60])
    stop = threading.Event()

    def write_on() -> None:
        while not stop.wait(0.1):
            with path.open("ab") as file:
                file.write(b"ben,lincoln,2026-08-17,A\n")

    writer = threading.Thread(target=write_on)
    writer.start()
    try:
        told = look()
    finally:
        stop.set()
        writer.join()
    assert (told.ended, told.batches) == ("waits", [])
    assert told.sentence.startswith("Still being written: attendance.csv.")
    assert told.retry_at is not None, "it is looked at again without waiting for the timetable"
    assert files(folder) == ["attendance.csv"]
    path.write_bytes(FIRST)
    assert became(look()) == ["applied"]


def test_a_file_that_arrives_meanwhile_makes_the_others_wait_because_they_may_belong_together() -> None:
    folder = drop_folder(quiet=2)
    put(folder, "attendance.csv", FIRST)
    late = threading.Timer(1, put, (folder, "covers.csv", covers("lincoln 08-17")))
    late.start()
    assert look().ended == "waits"
    late.join()
    assert became(look()) == ["applied"]
    assert query("SELECT count(*) FROM submission WHERE whole") == [(1,)]


def test_a_file_that_ends_in_the_middle_of_a_row_waits_for_a_while() -> None:
    folder = drop_folder()
    put(folder, "attendance.csv", FIRST.rstrip()[:-2])
    told = look()
    assert (told.ended, told.batches) == ("waits", []) and "ends in the middle of a row" in told.sentence
    assert told.retry_at is not None
    assert look().ended == "waits"
    with told_as_of(now() + timedelta(minutes=11)):
        assert became(look()) == ["applied"], "the sender has stopped there"


def test_what_a_slow_writer_adds_after_its_file_was_taken_is_taken_too() -> None:
    folder = drop_folder()
    with (folder / "attendance.csv").open("wb") as file:
        file.write(FIRST)
        file.flush()
        first = look()
        assert became(first) == ["applied"] and first.retry_at is not None, "it is looked at once more soon"
        assert look().sentence == "Nothing new."
        file.write(b"ana,lincoln,2026-08-18,A\n")
    with told_as_of(now() + timedelta(days=3)):  # after a weekend
        told = look()
    assert became(told) == ["applied"] and told.told == [
        "attendance.csv went on after it was put away, and is read once more."
    ]
    assert standing()["ana 08-18"] == "A" and standing()["ben 08-17"] == "T"
    assert files(folder) == ["taken/attendance.csv"]
    assert look().ended == "nothing"


def test_what_went_on_waits_while_a_newer_file_has_its_name() -> None:
    folder = drop_folder()
    path = put(folder, "attendance.csv", FIRST)
    with path.open("ab") as file:
        look()
        file.write(b"ana,lincoln,2026-08-18,A\n")
    put(folder, "attendance.csv", csv("ben lincoln 08-19 A"), at=60)
    told = look()
    assert became(told) == ["applied"] and "when the newer file" in " ".join(told.told)
    assert became(look()) == ["applied"]
    assert {"ana 08-18", "ben 08-19"} <= set(standing())


def test_a_refused_file_that_is_written_on_is_read_again() -> None:
    folder = drop_folder()
    path = put(folder, "attendance.csv", csv())
    with path.open("ab") as file:
        assert became(look()) == ["refused"]
        file.write(b"ana,lincoln,2026-08-18,A\n")
    assert became(look()) == ["applied"]


def test_a_taken_file_that_somebody_saved_otherwise_is_told_and_left() -> None:
    folder = drop_folder()
    put(folder, "attendance.csv", FIRST)
    look()
    (taken,) = folder.rglob("attendance.csv")
    os.utime(taken, (1, 1))
    assert look().sentence == "Nothing new.", "the same content at another time"
    taken.write_bytes(FIRST.replace(b"T", b"A") + b"more")
    told = look()
    assert (told.ended, told.batches) == ("nothing", []) and "was changed after it was taken in" in told.sentence


def test_the_whole_export_comes_back_where_its_files_are_read_together() -> None:
    folder = drop_folder(together="yes")
    put(folder, "covers.csv", covers("lincoln 08-17", "lincoln 08-18"))
    with put(folder, "attendance.csv", FIRST).open("ab") as file:
        look()
        file.write(b"ana,lincoln,2026-08-18,A\n")
    assert became(look()) == ["applied"]
    assert query("SELECT count(*) FROM batch_file WHERE batch_id = 2") == [(2,)]
    assert files(folder) == ["taken/attendance.csv", "taken/covers.csv"]


def test_a_link_among_what_was_taken_leads_nowhere(tmp_path: Path) -> None:
    folder = drop_folder()
    put(folder, "attendance.csv", FIRST)
    look()
    (taken,) = folder.rglob("attendance.csv")
    taken.parent.rename(tmp_path / "elsewhere")
    taken.parent.symlink_to(tmp_path / "elsewhere")
    (tmp_path / "elsewhere" / "attendance.csv").write_bytes(FIRST + b"ana,lincoln,2026-08-18,A\n")
    assert look().sentence == "Nothing new."


@pytest.mark.parametrize(
    "name", ["attendance.csv.tmp", "attendance.csv.filepart", ".attendance.csv", "~attendance.csv"]
)
def test_names_of_unfinished_files_are_passed_over(name: str) -> None:
    folder = drop_folder()
    put(folder, name, FIRST)
    assert look().ended == "nothing"
    (folder / name).rename(folder / "attendance.csv")
    assert became(look()) == ["applied"]


def test_a_source_may_name_the_file_that_says_that_all_is_there() -> None:
    folder = drop_folder(wait_for="done.txt")
    put(folder, "attendance.csv", FIRST)
    told = look()
    assert (told.ended, told.sentence) == ("nothing", "1 file waits for done.txt.")
    put(folder, "done.txt", b"")
    assert became(look()) == ["applied"]
    assert files(folder) == ["taken/attendance.csv", "taken/done.txt"]
    put(folder, "attendance.csv", csv("ben lincoln 08-18 A"))
    assert look().sentence == "1 file waits for done.txt.", "each time anew"
