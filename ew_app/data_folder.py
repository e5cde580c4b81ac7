"""The folder on disk where this installation keeps what is not in the database."""

from __future__ import annotations

import os
import secrets
import stat
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ELSEWHERE = Path("/var/lib/early-warning")


def default() -> Path:
    """`var/` in the checkout, wherever the command is called from; for an installed package, right here."""
    return (ROOT if (ROOT / "dev.py").exists() else Path.cwd()) / "var"


def reachable(path: Path) -> Path:
    """`path`, or as root a stand-in under /var/lib when other users cannot get to `path`.

    PostgreSQL refuses to run as root, so the server is another user and must reach its own files.
    """
    if not is_root() or reachable_by_others(path):
        return path
    return ELSEWHERE / str(path).strip("/").replace("/", "-")


def reachable_by_others(path: Path) -> bool:
    """Another user may pass every folder on the way to `path`, and `path` itself if it exists."""
    steps = [step for step in (path, *path.parents) if step.is_dir()]
    return all(step.stat().st_mode & stat.S_IXOTH for step in steps)


def make(path: Path) -> Path:
    """Makes the data folder, closed to others (as root: passable). One that exists stays as it is."""
    if not path.exists():
        path.mkdir(parents=True, exist_ok=True)
        path.chmod(0o711 if is_root() else 0o700)
    return path


def private_word(path: Path) -> str:
    """A random word kept in `path`, readable by its owner only; made on the first call, then the same."""
    while not path.exists():
        draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(secrets.token_urlsafe(32) + "\n")
        try:
            os.link(draft, path)
        except FileExistsError:
            continue  # another process was first: its word is the one that counts
        finally:
            draft.unlink()
    return path.read_text(encoding="ascii").strip()


def is_root() -> bool:
    return hasattr(os, "geteuid") and os.geteuid() == 0
