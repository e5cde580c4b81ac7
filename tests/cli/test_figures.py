"""Figures as files: the same day and moment give the same bytes, no cell runs, nothing public tells a small number."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from pathlib import Path

import pytest

from ew_app.services.watching import pages
from tests.cli.conftest import CommandLine


def taken(cli: CommandLine, path: Path, *words: str) -> tuple[bytes, str]:
    """The file, and the moment from which it can be taken again."""
    said = cli("figures", str(path), *words).stdout
    return path.read_bytes(), said.rpartition("known at ")[2].strip().rstrip(".")


@pytest.mark.parametrize("name", ["counts.csv", "counts.xlsx"])
def test_the_same_day_and_moment_give_the_same_bytes(cli: CommandLine, tmp_path: Path, name: str) -> None:
    first, moment = taken(cli, tmp_path / name)
    day = cli.rows("tiers", "--by", "school")[0]["data_through"]
    again, _ = taken(cli, tmp_path / f"again-{name}", "--as-of", day, "--known-at", moment)
    assert again == first


def test_the_file_says_what_the_command_says(cli: CommandLine, tmp_path: Path) -> None:
    body, moment = taken(cli, tmp_path / "counts.csv")
    found = list(csv.DictReader(io.StringIO(body.decode("utf-8-sig"))))
    told = cli.rows("tiers", "--by", "school")
    kept = ("network_id", "school_id", "students", "tier_1", "watch", "tier_2", "tier_3", "none", "data_through")
    order = sorted(found, key=lambda row: (row["network_id"], row["school_id"]))
    assert [{name: row[name] for name in kept} for row in order] == [{name: row[name] for name in kept} for row in told]
    assert {row["known_at"] for row in found} == {moment} and all(row["policy_version"] for row in found)


def test_a_workbook_holds_numbers_and_text_and_no_formula(cli: CommandLine, tmp_path: Path) -> None:
    body, _ = taken(cli, tmp_path / "counts.xlsx")
    with zipfile.ZipFile(io.BytesIO(body)) as book:
        sheets = [book.read(name).decode() for name in book.namelist() if name.startswith("xl/worksheets/sheet")]
        words = book.read("xl/sharedStrings.xml").decode()
        assert {one.date_time for one in book.infolist()} == {(1980, 1, 1, 0, 0, 0)}
    assert len(sheets) == 3 and not any("<f>" in sheet for sheet in sheets)
    assert "Known at" in words and "As of" in words and "Rules" in words


@pytest.mark.parametrize("page", pages.BOARDS)
def test_every_page_is_the_same_file_again_for_its_day_and_moment(cli: CommandLine, tmp_path: Path, page: str) -> None:
    said = cli("figures", str(tmp_path / "one.xlsx"), "--page", page).stdout
    day, moment = said.rpartition(" as of ")[2].strip().rstrip(".").split(", known at ")
    asked = ("--page", page, "--as-of", day, "--known-at", moment)
    cli("figures", str(tmp_path / "two.xlsx"), *asked)
    cli("figures", str(tmp_path / "two.csv"), *asked)
    assert (tmp_path / "two.xlsx").read_bytes() == (tmp_path / "one.xlsx").read_bytes()
    told = list(csv.DictReader(io.StringIO((tmp_path / "two.csv").read_text(encoding="utf-8-sig"))))
    assert {(row["as_of"], row["known_at"]) for row in told} in ({(day, moment)}, set())


def test_a_place_beyond_reach_is_not_there(cli: CommandLine, tmp_path: Path) -> None:
    answer = cli("figures", str(tmp_path / "x.csv"), "--place", "school:nowhere", code=1)
    assert "There is no such place" in answer.stderr and not (tmp_path / "x.csv").exists()


def test_what_is_published_is_the_same_again_and_tells_no_small_number(cli: CommandLine, tmp_path: Path) -> None:
    said = cli("publish", str(tmp_path / "one")).stdout
    moment = said.rpartition("known at ")[2].strip().rstrip(".")
    told = json.loads((tmp_path / "one" / "chronic-absence.json").read_text())
    cli("publish", str(tmp_path / "two"), "--as-of", told["as_of"], "--known-at", moment)
    for name in ("index.html", "chronic-absence.csv", "chronic-absence.json"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()
    assert told["rows"][0]["level"] == "district" and "10 percent" in told["definition"] and told["defined_on"]
    for row in told["rows"]:
        assert row["students"] == "kept back" or int(row["students"].removeprefix("about ").replace(",", "")) % 10 == 0
    page = (tmp_path / "one" / "index.html").read_text()
    assert "Chronic absence, as of" in page and "<script" not in page and "http" not in page
