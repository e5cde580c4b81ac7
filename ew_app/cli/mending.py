"""Errors of a command that a person can mend, each as the sentence to print."""

from __future__ import annotations

from ew_app.config import ConfigError
from ew_app.feeds.refused import RefusedFile
from ew_app.kernel import SENTENCES
from ew_app.local import LocalError
from ew_app.services.system.health import DatabaseAway

MENDABLE: tuple[type[Exception], ...] = (ConfigError, LocalError, RefusedFile, *SENTENCES)


def sentence(error: Exception) -> str | None:
    """What to tell whoever ran the command; None for an error that is ours to mend."""
    if isinstance(error, MENDABLE):
        return str(error)
    if isinstance(error, DatabaseAway):
        first = str(error.orig or error).strip().partition("\n")[0]
        return f"The database does not answer as it should: {first}. `ew doctor` says more."
    return None
