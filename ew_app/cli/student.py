"""Records of one child: two ids that are one, and back."""

from __future__ import annotations

import click

from ew_app.cli import output
from ew_app.cli.output import as_json_flag, format_option
from ew_app.cli.runtime import Runtime, runtime
from ew_app.kernel import OPERATOR, Refused
from ew_app.services.deliveries import one_child
from models.queries import merging as rows

MERGES = ("kept", "gone", "reason", "merged_at", "merged_by", "batch_id")


@click.group("student")
def student_group() -> None:
    """Students whose records do not stand as they should."""


@student_group.command("merge")
@click.argument("keep")
@click.argument("gone")
@click.option("--reason", default="", help="How you know that it is one child; kept in the audit.")
@click.option("--undo", is_flag=True, help="Take back that GONE is a former id of KEEP.")
@as_json_flag
@runtime
def merge(run: Runtime, keep: str, gone: str, reason: str, undo: bool, as_json: bool) -> None:
    """Read GONE as a former id of the student KEEP: one history, one case, one row.

    Files may go on using the former id. Nothing is lost: --undo makes them two again.
    """
    with run.working():
        if undo:
            _check_pair(keep, gone)
            one_child.part(gone, by=OPERATOR)
        else:
            one_child.merge(keep, gone, reason=reason, by=OPERATOR)
        if as_json:
            output.json_object({"kept": keep, "gone": gone, "merged": not undo})
            return
        click.echo(f"{gone} is a student again." if undo else f"{gone} is now a former id of {keep}.")


@student_group.command("merged")
@format_option
@runtime
def merged(run: Runtime, form: str) -> None:
    """Every former id that holds, the latest first."""
    with run.app():
        found = [{name: str(getattr(row, name) or "") for name in MERGES} for row in rows.standing()]
        output.table(iter(found), MERGES, form)


def _check_pair(keep: str, gone: str) -> None:
    if not any((row.kept, row.gone) == (keep, gone) for row in rows.standing(gone)):
        raise Refused(f"{gone} is not a former id of {keep}. `ew student merged` lists those that hold.")


COMMANDS = [student_group]
