"""Commands about the whole: run all of it (`up`), bring its tables up to date, show its settings."""

from __future__ import annotations

import click

from ew_app import config, up
from ew_app.cli.runtime import Runtime, runtime
from ew_app.config import Settings, load_settings
from ew_app.services.system import opening, upkeep


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


COMMANDS = [up_command, db_group, config_command]
