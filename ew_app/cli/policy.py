"""Policy as data: check a file, show what is in force, put a file in force."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path

import click

from ew_app.cli import output
from ew_app.cli.options import DAY, day_of
from ew_app.cli.runtime import Runtime, runtime
from ew_app.kernel import OPERATOR, Refused, today
from ew_app.services.deliveries import waiting
from ew_app.services.measuring import policies
from rules.audiences import forms
from rules.counting import agreeing
from rules.policy import PRESETS, Policy, PolicyError, PolicyInForce, Rule
from rules.sentences import describe_each
from rules.tiers import days_text


@click.group("policy")
def policy_group() -> None:
    """What each rule asks, from which day on."""


@policy_group.command("check")
@click.argument("path")
def check(path: str) -> None:
    """Read a policy file, or a shipped preset by its name, and say whether it can be used."""
    file = _file(path)
    try:
        policy = Policy.load(file)
    except PolicyError as error:
        raise Refused(str(error)) from error
    click.echo(f"{path}: {policy.label}. {len(policy.on(policy.starts[-1]).rules)} rules, version {policy.version}.")


@policy_group.command("show")
@click.option("--on", type=DAY, help="As it held on this day (default: today).")
@runtime
def show(run: Runtime, on: datetime | None) -> None:
    """Print the policy in force in plain words."""
    with run.app():
        day = day_of(on) or today()
        for line in _in_words(policies.timeline().on(day), day):
            click.echo(line)


@policy_group.command("activate")
@click.argument("path")
@click.option("--from", "starts", type=DAY, required=True, help="First day on which it holds.")
@runtime
def activate(run: Runtime, path: str, starts: datetime) -> None:
    """Put a policy in force from a day; every day from then on is decided again by it."""
    with run.working():
        policy = policies.activate(_file(path), starts=starts.date(), by=OPERATOR)
        for key in policies.unknown_schools(policy):
            click.echo(f"No roster has told of a school {key} yet. What the policy says of it waits until one does.")
        waiting.for_evaluation(output.on_terminal())
        click.echo(f"{policy.label} is in force from {starts.date()} (version {policy.version}).")


def _file(name: str) -> Path:
    """A file, or the shipped preset of that name. Refused when there is neither."""
    shipped = PRESETS / f"{name}.yaml"
    path = shipped if name in Policy.presets() else Path(name)
    if not path.is_file():
        raise Refused(f"There is no policy file {name}. Shipped: {', '.join(Policy.presets())}.")
    return path


def _in_words(policy: PolicyInForce, day: date) -> Iterator[str]:
    yield f"{policy.label}, as it holds on {day}"
    yield f"Version {policy.version}"
    yield ""
    for rule in policy.rules:
        yield from _rule(rule)
    yield from _ways_down(policy)


def _rule(rule: Rule) -> Iterator[str]:
    yield f"{rule.key:<5} {rule.label}"
    yield from (f"      {line}" for line in describe_each(rule))
    if rule.reference:
        yield f"      Source: {rule.reference}"


def _ways_down(policy: PolicyInForce) -> Iterator[str]:
    """How each tier is left again."""
    if policy.exits is None:
        yield "A tier is left on the day its line is no longer met."
        return
    yield "Ways down"
    for watch in forms(policy.exits.watch):
        few = agreeing(f"{days_text(watch.at_most_absences)} days")
        yield (
            f"      {_named('Watch', watch.whose)}: at most {few} absent in the last {watch.in_last_days}, "
            f"after {watch.after_days_in_tier} school days in it."
        )
    for name, tier_exit in (("Tier 2", policy.exits.tier_2), ("Tier 3", policy.exits.tier_3)):
        for way in forms(tier_exit):
            yield (
                f"      {_named(name, way.whose)}: under {days_text(int(way.rate_below * 100_000))}% absent in the "
                f"last {way.in_last_days} days, after {way.after_days_in_tier} school days in it."
            )


def _named(tier: str, whose: str) -> str:
    return f"{tier}, for {whose}" if whose else tier


COMMANDS = [policy_group]
