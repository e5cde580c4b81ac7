"""A demo of two years goes in as a real district's export would: nothing is set aside."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from tests.cli.conftest import CommandLine

SIZE = ("--networks", 1, "--schools", 3, "--students", 60, "--days", 12, "--years", 2, "--seed", 5)
READ_AS = """SELECT DISTINCT sent.key, kept.key FROM mark m JOIN student sent ON sent.id = m.student_id
    JOIN student kept ON kept.id = sent.same_as"""


@pytest.mark.deep  # two loads, each with a worker of its own
def test_two_years_go_in_and_no_row_is_left_over(fresh: CommandLine, tmp_path: Path) -> None:
    fresh("demo", *SIZE, tmp_path)
    roster = fresh.json("load", "roster", tmp_path, "--json")
    assert (roster["status"], roster["rejected"], roster["problems"]) == ("applied", 0, [])
    told = fresh.json("load", "attendance", tmp_path / "attendance.csv", tmp_path / "covers.csv", "--json")
    assert told["status"] == "applied" and told["applied"] == told["rows_in"]
    assert (told["rejected"], told["off_calendar"], told["unmatched_student"], told["unknown_code"]) == (0, 0, 0, 4)
    stays = list(csv.DictReader((tmp_path / "enrollments.csv").read_text(encoding="utf-8").splitlines()))
    never_came = {row["student_id"] for row in stays if row["exit_code"] == "No show"}
    marks = csv.DictReader((tmp_path / "attendance.csv").read_text(encoding="utf-8").splitlines())
    assert told["not_enrolled"] == sum(row["student_id"] in never_came for row in marks)
    years = fresh.query("SELECT DISTINCT date_part('year', day)::int FROM mark WHERE student_id IS NOT NULL ORDER BY 1")
    assert years == [(2025,), (2026,)]
    changes = csv.DictReader((tmp_path / "student_changes.csv").read_text(encoding="utf-8").splitlines())
    assert fresh.query(READ_AS) == [(row["former_student_id"], row["student_id"]) for row in changes]
