"""Exports of other systems from the command line: recognised, named, and told what they lack."""

from __future__ import annotations

from pathlib import Path

from tests.cli.conftest import CommandLine
from tests.feeds import edfi
from tests.feeds.test_oneroster import BULK
from tests.feeds.test_sis_exports import CAMPUS


def put(folder: Path, files: dict[str, str]) -> Path:
    folder.mkdir()
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def test_edfi_is_recognised_and_claims_beside_it_belong_to_it(cli: CommandLine, tmp_path: Path) -> None:
    folder = put(tmp_path / "edfi", edfi.XML)
    told = cli.json("load", "roster", folder, "--json")
    assert told["status"] == "applied" and told["files"]["Student.xml"]["created"] == 2
    (tmp_path / "covers.csv").write_text("school_id,date\n770042,2026-08-24\n")
    told = cli.json("load", "attendance", folder, tmp_path / "covers.csv", "--json", "--accept-held")
    assert (told["status"], told["rows_in"], told["applied"]) == ("applied", 4, 4)
    assert "StudentAttendance.xml" in cli("why", "000123", "--as-of", "2026-08-25", "--json").stdout


def test_a_format_may_be_named(cli: CommandLine, tmp_path: Path) -> None:
    folder = put(tmp_path / "oneroster", BULK)
    assert cli.json("load", "roster", folder, "--format", "oneroster", "--json")["status"] == "applied"
    refused = cli.json("load", "attendance", folder, "--json", code=1)
    assert (refused["batch"], refused["status"]) == (None, "refused")
    assert "OneRoster has no attendance in any version" in refused["sentence"]


def test_how_periods_add_up_may_be_said(cli: CommandLine, tmp_path: Path) -> None:
    folder = put(tmp_path / "campus", {"attendance.csv": CAMPUS["attendance.csv"]})
    assert "such as 50. Or: rows" in cli("load", "attendance", folder, "--periods", "x", code=2).stderr
    told = cli.json("load", "attendance", folder, "--periods", "50", "--preview", "--accept-held", "--json")
    assert told["rows_in"] == 3


def test_help_names_the_formats_that_can_be_read(cli: CommandLine) -> None:
    roster, attendance = (cli("load", kind, "--help").stdout for kind in ("roster", "attendance"))
    assert "csv|aspen|edfi-json|edfi-xml" in "".join(roster.split()) and "oneroster" in roster
    assert "powerschool" in attendance and "oneroster" not in attendance
