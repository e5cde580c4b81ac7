"""The optional risk model from the command line."""

from __future__ import annotations

from tests.cli.conftest import CommandLine


def test_a_district_without_past_years_is_told_why_there_is_no_model(fresh: CommandLine) -> None:
    assert fresh("risk", "report", code=1).stderr == "There is no risk model. Have one made with `ew risk train`.\n"
    said = fresh("risk", "train", code=1).stdout.splitlines()
    assert said[0] == "Model 1 for 2026-27 may not be used:"
    assert said[1].endswith("and another to be tried on; none is known.")
    card = fresh.json("risk", "report", "--json")
    assert (card["status"], card["refusals"][0]["key"], card["figures"]) == ("refused", "years", [])
    assert "may not be used" in fresh("risk", "report").stdout


def test_a_model_needs_named_people_to_work_and_one_to_stop(fresh: CommandLine) -> None:
    fresh("user", "add", "ada", "--role", "policy_editor", "--place", "district")
    fresh("user", "add", "zoe", "--role", "network_lead", "--place", "district", code=1)
    purpose = ("--purpose", "To look first at those who need it most")
    assert "does not let you" in fresh("risk", "promote", *purpose, code=1).stderr, "not the operator"
    assert fresh("risk", "promote", *purpose, "--as", "ada", code=1).stderr.startswith("There is no risk model.")
    fresh("risk", "promote", "--as", "ada", code=2)
    assert fresh("risk", "off", "--reason", "We want to think it over", "--as", "ada").stdout == (
        "No risk model was at work or on trial.\n"
    )
    assert fresh("risk", "score", code=1).stderr == "No model is on trial or at work, so there is none to ask.\n"


def test_one_student_is_left_out_and_what_is_kept_is_printed(cli: CommandLine) -> None:
    student = cli.rows("measures")[0]["student_id"]
    assert "leaves" in cli("risk", "exclude", student, "--reason", "The family asked for it").stdout
    kept = cli.json("risk", "record", student)
    assert (kept["student_id"], kept["scores"], len(kept["left_out"])) == (student, [], 1)
    assert "already" in cli("risk", "exclude", student, "--reason", "Once more", code=1).stderr
    cli("risk", "exclude", student, "--again")
    assert cli.json("risk", "record", student)["left_out"][0]["ended_by"] == "Operator"
    assert cli("risk", "exclude", "nobody", code=1).stderr == "There is no student nobody.\n"
