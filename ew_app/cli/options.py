"""Words that several commands share: a day, and in whose name a command asks."""

from __future__ import annotations

from datetime import date, datetime

import click

from ew_app.kernel import OPERATOR, Actor
from ew_app.services.people import accounts

DAY = click.DateTime(formats=["%Y-%m-%d"])

as_of_option = click.option("--as-of", type=DAY, help="As it stood at the end of this day.")
as_option = click.option("--as", "login", metavar="LOGIN", help="See only what this person may see.")


def day_of(moment: datetime | None) -> date | None:
    """The date of a parsed option."""
    return moment.date() if moment else None


def acting(login: str | None) -> Actor:
    """The person a command acts as; the operator unless one is named. Raises NotFound, Refused."""
    return accounts.acting_as(login) if login else OPERATOR
