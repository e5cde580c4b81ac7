"""Commands that run one part each, as `up` and docker-compose do.

Each of them becomes another program, which loads the application for itself: nothing of it is loaded before.
"""

from __future__ import annotations

import os
import sys

import click

from ew_app.config import load_settings

CELERY = ("celery", "--quiet", "-A", "workers.app")


@click.command("web")
@click.option(
    "--workers",
    envvar="WEB_CONCURRENCY",
    default=2 * (os.cpu_count() or 1) + 1,
    show_default="two for each core and one more",
)
def web(workers: int) -> None:
    """The web server alone, on EW_HOST and EW_PORT."""
    settings = load_settings()
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    address = f"{host}:{settings.port}"
    words = [
        "--bind",
        address,
        "--workers",
        str(workers),
        "--threads",
        "4",
        "--timeout",
        "60",
        "--log-level",
        "warning",
    ]
    # Loaded once and then forked: faster to start, and the copies share their memory.
    _become("gunicorn", *words, "--preload", "--no-control-socket", "ew_app.factory:create_app()")


@click.command("worker")
@click.option("--concurrency", default=os.cpu_count() or 1, show_default="one for each core")
def worker(concurrency: int) -> None:
    """A worker alone: reads, checks, measures, decides."""
    words = ["worker", "--loglevel", "WARNING", "--concurrency", str(concurrency)]
    _become(*CELERY, *words, "--without-mingle", "--without-gossip")


@click.command("beat")
def beat() -> None:
    """The schedule alone: sends again what got lost, starts the daily work."""
    where = load_settings().folder("schedule") / "beat"
    _become(*CELERY, "beat", "--loglevel", "WARNING", "--schedule", str(where))


def _become(program: str, *words: str) -> None:
    """Run a Python program in this process's place, so that signals reach it directly."""
    as_root = "ignore:You're running the worker with superuser privileges"  # in a container that is how it is
    os.execv(sys.executable, [sys.executable, "-W", as_root, "-m", program, *words])


COMMANDS = [web, worker, beat]
