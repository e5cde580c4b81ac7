"""Files in and back out: each waits for the worker and prints what became of every row."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from ew_app.cli import output
from ew_app.cli.options import DAY, day_of, format_option, said_options
from ew_app.cli.output import as_json_flag
from ew_app.cli.report import effect_words
from ew_app.cli.runtime import Runtime, runtime
from ew_app.demo import write_district
from ew_app.demo.made import NAMED
from ew_app.feeds import ATTENDANCE, TABLES, Delivery, RefusedFile, Said, open_deliveries, open_delivery
from ew_app.kernel import OPERATOR, Refused
from ew_app.services.deliveries import ingest, remembering, waiting
from ew_app.services.deliveries.batch_report import COUNTS, EFFECT
from rules.counting import many

WELL = ("applied", "duplicate", "undone")
SHOWN_PROBLEMS = 10
SOURCE = "default"
ROSTER = [table for table in TABLES if table not in ATTENDANCE]
PATH = click.Path(path_type=Path)


@click.group("load")
def load_group() -> None:
    """Rosters and attendance in; a delivery back out."""


@load_group.command("roster")
@click.argument("path", type=PATH)
@format_option("schools", "students", "enrollments")
@said_options
@click.option(
    "--exit",
    "exit_rule",
    type=click.Choice(["inclusive", "exclusive"]),
    help="Whether an exit date is the last enrolled day or the day after; remembered.",
)
@as_json_flag
@runtime
def roster(run: Runtime, path: Path, said: Said, exit_rule: str | None, as_json: bool) -> None:
    """Schools, students, enrolments, calendar, codes, contacts from a folder or zip."""
    with run.working():
        told = _told("roster", [path], said, options={"exit": exit_rule} if exit_rule else {})
    _print(told, as_json)


@load_group.command("attendance")
@click.argument("paths", metavar="PATH...", type=PATH, nargs=-1, required=True)
@format_option("attendance")
@said_options
@click.option(
    "--feed", type=click.Choice(["exception", "full"]), help="What a missing row means (default: the source's setting)."
)
@click.option("--preview", is_flag=True, help="Change nothing; say what would change.")
@click.option("--accept-held", is_flag=True, help="Let files in that would be held for a person to look at.")
@as_json_flag
@runtime
def attendance(
    run: Runtime,
    paths: tuple[Path, ...],
    said: Said,
    feed: str | None,
    preview: bool,
    accept_held: bool,
    as_json: bool,
) -> None:
    """One or more attendance files, folders or zips, in order."""
    with run.working():
        how = {"feed": feed, "preview": preview, "accept_held": accept_held}
        told = _told("attendance", paths, said, **how)
    _print(told, as_json)


@load_group.command("undo")
@click.argument("batch", type=int)
@as_json_flag
@runtime
def undo(run: Runtime, batch: int, as_json: bool) -> None:
    """Take one batch back as a unit; what later batches set stays."""
    with run.working():
        ingest.take_back(batch, by=OPERATOR)
        waiting.for_batch(batch, output.on_terminal())
        told = [ingest.describe(batch)]
    _print(told, as_json)


@click.command("demo")
@click.option("--networks", type=int, default=3, show_default=True)
@click.option("--schools", type=int, default=12, show_default=True)
@click.option("--students", type=int, default=6000, show_default=True)
@click.option("--days", type=int, default=60, show_default=True, help="School days of attendance.")
@click.option("--years", type=int, default=1, show_default=True, help="School years, up to 5; the earlier ones whole.")
@click.option(
    "--chronic",
    type=int,
    help="With --years 2 or more: chronically absent in 100, about, in a usual year (default: 35).",
)
@click.option("--by-day", is_flag=True, help="A dated attendance file for each day, under days/.")
@click.option("--last-day", type=DAY, help="Last school day (default: as many days from 24 August 2026).")
@click.option("--seed", type=int, default=2026, show_default=True, help="Another number, another district.")
@click.option(
    "--named",
    type=click.Choice(list(NAMED)),
    help="One whose size is set. On three the risk model was tried and is refused; on meadow, made for it, it passes.",
)
@click.argument("out_dir", type=PATH)
@click.pass_context
def demo(asked: click.Context, /, out_dir: Path, last_day: datetime | None, named: str | None, **size: Any) -> None:
    """Write an invented district as files into OUT_DIR."""
    given = [name for name in (*size, "last_day") if name != "by_day" and _given(asked, name)]
    if named and given:
        options = ", ".join(f"--{name.replace('_', '-')}" for name in given)
        raise Refused(f"The size of {named} is set. Leave {options} out, or leave out --named.")
    try:
        if named:
            made = NAMED[named].write(out_dir, by_day=size["by_day"])
        else:
            made = write_district(out_dir, last_day=day_of(last_day), **size)
    except ValueError as error:
        raise Refused(str(error)) from error
    click.echo(
        f"{made.students:,} students, {made.days} school days ({made.first_day} to {made.last_day}) are in {out_dir}."
    )
    apart = f"Each day is a delivery of its own: {out_dir / 'days'}."
    click.echo(apart if size["by_day"] else f"The last day is apart, as today's delivery: {out_dir / 'today'}.")


def _given(asked: click.Context, name: str) -> bool:
    return asked.get_parameter_source(name) is ParameterSource.COMMANDLINE


# -- loading -------------------------------------------------------------------------------------------------


def _told(kind: str, paths: Sequence[Path], said: Said, **how: Any) -> list[dict[str, Any]]:
    """What became of each delivery, one after the other; what cannot even be opened is refused as a whole."""
    memory = remembering.said_before(SOURCE)
    try:
        deliveries = (
            open_deliveries(paths, said, memory)
            if kind == "attendance"
            else [open_delivery(paths, said, ROSTER, memory)]
        )
    except RefusedFile as refused:
        return [_refused(_name(paths), refused)]
    waiting.for_what_came_before(SOURCE, output.on_terminal())
    together = len(deliveries) > 1 and not how.get("preview")
    told = [_loaded(kind, delivery, more_follow=together, **how) for delivery in deliveries]
    return _decided(told) if together or told[0]["status"] == "duplicate" else told


def _decided(told: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Several files are decided once, at the end: what they moved is told of the last that went in.

    Where all came before, whoever sent them may have ended before they were decided.
    """
    went_in = [one["batch"] for one in told if one["status"] == "applied"]
    waiting.decide(went_in[-1] if went_in else None, output.on_terminal())
    return [ingest.describe(one["batch"]) if one["batch"] in went_in else one for one in told]


def _loaded(kind: str, delivery: Delivery, **how: Any) -> dict[str, Any]:
    try:
        batch = ingest.receive(kind=kind, name=delivery.name, files=delivery, by=OPERATOR, **how)
    except (RefusedFile, Refused) as refused:
        return _refused(delivery.name, refused)
    try:
        waiting.for_batch(batch, output.on_terminal())
    except Refused as set_aside:
        return ingest.describe(batch) | {"status": "refused", "sentence": str(set_aside)}
    return ingest.describe(batch)


def _refused(name: str, why: Exception) -> dict[str, Any]:
    """A delivery that was refused before it could become a batch has no number."""
    nothing = dict.fromkeys(COUNTS, 0) | {"effect": dict.fromkeys(EFFECT, 0), "problems": []}
    return {"batch": None, "status": "refused", **nothing, "name": name, "sentence": str(why)}


def _name(paths: Sequence[Path]) -> str:
    return ", ".join(path.name for path in paths)


# -- what is printed -----------------------------------------------------------------------------------------


def _print(told: Sequence[Mapping[str, Any]], as_json: bool) -> None:
    """The result on stdout, what was refused or held on stderr too; exits with 1 for these."""
    if as_json:
        output.json_object(told[0] if len(told) == 1 else {"batches": told, "totals": _totals(told)})
    else:
        for one in told:
            click.echo("\n".join(_in_words(one)))
    wrong = [one for one in told if one["status"] not in WELL]
    for one in wrong:
        words = one["sentence"] or one["status"]
        click.echo(words if words.startswith(one["name"]) else f"{one['name']}: {words}", err=True)
    if wrong:
        sys.exit(1)


def _totals(told: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    totals: Counter[str] = Counter(dict.fromkeys(COUNTS, 0))
    effect: Counter[str] = Counter(dict.fromkeys(EFFECT, 0))
    for one in told:
        totals.update({name: one[name] for name in COUNTS})
        effect.update(one["effect"])
    return {**totals, "effect": dict(effect)}


def _in_words(one: Mapping[str, Any]) -> Iterator[str]:
    number = f"Batch {one['batch']} ({one['name']})" if one["batch"] else str(one["name"])
    if one["status"] == "undone":  # what going in had done is over
        yield f"{number}: undone. {one['sentence']}".strip()
        yield f"  {effect_words(one['effect'])}"
        return
    would = "preview, would be " if one.get("preview") else ""
    yield f"{number}: {would}{one['status']}. {many(one['rows_in'], 'row')}{_counts(one)}."
    if one["sentence"] and one["status"] in WELL:
        yield f"  {one['sentence']}"
    yield from (f"  {note}" for note in one.get("notes", ()))
    if any(one["effect"].values()):
        yield f"  {effect_words(one['effect'])}"
    yield from _problems(one["problems"])


def _counts(one: Mapping[str, Any]) -> str:
    found = [f"{one[name]:,} {name.replace('_', ' ')}" for name in COUNTS[1:] if one[name]]
    return f": {', '.join(found)}" if found else ""


def _problems(problems: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    for problem in problems[:SHOWN_PROBLEMS]:
        at = f"{problem['file']} line {problem['line']}" if problem["file"] else f"line {problem['line']}"
        yield f"  {at}: {problem['reason']}"
    if len(problems) > SHOWN_PROBLEMS:
        yield f"  and {len(problems) - SHOWN_PROBLEMS:,} more; --json lists them."


COMMANDS = [load_group, demo]
