"""Sources that are fetched from: set up, tried out, looked at now, paused."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import Any

import click

from ew_app.cli import output
from ew_app.cli.output import as_json_flag
from ew_app.cli.runtime import Runtime, runtime
from ew_app.feeds import known_formats
from ew_app.kernel import OPERATOR, Refused, local
from ew_app.services.deliveries import ingest, waiting
from ew_app.services.sources import awaiting, keeping, starting, telling, trying
from ew_app.services.sources.fetching import fetcher, kinds
from ew_app.services.sources.keeping import Wanted
from ew_app.services.sources.telling import Standing
from models.org import BRINGS, FEEDS
from models.pulls import Pull
from rules.timetable import Days

Command = Callable[..., Any]


@click.group("source")
def source_group() -> None:
    """Places that attendance and rosters are fetched from by themselves."""


@source_group.command("list")
@as_json_flag
@runtime
def list_sources(run: Runtime, as_json: bool) -> None:
    """Every source, how it stands, its last look and its next."""
    with run.app():
        found = telling.all_standings()
        if as_json:
            output.json_object([_as_object(one) for one in found])
            return
        if not found:
            click.echo("Nothing is fetched by itself yet. Begin with `ew source add NAME --kind folder`.")
        for one in found:
            click.echo(f"{one.source.name}: {one.state}. {one.sentence}")
            click.echo(
                f"  {one.kind} {one.where}, {one.timetable}" + (f", expected {one.expected}" * bool(one.expected))
            )
            click.echo(f"  last look {_moment(one)}; next {_next(one)}")


def _choices(command: Command) -> Command:
    """What `add` and `edit` may say."""
    for option in reversed(
        (
            click.option("--brings", type=click.Choice(BRINGS), help="What its files are."),
            click.option("--feed", type=click.Choice(FEEDS), help="What a missing row means."),
            click.option("--format", "layout", type=click.Choice(known_formats()), help="How its files are laid out."),
            click.option("--dates", type=click.Choice(["mdy", "dmy"]), help="Month first or day first."),
            click.option("--ids", help="Which of the system's ids is the student's."),
            click.option("--periods", help="How class periods add up to a day."),
            click.option("--exit", type=click.Choice(["inclusive", "exclusive"]), help="What an exit date is."),
            click.option("--at", "times", metavar="HH:MM", multiple=True, help="Look at this time; may be repeated."),
            click.option("--every", type=int, metavar="MINUTES", help="Look every so many minutes."),
            click.option("--from", "start", metavar="HH:MM", help="With --every: the first time of a day."),
            click.option("--until", metavar="HH:MM", help="With --every: the last time of a day."),
            click.option("--on", "days", type=click.Choice([d.value for d in Days]), help="Default: school days."),
            click.option("--expect-by", metavar="HH:MM", help="Late from this time on; an empty word expects nothing."),
            click.option("--expect", type=click.Choice(["same", "before"]), help="That day, or the school day before."),
            click.option("--set", "places", metavar="NAME=VALUE", multiple=True, help="Where it is; see `fields`."),
        )
    ):
        command = option(command)
    return command


@source_group.command("fields")
@click.argument("kind", type=click.Choice(kinds()))
def fields(kind: str) -> None:
    """What `--set` may say about where a source of this kind is."""
    for field in fetcher(kind).fields:
        words = " ".join(text for text in (field.label + ".", field.hint, "Needed." * field.required) if text)
        click.echo(f"{field.name:<14} {words}" + (f" ({field.default})" if field.default else ""))


@source_group.command("add")
@click.argument("name")
@click.option("--kind", type=click.Choice(kinds()), required=True, help="How its files are fetched.")
@_choices
@as_json_flag
@runtime
def add(run: Runtime, /, name: str, kind: str, as_json: bool, **said: Any) -> None:
    """Set up a source. Secrets are named, never typed: the value stands in the environment, or in a file of it."""
    with run.app():
        keeping.add(name, _changed(Wanted(kind), said), by=OPERATOR)
        _show(name, as_json, "was added. Try it with")


@source_group.command("edit")
@click.argument("name")
@_choices
@as_json_flag
@runtime
def edit(run: Runtime, /, name: str, as_json: bool, **said: Any) -> None:
    """Change what is said of a source; what is not named stays."""
    with run.app():
        keeping.change(name, _changed(keeping.wanted_of(telling.standing(name).source), said), by=OPERATOR)
        _show(name, as_json, "was changed. Try it with")


@source_group.command("test")
@click.argument("name")
@as_json_flag
@runtime
def test(run: Runtime, name: str, as_json: bool) -> None:
    """Connect and say what would be taken; takes nothing."""
    with run.app():
        said = trying.test(name, by=OPERATOR)
        if as_json:
            output.json_object({"source": name, "said": said})
        else:
            click.echo("\n".join(said))


@source_group.command("pull")
@click.argument("name")
@click.option("--afresh", is_flag=True, help="Read everything again, for a source that counts its changes.")
@as_json_flag
@runtime
def pull(run: Runtime, name: str, afresh: bool, as_json: bool) -> None:
    """Look now, take in what is new, and wait until it is in."""
    with run.working():
        look = awaiting.for_look(starting.ask(name, by=OPERATOR, afresh=afresh))
        for number in look.batches:
            waiting.for_batch(number, output.on_terminal())
        told = [ingest.describe(number, most_problems=0) for number in look.batches]
        well = look.ended != "failed" and all(one["status"] in ("applied", "duplicate") for one in told)
        if as_json:
            output.json_object({"look": look.id, **_look(look), "batches": told})
        else:
            click.echo("\n".join([look.sentence, *look.told, *map(_in_words, told)]))
    if not well:
        sys.exit(1)


@source_group.command("pause")
@click.argument("name")
@as_json_flag
@runtime
def pause(run: Runtime, name: str, as_json: bool) -> None:
    """Fetch nothing by the timetable, and expect nothing."""
    with run.app():
        keeping.pause(name, by=OPERATOR)
        _show(name, as_json, "is paused. It goes on with", "resume")


@source_group.command("resume")
@click.argument("name")
@as_json_flag
@runtime
def resume(run: Runtime, name: str, as_json: bool) -> None:
    """Go on with the timetable."""
    with run.app():
        keeping.resume(name, by=OPERATOR)
        _show(name, as_json, "goes on. What is new comes at once with", "pull")


# -- what was said -------------------------------------------------------------------------------------------


def _changed(wanted: Wanted, said: Mapping[str, Any]) -> Wanted:
    """The source with what was named in the command put in. Raises Refused."""
    given = {name: value for name, value in said.items() if value not in (None, ())}
    kept = {"format": given.get("layout")} | {n: given.get(n) for n in ("dates", "ids", "periods", "exit")}
    clock = {name: given[name] for name in ("times", "every", "start", "until", "days") if name in given}
    timetable = dict(wanted.timetable)
    for one, other in (("times", "every"), ("every", "times")):
        if one in clock:
            timetable.pop(other, None)
    return Wanted(
        wanted.kind,
        given.get("brings", wanted.brings),
        given.get("feed", wanted.feed),
        {**wanted.location, **_places(given.get("places", ()))},
        {**wanted.said, **{name: text for name, text in kept.items() if text is not None}},
        timetable | clock,
        given.get("expect_by", wanted.expected_by),
        given.get("expect", wanted.expected_day),
    )


def _places(words: tuple[str, ...]) -> dict[str, str]:
    pairs = [word.partition("=") for word in words]
    if wrong := [word for word, (_, sign, _) in zip(words, pairs, strict=True) if not sign]:
        raise Refused(f"Write --set as NAME=VALUE, not {wrong[0]}.")
    return {name.strip(): value for name, _, value in pairs}


# -- what is printed -----------------------------------------------------------------------------------------


def _show(name: str, as_json: bool, words: str, verb: str = "test") -> None:
    if as_json:
        output.json_object(_as_object(telling.standing(name)))
    else:
        click.echo(f"{name} {words} `ew source {verb} {name}`.")


def _as_object(one: Standing) -> dict[str, Any]:
    """A source as scripts read it; secrets are names here as everywhere."""
    wanted = keeping.wanted_of(one.source)
    return {
        "name": one.source.name,
        "kind": wanted.kind,
        "brings": wanted.brings,
        "feed": wanted.feed,
        "location": wanted.location,
        "said": wanted.said,
        "timetable": wanted.timetable,
        "expected_by": wanted.expected_by or None,
        "expected_day": wanted.expected_day,
        "paused": one.source.paused,
        "state": one.state.value,
        "sentence": one.sentence,
        "last_look": _look(one.last) if one.last else None,
        "next_look": one.next,
    }


def _look(look: Pull) -> dict[str, Any]:
    names = ("asked_at", "asked_by", "started_at", "ended_at", "ended", "sentence", "told", "batches", "retry_at")
    return {name: getattr(look, name) for name in names}


def _moment(one: Standing) -> str:
    if one.last is None or one.last.ended_at is None:
        return "never"
    return f"{local(one.last.ended_at):%Y-%m-%d %H:%M}, {one.last.ended}"


def _next(one: Standing) -> str:
    return f"{one.next:%Y-%m-%d %H:%M}" if one.next else "when somebody asks"


def _in_words(one: Mapping[str, Any]) -> str:
    return f"Batch {one['batch']} ({one['name']}): {one['status']}. {one['sentence']}".strip()


COMMANDS = [source_group]
