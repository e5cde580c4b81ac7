"""Sources from the command line: set up, tried out, looked at, paused."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import pytest

from ew_app.cli.runtime import Runtime
from ew_app.factory import create_app
from tests.cli.conftest import CommandLine, at_work

ROSTER = {
    "schools.csv": "school_id,name,network_id,network_name\n1,Lincoln,N,North\n",
    "students.csv": "student_id,first_name,last_name\n7,Ana,Reyes\n",
    "enrollments.csv": "student_id,school_id,entry_date\n7,1,2026-08-17\n",
}


@pytest.fixture
def drop(fresh: CommandLine) -> Path:
    folder = Path(fresh.env["EW_DATA_DIR"]) / "drop" / "sis"
    folder.mkdir(parents=True)
    return folder


def added(fresh: CommandLine, *words: str) -> Any:
    return fresh.json("source", "add", "sis", "--kind", "folder", "--set", "folder=sis", *words, "--json")


def test_an_empty_list_says_how_to_begin(fresh: CommandLine) -> None:
    assert "Begin with `ew source add" in fresh("source", "list").stdout
    assert fresh.json("source", "list", "--json") == []


def test_a_source_is_added_changed_and_paused(fresh: CommandLine, drop: Path) -> None:
    told = added(fresh, "--brings", "both", "--at", "18:15", "--at", "6:00", "--expect-by", "18:30")
    assert told["timetable"] == {"times": ["06:00", "18:15"], "days": "school"}
    assert (told["brings"], told["expected_by"], told["state"]) == ("both", "18:30", "new")
    changed = fresh.json("source", "edit", "sis", "--every", "15", "--on", "all", "--set", "quiet=3", "--json")
    assert changed["timetable"] == {"every": 15, "start": "06:00", "until": "20:00", "days": "all"}
    assert changed["location"]["folder"] == "sis" and changed["location"]["quiet"] == 3
    assert changed["expected_by"] == "18:30", "what is not named stays"
    assert fresh.json("source", "pause", "sis", "--json")["state"] == "paused"
    assert fresh.json("source", "resume", "sis", "--json")["paused"] is False
    assert "every 15 minutes from 06:00 to 20:00 every day" in fresh("source", "list").stdout


def test_what_cannot_be_is_refused_in_a_sentence(fresh: CommandLine, drop: Path) -> None:
    add = ("source", "add", "sis", "--kind", "folder")
    assert "inside" in fresh(*add, "--set", "folder=../..", code=1).stderr
    assert "not a time of the day" in fresh(*add, "--set", "folder=sis", "--at", "25:00", code=1).stderr
    assert "NAME=VALUE" in fresh(*add, "--set", "folder", code=1).stderr
    assert fresh("source", "test", "sis", code=1).stderr == "There is no source sis.\n"
    sftp = ("source", "add", "s", "--kind", "sftp", "--set", "host=h", "--set", "user=u", "--set")
    said = fresh(*sftp, "password=hunter2", code=1).stderr
    assert "Never type the secret itself" in said and "hunter2" not in said


def test_the_fields_of_a_kind_are_told(fresh: CommandLine) -> None:
    assert "host_keys" in fresh("source", "fields", "sftp").stdout


def test_a_test_takes_nothing_and_a_pull_takes_it_in_and_puts_it_away_before_it_ends(
    fresh: CommandLine, drop: Path
) -> None:
    added(fresh, "--brings", "roster", "--set", "quiet=0")
    for name, text in ROSTER.items():
        (drop / name).write_text(text)
    assert "3 files would be taken" in fresh("source", "test", "sis").stdout
    assert (drop / "students.csv").exists()
    told = fresh.json("source", "pull", "sis", "--json")
    assert (told["ended"], [one["status"] for one in told["batches"]]) == ("took", ["applied"])
    assert sorted(path.name for path in (drop / "taken").rglob("*.csv")) == sorted(ROSTER)
    assert fresh.query("SELECT job FROM outbox WHERE done_at IS NULL") == []


def test_a_pull_that_finds_nothing_says_so_and_one_that_holds_a_file_back_fails(fresh: CommandLine, drop: Path) -> None:
    added(fresh, "--brings", "roster", "--set", "quiet=0")
    with at_work(fresh.env):
        assert fresh.json("source", "pull", "sis", "--json")["ended"] == "nothing"
        (drop / "lunch.csv").write_text("meal,price\nsoup,3\n")
        assert "lunch.csv" in fresh("source", "pull", "sis", code=1).stdout


def test_work_whose_message_was_lost_is_done_before_a_command_ends(
    fresh: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in fresh.env.items():
        monkeypatch.setenv(name, value)
    with Runtime(partial(create_app, screens=False)).working():
        fresh.query("""
            INSERT INTO outbox (job, key, args, created_at, sent_at, attempts, error)
            VALUES ('hand_out', 'lost', '[]', now() - interval '1 minute', now() - interval '1 minute', 0, '')
        """)
    assert fresh.query("SELECT done_at IS NOT NULL FROM outbox WHERE key = 'lost'") == [(True,)]
