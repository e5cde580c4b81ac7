"""Commands that run the parts: all of them (`up`), or one each as docker-compose does."""

from __future__ import annotations

import os
import sys

import click

from ew_app import config, up
from ew_app.cli.runtime import Runtime, runtime
from ew_app.config import Settings, load_settings
from ew_app.services.system import opening, upkeep

CELERY = ("celery", "--quiet", "-A", "workers.app")


@click.command("up")
@click.option("--demo/--no-demo", default=False, help="Load the demo district into an empty database first.")
@runtime
def up_command(run: Runtime, demo: bool) -> None:
    """Everything on this machine: servers, web, worker and schedule. Ctrl-C stops it all."""

    def before(ready: Settings) -> Settings:
        with run.make_app(ready).app_context():
            upkeep.upgrade()
            return opening.at_its_day(ready, demo=demo)

    def after(ready: Settings) -> None:
        with run.make_app(ready).app_context():
            for line in opening.open_doors(demo=demo):
                click.echo(line)

    up.run_all(load_settings(), before=before, after=after, say=click.echo)


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


@click.group("db")
def db_group() -> None:
    """The database's tables."""


@db_group.command("upgrade")
@runtime
def upgrade(run: Runtime) -> None:
    """Bring the tables to this version."""
    with run.bare():
        upkeep.upgrade()
        click.echo("The database is up to date.")


@click.command("config")
def config_command() -> None:
    """Every setting: its value (secrets masked), where it came from and what it means."""
    for line in config.describe():
        click.echo(f"{line.name}={line.value}\n    from {line.source}. {line.meaning}")


def _become(program: str, *words: str) -> None:
    """Run a Python program in this process's place, so that signals reach it directly."""
    as_root = "ignore:You're running the worker with superuser privileges"  # in a container that is how it is
    os.execv(sys.executable, [sys.executable, "-W", as_root, "-m", program, *words])


COMMANDS = [up_command, web, worker, beat, db_group, config_command]
