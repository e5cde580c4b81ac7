"""People from the command line, and what each may then do."""

from __future__ import annotations

from tests.cli.conftest import CommandLine


def test_a_person_is_added_listed_and_shut_out(fresh: CommandLine) -> None:
    said = fresh(
        "user", "add", "ada", "--role", "system_admin", "--place", "district", "--full-name", "Ada Moss"
    ).stdout
    assert said.splitlines()[1].startswith("http://127.0.0.1:8000/set-password/")
    (row,) = fresh.rows("user", "list")
    assert {name: row[name] for name in ("login", "name", "role", "place", "status")} == {
        "login": "ada", "name": "Ada Moss", "role": "system_admin", "place": "district", "status": "active",
    }  # fmt: skip
    fresh("user", "disable", "ada", "--reason", "left")
    assert fresh.rows("user", "list")[0]["status"] == "disabled"
    assert fresh("measures", "--as", "ada", code=1).stderr == "ada is disabled and may do nothing.\n"


def test_what_cannot_be_granted_is_refused_and_nobody_is_added(fresh: CommandLine) -> None:
    assert "no role" in fresh("user", "add", "bo", "--role", "wizard", "--place", "district", code=1).stderr.lower()
    fresh("user", "add", "bo", "--role", "principal", "--place", "school:none", code=1)
    fresh("user", "add", "bo", "--role", "principal", "--place", "moon", code=1)
    assert fresh.rows("user", "list") == []


def test_a_lost_link_is_made_anew(fresh: CommandLine) -> None:
    fresh("user", "add", "ada", "--role", "system_admin", "--place", "district")
    assert fresh("user", "link", "ada").stdout.startswith("http")
    assert fresh("user", "link", "nobody", code=1).stderr.startswith("Nobody has the login 'nobody'.")


def test_the_roles_are_listed_without_a_database(fresh: CommandLine) -> None:
    roles = {row["role"]: row["place"] for row in fresh.rows("user", "roles")}
    assert roles["network_lead"] == "network" and "operator" not in roles
