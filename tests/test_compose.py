"""docker-compose.yml: valid, without a secret, and running the very commands of `ew up`."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from ew_app import config, up

ROOT = Path(__file__).resolve().parent.parent
FILE = ROOT / "docker-compose.yml"


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(FILE.read_text())
    return loaded


def test_the_file_follows_the_compose_specification() -> None:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", str(FILE)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_web_worker_and_beat_run_the_commands_of_one_machine(compose: dict[str, Any]) -> None:
    for name, command in up.COMMANDS.items():
        assert compose["services"][name]["command"] == ["ew", *command[3:]]
    assert compose["services"]["migrate"]["command"] == ["ew", "db", "upgrade"]


def test_one_image_serves_all_of_ours(compose: dict[str, Any]) -> None:
    ours = {"migrate", *up.COMMANDS}
    assert set(compose["services"]) == {"db", "redis", *ours}
    assert {compose["services"][name]["image"] for name in ours} == {"early-warning"}


def test_every_service_that_stays_has_a_health_check_and_waits_for_what_it_needs(
    compose: dict[str, Any],
) -> None:
    staying = set(compose["services"]) - {"migrate"}
    assert all("healthcheck" in compose["services"][name] for name in staying)
    for name in up.COMMANDS:
        waits = compose["services"][name]["depends_on"]
        assert waits["migrate"] == {"condition": "service_completed_successfully"}
        assert waits["db"] == waits["redis"] == {"condition": "service_healthy"}


def test_secrets_come_from_files_and_none_is_written_here(compose: dict[str, Any]) -> None:
    for service in compose["services"].values():
        for name, value in service.get("environment", {}).items():
            if re.search("PASSWORD|SECRET|TOKEN", name):
                assert name.endswith("_FILE") and value.startswith("/run/secrets/")
    assert not re.search(r"://[^/\s]*:[^/\s]*@", FILE.read_text()), "an address with a password in it"
    assert {secret["file"] for secret in compose["secrets"].values()} == {
        f"./secrets/{name}" for name in ("database_password", "redis_password", "secret_key")
    }


def test_every_setting_in_the_file_is_one_we_know(compose: dict[str, Any]) -> None:
    known = {line.name for line in config.describe({})}
    given = compose["services"]["web"]["environment"]
    assert {name.removesuffix("_FILE") for name in given} <= known


def test_what_the_file_keeps_is_on_volumes(compose: dict[str, Any]) -> None:
    kept = {mount.split(":")[0] for service in compose["services"].values() for mount in service.get("volumes", [])}
    assert kept == set(compose["volumes"]) == {"data", "database", "queue"}


def test_the_database_keeps_statements_and_rows_out_of_its_log(compose: dict[str, Any]) -> None:
    command = compose["services"]["db"]["command"]
    assert {"log_error_verbosity=terse", "log_min_error_statement=panic"} <= set(command)


def test_the_image_is_set_up_by_the_same_file_as_a_laptop() -> None:
    lines = (ROOT / "Dockerfile").read_text().splitlines()
    assert "RUN python dev.py setup" in lines
    assert "USER ew" in lines
