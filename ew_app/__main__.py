"""The `ew` command: hands the command line what it cannot make itself, an application."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ew_app import cli

if TYPE_CHECKING:
    from flask import Flask

    from ew_app.config import Settings


def make_app(settings: Settings) -> Flask:
    """An application without screens; all of it is loaded here, when a command asks for one."""
    from ew_app.factory import create_app

    return create_app(settings, screens=False)


def main() -> None:
    """Run one command and exit with its code."""
    cli.main(make_app)


if __name__ == "__main__":
    main()
