"""Two ids of one child, and what laws count, from the command line."""

from __future__ import annotations

import csv
import io

from tests.cli.conftest import CommandLine


def rows(printed: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(printed)))


def test_two_students_are_read_as_one_and_are_two_again(cli: CommandLine) -> None:
    keys = [row["student_id"] for row in rows(cli("measures").stdout)]
    keep, gone = keys[:2]
    assert "how you know" in cli("student", "merge", keep, gone, code=1).stderr
    cli("student", "merge", keep, gone, "--reason", "Same name and birthday")
    assert [(row["kept"], row["gone"]) for row in rows(cli("student", "merged").stdout)] == [(keep, gone)]
    assert [row["student_id"] for row in rows(cli("measures").stdout)] == [key for key in keys if key != gone]
    assert f"not a former id of {gone}" in cli("student", "merge", gone, keep, "--undo", code=1).stderr
    cli("student", "merge", keep, gone, "--undo")
    assert [row["student_id"] for row in rows(cli("measures").stdout)] == keys


def test_laws_are_counted_for_the_states_that_are_named(cli: CommandLine) -> None:
    assert rows(cli("statutes").stdout) == []
    found = rows(cli("statutes", "--state", "FL", "--state", "OH").stdout)
    assert {row["state"] for row in found} == {"FL", "OH"}
    assert {row["estimated"] for row in found if row["unit"] == "days"} == {"false"}
    assert "Shipped: CA, FL, IL, IN, NJ, NY, OH, PA, TX, VA, WA" in cli("statutes", "--state", "ZZ", code=1).stderr
