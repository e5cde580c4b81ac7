"""Is it well, is it whole, and how to get it back: doctor, audit, backup, restore."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path

import click

from ew_app.cli import output
from ew_app.cli.output import as_json_flag
from ew_app.cli.runtime import Runtime, runtime
from ew_app.services.system import audit, health
from ew_app.services.system import rescue as backups
from ew_app.services.system.audit import Verdict
from ew_app.services.system.health import State

SIGNS = {State.OK: "ok  ", State.LATE: "late", State.DOWN: "DOWN"}


@click.command("doctor")
@as_json_flag
@runtime
def doctor(run: Runtime, as_json: bool) -> None:
    """What is wrong and how to mend it. Exits with 1 when a part is down."""
    with run.bare():
        checks = health.checks()
    if as_json:
        output.json_object({"well": not _down(checks), "checks": [asdict(check) for check in checks]})
    else:
        for check in checks:
            click.echo(f"{SIGNS[check.state]}  {check.name}: {check.sentence}")
            if check.state is not State.OK and check.mend:
                click.echo(f"      {check.mend}")
    if _down(checks):
        sys.exit(1)


@click.group("audit")
def audit_group() -> None:
    """Who did and saw what, and the proof that nobody changed it."""


@audit_group.command("verify")
@click.option("--head", help="A head noted earlier, POSITION:HASH; it must lie on the chain.")
@as_json_flag
@runtime
def verify(run: Runtime, head: str | None, as_json: bool) -> None:
    """Walk the whole chain; name the first row that was changed, removed or inserted late, and exit with 1."""
    with run.app():
        found = audit.verify(head)
    if as_json:
        output.json_object(asdict(found) | {"whole": found.broken is None})
    else:
        _say(found)
    if found.broken:
        sys.exit(1)


@click.command("backup")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@runtime
def backup(run: Runtime, folder: Path) -> None:
    """Save the whole database into a new folder, with a manifest that proves it."""
    with run.app():
        made = backups.backup(folder.resolve())
    click.echo(
        f"The whole database ({made.students:,} students, {sum(made.rows.values()):,} rows) is in {folder}. It holds "
        "student records: keep it as safe as the server. The secret key is not in it; keep that elsewhere."
    )


@click.command("restore")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@runtime
def restore(run: Runtime, folder: Path) -> None:
    """Bring a backup into an empty database, then check it against its manifest and verify the audit."""
    with run.bare():
        found = backups.restore(folder.resolve())
    click.echo(f"The backup in {folder} is restored; every table has the rows that were saved.")
    _say(found)
    if found.broken:
        sys.exit(1)


def _say(found: Verdict) -> None:
    if found.broken:
        click.echo(f"The audit is broken at position {found.broken.position}: {found.broken.sentence}", err=True)
        return
    click.echo(f"The audit is whole: {found.rows:,} rows. Head {found.head}")


def _down(checks: list[health.Check]) -> bool:
    return any(check.state is State.DOWN for check in checks)


COMMANDS = [doctor, audit_group, backup, restore]
