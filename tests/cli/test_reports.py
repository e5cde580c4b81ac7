"""What the reports print: the columns, the numbers and the exit codes that other people's scripts rely on."""

from __future__ import annotations

import json
import os
import subprocess
import sys

from ew_app.demo import Summary
from tests.cli.conftest import CommandLine

MEASURES = (
    "as_of,data_through,policy_version,enrolled_days,absent_days,excused_days,unexcused_days,tardies,absence_rate,"
    "band,tier,too_early,missing_days,unknown_days,federal_absent_days,streak_now,rate_tier,tier_min,tier_max"
)
COUNTS = "students,tier_1,watch,tier_2,tier_3,none,too_early,data_through"
CASES = "case_number,student_id,school_id,tier,owner_role,owner,department,status,opened,due,rules"


def header(cli: CommandLine, *words: str) -> str:
    return cli(*words).stdout.partition("\n")[0]


def test_every_table_has_the_columns_of_the_contract_in_their_order(cli: CommandLine) -> None:
    assert header(cli, "measures") == f"student_id,{MEASURES}"
    assert header(cli, "measures", "--scope", "school") == f"student_id,school_id,{MEASURES}"
    assert header(cli, "tiers") == COUNTS
    assert header(cli, "tiers", "--by", "network") == f"network_id,{COUNTS}"
    assert header(cli, "tiers", "--by", "school") == f"network_id,school_id,{COUNTS}"
    assert header(cli, "tiers", "--by", "grade") == f"grade,{COUNTS}"
    assert header(cli, "cases", "--all") == CASES
    assert header(cli, "ledger") == "school_id,date,status,rows,expected"
    assert (
        header(cli, "late") == "school_id,date,school_days_late,owner_role,owner,asked,raised,waiting_file,waiting_as"
    )


def test_json_says_the_same_with_numbers_and_truths_as_such(cli: CommandLine) -> None:
    told, typed = cli.rows("measures"), cli.json("measures", "--format", "json")
    assert [row["student_id"] for row in typed] == [row["student_id"] for row in told]
    for text, row in zip(told, typed, strict=True):
        assert row["too_early"] is (text["too_early"] == "true")
        assert row["absent_days"] == float(text["absent_days"])
        assert row["absence_rate"] == (float(text["absence_rate"]) if text["absence_rate"] else None)
        assert row["tier"] == text["tier"]


def test_counts_add_up_to_the_students_at_every_level(cli: CommandLine) -> None:
    (district,) = cli.rows("tiers")
    for by in ("network", "school", "grade"):
        rows = cli.rows("tiers", "--by", by)
        assert sum(int(row["students"]) for row in rows) == int(district["students"])
        assert sum(int(row["tier_2"]) for row in rows) == int(district["tier_2"])
    sides = ("tier_1", "watch", "tier_2", "tier_3", "none")
    assert sum(int(district[name]) for name in sides) == int(district["students"])


def test_one_student_and_another_day(cli: CommandLine) -> None:
    last = cli.rows("measures")[0]
    (earlier,) = cli.rows("measures", "--student", last["student_id"], "--as-of", "2026-09-04")
    assert earlier["as_of"] == earlier["data_through"] == "2026-09-04"
    assert int(earlier["enrolled_days"]) < int(last["enrolled_days"])


def test_any_day_is_told_from_what_was_known_at_a_moment(cli: CommandLine) -> None:
    now = cli.rows("measures", "--as-of", "2026-09-04")
    assert cli.rows("measures", "--as-of", "2026-09-04", "--known-at", "2999-01-01") == now
    student = now[0]["student_id"]
    one = ("--student", student, "--as-of", "2026-09-04")
    assert cli.rows("measures", *one, "--known-at", "2999-01-01T00:00") == now[:1]
    assert cli.rows("measures", "--as-of", "2026-09-04", "--known-at", "2020-01-01") == []
    assert cli.rows("tiers", "--known-at", "2999-01-01") == cli.rows("tiers")
    told = cli.json("why", student, "--as-of", "2026-09-04", "--known-at", "2999-01-01", "--json")
    assert told["measures"]["absent_days"] == float(now[0]["absent_days"])
    refused = cli("why", student, "--known-at", "yesterday", code=1)
    assert refused.stderr.startswith("'yesterday' is no moment. Give a date such as")


def test_an_unknown_student_is_a_sentence_and_exit_code_1(cli: CommandLine) -> None:
    for words in (("measures", "--student", "nobody"), ("why", "nobody")):
        refused = cli(*words, code=1)
        assert refused.stdout.count("\n") <= 1
        assert refused.stderr == "There is no student nobody.\n"


def test_a_wrong_word_is_exit_code_2(cli: CommandLine) -> None:
    cli("tiers", "--by", "homeroom", code=2)
    cli("measures", "--as-of", "5.10.2026", code=2)
    cli("load", "attendance", code=2)


def test_the_ledger_lists_each_school_and_day(cli: CommandLine, district: Summary) -> None:
    rows = cli.rows("ledger", "--from", "2026-09-07", "--to", "2026-09-08")
    assert {row["status"] for row in rows if row["date"] == "2026-09-07"} == {"closed"}  # Labor Day
    assert {row["status"] for row in rows if row["date"] == "2026-09-08"} == {"submitted"}
    one = cli.rows("ledger", "--school", rows[0]["school_id"])
    assert {row["school_id"] for row in one} == {rows[0]["school_id"]}


def test_cases_are_open_ones_by_number_with_their_rules(cli: CommandLine) -> None:
    rows = cli.json("cases", "--format", "json")
    numbers = [row["case_number"] for row in rows]
    assert rows and numbers == sorted(numbers)
    assert all(row["tier"] in ("1", "watch", "2", "3") and row["rules"] for row in rows)
    assert not {"R13", "R14", "R22"} & {rule for row in rows for rule in row["rules"].split(";")}


def test_a_person_sees_their_own_students_only(cli: CommandLine) -> None:
    everybody = {row["student_id"] for row in cli.rows("measures")}
    login, place = cli.query(
        "SELECT login, place FROM person JOIN role_grant g ON g.person_id = person.id"
        " WHERE role = 'principal' AND place LIKE %s ORDER BY place LIMIT 1",
        "school:%",
    )[0]
    school = place.removeprefix("school:")
    seen = {row["student_id"] for row in cli.rows("measures", "--as", login)}
    assert seen and seen < everybody
    cli("why", min(seen), "--as", login)
    assert cli("why", min(everybody - seen), "--as", login, code=1).stderr.startswith("There is no student")
    owned = {row["school_id"] for row in cli.rows("cases", "--as", login)}
    assert owned <= {school}
    assert {row["school_id"] for row in cli.rows("tiers", "--by", "school", "--as", login)} == {school}
    assert {row["school_id"] for row in cli.rows("ledger", "--as", login)} == {school}
    assert "does not let you" in cli("tiers", "--as", login, code=1).stderr
    assert "page of each school" in cli("tiers", "--by", "grade", "--as", login, code=1).stderr
    assert cli("cases", "--as", "nobody.here", code=1).stderr.startswith("Nobody has the login")


def test_why_gives_the_arithmetic_the_days_and_the_file_and_line(cli: CommandLine) -> None:
    flagged = next(row for row in cli.rows("measures") if row["tier"] == "3")
    page = cli("why", flagged["student_id"]).stdout
    assert f"Student {flagged['student_id']}: Tier 3 as of {flagged['as_of']}" in page
    assert f"Absent {flagged['absent_days']} of {flagged['enrolled_days']} enrolled days" in page
    assert "attendance.csv (batch " in page and ", line " in page
    assert f"version {flagged['policy_version']}" in page
    told = cli.json("why", flagged["student_id"], "--json")
    assert told["measures"]["tier"] == "3" and told["policy_version"] == flagged["policy_version"]
    reason = told["reasons"][0]
    assert reason["sentence"] and reason["dates"] and reason["policy_version"] == flagged["policy_version"]
    assert {step["policy_version"] for step in told["steps"]} == {flagged["policy_version"]}
    day = next(day for day in told["days"] if day["day"] == reason["dates"][0])
    assert day["marks"][0]["source"]["line"] > 1


def test_evaluating_again_moves_nothing_and_says_so(cli: CommandLine) -> None:
    told = cli.json("evaluate", "--json")
    assert told["stored"] and set(told["effect"].values()) == {0}
    (counted,) = cli.rows("tiers")
    assert told["tiers"]["tier_3"] == int(counted["tier_3"])


def test_evaluating_an_earlier_day_stores_nothing(cli: CommandLine) -> None:
    before = cli.query("SELECT md5(string_agg(s::text, '' ORDER BY student_id)) FROM student_status s")
    said = cli("evaluate", "--as-of", "2026-09-11").stdout
    assert "on 2026-09-11" in said and "nothing was stored" in said
    assert cli.query("SELECT md5(string_agg(s::text, '' ORDER BY student_id)) FROM student_status s") == before


def test_cells_that_a_spreadsheet_would_run_are_made_harmless(cli: CommandLine) -> None:
    cli("user", "add", "formula", "--role", "policy_editor", "--place", "district", "--full-name", "=cmd()")
    assert ",'=cmd()," in cli("user", "list").stdout
    assert any(row["name"] == "=cmd()" for row in cli.json("user", "list", "--format", "json"))


def test_the_real_command_prints_tables_on_stdout_alone(cli: CommandLine) -> None:
    words = [sys.executable, "-m", "ew_app", "tiers", "--format", "json"]
    done = subprocess.run(words, env={**os.environ, **cli.env}, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)[0]["students"] > 0
