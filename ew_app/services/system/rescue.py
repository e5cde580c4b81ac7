"""A backup that proves itself, and its way back: one folder with the whole database and a manifest.

The manifest holds the hash of the dump, the rows of every table in the very snapshot that was dumped, and the
head of the audit's chain. The secret key is not in it: whoever finds a backup cannot sign in with it.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import psycopg
from psycopg import Connection, IsolationLevel, sql

from ew_app.kernel import OPERATOR, Refused, now, operation, record, settings
from ew_app.local import clients
from ew_app.services.system import audit, upkeep
from ew_app.services.system.audit import Verdict
from models import migrate
from models.base import db

DUMP: Final = "database.dump"
MANIFEST: Final = "manifest.json"
PASSING: Final = ("alembic_version", "beat", "job_run", "outbox")  # what a fresh installation may have written
_BLOCK: Final = 1 << 20
_TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename"


@dataclass(frozen=True, slots=True)
class Backup:
    """A backup as its manifest tells it."""

    folder: Path
    made_at: str
    revision: str
    postgres: int
    sha256: str
    size: int
    rows: dict[str, int]
    audit_head: str

    @property
    def students(self) -> int:
        return self.rows.get("student", 0)


def backup(folder: Path) -> Backup:
    """Save the whole database into a new folder. Refused if anything is there; on an error nothing stays."""
    _make_folder(folder)
    audit.seal()
    try:
        made = _save(folder)
    except BaseException:
        shutil.rmtree(folder)
        raise
    _note("backup_made", made)
    return made


def restore(folder: Path) -> Verdict:
    """Bring a backup into an empty database and check it: hash, row counts, audit. Refused with nothing changed."""
    kept = read(folder)
    _check_whole(kept)
    with _line() as line:
        _check_empty(line)
        version = _major(line)
        line.execute("SET lock_timeout = '10s'")
        line.execute("DROP SCHEMA IF EXISTS bi CASCADE")
        line.execute("DROP SCHEMA public CASCADE")
        line.execute("CREATE SCHEMA public")
    program = clients.client("pg_restore", at_least=max(version, kept.postgres))
    words = ["--dbname", _database(), "--single-transaction", "--exit-on-error", "--no-owner", "--no-privileges"]
    clients.run(program, [*words, folder / DUMP], url=_url(), failing="The backup could not be brought back:")
    _check_counts(kept)
    upkeep.upgrade()
    _note("backup_restored", kept)
    return audit.verify(kept.audit_head if kept.rows.get("audit_seal") else None)


def read(folder: Path) -> Backup:
    """The manifest of a backup. Refused when there is none or this version cannot use it."""
    try:
        told: dict[str, Any] = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        kept = Backup(folder=folder, **told)
    except (OSError, ValueError, TypeError) as error:
        raise Refused(f"{folder} is not a backup: {MANIFEST} is not there or cannot be read.") from error
    if kept.revision not in migrate.known():
        raise Refused(f"The backup was made by a newer version (tables {kept.revision}). Install that version first.")
    return kept


def _make_folder(folder: Path) -> None:
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise Refused(f"{folder} is not empty. A backup is never written over anything; name a new folder.")
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)


def _save(folder: Path) -> Backup:
    """Dump and count in one snapshot; the manifest comes last, so that half a backup is none."""
    with psycopg.connect(_url()) as line:
        line.isolation_level = IsolationLevel.REPEATABLE_READ
        line.read_only = True
        snapshot = _one(line, "SELECT pg_export_snapshot()")
        version, rows = _major(line), _counts(line)
        head = _one(line, "SELECT position || ':' || hash FROM audit_seal ORDER BY position DESC LIMIT 1")
        program = clients.client("pg_dump", at_least=version)
        words = ["--format=custom", f"--snapshot={snapshot}", "--no-password", f"--file={folder / DUMP}"]
        clients.run(program, words, url=_url(), failing="The database could not be saved:")
    (folder / DUMP).chmod(0o600)
    revision = migrate.revision(db.engine) or ""
    told: dict[str, Any] = {
        "made_at": now().isoformat(timespec="seconds"),
        "revision": revision,
        "postgres": version,
        "sha256": _sha256(folder / DUMP),
        "size": (folder / DUMP).stat().st_size,
        "rows": rows,
        "audit_head": head or audit.head(),
    }
    (folder / MANIFEST).write_text(json.dumps(told, indent=2) + "\n", encoding="utf-8")
    (folder / MANIFEST).chmod(0o600)
    return Backup(folder=folder, **told)


def _check_whole(kept: Backup) -> None:
    dump = kept.folder / DUMP
    if not dump.is_file():
        raise Refused(f"{dump} is missing; the backup is not complete.")
    if dump.stat().st_size != kept.size or _sha256(dump) != kept.sha256:
        raise Refused(f"{dump} is not what was saved: its hash differs from the manifest. Use another backup.")


def _check_empty(line: Connection[Any]) -> None:
    used = [table for table, rows in _counts(line).items() if rows and table not in PASSING]
    if used:
        raise Refused(
            f"The database is not empty (there are rows in {', '.join(used[:3])}). A backup is restored into an "
            "empty one only: name a new EW_DATA_DIR, or an empty database in EW_DATABASE_URL."
        )


def _check_counts(kept: Backup) -> None:
    with _line() as line:
        found = _counts(line)
    wrong = [table for table, rows in kept.rows.items() if found.get(table) != rows]
    if wrong:
        raise Refused(f"The rows of {', '.join(wrong)} are not as many as were saved. Do not use this database.")


@operation
def _note(kind: str, made: Backup) -> None:
    record(kind, by=OPERATOR, subject="database", sha256=made.sha256, made_at=made.made_at)


@contextmanager
def _line() -> Iterator[Connection[Any]]:
    """A connection of its own, outside any session, each statement by itself."""
    db.session.remove()
    db.engine.dispose()
    with psycopg.connect(_url(), autocommit=True) as line:
        yield line


def _counts(line: Connection[Any]) -> dict[str, int]:
    """Rows of every table."""
    tables = [name for (name,) in line.execute(_TABLES)]
    return {
        name: int(_one(line, sql.SQL("SELECT count(*) FROM public.{}").format(sql.Identifier(name)))) for name in tables
    }


def _one(line: Connection[Any], query: Any) -> Any:
    row = line.execute(query).fetchone()
    return row[0] if row else None


def _major(line: Connection[Any]) -> int:
    return line.info.server_version // 10_000


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def _url() -> str:
    return str(settings().database_url)


def _database() -> str:
    return str(psycopg.conninfo.conninfo_to_dict(_url()).get("dbname", ""))
