"""The `ew` command: hands the command line what it cannot make itself, an application."""

from __future__ import annotations

from functools import partial

from ew_app import cli
from ew_app.factory import create_app


def main() -> None:
    """Run one command and exit with its code."""
    cli.main(partial(create_app, screens=False))


if __name__ == "__main__":
    main()
