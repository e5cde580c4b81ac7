"""A small district, a database with it loaded by the commands themselves, and one worker for all of them."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
import pytest
from click.testing import CliRunner, Result

from ew_app.cli import ew
from ew_app.cli.runtime import Runtime
from ew_app.config import load_settings
from ew_app.demo import Summary, write_district
from ew_app.factory import create_app
from ew_app.services.system import upkeep

Environment = dict[str, str]


@dataclass(frozen=True)
class CommandLine:
    """`ew` in this process, with the settings of one installation."""

    env: Environment

    def __call__(self, *words: object, code: int = 0) -> Result:
        """Run one command and see that it ends with this exit code."""
        make_app = partial(create_app, screens=False)
        result = CliRunner().invoke(ew, [str(word) for word in words], obj=make_app, env=self.env)
        told = f"{result.stdout}\n{result.stderr}"
        assert result.exit_code == code, f"ew {words} ended with {result.exit_code}:\n{told}\n{result.exception!r}"
        return result

    def json(self, *words: object, code: int = 0) -> Any:
        """The one object or array that a command prints."""
        return json.loads(self(*words, code=code).stdout)

    def rows(self, *words: object) -> list[dict[str, str]]:
        """The table that a command prints, by its header."""
        return list(csv.DictReader(self(*words).stdout.splitlines()))

    def query(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """What stands in the database."""
        with psycopg.connect(self.env["EW_DATABASE_URL"], autocommit=True) as line:
            found = line.execute(statement, values)
            return found.fetchall() if found.description else []


def installation(database: str, redis: str, folder: Path) -> Environment:
    """The settings of an installation on servers that run."""
    return {
        "EW_DATABASE_URL": database,
        "EW_REDIS_URL": redis,
        "EW_DATA_DIR": str(folder),
        "EW_SECRET_KEY": "a key for tests only",
        "EW_TODAY": "2026-10-05",
    }


@pytest.fixture(scope="session")
def district(tmp_path_factory: pytest.TempPathFactory) -> Summary:
    """Two networks, four schools, 240 students, 28 school days; the last one stands apart under today/."""
    folder = tmp_path_factory.mktemp("district")
    return write_district(folder, networks=2, schools=4, students=240, days=28)


@pytest.fixture(scope="session")
def _worker(
    new_database: Callable[[], str], redis_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Environment]:
    """An empty installation and the worker that serves it."""
    env = installation(new_database(), redis_url, tmp_path_factory.mktemp("installation"))
    with at_work(env):
        yield env


@contextmanager
def at_work(env: Environment) -> Iterator[None]:
    """A worker of this installation while the block runs: commands start none of their own."""
    with (Path(env["EW_DATA_DIR"]) / "worker.log").open("wb") as log:
        words = [sys.executable, "-m", "ew_app", "worker", "--concurrency", "1"]
        worker = subprocess.Popen(words, env={**os.environ, **env}, stdout=log, stderr=log)
        try:
            _wait_for_it(env)
            yield
        finally:
            worker.terminate()
            worker.wait(30)


def _wait_for_it(env: Environment) -> None:
    """Until the worker takes work; a command that came earlier would start one of its own."""
    deadline = time.monotonic() + 60
    with Runtime(partial(create_app, screens=False)).bare(load_settings(env)):
        while not upkeep.worker_answers() and time.monotonic() < deadline:
            time.sleep(0.2)


@pytest.fixture(scope="session")
def cli(_worker: Environment, district: Summary) -> CommandLine:
    """Commands on a database that holds the district up to yesterday."""
    run = CommandLine(_worker)
    run("load", "roster", district.folder)
    run("load", "attendance", district.folder / "attendance.csv")
    return run


@pytest.fixture
def fresh(database_url: str, redis_url: str, tmp_path: Path) -> CommandLine:
    """Commands on an empty database and a queue of this test's own; nothing works for it."""
    server, _, number = redis_url.rpartition("/")
    return CommandLine(installation(database_url, f"{server}/{int(number) + 8}", tmp_path / "data"))


def written(path: Path, header: str, rows: Sequence[str]) -> Path:
    """A file of these lines."""
    path.write_text("\n".join([header, *rows, ""]))
    return path
