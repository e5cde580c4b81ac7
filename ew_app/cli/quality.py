"""`ew quality`: what the last look through the records found, and how each is mended."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import click

from ew_app.cli import output
from ew_app.cli.options import acting, as_option
from ew_app.cli.output import as_json_flag
from ew_app.cli.runtime import Runtime, runtime
from ew_app.services.system import quality as looking
from rules.counting import many


@click.command("quality")
@click.option("--school", metavar="ID", default="", help="One school only.")
@click.option("--now", "at_once", is_flag=True, help="Look through everything first, instead of telling of last night.")
@as_option
@as_json_flag
@runtime
def quality(run: Runtime, school: str, at_once: bool, login: str | None, as_json: bool) -> None:
    """What does not fit together in the records, when it matters, and how it is mended.

    Tells what the last look found; where there was none yet, it looks now. Ends with 0 whatever was found.
    """
    with run.app():
        by = acting(login)
        told = looking.report(by=by, school=school, at_once=at_once)
        if as_json:
            output.json_object(told)
            return
        for line in _lines(told):
            click.echo(line)


def _lines(told: dict[str, Any]) -> list[str]:
    """The report as a page: check, what to do, and a line for each school."""
    checked = f"{many(told['checks'], 'check')}, last made {told['checked_at']}"
    if not told["findings"]:
        return [f"Nothing to mend: {checked}."]
    by_check: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for finding in told["findings"]:
        by_check[finding["check"]].append(finding)
    lines = [f"{many(len(by_check), 'kind of mistake', 'kinds of mistakes')} to mend: {checked}."]
    for findings in by_check.values():
        first = findings[0]
        lines += ["", first["title"], f"  {first['matters']}", f"  How to mend it: {first['mend']}"]
        lines += map(_line, findings)
    return lines


def _line(finding: dict[str, Any]) -> str:
    new = ", new" if finding["new"] else ""
    return f"  {finding['school_id'] or 'district'}: {finding['rows']:,}, since {finding['since']}{new}"


COMMANDS = [quality]
