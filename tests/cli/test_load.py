"""Loading from the command line: what is printed, what is stored, and how the command ends."""

from __future__ import annotations

import zipfile
from pathlib import Path

from ew_app.demo import Summary
from tests.cli.conftest import CommandLine, written

PARTS = ("applied", "unchanged", "superseded", "rejected", "duplicate")
FINER = ("unknown_code", "off_calendar", "not_enrolled", "unmatched_student", "removed")
EFFECT = {"enter_watch", "enter_2", "enter_3", "leave_2", "leave_3", "cases_opened"}
HEADER = "student_id,school_id,date,code"


def marks(cli: CommandLine) -> list[tuple[object, ...]]:
    return cli.query("SELECT student_id, day, code, batch_id, line FROM mark ORDER BY 1, 2")


def evaluations(cli: CommandLine) -> int:
    """How many chunks of students were ever decided."""
    [(count,)] = cli.query("SELECT count(*)::int FROM event WHERE kind = 'evaluated'")
    assert isinstance(count, int)
    return count


def one_absence(cli: CommandLine, folder: Path, day: str = "2026-09-16", code: str = "UA") -> Path:
    """A file that says one student, present until now, was absent."""
    student, school = cli.query(
        """SELECT s.key, c.key FROM stint t JOIN student s ON s.id = t.student_id JOIN school c ON c.id = t.school_id
           WHERE t.entry_date < %s AND t.exit_date IS NULL
             AND NOT EXISTS (SELECT FROM mark m WHERE m.student_id = s.id AND m.day = %s) ORDER BY s.key LIMIT 1""",
        day,
        day,
    )[0]
    return written(folder / "attendance.csv", HEADER, [f"{student},{school},{day},{code}"])


def test_every_row_is_in_one_bucket(cli: CommandLine, district: Summary) -> None:
    told = cli.json("load", "attendance", district.folder / "today", "--preview", "--json")
    assert told["rows_in"] == district.rows["today/attendance"] == sum(told[name] for name in PARTS)
    assert all(isinstance(told[name], int) for name in FINER)
    assert set(told["effect"]) == EFFECT
    assert isinstance(told["batch"], int)


def test_a_preview_changes_nothing(cli: CommandLine, district: Summary) -> None:
    before = marks(cli)
    told = cli.json("load", "attendance", district.folder / "today", "--preview", "--json")
    assert told["status"] == "applied" and told["applied"] > 0
    assert marks(cli) == before


def test_the_same_delivery_again_is_a_duplicate_and_well(cli: CommandLine, district: Summary) -> None:
    told = cli.json("load", "attendance", district.folder / "attendance.csv", "--json")
    assert (told["status"], told["unchanged"]) == ("duplicate", told["rows_in"])


def test_a_delivery_goes_in_and_comes_out_as_a_unit(cli: CommandLine, tmp_path: Path) -> None:
    before = marks(cli)
    told = cli.json("load", "attendance", one_absence(cli, tmp_path), "--json")
    assert (told["status"], told["applied"]) == ("applied", 1)
    assert len(marks(cli)) == len(before) + 1
    assert cli.json("load", "undo", told["batch"], "--json")["status"] == "undone"
    assert marks(cli) == before
    again = cli("load", "undo", told["batch"], code=1)
    assert again.stderr == f"Batch {told['batch']} is undone; only an applied batch can be taken back.\n"
    assert cli("load", "undo", 999999, code=1).stderr == "There is no batch 999999.\n"


def test_several_files_are_batches_with_totals(cli: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    files = [one_absence(cli, tmp_path / "a"), one_absence(cli, tmp_path / "b", day="2026-09-17")]
    decided = evaluations(cli)
    told = cli.json("load", "attendance", *files, "--json")
    assert [batch["status"] for batch in told["batches"]] == ["applied", "applied"]
    assert told["totals"]["rows_in"] == told["totals"]["applied"] == 2
    assert evaluations(cli) == decided + 1  # both days at once
    assert cli.query("SELECT count(*) FROM touched_student") == [(0,)]
    _as_though_killed_before_it_decided(cli, told["batches"][-1]["batch"])
    again = cli.json("load", "attendance", *files, "--json")
    assert [batch["status"] for batch in again["batches"]] == ["duplicate", "duplicate"]
    assert cli.query("SELECT (SELECT count(*) FROM touched_student), count(*) FROM batch WHERE undecided") == [(0, 0)]
    for batch in reversed(told["batches"]):
        cli("load", "undo", batch["batch"])


def _as_though_killed_before_it_decided(cli: CommandLine, batch: int) -> None:
    cli.query("UPDATE batch SET undecided = true WHERE id = %s", batch)
    cli.query("INSERT INTO touched_student SELECT min(student_id), DATE '2026-09-16' FROM block_student")


def test_a_row_that_cannot_go_in_is_named_by_line(cli: CommandLine, tmp_path: Path, district: Summary) -> None:
    good = one_absence(cli, tmp_path).read_text().splitlines()[1]
    rows = [good] * 19 + ["nobody,nowhere,2026-09-16,UA"]
    told = cli.json("load", "attendance", written(tmp_path / "attendance.csv", HEADER, rows), "--json")
    assert (told["rows_in"], told["applied"], told["duplicate"], told["rejected"]) == (20, 1, 18, 1)
    assert [(p["line"], p["value"]) for p in told["problems"] if p["rejected"]][0][0] == 21
    assert set(told["problems"][0]) >= {"line", "reason", "column", "value"}
    words = cli("load", "undo", told["batch"]).stdout
    assert words.startswith(f"Batch {told['batch']} (attendance.csv): undone.")


def test_an_unlikely_file_is_held_until_a_person_lets_it_in(cli: CommandLine, tmp_path: Path) -> None:
    before = marks(cli)
    good = one_absence(cli, tmp_path).read_text().splitlines()[1]
    file = written(tmp_path / "attendance.csv", HEADER, [good, "nobody,nowhere,2026-09-16,UA"])
    held = cli("load", "attendance", file, "--json", code=1)
    assert '"status": "held"' in held.stdout and held.stderr.startswith("attendance.csv: ")
    assert marks(cli) == before
    told = cli.json("load", "attendance", file, "--accept-held", "--json")
    assert (told["status"], told["applied"], told["rejected"]) == ("applied", 1, 1)
    cli("load", "undo", told["batch"])


def test_a_file_that_can_never_go_in_is_refused_with_a_sentence(cli: CommandLine, tmp_path: Path) -> None:
    file = written(tmp_path / "attendance.csv", "student_id,date,code", ["1,2026-09-16,UA"])
    refused = cli("load", "attendance", file, "--json", code=1)
    assert '"status": "refused"' in refused.stdout and "school_id" in refused.stderr
    missing = cli("load", "attendance", tmp_path / "gone.csv", "--json", code=1)
    assert '"batch": null' in missing.stdout and missing.stderr.endswith("There is no file or folder gone.csv.\n")


def test_one_refused_file_among_several_hides_none_of_the_others(cli: CommandLine, tmp_path: Path) -> None:
    for name in ("good", "bad"):
        (tmp_path / name).mkdir()
    good = one_absence(cli, tmp_path / "good")
    bad = written(tmp_path / "bad" / "attendance.csv", "student_id,date,code", ["1,2026-09-16,UA"])
    told = cli.json("load", "attendance", bad, good, "--json", code=1)
    assert [batch["status"] for batch in told["batches"]] == ["refused", "applied"]
    assert told["totals"]["applied"] == 1
    cli("load", "undo", told["batches"][1]["batch"])


def test_a_roster_may_come_as_a_zip_and_its_exit_rule_is_remembered(cli: CommandLine, district: Summary) -> None:
    packed = district.folder.parent / "roster.zip"
    with zipfile.ZipFile(packed, "w") as out:
        out.write(district.folder / "schools.csv", "schools.csv")
    assert cli.query("SELECT exit_inclusive FROM source") == [(True,)]
    told = cli.json("load", "roster", packed, "--exit", "exclusive", "--json")
    assert (told["status"], told["unchanged"]) == ("applied", told["rows_in"])
    assert cli.query("SELECT exit_inclusive FROM source") == [(False,)]
    cli("load", "roster", packed, "--exit", "inclusive")
    assert cli.query("SELECT exit_inclusive FROM source") == [(True,)]


def test_a_demo_is_written_as_files(fresh: CommandLine, tmp_path: Path) -> None:
    size = ["--networks", 1, "--schools", 2, "--students", 40, "--days", 5, "--seed", 7]
    said = fresh("demo", *size, "--last-day", "2026-09-18", tmp_path / "out").stdout
    assert "40 students, 5 school days (2026-09-14 to 2026-09-18)" in said
    assert (tmp_path / "out" / "today" / "attendance.csv").exists()
    assert fresh("demo", "--students", 3, tmp_path / "no", code=1).stderr == "12 schools need at least 120 students.\n"
    set_already = fresh("demo", "--named", "meadow", "--students", 300, tmp_path / "no", code=1).stderr
    assert set_already == "The size of meadow is set. Leave --students out, or leave out --named.\n"
