"""The `ew` command line: each command is one service call. Exit codes: 0 done, 1 refused or held, 2 usage."""

from __future__ import annotations

import importlib
from typing import Any

import click

from ew_app.cli.runtime import MakeApp, Runtime
from ew_app.config import ConfigError
from ew_app.feeds.refused import RefusedFile
from ew_app.kernel import SENTENCES
from ew_app.local import LocalError
from ew_app.services.system.health import DatabaseAway

MENDABLE: tuple[type[Exception], ...] = (ConfigError, LocalError, RefusedFile, *SENTENCES)


ROOMS = {  # where each command lives; only the room of the command that is asked for is opened
    "serve": ("up", "web", "worker", "beat", "db", "config"),
    "load": ("load", "demo"),
    "source": ("source",),
    "report": ("evaluate", "measures", "tiers", "cases", "why", "ledger", "late", "statutes"),
    "figures": ("figures", "publish"),
    "policy": ("policy",),
    "people": ("user",),
    "risk": ("risk",),
    "quality": ("quality",),
    "student": ("student",),
    "rescue": ("doctor", "audit", "backup", "restore"),
}


class Commands(click.Group):
    """Ends a command whose trouble a person can mend with one sentence on stderr and exit code 1."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(name for names in ROOMS.values() for name in names)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        room = next((room for room, names in ROOMS.items() if name in names), None)
        if room is None:
            return None
        commands: list[click.Command] = importlib.import_module(f"{__name__}.{room}").COMMANDS
        return next(command for command in commands if command.name == name)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except MENDABLE as error:
            click.echo(str(error), err=True)
        except DatabaseAway as error:
            first = str(error.orig or error).strip().partition("\n")[0]
            click.echo(f"The database does not answer as it should: {first}. `ew doctor` says more.", err=True)
        ctx.exit(1)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="early-warning", message="%(version)s")
def ew() -> None:
    """Attendance early warning: from the daily feed to the right person helping the right child."""


def main(make_app: MakeApp) -> None:
    """Run the command named on the command line."""
    ew(obj=Runtime(make_app), prog_name="ew")
