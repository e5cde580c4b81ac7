"""Doctor, audit, backup and restore from the command line."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import CommandLine


@pytest.fixture
def empty(new_database: Callable[[], str], drop_database: Callable[[str], None], fresh: CommandLine) -> CommandLine:
    """A second, empty installation to restore into."""
    url = new_database()
    return dataclasses.replace(fresh, env=fresh.env | {"EW_DATABASE_URL": url})


@pytest.fixture
def saved(fresh: CommandLine, tmp_path: Path) -> Path:
    """A backup of a database with one person."""
    fresh("user", "add", "ada", "--role", "system_admin", "--place", "district")
    fresh("backup", tmp_path / "saved")
    return tmp_path / "saved"


def test_a_backup_comes_back_whole(saved: Path, fresh: CommandLine, empty: CommandLine) -> None:
    manifest = json.loads((saved / "manifest.json").read_text())
    assert manifest["rows"]["person"] == 1 and manifest["audit_head"].startswith("3:")
    said = empty("restore", saved).stdout
    assert "every table has the rows that were saved" in said and "The audit is whole" in said
    assert empty.rows("user", "list") == fresh.rows("user", "list")


def test_a_backup_is_closed_to_others_and_never_written_over(saved: Path, fresh: CommandLine) -> None:
    assert saved.stat().st_mode & 0o077 == 0
    assert {file.name: file.stat().st_mode & 0o077 for file in saved.iterdir()} == {
        "database.dump": 0,
        "manifest.json": 0,
    }
    before = {file.name: file.read_bytes() for file in saved.iterdir()}
    assert "is not empty" in fresh("backup", saved, code=1).stderr
    assert {file.name: file.read_bytes() for file in saved.iterdir()} == before


def test_nothing_is_restored_over_anything(saved: Path, fresh: CommandLine) -> None:
    assert "The database is not empty" in fresh("restore", saved, code=1).stderr
    assert fresh.rows("user", "list")[0]["login"] == "ada"


def test_a_damaged_or_half_backup_is_refused_before_anything_happens(saved: Path, empty: CommandLine) -> None:
    dump = saved / "database.dump"
    whole = dump.read_bytes()
    dump.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    assert "its hash differs" in empty("restore", saved, code=1).stderr
    dump.unlink()
    assert "is missing" in empty("restore", saved, code=1).stderr
    (saved / "manifest.json").unlink()
    assert "is not a backup" in empty("restore", saved, code=1).stderr
    assert empty.rows("user", "list") == []


def test_a_backup_of_a_newer_version_asks_for_that_version(saved: Path, empty: CommandLine) -> None:
    manifest = saved / "manifest.json"
    manifest.write_text(re.sub(r'"revision": "\d+"', '"revision": "9999"', manifest.read_text()))
    assert "made by a newer version" in empty("restore", saved, code=1).stderr


def test_a_changed_audit_ends_with_1_and_the_place(fresh: CommandLine) -> None:
    fresh("user", "add", "ada", "--role", "system_admin", "--place", "district")
    head = fresh.json("audit", "verify", "--json")["head"]
    fresh("audit", "verify", "--head", head)
    fresh.query("ALTER TABLE audit_row DISABLE TRIGGER USER")
    fresh.query("UPDATE audit_row SET actor = 'somebody' WHERE id = 2")
    broken = fresh("audit", "verify", code=1)
    assert broken.stderr.startswith("The audit is broken at position 2: Audit row 2,")
    assert broken.stdout == ""


def test_the_doctor_names_what_is_down_and_what_mends_it(fresh: CommandLine) -> None:
    said = fresh("doctor", code=1).stdout
    assert "ok    Database: " in said and "DOWN  Worker: " in said and "Start the worker: `ew worker`" in said
    told = fresh.json("doctor", "--json", code=1)
    assert told["well"] is False
    assert {"name", "state", "sentence", "mend"} == set(told["checks"][0])
    assert {check["name"]: check["sentence"] for check in told["checks"]}["Backup"] == "There is nothing to save yet."


def test_the_doctor_knows_the_last_backup(saved: Path, fresh: CommandLine) -> None:
    told = fresh.json("doctor", "--json", code=1)
    backup = next(check for check in told["checks"] if check["name"] == "Backup")
    assert backup["state"] == "ok" and backup["sentence"].startswith("Last ")


def test_without_a_database_the_doctor_still_answers(fresh: CommandLine) -> None:
    away = dataclasses.replace(fresh, env=fresh.env | {"EW_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none"})
    assert away("doctor", code=1).stdout.startswith("DOWN  Database: It does not answer")
    refused = away("tiers", code=1)
    assert refused.stdout == "" and refused.stderr.startswith("The database does not answer as it should: ")
