"""The product as it stands in a school office: real servers, web and worker as processes, the demo district inside."""

from __future__ import annotations

import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from flask import Flask

from ew_app.config import Settings
from ew_app.local import child
from ew_app.services.system import opening
from ew_app.up import COMMANDS, Service
from tests.opened import on

SIZE = {"networks": 3, "schools": 12, "students": 720}
ANSWERS_WITHIN = 60
STOPS_WITHIN = 20


@dataclass(frozen=True, slots=True)
class System:
    """A running system: `address` is what people type."""

    settings: Settings

    @property
    def address(self) -> str:
        return self.settings.address

    @property
    def todays_files(self) -> Path:
        """The folder with what the schools sent today, which nobody has brought in yet."""
        return self.settings.folder("demo") / "today"

    def inside(self) -> AbstractContextManager[Flask]:
        """The application on the same database, for looking up a number or preparing a record."""
        return on(self.settings)


@contextmanager
def running(ready: Settings, **size: int) -> Iterator[System]:
    """Web server and worker on a migrated, empty database, and the demo loaded through the real import.

    size: in the words of `demo.write_district`; without one, 720 students at 12 schools.
    """
    system = System(replace(ready, port=child.free_port(None)))
    with system.inside():
        system = System(opening.at_its_day(system.settings, demo=True))
    with ExitStack() as stack:
        for name, words in (("worker", ("--concurrency", "1")), ("web", ("--workers", "1"))):
            stack.enter_context(service(system.settings, name, *words))
        _load(system, size or SIZE)
        wait_for(f"{system.address}/healthz")
        yield system


def _load(system: System, size: Mapping[str, int]) -> None:
    with system.inside():
        for _ in opening.open_doors(demo=True, **size):
            pass


@contextmanager
def service(settings: Settings, name: str, *words: str) -> Iterator[None]:
    """One process of `ew`, its words in a log; ended with its children at the end."""
    env = settings.environment() | {"EW_PORT": str(settings.port)}
    with (settings.folder("logs") / f"{name}.log").open("w", encoding="utf-8") as log:
        process = Service(name, [*COMMANDS[name], *words], env, lambda line: print(line, file=log, flush=True))
        process.look()
        try:
            yield
        finally:
            process.ask_to_stop()
            process.stop(STOPS_WITHIN)


def wait_for(url: str) -> None:
    deadline = time.monotonic() + ANSWERS_WITHIN
    while True:
        try:
            urllib.request.urlopen(url, timeout=5).close()
            return
        except OSError:
            if time.monotonic() > deadline:
                sys.exit(f"The web server did not answer at {url} in {ANSWERS_WITHIN} s.")
        time.sleep(0.1)
