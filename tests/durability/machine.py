"""A machine for breaking: real servers of its own, and real workers that may be killed at any moment.

The servers are durable ones, as in use: what was committed must survive their ends too.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg
import redis
from psycopg import sql

from ew_app.config import Settings, load_settings
from ew_app.local import Servers
from models import migrate
from models.base import db
from tests.durability.nursery import Nursery
from tests.opened import on

TODAY = "2026-11-20"
PATIENCE = 120


class Machine:
    """PostgreSQL and Valkey of a test's own, and as many databases on them as it needs."""

    def __init__(self, folder: Path) -> None:
        env = {"EW_DATA_DIR": str(folder), "EW_SECRET_KEY": "a key for tests only", "EW_TODAY": TODAY}
        self._servers = Servers(load_settings(env))
        self._held = ExitStack()
        self._made = 0
        self.ready: Settings

    def __enter__(self) -> Machine:
        self.ready = self._held.enter_context(self._servers)
        self._nursery = self._held.enter_context(Nursery())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._held.close()

    def empty(self) -> Settings:
        """Settings on a migrated database without rows."""
        self._made += 1
        name = f"empty{self._made}"
        made = self._settings(name)
        self._on_server("CREATE DATABASE {name}", name=name)
        with on(made):
            migrate.upgrade(db.engine)
        return made

    def copy(self, of: Settings) -> Settings:
        """Settings on a copy of a database, with a part of the broker of its own. Nobody may use the original."""
        self._made += 1
        name = f"copy{self._made}"
        self._on_server("CREATE DATABASE {name} TEMPLATE {of}", name=name, of=_database(of))
        self._on_server("CHECKPOINT")  # else a crash would set the copied sequences back: PostgreSQL logs them ahead
        return self._settings(name, self._made % 60)

    def start_worker(self, settings: Settings, *, concurrency: int = 1) -> Worker:
        log = settings.folder("logs") / "worker.log"
        return Worker(self._nursery.start(settings.environment() | {"EW_TODAY": TODAY}, log, concurrency))

    @contextmanager
    def working(self, settings: Settings, *, concurrency: int = 1) -> Iterator[Worker]:
        """A worker while the block runs; killed at its end, as nothing here depends on an orderly one."""
        worker = self.start_worker(settings, concurrency=concurrency)
        try:
            yield worker
        finally:
            worker.kill()

    def drop(self, copy: Settings) -> None:
        self._on_server("DROP DATABASE {name} WITH (FORCE)", name=_database(copy))

    def restart_database(self, how: signal.Signals) -> float:
        """End PostgreSQL (SIGINT: fast, SIGQUIT: immediate) and start it again; seconds until it answers."""
        began = time.monotonic()
        server = self._servers._servers["database"]
        assert server.process
        server.process.send_signal(how)
        server.process.wait(PATIENCE)
        assert self._servers.mend() == ["database"]
        return time.monotonic() - began

    def stop_broker(self) -> None:
        server = self._servers._servers["redis"]
        assert server.process
        server.process.kill()
        server.process.wait()

    def start_broker(self) -> None:
        assert self._servers.mend() == ["redis"]

    @contextmanager
    def broker_hangs(self) -> Iterator[None]:
        """While the block runs the broker takes connections and answers nothing."""
        server = self._servers._servers["redis"]
        assert server.process
        server.process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            server.process.send_signal(signal.SIGCONT)

    def broker(self) -> redis.Redis:
        """A connection to the broker itself; close it."""
        return redis.Redis.from_url(str(self.ready.redis_url))

    def _settings(self, name: str, queue: int = 0) -> Settings:
        address, broker = urlsplit(str(self.ready.database_url)), urlsplit(str(self.ready.redis_url))
        return replace(
            self.ready,
            database_url=urlunsplit(address._replace(path=f"/{name}")),
            redis_url=urlunsplit(broker._replace(path=f"/{queue}")),
        )

    def _on_server(self, statement: str, **names: str) -> None:
        words = {key: sql.Identifier(name) for key, name in names.items()}
        with psycopg.connect(str(self.ready.database_url), autocommit=True) as line:
            line.execute(sql.SQL(statement).format(**words))


class Worker:
    """A worker as processes of its own, and its end."""

    def __init__(self, pid: int) -> None:
        self.pid = pid

    def kill(self) -> None:
        """SIGKILL to the worker and its children: nothing of it can say goodbye."""
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        wait_until(lambda: not self.lives(), what="the end of a killed worker")

    def lives(self) -> bool:
        return Path(f"/proc/{self.pid}").exists()

    def kill_child(self) -> None:
        """SIGKILL to the one child that does the work; the worker itself lives."""
        os.kill(self.children()[0], signal.SIGKILL)

    def children(self) -> list[int]:
        """Process ids of the pool, in the order of their start."""
        return children(self.pid)


def children(of: int) -> list[int]:
    """Process ids of a process's children, whichever of its threads started them."""
    found: list[int] = []
    for path in Path(f"/proc/{of}/task").glob("*/children"):
        with suppress(OSError):  # the thread has just ended
            found += map(int, path.read_text().split())
    return found


def ask(settings: Settings, query: str, *values: Any) -> list[tuple[Any, ...]]:
    """The rows of a query, on a connection of its own; an UPDATE is committed."""
    with psycopg.connect(str(settings.database_url)) as line:
        cursor = line.execute(query, values)
        return cursor.fetchall() if cursor.description else []


def wait_until(true: Callable[[], Any], *, what: str, seconds: float = PATIENCE) -> float:
    """Seconds waited until `true()` is so. TimeoutError, with what was waited for, if it never is."""
    began = time.monotonic()
    while not true():
        if time.monotonic() - began > seconds:
            raise TimeoutError(f"waited {seconds:.0f} s for {what}")
        time.sleep(0.02)
    return time.monotonic() - began


def _database(settings: Settings) -> str:
    return urlsplit(str(settings.database_url)).path.strip("/")
