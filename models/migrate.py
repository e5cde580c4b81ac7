"""Bring a database to this version's tables, and say where it stands."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, text

HERE = Path(__file__).parent / "migrations"
LOCK = 7302


def config(engine: Engine | None = None) -> Config:
    """Alembic's settings; there is no alembic.ini."""
    settings = Config()
    settings.set_main_option("script_location", str(HERE))
    settings.attributes["engine"] = engine
    return settings


def heads() -> list[str]:
    """The newest revisions; more than one is a mistake the tests catch."""
    return list(ScriptDirectory.from_config(config()).get_heads())


def known() -> frozenset[str]:
    """Every revision this version can bring up to date."""
    return frozenset(step.revision for step in ScriptDirectory.from_config(config()).walk_revisions())


def revision(engine: Engine) -> str | None:
    """The revision the database is at; None when it is empty."""
    with engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def upgrade(engine: Engine) -> None:
    """Apply what is missing; two processes starting at once take turns."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as guard:
        guard.execute(text("SELECT pg_advisory_lock(:lock)"), {"lock": LOCK})
        try:
            command.upgrade(config(engine), "head")
        finally:
            guard.execute(text("SELECT pg_advisory_unlock(:lock)"), {"lock": LOCK})
