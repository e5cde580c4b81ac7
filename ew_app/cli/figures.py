"""Figures as files: the counts of a place, and the public summary of the district."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

import click

from ew_app.cli.options import acting, as_of_option, as_option, day_of, known_at_option, moment_of
from ew_app.cli.runtime import Runtime, runtime
from ew_app.kernel import OPERATOR
from ew_app.services.watching import figures as counted
from ew_app.services.watching import public, public_page, sheets
from rules.counting import many


@click.command("figures")
@click.argument("path", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--place", default="district", show_default=True, help="district, network:ID or school:ID.")
@as_of_option
@known_at_option
@as_option
@runtime
def figures(
    run: Runtime, path: Path, place: str, as_of: datetime | None, known_at: str | None, login: str | None
) -> None:
    """Write tier counts by school to PATH: Excel for a name that ends in .xlsx, else CSV.

    The same --as-of and --known-at give the same bytes.
    """
    with run.app():
        by = acting(login)
        schools = counted.schools_of(place, by=by)
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

    Small numbers are kept back. The same --as-of and --known-at give the same bytes.
    """
    with run.app():
        found = public.summary(by=OPERATOR, as_of=day_of(as_of), known_at=moment_of(known_at))
    folder.mkdir(parents=True, exist_ok=True)
    told = {
        "as_of": str(found.as_of),
        "known_at": found.known_at,
        "measure": public.MEASURE,
        "definition": public.DEFINITION,
        "defined_on": str(found.defined_on),
        "how_told": public.HOW_TOLD,
        "rows": found.rows(),
    }
    (folder / "index.html").write_text(public_page.page(found), encoding="utf-8")
    (folder / "chronic-absence.csv").write_bytes(sheets.as_csv(public.COLUMNS, found.rows()))
    (folder / "chronic-absence.json").write_text(
        json.dumps(told, indent=2, ensure_ascii=False) + "\n", encoding="utf-8"
    )
    click.echo(f"{folder}: {many(len(found.lines), 'row')} as of {found.as_of}, known at {found.known_at}.")


COMMANDS = [figures, publish]
