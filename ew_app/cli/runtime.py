"""What a command needs around it: servers that answer, an application on them, perhaps a worker."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar

import click
from flask import Flask

from ew_app import outbox
from ew_app.config import Settings, load_settings
from ew_app.kernel import Refused
from ew_app.local import Servers
from ew_app.services.system import health, opening, upkeep
from ew_app.up import COMMANDS, LOOK_EVERY, STOP_SECONDS, Service

MakeApp = Callable[[Settings], Flask]
P = ParamSpec("P")
T = TypeVar("T")

WAIT = 0.2
SWEEP_EVERY = 10  # waits
LONGEST_WAIT = 300


@dataclass(frozen=True)
class Runtime:
    """How this command line makes an application."""

    make_app: MakeApp

    @contextmanager
    def bare(self, settings: Settings | None = None) -> Iterator[Flask]:
        """An application on running or freshly started servers, whatever tables there are, if any answer."""
        with Servers(settings or load_settings()) as ready:
            app = self.make_app(ready)
            with app.app_context():
                with suppress(Refused, health.DatabaseAway):
                    _keep_its_day(app)
                try:
                    yield app
                finally:
                    upkeep.disconnect()

    @contextmanager
    def app(self) -> Iterator[Flask]:
        """The same with its tables up to date."""
        with self.bare() as app:
            if app.extensions["ew"].embedded:
                upkeep.upgrade()
            _keep_its_day(app)
            yield app

    @contextmanager
    def working(self) -> Iterator[Flask]:
        """The same with a worker: the one that runs already, or one of our own for this command."""
        with self.app() as app:
            if upkeep.worker_answers():
                yield app
                return
            asked = outbox.newest()
            with _own_worker(app.extensions["ew"]):
                yield app
                _see_through(asked)


def _keep_its_day(app: Flask) -> None:
    """A database that holds the demo lives on the demo's day. Refused when the tables are not there."""
    upkeep.check_tables()
    app.extensions["ew"] = opening.at_its_day(app.extensions["ew"])


def _see_through(asked: int) -> None:
    """Let our own worker finish what this command has asked for since, such as putting files away.

    Nobody sweeps behind a command, so what the broker has lost is sent again here. Past the longest wait it stays
    asked for, and goes on with the next worker.
    """
    for turn in range(int(LONGEST_WAIT / WAIT)):
        if not outbox.waits_since(asked):
            return
        if turn % SWEEP_EVERY == 0:
            outbox.sweep()
        time.sleep(WAIT)
    click.echo("Some of the work still waits. It goes on when a worker runs: `ew worker`, or `ew up`.", err=True)


@contextmanager
def _own_worker(ready: Settings) -> Iterator[None]:
    """A worker for the length of a command; if it is lost, another takes its place."""
    log = ready.folder("logs") / "worker.log"
    command = [*COMMANDS["worker"], "--concurrency", "1"]
    worker = Service("worker", command, ready.environment(), lambda line: _note(log, line))
    done = threading.Event()
    keeper = threading.Thread(target=_keep, args=(worker, done))
    keeper.start()
    try:
        yield
    finally:
        done.set()
        keeper.join()


def _keep(worker: Service, done: threading.Event) -> None:
    """Start, watch and stop the worker in one thread: the system ends a child with the thread that started it."""
    worker.look()
    while not done.wait(LOOK_EVERY):
        worker.look()
    worker.ask_to_stop()
    worker.stop(STOP_SECONDS)


def _note(log: Path, line: str) -> None:
    with log.open("a", encoding="utf-8") as out:
        out.write(f"{line}\n")


def runtime(command: Callable[Concatenate[Runtime, P], T]) -> Callable[P, T]:
    """Hand a command the runtime that makes applications in the way its command line was given."""

    @wraps(command)
    def with_runtime(*words: P.args, **options: P.kwargs) -> T:
        return command(Runtime(click.get_current_context().obj), *words, **options)

    return with_runtime
