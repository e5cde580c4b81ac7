"""Starting a process that never outlives us, as another user where it must, and reading its last words."""

from __future__ import annotations

import ctypes
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from ew_app import data_folder

PR_SET_PDEATHSIG = 1
LARGEST_LOG = 5_000_000
LINUX = sys.platform.startswith("linux")
_libc = ctypes.CDLL(None, use_errno=True) if LINUX else None


class LocalError(Exception):
    """A server on this machine cannot be started or reached; the text says why and what to do."""


def ends_with_parent(signum: int) -> Callable[[], None] | None:
    """A `preexec_fn` by which Linux sends `signum` to the child when we end, even by SIGKILL.

    The kernel watches the thread that starts the child, so start children from a thread that lasts.
    Elsewhere there is no such call: a survivor is found and ended by the next start.
    """
    if _libc is None:
        return None
    parent = os.getpid()

    def ask_kernel() -> None:
        _libc.prctl(PR_SET_PDEATHSIG, signum)
        if os.getppid() != parent:  # we ended between the fork and the call above
            os._exit(1)

    return ask_kernel


def server_user() -> str | None:
    """Who runs the servers: `nobody` when we are root (PostgreSQL refuses root), else ourselves (None)."""
    if not data_folder.is_root():
        return None
    try:
        return pwd.getpwnam("nobody").pw_name
    except KeyError:
        raise LocalError(
            "PostgreSQL does not run as root and this machine has no user named nobody. "
            "Start as an ordinary user, or set EW_DATABASE_URL."
        ) from None


def start(command: Sequence[str | Path], *, log: Path) -> subprocess.Popen[bytes]:
    """Starts a server in its own session, so that Ctrl-C reaches us first and we end it in order."""
    if log.exists() and log.stat().st_size > LARGEST_LOG:
        log.replace(log.with_suffix(".old"))
    with log.open("ab") as output:
        return subprocess.Popen(
            [str(word) for word in command],
            cwd="/",
            env=_environment(),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=ends_with_parent(signal.SIGINT),
            **_identity(),
        )


def run(command: Sequence[str | Path], *, failing: str) -> None:
    """Runs a short command as the server's user. Raises LocalError with the sentence and its output."""
    done = subprocess.run(
        [str(word) for word in command],
        cwd="/",
        env=_environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
        **_identity(),
    )
    if done.returncode:
        raise LocalError(f"{failing}\n{_last_lines(done.stdout)}")


def stop(process: subprocess.Popen[bytes], *, patience: float) -> None:
    """Ends our child in order; after `patience` seconds without mercy."""
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
    try:
        process.wait(patience)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def wait_until_it_answers(
    process: subprocess.Popen[bytes], answers: Callable[[], bool], *, name: str, log: Path, seconds: float
) -> None:
    """Returns when `answers()` is true. Raises LocalError with the end of the log if it never is."""
    deadline = time.monotonic() + seconds
    for pause in _pauses():
        if answers():
            return
        if process.poll() is not None:
            raise LocalError(f"{name} ended while starting. The end of {log} says:\n{tail(log)}")
        if time.monotonic() > deadline:
            stop(process, patience=5)
            raise LocalError(f"{name} did not answer in {seconds:.0f} s. The end of {log} says:\n{tail(log)}")
        time.sleep(pause)


def command_line(pid: int) -> str:
    """The command line of a process; empty if there is no such process."""
    if LINUX:
        try:
            return Path(f"/proc/{pid}/cmdline").read_text(errors="replace").replace("\0", " ")
        except OSError:
            return ""
    shown = ["ps", "-ww", "-o", "command=", "-p", str(pid)]
    return subprocess.run(shown, capture_output=True, text=True, check=False).stdout


def tail(log: Path) -> str:
    """The last lines of a log, indented."""
    try:
        return _last_lines(log.read_text(encoding="utf-8", errors="replace"))
    except OSError as error:
        return f"  (the log cannot be read: {error})"


def own_folder(path: Path) -> Path:
    """A folder that the server's user owns and nobody else may enter."""
    path.mkdir(mode=0o700, exist_ok=True)
    give(path)
    return path


def give(path: Path) -> None:
    """Makes the server's user the owner of a file or folder."""
    if user := server_user():
        account = pwd.getpwnam(user)
        os.chown(path, account.pw_uid, account.pw_gid)


def within_reach(program: Path, *, shelter: Path, needs: Sequence[Path]) -> Path:
    """`program`, or a copy under `shelter` if the server's user cannot get to it.

    `needs` are the folders to copy; they keep their places relative to each other, because the program
    finds its libraries by a path relative to itself.
    """
    if server_user() is None or data_folder.reachable_by_others(program.parent):
        return program
    common = Path(os.path.commonpath(needs)) if len(needs) > 1 else needs[0].parent
    if not shelter.exists():
        draft = shelter.with_name(f".{shelter.name}.{os.getpid()}")
        shutil.rmtree(draft, ignore_errors=True)
        for folder in needs:
            shutil.copytree(folder, draft / folder.relative_to(common), symlinks=True)
        for place, _, _ in os.walk(draft):
            Path(place).chmod(0o755)
        draft.rename(shelter)
    return shelter / program.relative_to(common)


def free_port(preferred: int | None) -> int:
    """A free loopback port: the preferred one if it is free, so that addresses survive a restart."""
    for port in (preferred or 0, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise LocalError("No free port on 127.0.0.1.")


def _identity() -> dict[str, Any]:
    user = server_user()
    if user is None:
        return {}
    return {"user": user, "group": pwd.getpwnam(user).pw_gid, "extra_groups": []}


def _environment() -> dict[str, str]:
    """No secrets, no settings and no home of ours: a server needs none of them."""
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C.UTF-8", "TZ": "UTC"}


def _pauses() -> Iterator[float]:
    """Short at first: PostgreSQL answers after 0.1 to 0.5 s, Valkey at once."""
    pause = 0.01
    while True:
        yield pause
        pause = min(pause * 1.5, 0.5)


def _last_lines(text: str, count: int = 12) -> str:
    return "\n".join(f"  {line}" for line in text.splitlines()[-count:])
