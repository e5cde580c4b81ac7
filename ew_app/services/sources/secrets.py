"""Secrets of sources: never in the database, never in a log. A location holds the name, the environment the value.

As with EW_SECRET_KEY, NAME holds the value or NAME_FILE the path of a file that does. Only names that begin with
EW_SOURCE_ can be asked for: nobody who may set up a source gets at the system's own secrets by naming them. And what
is sent to a server goes only to those that NAME_HOST names: nobody who may set up a source can have it sent elsewhere.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Final

from ew_app.config import SOURCE_SECRETS
from ew_app.kernel import Refused
from ew_app.services.sources.fetching import CannotFetch

PREFIX: Final = SOURCE_SECRETS
LONGEST: Final = 64 << 10
_NAME: Final = re.compile(PREFIX + r"[A-Z0-9_]{1,80}")


def is_name(text: str) -> bool:
    """Whether it is the name of a secret, and so not one itself."""
    return bool(_NAME.fullmatch(text)) and not text.endswith(("_FILE", "_HOST"))


def checked_name(name: str) -> str:
    """The name of a secret, fit to be kept. Raises Refused; the sentence does not repeat what was typed."""
    name = name.strip()
    if not is_name(name):
        raise Refused(
            f"Give the name of the environment variable that holds the secret, such as {PREFIX}ASPEN_PASSWORD: capital "
            f"letters, digits and _, beginning with {PREFIX}, and not ending in _FILE or _HOST. Never type the secret "
            "itself here; nothing was kept."
        )
    return name


def secret(name: str) -> str:
    """The value behind a name. Raises CannotFetch when there is none; it is looked for at every use."""
    if value := os.environ.get(name, "").strip("\r\n"):
        return value
    path = os.environ.get(f"{name}_FILE", "").strip()
    if not path:
        raise CannotFetch(
            f"The secret {name} is not set. Set it, or {name}_FILE with the path of a file that holds it, for the web "
            "and every worker, and start them again."
        )
    return _text_of(name, Path(path))


def secret_for(name: str, *hosts: str) -> str:
    """The value behind a name, to be sent to these hosts. CannotFetch unless NAME_HOST names each of them."""
    value = secret(name)
    allowed = {host.strip().lower() for host in os.environ.get(f"{name}_HOST", "").split(",")}
    if strange := next((host for host in hosts if host.lower() not in allowed), None):
        raise CannotFetch(
            f"The secret {name} may not be sent to {strange}. If it belongs there, set {name}_HOST={strange} for the "
            "web and every worker, and start them again.",
            again=False,
        )
    return value


def _text_of(name: str, path: Path) -> str:
    try:
        with path.open("rb") as file:
            value = file.read(LONGEST).decode("utf-8").strip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not text"
        raise CannotFetch(f"{name}_FILE names {path}, which cannot be read: {why}.") from error
    if not value:
        raise CannotFetch(f"{name}_FILE names {path}, which is empty.")
    return value
