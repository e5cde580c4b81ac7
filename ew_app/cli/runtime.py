"""What a command needs around it: servers that answer, an application on them, perhaps a worker."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

import click
from flask import Flask

from ew_app.config import Settings, load_settings
from ew_app.kernel import Refused
from ew_app.local import Servers, ends_with_parent
from ew_app.services import health, opening, upkeep
from ew_app.up import COMMANDS

MakeApp = Callable[[Settings], Flask]


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
            with _own_worker(app.extensions["ew"]):
                yield app


def _keep_its_day(app: Flask) -> None:
    """A database that holds the demo lives on the demo's day. Refused when the tables are not there."""
    upkeep.check_tables()
    app.extensions["ew"] = opening.at_its_day(app.extensions["ew"])


@contextmanager
def _own_worker(ready: Settings) -> Iterator[None]:
    log = ready.folder("logs") / "worker.log"
    with log.open("ab") as out:
        worker = subprocess.Popen(
            [*COMMANDS["worker"], "--concurrency", "1"],
            env=ready.environment(),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            preexec_fn=ends_with_parent(signal.SIGTERM),
        )
        try:
            yield
        finally:
            worker.terminate()
            try:
                worker.wait(timeout=20)
            except subprocess.TimeoutExpired:
                worker.kill()
                worker.wait()


runtime = click.make_pass_decorator(Runtime)
