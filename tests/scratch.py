"""Where the servers of a test run keep their files."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

MEMORY = Path("/dev/shm")
ROOM = 3 << 30  # bytes: several times what a run has at once
NAME, OWNER = "early-warning-test-", "owner"


@contextmanager
def folder() -> Iterator[Path]:
    """An empty folder that servers can use even when they are another user, as they are under root.

    In memory where there is room: a copy of a database is hundreds of small files, and writing them to a disk
    takes up to ten times as long. A TMPDIR of yours is used instead.
    """
    memory = MEMORY if _is_roomy(MEMORY) else None
    if memory:
        _clear_up(memory)
    made = Path(tempfile.mkdtemp(prefix=NAME, dir=memory))
    made.chmod(0o711)
    inside = made / "files"
    inside.mkdir(mode=0o711)
    try:
        with (made / OWNER).open("w") as owner:
            fcntl.flock(owner, fcntl.LOCK_EX)
            yield inside
    finally:
        shutil.rmtree(made, ignore_errors=True)


def _is_roomy(memory: Path) -> bool:
    """Whether programs may be kept there and run, and a whole run fits."""
    if "TMPDIR" in os.environ or not (memory.is_dir() and os.access(memory, os.W_OK)):
        return False
    return not os.statvfs(memory).f_flag & os.ST_NOEXEC and shutil.disk_usage(memory).free >= ROOM


def _clear_up(memory: Path) -> None:
    """Give back the memory of runs that were killed: nobody holds the lock of their folders."""
    for left in memory.glob(f"{NAME}*/{OWNER}"):
        with suppress(OSError), left.open("a") as owner:
            fcntl.flock(owner, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(left.parent, ignore_errors=True)
