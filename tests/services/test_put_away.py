"""Files that were taken in and cannot be moved out of the way: nothing is lost, and people are told what to do."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask import Flask

from ew_app.kernel import OPERATOR
from ew_app.services.sources import keeping, telling
from ew_app.services.sources.telling import State
from ew_app.services.system import health
from models.base import db
from models.org import Source
from tests.services.lincoln_and_carver import build, csv, query
from tests.services.looks import drop_folder, files, folder_wanted, look


@pytest.fixture
def stuck(app: Flask) -> Path:
    """A folder out of which nothing can be moved: where the files should go there lies a file."""
    build()
    folder = drop_folder()
    (folder / "taken").write_text("in the way")
    (folder / "attendance.csv").write_bytes(csv("ana lincoln 08-17 A"))
    look()
    return folder


def standing() -> tuple[State, str]:
    db.session.rollback()
    one = telling.standing("sis")
    return one.state, one.sentence


def sources_check() -> tuple[health.State, str]:
    db.session.rollback()
    (check,) = [check for check in health.checks() if check.name == "Sources"]
    return check.state, check.sentence


def test_it_is_in_and_the_source_says_that_it_still_lies_there(stuck: Path) -> None:
    assert query("SELECT count(*) FROM mark") == [(1,)]
    assert files(stuck) == ["attendance.csv", "taken"]
    state, sentence = standing()
    assert state is State.NOT_CLEARED
    assert sentence.startswith("1 file could not be moved out of the way since ")
    assert "We cannot move files in the folder sis" in sentence
    assert sentence.endswith("Mend the rights and fetch once more, or say that files stay where they are.")


def test_health_says_the_same(stuck: Path) -> None:
    state, sentence = sources_check()
    assert state is health.State.LATE and sentence.startswith("sis: 1 file could not be moved out of the way since ")


def test_once_it_can_be_moved_nobody_is_told_any_more(stuck: Path) -> None:
    since = db.session.query(Source).filter_by(name="sis").one().not_cleared_since
    look()
    assert db.session.query(Source).filter_by(name="sis").one().not_cleared_since == since, "since the first time"
    (stuck / "taken").unlink()
    look()
    assert files(stuck) == ["taken/attendance.csv"]
    assert standing()[0] is State.WELL and sources_check()[0] is health.State.OK
    told = query("SELECT kind FROM event WHERE subject = 'source:sis' AND kind LIKE '%clear%' ORDER BY id")
    assert told == [("source_not_cleared",), ("source_cleared_again",)]


def test_where_files_are_to_stay_there_is_nothing_to_move(stuck: Path) -> None:
    keeping.change("sis", folder_wanted("sis", leave=True), by=OPERATOR)
    assert standing()[0] is State.WELL
    look()
    assert standing()[0] is State.WELL and files(stuck) == ["attendance.csv", "taken"]


def test_a_look_that_failed_is_told_first(stuck: Path) -> None:
    (stuck / "taken").unlink()
    (stuck / "attendance.csv").unlink()
    stuck.rmdir()
    look()
    assert standing()[0] is State.FAILED
