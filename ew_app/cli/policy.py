"""Policy as data: check a file, show and compare what holds, put a version in force, take a plan back."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import click

from ew_app.cli import output
from ew_app.cli.options import DAY, day_of
from ew_app.cli.runtime import Runtime, runtime
from ew_app.cli.simulate import simulate
from ew_app.kernel import OPERATOR, NotFound, Refused, today
from ew_app.services.deliveries import waiting
from ew_app.services.measuring import policies, policy_inputs, policy_story
from models.policies import PolicyVersion
from models.queries import policies as rows
from rules.counting import many
from rules.policy import PRESETS, Policy, PolicyInForce, Rule
from rules.policy_difference import difference
from rules.policy_words import ways_down
from rules.sentences import describe_each

SHOWN = 12  # letters of a version that are enough to name it


@click.group("policy")
def policy_group() -> None:
    """What each rule asks, from which day on."""


@policy_group.command("check")
@click.argument("path")
def check(path: str) -> None:
    """Read a policy file, or a shipped preset by its name, and say whether it can be used."""
    policy = policies.check(_file(path))
    click.echo(f"{path}: {policy.label}. {len(policy.on(policy.starts[-1]).rules)} rules, version {policy.version}.")
    for notice in policy.notices():
        click.echo(f"Please note: {notice}")


@policy_group.command("show")
@click.option("--on", type=DAY, help="As it held on this day (default: today).")
@click.option("--version", help="A version that was kept, in force or not.")
@runtime
def show(run: Runtime, on: datetime | None, version: str | None) -> None:
    """Print the policy in force in plain words."""
    with run.app():
        day = day_of(on) or today()
        for line in _in_words(policies.stored(version).on(day) if version else policies.timeline().on(day), day):
            click.echo(line)


@policy_group.command("list")
@output.as_json_flag
@runtime
def list_versions(run: Runtime, as_json: bool) -> None:
    """List every version that holds, held or is planned: from which day, by whom and why."""
    with run.app():
        policies.timeline()
        found = [_activation(row) for row in reversed(rows.history())]
        if as_json:
            output.json_object({"versions": found})
            return
        for one in found:
            click.echo(_line(one))


@policy_group.command("diff")
@click.argument("old")
@click.argument("new")
@runtime
def diff(run: Runtime, old: str, new: str) -> None:
    """Say what sets two policies apart: files, shipped presets, kept versions, or `now`."""
    with run.app():
        told = difference(_policy(old), _policy(new))
        for line in told:
            click.echo(line.sentence)
        if not told:
            click.echo("They say the same.")


@policy_group.command("activate")
@click.argument("path")
@click.option("--from", "starts", type=DAY, required=True, help="First day on which it holds.")
@click.option("--reason", default="", help="Why; kept with it.")
@runtime
def activate(run: Runtime, path: str, starts: datetime, reason: str) -> None:
    """Put a policy in force from a day; every day from then on is decided again by it."""
    with run.working():
        again = rows.days_from(starts.date())
        policy = policies.activate(_file(path), starts=starts.date(), by=OPERATOR, reason=reason)
        for key in policies.unknown_schools(policy):
            click.echo(f"No roster has told of a school {key} yet. What the policy says of it waits until one does.")
        waiting.for_evaluation(output.on_terminal())
        told = (
            f" {many(again, 'day')} with attendance {'was' if again == 1 else 'were'} decided again." if again else ""
        )
        click.echo(f"{policy.label} {_holding(starts.date())} (version {policy.version}).{told}")


def _holding(starts: date) -> str:
    """is in force from 2026-08-24; or only until what was put in force from a later day goes on holding."""
    after = policy_story.taken_over(starts)
    if after is None:
        return f"is in force from {starts}"
    goes_on = "goes on holding" if after.starts <= today() else "takes over"
    return (
        f"holds from {starts} through {after.starts - timedelta(days=1)}; from {after.starts} on {after.name} {goes_on}"
    )


@policy_group.command("withdraw")
@click.argument("version")
@click.option("--reason", default="", help="Why; kept with it.")
@runtime
def withdraw(run: Runtime, version: str, reason: str) -> None:
    """Take a planned version back before its day; what held before goes on holding."""
    with run.app():
        wanted = policies.stored(version).version
        planned = [row for row in rows.in_force() if row.version == wanted and row.starts > today()]
        if not planned:
            raise Refused(f"Version {version} is not planned for a later day. Nothing was changed.")
        for row in planned:
            policies.withdraw(row.id, by=OPERATOR, reason=reason)
            click.echo(f"{row.name} will not hold from {row.starts} on.")


def _file(name: str) -> Path:
    """A file, or the shipped preset of that name. Refused when there is neither."""
    shipped = PRESETS / f"{name}.yaml"
    path = shipped if name in Policy.presets() else Path(name)
    if not path.is_file():
        raise Refused(f"There is no policy file {name}. Shipped: {', '.join(Policy.presets())}.")
    return path


def _policy(name: str) -> Policy:
    """A file, a shipped preset, a kept version, or the policy in force."""
    if name == "now":
        return policies.stored(policies.timeline().on(today()).version)
    try:
        return policies.stored(name)
    except NotFound:
        return policies.check(_file(name))


def _activation(row: PolicyVersion) -> dict[str, Any]:
    return {
        "version": row.version,
        "name": row.name,
        "starts": row.starts,
        "by": row.activated_by,
        "at": row.activated_at,
        "approved_by": row.approved_by,
        "reason": row.reason,
        "withdrawn_by": row.withdrawn_by,
    }


def _line(one: dict[str, Any]) -> str:
    approved = f", approved by {one['approved_by']}" if one["approved_by"] else ""
    taken_back = f", taken back by {one['withdrawn_by']}" if one["withdrawn_by"] else ""
    reason = f": {one['reason']}" if one["reason"] else ""
    who = f"{one['name']}, by {one['by']}{approved}{taken_back}{reason}"
    return f"{one['starts']}  {one['version'][:SHOWN]}  {who}"


def _in_words(policy: PolicyInForce, day: date) -> Iterator[str]:
    yield f"{policy.label}, as it holds on {day}"
    yield f"Version {policy.version}"
    yield ""
    lacking = policy_inputs.not_fed(policy)
    for rule in policy.rules:
        yield from _rule(rule, lacking)
    if policy.exits is not None:
        yield "Ways down"
    for tier, words in ways_down(policy):
        yield f"      {tier}: {words}"


def _rule(rule: Rule, lacking: dict[str, str]) -> Iterator[str]:
    yield f"{rule.key:<5} {rule.label}"
    yield from (f"      {line}" for line in describe_each(rule))
    if rule.reference:
        yield f"      Source: {rule.reference}"
    if rule.key in lacking:
        yield f"      Not fed. {lacking[rule.key]}"


policy_group.add_command(simulate)

COMMANDS = [policy_group]
