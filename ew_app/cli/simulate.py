"""`ew policy simulate`: what a policy would have done with a school year, beside the one in force."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import click

from ew_app.cli import output
from ew_app.cli.options import DAY, acting, as_option, day_of
from ew_app.cli.output import as_json_flag
from ew_app.cli.runtime import Runtime, runtime
from ew_app.kernel import Actor, NotFound, Refused, day_text, today
from ew_app.services.deciding import simulating, simulation_result
from ew_app.services.deciding.simulation_lines import Pair
from ew_app.services.deciding.simulation_result import Result
from ew_app.services.measuring import policies
from rules.counting import many
from rules.places import Place


@click.command("simulate")
@click.argument("path")
@click.option("--as-of", type=DAY, help="The school year of this day, up to it (default: as far as attendance is in).")
@click.option("--last-year", is_flag=True, help="The school year before, whole.")
@click.option("--place", default="district", help="district, network:ID or school:ID.")
@as_option
@as_json_flag
@runtime
def simulate(
    run: Runtime, path: str, as_of: datetime | None, last_year: bool, place: str, login: str | None, as_json: bool
) -> None:
    """Try a policy on a school year: tiers, cases and work beside those of the policy in force.

    PATH is a file, a shipped preset, or the version of a stored policy. Nothing is changed: no tier moves and no case
    opens. The counts are kept, and shown again under Policy on the screen.
    """
    with run.app():
        day = simulating.last_year(today()) if last_year else day_of(as_of)
        if last_year and day is None:
            raise Refused("Nothing is known of the school year before.")
        by = acting(login)
        number = simulating.ask(_version(path, by), by=by, place=_place(place), as_of=day, queued=False)
        simulating.go_on(number, output.on_terminal())
        found = simulation_result.result(simulating.one(number, by), by)
        if found is None:
            raise Refused("The trial was stopped.")
        if as_json:
            output.json_object(found.told())
            return
        for line in _lines(found):
            click.echo(line)


def _version(path: str, by: Actor) -> str:
    """The version of a file, a shipped preset or a kept policy. Refused, ConfigError."""
    try:
        return simulating.chosen(path, by=by)
    except NotFound:
        return simulating.from_file(policies.find(path), by=by)


def _place(words: str) -> Place:
    try:
        return Place.parse(words)
    except ValueError as error:
        raise Refused(str(error)) from error


def _lines(found: Result) -> Iterator[str]:
    trial = found.trial
    yield f"{trial.label}, tried on {trial.place_name.lower()} up to {day_text(trial.through)}"
    yield f"Beside the policy in force: {trial.in_force_label}"
    yield f"{many(trial.students, 'student')}, {trial.seconds:.1f} seconds of work, trial {trial.id}"
    yield ""
    yield f"{'':<28}{'in force':>12}{'candidate':>14}{'change':>16}"
    names = {"1": "Tier 1", "watch": "Watch", "2": "Tier 2", "3": "Tier 3", "none": "No tier yet"}
    yield from (_row(names[tier], pair) for tier, pair in found.tiers.items())
    yield _row("Cases opened in the year", found.opened)
    yield _row("Cases standing at the end", found.standing)
    yield _row("Cases nobody could own", found.unowned)
    for one in found.roles:
        yield _row(f"  {one.label}"[:27], one.opened)
        yield _row("    in the busiest week", one.busiest)
    back = found.came_back
    yield f"{'Came back without help':<28}{back.alone[0]:>12}{back.alone[1]:>14}"


def _row(name: str, pair: Pair) -> str:
    return f"{name:<28}{pair.in_force:>12,}{pair.candidate_words:>14}{pair.change_words:>16}"


COMMANDS = [simulate]
