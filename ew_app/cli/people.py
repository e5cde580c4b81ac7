"""People who sign in and what they are granted."""

from __future__ import annotations

from collections.abc import Iterator

import click

from ew_app.cli import output
from ew_app.cli.output import as_json_flag, format_option
from ew_app.cli.runtime import Runtime, runtime
from ew_app.kernel import OPERATOR, today
from ew_app.services.people import accounts, credentials
from models.queries import staff
from models.staff import Person
from rules.access import Area

PEOPLE = ("login", "name", "role", "place", "from", "to", "status")
ROLES = ("role", "label", "place")
PAGE = 500


@click.group("user")
def user_group() -> None:
    """People, their roles and where these hold."""


@user_group.command("add")
@click.argument("name")
@click.option("--role", required=True, help="A role; `ew user roles` lists them.")
@click.option("--place", required=True, help="district, network:ID or school:ID.")
@click.option("--full-name", help="As it should stand under what they write (default: NAME).")
@as_json_flag
@runtime
def add(run: Runtime, name: str, role: str, place: str, full_name: str | None, as_json: bool) -> None:
    """Add a person who signs in as NAME, and print the link by which they choose a password."""
    with run.app():
        person = accounts.add_person(login=name, name=full_name or name, role=role, place=place, by=OPERATOR)
        link = credentials.new_link(person_id=person.id, by=OPERATOR)
        if as_json:
            output.json_object({"login": person.login, "role": role, "place": place, "link": link})
            return
        click.echo(f"{person.login} was added as {role} at {place}. Their link, good once and for three days:")
        click.echo(link)


@user_group.command("list")
@format_option
@runtime
def list_people(run: Runtime, form: str) -> None:
    """One row for each role of each person."""
    with run.app():
        output.table(_rows(), PEOPLE, form)


@user_group.command("disable")
@click.argument("name")
@click.option("--reason", default="", help="Why, for the audit.")
@runtime
def disable(run: Runtime, name: str, reason: str) -> None:
    """Shut a person out at their next click; what they wrote keeps their name."""
    with run.app():
        person = accounts.disable(person_id=accounts.find(name).id, by=OPERATOR, reason=reason)
        click.echo(f"{person.login} is disabled and signed out everywhere.")


@user_group.command("link")
@click.argument("name")
@runtime
def link(run: Runtime, name: str) -> None:
    """Print a new link by which a person chooses a password."""
    with run.app():
        click.echo(credentials.new_link(person_id=accounts.find(name).id, by=OPERATOR))


@user_group.command("roles")
@format_option
def roles(form: str) -> None:
    """The roles that can be given, and at which kind of place."""
    rows = (
        {"role": role.key, "label": role.label, "place": ";".join(sorted(kind.value for kind in role.places))}
        for role in accounts.assignable()
    )
    output.table(rows, ROLES, form)


def _rows() -> Iterator[dict[str, object]]:
    """Everybody who has or had a role, by name."""
    whole, page = Area(district=True), 1
    while found := staff.people(whole, on=today(), show="all", page=page, size=PAGE)[0]:
        for person in found:
            yield from _roles_of(person)
        page += 1


def _roles_of(person: Person) -> Iterator[dict[str, object]]:
    state = "disabled" if person.disabled_at else "active"
    who = {"login": person.login, "name": person.name, "status": state}
    for grant in person.grants:
        yield who | {"role": grant.role, "place": grant.place, "from": grant.starts, "to": grant.ends}
    if not person.grants:
        yield who | {"role": "", "place": "", "from": None, "to": None}


COMMANDS = [user_group]
