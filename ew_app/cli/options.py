"""Words that several commands share: a day, and in whose name a command asks."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from functools import wraps
from typing import Any

import click

from ew_app.feeds import Said, formats_with, unfit_periods
from ew_app.kernel import OPERATOR, Actor
from ew_app.services.measuring import hindsight
from ew_app.services.people import accounts

Command = Callable[..., Any]

DAY = click.DateTime(formats=["%Y-%m-%d"])

as_of_option = click.option("--as-of", type=DAY, help="As it stood at the end of this day.")
known_at_option = click.option(
    "--known-at",
    metavar="MOMENT",
    help="From what was known then: a date (the end of that day) or a time such as 2026-10-09T16:30.",
)
as_option = click.option("--as", "login", metavar="LOGIN", help="See only what this person may see.")


def format_option(*tables: str) -> Callable[[Command], Command]:
    """--format with the formats that have one of these tables."""
    return click.option(
        "--format",
        "layout",
        type=click.Choice(formats_with(*tables)),
        help="How the files are laid out (default: what they are recognised as, else csv).",
    )


def said_options(command: Command) -> Command:
    """--dates, --ids and --periods; the command gets them and the format as one `said`. All three are remembered."""

    @click.option("--dates", type=click.Choice(["mdy", "dmy"]), help="Month first or day first, if not 2026-09-14.")
    @click.option("--ids", metavar="FIELD", help="Which of the system's ids is the student's, as identifier.")
    @click.option("--periods", metavar="MINUTES|rows|day", callback=_periods, help="How class periods add up to a day.")
    @wraps(command)
    def told(
        *words: Any, layout: str | None, dates: str | None, ids: str | None, periods: str | None, **more: Any
    ) -> Any:
        return command(*words, said=Said(layout, dates, ids, periods), **more)

    return told


def _periods(_: click.Context, __: click.Parameter, value: str | None) -> str | None:
    if value is not None and (unfit := unfit_periods(value)):
        raise click.BadParameter(
            f"{unfit} Or: rows, where every period of the day has a row; day, where a row is about the whole day."
        )
    return value


def day_of(moment: datetime | None) -> date | None:
    """The date of a parsed option."""
    return moment.date() if moment else None


def moment_of(said: str | None) -> datetime | None:
    """The moment of --known-at; needs an application, whose time zone it takes. Raises Refused."""
    return hindsight.moment_of(said) if said else None


def acting(login: str | None) -> Actor:
    """The person a command acts as; the operator unless one is named. Raises NotFound, Refused."""
    return accounts.acting_as(login) if login else OPERATOR
