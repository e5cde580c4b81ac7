"""Figures as files: the counts of a place, and the public summary of the district."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import click

from ew_app.cli.options import acting, as_of_option, as_option, day_of, known_at_option, moment_of
from ew_app.cli.runtime import Runtime, runtime
from ew_app.kernel import OPERATOR, Refused
from ew_app.services.watching import figures as counted
from ew_app.services.watching import pages, public_page, publishing, sheets, taking_along
from rules.counting import many


@click.command("figures")
@click.argument("path", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--page", type=click.Choice(["tiers", *pages.BOARDS]), default="tiers", show_default=True)
@click.option("--table", help="Of a page with several tables, the one that a CSV holds; else the first.")
@click.option("--from", "since", help="movement: the first of the two days, such as 2026-10-09.")
@click.option("--tier", type=click.Choice(list(pages.TIERS)), help="movement: whose lines.")
@click.option("--weeks", type=click.Choice(pages.WEEKS), help="follow-through, what-works: how far back.")
@click.option("--place", default="district", show_default=True, help="district, network:ID or school:ID.")
@as_of_option
@known_at_option
@as_option
@runtime
def figures(
    run: Runtime, path: Path, page: str, place: str, table: str | None, since: str | None, tier: str | None,
    weeks: str | None, as_of: datetime | None, known_at: str | None, login: str | None,
) -> None:  # fmt: skip
    """Write tier counts by school, or another page of counts, to PATH: Excel for a name that ends in .xlsx, else CSV.

    The same --as-of and --known-at give the same bytes.
    """
    with run.app():
        by = acting(login)
        schools = counted.schools_of(place, by=by)
        if page != "tiers":
            what = {"from": since or "", "tier": tier or "", "weeks": weeks or ""}
            what["as_of"] = str(day_of(as_of) or "")
            asked, tell = pages.ask(page, place, schools, by, what)
            taken = taking_along.take(asked, tell, by=by, known_at=moment_of(known_at))
            key = table or taken.tables[0].key
            if key not in {one.key for one in taken.tables}:
                raise Refused(f"This page has the tables {', '.join(one.key for one in taken.tables)}.")
            excel = path.suffix.lower() == ".xlsx"
            path.write_bytes(sheets.taken_workbook(taken) if excel else sheets.taken_csv(taken, key))
            click.echo(f"{path}: {taken.asked.title} as of {taken.as_of}, known at {taken.moment}.")
            return
        found = counted.take(schools, place, by=by, as_of=day_of(as_of), known_at=moment_of(known_at))
        excel = path.suffix.lower() == ".xlsx"
        path.write_bytes(sheets.as_workbook(found) if excel else sheets.as_csv(counted.COUNTED, found.counted))
    click.echo(f"{path}: {many(len(found.counted), 'school')} as of {found.as_of}, known at {found.moment}.")


@click.command("publish")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@as_of_option
@known_at_option
@runtime
def publish(run: Runtime, folder: Path, as_of: datetime | None, known_at: str | None) -> None:
    """Write the public summary into FOLDER: a page, a CSV and a JSON file, for the district's own site.

    Small numbers are kept back. There is one summary of a month, of the first day counted in it: taken again it is the
    same bytes.
    """
    with run.app():
        found = publishing.publish(by=OPERATOR, as_of=day_of(as_of), known_at=moment_of(known_at))
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in public_page.files(found).items():
        (folder / name).write_bytes(content)
    click.echo(f"{folder}: {many(len(found.lines), 'row')} as of {found.as_of}, known at {found.known_at}.")


COMMANDS = [figures, publish]
