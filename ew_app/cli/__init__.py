"""The `ew` command line: each command is one service call. Exit codes: 0 done, 1 refused or held, 2 usage.

The application is loaded by the commands that need it: those that only start another program, which loads it for
itself, would otherwise load it twice.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from ew_app.cli.runtime import MakeApp

ROOMS = {  # where each command lives; only the room of the command that is asked for is opened
    "parts": ("web", "worker", "beat"),
    "serve": ("up", "db", "config"),
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
        except (click.ClickException, click.Abort, click.exceptions.Exit):
            raise
        except Exception as error:
            from ew_app.cli import mending

            sentence = mending.sentence(error)
            if sentence is None:
                raise
            click.echo(sentence, err=True)
        ctx.exit(1)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="early-warning", message="%(version)s")
def ew() -> None:
    """Attendance early warning: from the daily feed to the right person helping the right child."""


def main(make_app: MakeApp) -> None:
    """Run the command named on the command line."""
    ew(obj=make_app, prog_name="ew")
