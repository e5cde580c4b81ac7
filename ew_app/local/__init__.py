"""The servers of one machine: PostgreSQL and Valkey, started for a command and ended with it.

`with Servers(load_settings()) as settings:` gives settings whose addresses answer. Servers that are set by
address are used as they are. The first command on a data folder starts the missing ones and owns them; a
second command (`ew load` beside `ew up`) joins; the owner, when done, waits for its guests before it ends
the servers.
"""

from __future__ import annotations

import dataclasses
import fcntl
import json
import os
import time
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import IO

from ew_app import config, data_folder
from ew_app.config import Settings
from ew_app.local.child import LocalError, ends_with_parent
from ew_app.local.postgres import Postgres
from ew_app.local.valkey import Valkey

__all__ = ["LocalError", "Servers", "ends_with_parent"]

JOIN_SECONDS = 30


class Servers:
    """Makes the servers in `settings` answer. `fast` is for tests: nothing survives a crash."""

    def __init__(self, settings: Settings, *, fast: bool = False, wait_for_guests: float = 3600) -> None:
        self.given = settings
        self.owned = False
        self._fast = fast
        self._wait_for_guests = wait_for_guests
        self._held = ExitStack()
        self._servers: dict[str, Postgres | Valkey] = {}

    def __enter__(self) -> Settings:
        """Settings with both addresses and the secret key filled in. Raises LocalError, ConfigError."""
        if not (self.given.database_url and self.given.redis_url):
            self._make_ready()
        started = {name: server.url() for name, server in self._servers.items()}
        return dataclasses.replace(
            self.given,
            database_url=started.get("database", self.given.database_url),
            redis_url=started.get("redis", self.given.redis_url),
            secret_key=config.secret_key(self.given) if self.given.embedded else self.given.secret_key,
        )

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """The owner ends the servers; a guest just leaves."""
        with self._held:
            if self.owned:
                with self._lock("gate"):  # newcomers wait here, then start servers of their own
                    self._stop()

    def mend(self) -> list[str]:
        """Starts again, at the same address, what ended unasked. Returns the names; for the owner only."""
        ended = {name: server.process and server.process.poll() for name, server in self._servers.items()}
        dead = [name for name, status in ended.items() if status is not None]
        for name in dead:
            self._servers[name].start(self._servers[name].port)
        return dead

    def _make_ready(self) -> None:
        try:
            self._servers = self._missing()
            with self._lock("gate"):
                self._start_or_join()
        except PermissionError as error:
            raise LocalError(
                f"{error.filename} belongs to another user; perhaps `ew` ran as root before. "
                "Run it as that user, or set EW_DATA_DIR to a folder of your own."
            ) from error

    def _missing(self) -> dict[str, Postgres | Valkey]:
        home = data_folder.make(self.given.data_dir)
        password = data_folder.private_word(home / "server_password")
        servers: dict[str, Postgres | Valkey] = {}
        if not self.given.database_url:
            servers["database"] = Postgres(home / "postgres", password=password, fast=self._fast)
        if not self.given.redis_url:
            servers["redis"] = Valkey(home / "valkey-data", password=password, fast=self._fast)
        return servers

    def _start_or_join(self) -> None:
        owner = self._try_lock("owner", fcntl.LOCK_EX)
        if owner is None:
            self._held.enter_context(self._lock("guests", fcntl.LOCK_SH))
            self._join()
            return
        self._held.enter_context(owner)
        self.owned = True
        try:
            self._start()
        except BaseException:
            self._stop()
            self._held.close()
            raise

    def _start(self) -> None:
        ports = self._ports()
        for name, server in self._servers.items():
            server.start(ports.get(name))
        self._note.write_text(
            json.dumps({"owner": os.getpid()} | {name: server.port for name, server in self._servers.items()})
        )

    def _join(self) -> None:
        deadline = time.monotonic() + JOIN_SECONDS
        while time.monotonic() < deadline:
            ports = self._ports()
            for name, server in self._servers.items():
                server.port = ports.get(name, 0)
            if all(server.port and server.answers() for server in self._servers.values()):
                return
            time.sleep(0.2)
        raise LocalError(
            f"Another command uses {self.given.data_dir} but its servers do not answer. End it and try again."
        )

    def _stop(self) -> None:
        try:
            self._wait()
        finally:
            for server in reversed(self._servers.values()):
                server.stop()
            self.owned = False

    def _wait(self) -> None:
        deadline = time.monotonic() + self._wait_for_guests
        while (guests := self._try_lock("guests", fcntl.LOCK_EX)) is None and time.monotonic() < deadline:
            time.sleep(0.1)
        if guests:
            guests.close()

    @property
    def _note(self) -> Path:
        return self.given.data_dir / "servers.json"

    def _ports(self) -> dict[str, int]:
        """Where the servers are, or were last time. Empty if unknown."""
        try:
            return dict(json.loads(self._note.read_text()))
        except (OSError, ValueError):
            return {}

    def _lock(self, name: str, kind: int = fcntl.LOCK_EX) -> IO[str]:
        """The lock `name`, waited for. Closing the file lets go of it; so does the end of the process."""
        file = (self.given.data_dir / f".{name}.lock").open("a")
        fcntl.flock(file, kind)
        return file

    def _try_lock(self, name: str, kind: int) -> IO[str] | None:
        file = (self.given.data_dir / f".{name}.lock").open("a")
        try:
            fcntl.flock(file, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            return None
        return file
