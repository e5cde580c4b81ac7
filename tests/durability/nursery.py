"""Starts workers in a tenth of the time: a process that has imported everything already, and forks.

A worker from here is `ew worker` in all but its imports. Lines in: JSON with environment, log and concurrency;
lines out: the process id. Whoever closes the input ends the nursery, not its workers.
"""

from __future__ import annotations

import importlib
import json
import os
import runpy
import signal
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Any, NoReturn


class Nursery:
    """The process, from outside."""

    def __enter__(self) -> Nursery:
        command = [sys.executable, "-m", __name__]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._process:
            assert self._process.stdin
            self._process.stdin.close()

    def start(self, environment: dict[str, str], log: Path, concurrency: int) -> int:
        """Process id of a new worker, which leads a session of its own."""
        assert self._process.stdin and self._process.stdout
        wanted = {"environment": environment, "log": str(log), "concurrency": concurrency}
        self._process.stdin.write(f"{json.dumps(wanted)}\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())


def _serve() -> None:
    for module in _NEEDED:
        importlib.import_module(module)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for the ended
    for line in sys.stdin:
        if pid := os.fork():
            print(pid, flush=True)
        else:
            _become_worker(json.loads(line))


# Not workers.app: it reads the settings, so each worker imports it for itself.
_NEEDED = ("celery.bin.celery", "celery.concurrency.prefork", "celery.worker.components", "kombu.transport.redis",
           "ew_app.cli", "ew_app.factory", "workers.tasks")  # fmt: skip


def _become_worker(wanted: dict[str, Any]) -> None:
    from ew_app.cli import ew

    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.setsid()
    log = os.open(wanted["log"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    for stream, target in ((0, os.open(os.devnull, os.O_RDONLY)), (1, log), (2, log)):
        os.dup2(target, stream)
    os.environ.clear()
    os.environ.update(wanted["environment"])
    os.execv = _in_place
    ew(["worker", "--concurrency", str(wanted["concurrency"])])


def _in_place(_: str, words: list[str]) -> NoReturn:
    """What `python -m MODULE ...` would do, without a new process and its imports."""
    sys.argv = words[words.index("-m") + 1 :]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
    sys.exit()


if __name__ == "__main__":
    _serve()
