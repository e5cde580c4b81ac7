"""What every test may use: one PostgreSQL and one Valkey per run, a database of its own, no way outside.

`TEST_DATABASE_URL` and `TEST_REDIS_URL` put servers of yours in place of the embedded ones. A database user
given there must be allowed to create databases.
"""

from __future__ import annotations

import fcntl
import gc
import itertools
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from copy import deepcopy
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
from flask import Flask
from psycopg import sql
from xdist.scheduler import LoadScopeScheduling

from ew_app.config import Settings, load_settings
from ew_app.local import Servers
from models.base import db
from tests import compiled, scratch
from tests.opened import on

RUN = "EW_TEST_RUN"  # names this run's databases; handed to the workers with the addresses
LOOPBACK = {"127.0.0.1", "::1", "localhost"}


# -- no test reaches another machine -------------------------------------------------------------------------


def _allowed_hosts() -> set[str]:
    given = (os.environ.get(name, "") for name in ("TEST_DATABASE_URL", "TEST_REDIS_URL"))
    return LOOPBACK | {urlsplit(url).hostname or "" for url in given if url}


def _refuse_outside(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "socket.connect" and isinstance(arguments[1], tuple):
        host = arguments[1][0]
        if host not in _allowed_hosts():
            raise PermissionError(f"A test tried to reach {host}. Tests talk to this machine only.")


sys.addaudithook(_refuse_outside)


compiled.share()

# A test makes many objects and keeps few: looked through every 700, as Python does, they cost a fifth of the time.
gc.set_threshold(20_000, 10, 10)


def pytest_collection_finish() -> None:
    """What is loaded by now stays until the end: the collector need not go through it again and again."""
    gc.collect()
    gc.freeze()


# -- servers: one pair per run, started by the process that outlives the others ------------------------------


class _Run:
    """The servers of this run, and the names of its databases."""

    def __init__(self) -> None:
        self._held = ExitStack()
        self.folder = self._held.enter_context(scratch.folder())
        given = {"EW_DATABASE_URL": "TEST_DATABASE_URL", "EW_REDIS_URL": "TEST_REDIS_URL"}
        env = {name: os.environ[source] for name, source in given.items() if os.environ.get(source)}
        env |= {"EW_DATA_DIR": str(self.folder), "EW_SECRET_KEY": "a key for tests only"}
        settings = load_settings(env)
        self._servers = Servers(settings, fast=True)

    def start(self) -> dict[str, str]:
        ready = self._held.enter_context(self._servers)
        return {
            "database": str(ready.database_url),
            "redis": str(ready.redis_url),
            "folder": str(self.folder),
            "name": f"ewtest_{os.getpid()}",
        }

    def stop(self, addresses: dict[str, str]) -> None:
        if os.environ.get("TEST_DATABASE_URL"):
            _drop_all(addresses)
        self._held.close()


_run: _Run | None = None
_addresses: dict[str, str] = {}


def _started() -> dict[str, str]:
    """This run's addresses, starting the servers on the first call."""
    global _run
    if not _addresses:
        _run = _Run()
        _addresses.update(_run.start())
    return _addresses


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """In the xdist controller: workers get the addresses, so the servers outlive every worker."""
    node.workerinput[RUN] = _started()


def pytest_configure(config: pytest.Config) -> None:
    _addresses.update(getattr(config, "workerinput", {}).get(RUN, {}))


def pytest_unconfigure() -> None:
    if _run:
        _run.stop(_addresses)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--deep", action="store_true", help="run the large counts as well")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Large counts run only when asked for. Until then they are left out, not skipped."""
    if config.getoption("--deep"):
        return
    deep = [item for item in items if item.get_closest_marker("deep")]
    if deep:
        config.hook.pytest_deselected(items=deep)
        items[:] = [item for item in items if not item.get_closest_marker("deep")]


class _ByRoom(LoadScopeScheduling):
    """Tests of a file share what the file builds; those of these rooms a running system or servers of their own.

    Files with few long tests that need little in common are handed out one by one, at the end: no worker is left alone.
    """

    rooms = ("browser", "cli", "durability")
    one_by_one = ("tests/web/test_access.py", "tests/services/test_flagging.py", "tests/services/test_known_at.py")

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        if file in self.one_by_one:
            return nodeid
        room = file.split("/")[1]
        return room if room in self.rooms else file


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadScopeScheduling | None:
    """With --dist=loadfile: who shares a world stays with one worker."""
    return _ByRoom(config, log) if config.getvalue("dist") == "loadfile" else None


# -- databases -----------------------------------------------------------------------------------------------


def _at(url: str, database: str) -> str:
    return urlunsplit(urlsplit(url)._replace(path=f"/{database}"))


def _name(url: str) -> str:
    return urlsplit(url).path.strip("/")


_line: list[psycopg.Connection] = []  # to the server, kept open: each test makes a database and drops it


def _on_server(addresses: dict[str, str], statement: str, **names: str) -> None:
    words = {key: sql.Identifier(name) for key, name in names.items()}
    if not _line or _line[0].closed:
        _line[:] = [psycopg.connect(addresses["database"], autocommit=True)]
    _line[0].execute(sql.SQL(statement).format(**words))


def pytest_sessionfinish() -> None:
    for line in _line:
        line.close()


def _copy(addresses: dict[str, str], origin: str, name: str) -> None:
    """A new database that holds what another holds, to which nobody may be connected."""
    statement = "CREATE DATABASE {name} TEMPLATE {origin} STRATEGY FILE_COPY"
    _on_server(addresses, statement, name=name, origin=origin)


def _drop_all(addresses: dict[str, str]) -> None:
    with psycopg.connect(addresses["database"], autocommit=True) as connection:
        found = connection.execute(
            "SELECT datname FROM pg_database WHERE starts_with(datname, %s)", [addresses["name"]]
        )
        for (name,) in found.fetchall():
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def _migrate(url: str) -> None:
    from sqlalchemy import create_engine

    from models.migrate import upgrade

    engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://", 1))
    upgrade(engine)
    engine.dispose()


@pytest.fixture(scope="session")
def template() -> str:
    """Name of a migrated, empty database. The first worker that asks makes it, the others wait."""
    addresses = _started()
    name = f"{addresses['name']}_template"
    with (Path(addresses["folder"]) / "template.lock").open("a+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        lock.seek(0)
        if not lock.read():
            _on_server(addresses, "CREATE DATABASE {name}", name=name)
            _migrate(_at(addresses["database"], name))
            lock.write("made")
    return name


_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def new_address(worker: str) -> Callable[[], str]:
    """A function that returns the address of a database that is still to be made."""
    addresses = _started()
    return lambda: _at(addresses["database"], f"{addresses['name']}_{worker}_{next(_numbers)}")


@pytest.fixture(scope="session")
def new_database(template: str, new_address: Callable[[], str]) -> Callable[[], str]:
    """A function that makes a migrated, empty database (20 to 40 ms) and returns its address."""

    def make() -> str:
        url = new_address()
        _copy(_started(), template, _name(url))
        return url

    return make


@pytest.fixture(scope="session")
def drop_database() -> Callable[[str], None]:
    """A function that drops a database made by `new_database`, whoever is still connected."""
    addresses = _started()
    return lambda url: _on_server(addresses, "DROP DATABASE IF EXISTS {name} WITH (FORCE)", name=_name(url))


@pytest.fixture(scope="session")
def built_once(new_database: Callable[[], str], drop_database: Callable[[str], None]) -> Callable[..., Any]:
    """A function: settings, and what builds a world on the open application -> what it returned.

    The world stands in the settings' own database afterwards. Only the first test of this worker that asks builds
    it; the others get a copy of its database in place of theirs, which takes a tenth of the time.
    """
    built: dict[tuple[Any, date | None], tuple[str, Any]] = {}

    def build(settings: Settings, world: Callable[[], Any]) -> Any:
        key = world, settings.today
        if key not in built:
            url = new_database()
            with on(replace(settings, database_url=url)):
                built[key] = url, world()
        origin, made = built[key]
        own = str(settings.database_url)
        drop_database(own)
        _copy(_started(), _name(origin), _name(own))
        return deepcopy(made)

    return build


@pytest.fixture(scope="session")
def worker_database_url(new_database: Callable[[], str]) -> str:
    """One migrated database for this whole worker: what one test commits, the next one sees."""
    return new_database()


@pytest.fixture
def database_url(
    request: pytest.FixtureRequest,
    new_address: Callable[[], str],
    new_database: Callable[[], str],
    drop_database: Callable[[str], None],
) -> Iterator[str]:
    """A migrated, empty database of this test's own. Commit freely; it is dropped afterwards.

    Where a world is to be copied into its place (`built_once`), there is none until then.
    """
    url = new_address() if "built_once" in request.fixturenames else new_database()
    yield url
    drop_database(url)


@pytest.fixture(scope="session")
def redis_url(worker: str) -> str:
    """A numbered Redis database of this worker's own, empty at first."""
    number = 1 + int(worker.removeprefix("gw") or 0) if worker.startswith("gw") else 0
    return _at(_started()["redis"], str(number))


@pytest.fixture(scope="session")
def worker(request: pytest.FixtureRequest) -> str:
    """gw0, gw1, ... under xdist, else `alone`."""
    return str(getattr(request.config, "workerinput", {}).get("workerid", "alone"))


@pytest.fixture
def data_dir() -> Iterator[Path]:
    """An empty data folder that servers can use even when they are another user, as they are under root."""
    with scratch.folder() as folder:
        yield folder


@pytest.fixture
def settings(database_url: str, redis_url: str, tmp_path: Path) -> Settings:
    """Settings on servers that run, with a database and a data folder of this test's own."""
    return load_settings(
        {
            "EW_DATABASE_URL": database_url,
            "EW_REDIS_URL": redis_url,
            "EW_DATA_DIR": str(tmp_path / "data"),
            "EW_SECRET_KEY": "a key for tests only",
        }
    )


@pytest.fixture
def app(settings: Settings) -> Iterator[Flask]:
    """The product's own application on a fresh database, its context open."""
    from ew_app.factory import create_app

    made = create_app(settings)
    with made.app_context():
        yield made
        db.session.remove()
        db.engine.dispose()
