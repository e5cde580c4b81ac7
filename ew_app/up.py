"""The whole system on one machine: servers, web, worker and schedule, watched until Ctrl-C."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from types import FrameType

from ew_app.config import Settings
from ew_app.local import LocalError, Servers, ends_with_parent

COMMANDS: Mapping[str, Sequence[str]] = {
    name: (sys.executable, "-m", "ew_app", name) for name in ("web", "worker", "beat")
}
SHARED = {"WEB_CONCURRENCY": "2"}  # the machine also carries the servers and the worker
LAST = "worker"  # stopped after the others: by then nothing sends it more work
STOP_SECONDS = 20
LOOK_EVERY = 0.25
STEADY_AFTER = 60
LONGEST_PAUSE = 30
WEB_SECONDS = 30  # after so many, and again after so many more, it is said that we still wait

Say = Callable[[str], None]


class Service:
    """One child process: its output with its name before each line, and a new start when it ends unasked."""

    def __init__(self, name: str, command: Sequence[str], environment: Mapping[str, str], say: Say) -> None:
        self.name = name
        self._command = command
        self._environment = {**environment, "PYTHONUNBUFFERED": "1"}
        self._say = say
        self._failures = 0
        self._next_start = 0.0
        self._started = 0.0
        self._process: subprocess.Popen[str] | None = None

    def look(self) -> None:
        """Starts the process if it does not run, after a pause that doubles with each quick end."""
        if self._process and self._process.poll() is not None:
            self._note_end(self._process.returncode)
        if self._process is None and time.monotonic() >= self._next_start:
            self._start()

    def ask_to_stop(self) -> None:
        if self._process and self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)

    def stop(self, patience: float) -> None:
        """Waits for an orderly end, then ends whatever is left of the process and its children."""
        if not self._process:
            return
        try:
            self._process.wait(patience)
        except subprocess.TimeoutExpired:
            self._say(f"{self.name} did not stop in {patience:.0f} s and is ended.")
        finally:
            self._end_group()

    def _start(self) -> None:
        self._started = time.monotonic()
        self._process = subprocess.Popen(
            self._command,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,  # Ctrl-C comes to us alone, and we stop the services in order
            preexec_fn=ends_with_parent(signal.SIGTERM),
        )
        threading.Thread(target=self._forward, args=(self._process,), daemon=True).start()

    def _note_end(self, code: int) -> None:
        self._end_group()
        steady = time.monotonic() - self._started > STEADY_AFTER
        self._failures = 1 if steady else self._failures + 1
        pause = min(2 ** (self._failures - 1), LONGEST_PAUSE)
        self._next_start = time.monotonic() + pause
        self._say(f"{self.name} ended with code {code}; it starts again in {pause} s.")

    def _end_group(self) -> None:
        """Ends every process of the child's session: a killed parent may have left children."""
        if self._process:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None

    def _forward(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout
        with process.stdout as lines:
            for line in lines:
                self._say(f"{self.name:<7}| {line.rstrip()}")


def run_all(
    settings: Settings,
    *,
    before: Callable[[Settings], Settings | None],
    after: Callable[[Settings], None],
    commands: Mapping[str, Sequence[str]] = COMMANDS,
    say: Say = print,
) -> None:
    """Runs everything until SIGINT, SIGTERM or SIGHUP, and leaves no process.

    `before` is called when the servers answer and nothing else runs yet (migrate), and may return the settings
    that everything else is to run with; `after`, in a thread, when
    the web server answers too (load the demo, print the logins). What they raise stops everything
    and is raised here, beside LocalError and ConfigError.
    """
    check_free(settings)
    stopping = threading.Event()
    with ExitStack() as stack:
        stack.enter_context(_signals_set(stopping))
        servers = Servers(settings, wait_for_guests=STOP_SECONDS)
        ready = stack.enter_context(servers)
        if settings.embedded and not servers.owned:
            raise LocalError(f"Another `ew` command runs the servers in {settings.data_dir}. Wait for its end.")
        ready = before(ready) or ready
        environment = SHARED | ready.environment()
        services = [Service(name, words, environment, say) for name, words in commands.items()]
        stack.callback(_stop_all, services)
        opening = _Opening(ready, after, stopping, say)
        opening.start()
        _watch(services, servers, stopping, say)
    opening.check()


def check_free(settings: Settings) -> None:
    """The web server's address is free. Raises LocalError."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError as error:
            raise LocalError(
                f"The web server cannot listen on {settings.host}:{settings.port} ({error.strerror}). "
                "End the program that uses it, or set EW_PORT to another number."
            ) from error


class _Opening(threading.Thread):
    """Waits for the web server, then calls `after`. A failure stops everything."""

    def __init__(self, ready: Settings, after: Callable[[Settings], None], stopping: threading.Event, say: Say) -> None:
        super().__init__(daemon=True)
        self._ready, self._after, self._stopping, self._say = ready, after, stopping, say
        self._failure: Exception | None = None

    def run(self) -> None:
        try:
            self._wait_for_web()
            if not self._stopping.is_set():
                self._after(self._ready)
        except Exception as error:
            if not self._stopping.is_set():  # else it failed because the servers are going down
                self._failure = error
                self._stopping.set()

    def check(self) -> None:
        """Raises in the caller's thread what `after` raised in this one."""
        if self._failure:
            raise self._failure

    def _wait_for_web(self) -> None:
        """A slow start is no reason to end: whoever sits there is told, and may end it."""
        began = time.monotonic()
        deadline = began + WEB_SECONDS
        while not self._stopping.is_set():
            try:
                socket.create_connection((self._ready.host, self._ready.port), timeout=2).close()
                return
            except OSError:
                if time.monotonic() > deadline:
                    waited = time.monotonic() - began
                    self._say(
                        f"The web server has not answered in {waited:.0f} s. We go on waiting; Ctrl-C ends everything."
                    )
                    deadline += WEB_SECONDS
            self._stopping.wait(LOOK_EVERY)


def _watch(services: Sequence[Service], servers: Servers, stopping: threading.Event, say: Say) -> None:
    while not stopping.wait(LOOK_EVERY):
        try:
            for name in servers.mend():
                say(f"The {name} server ended unasked and was started again.")
        except LocalError as error:
            say(f"{error}\nTrying again.")
        for service in services:
            service.look()


def _stop_all(services: Sequence[Service]) -> None:
    for last in (False, True):
        together = [service for service in services if (service.name == LAST) is last]
        for service in together:
            service.ask_to_stop()
        deadline = time.monotonic() + STOP_SECONDS  # the last has as long as the others
        for service in together:
            service.stop(max(deadline - time.monotonic(), 1))


def _signals_set(stopping: threading.Event) -> ExitStack:
    """While the returned context lasts, the signals that end a program set `stopping` instead."""
    kept = ExitStack()

    def stop(signum: int, frame: FrameType | None) -> None:
        stopping.set()

    for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        kept.callback(signal.signal, signum, signal.signal(signum, stop))
    return kept
