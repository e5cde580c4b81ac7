"""The counts of a school, a network or the district as a file to take along."""

from __future__ import annotations

from collections.abc import Sequence

from flask import Blueprint, Response, render_template, request, url_for
from flask.typing import ResponseReturnValue

from ew_app.kernel import Conflict, Refused, today
from ew_app.services.measuring import hindsight
from ew_app.services.watching import figures, movement, sheets, telling
from ew_app.web import limits, taking
from ew_app.web.guard import actor, requires
from models.org import School
from models.queries import boards as rows
from rules.access import PlaceKind

screen = Blueprint("figures", __name__)

KINDS = (("xlsx", "Excel, with every table"), ("csv", "CSV by school"), ("grades", "CSV by school and grade"))


@screen.get("/figures/<place>")
@requires(*figures.SEES.values())
def show(place: str) -> str:
    """Which day, from what was known when, and in which form."""
    return _page(place, figures.schools_of(place, by=actor()))


@screen.get("/figures/<place>/file")
@requires(*figures.SEES.values())
@limits.export
def take(place: str) -> ResponseReturnValue:
    schools = figures.schools_of(place, by=actor())
    try:
        return _file(place, schools)
    except Refused as refusal:
        return _page(place, schools, str(refusal)), 422
    except Conflict as not_yet:
        return _page(place, schools, str(not_yet)), 409


def _file(place: str, schools: Sequence[School]) -> Response:
    said, known = request.args.get("as_of", "").strip(), request.args.get("known_at", "").strip()
    day, moment = movement.day_of(said), hindsight.moment_of(known) if known else None
    hindsight.check_come(day, moment)
    if not moment and (wait := telling.too_long([[one.id] for one in schools], day)):
        raise Conflict(wait)
    found = figures.take(schools, place, by=actor(), as_of=day, known_at=moment)
    kind = request.args.get("form", "xlsx")
    if kind == "csv":
        body, mimetype = sheets.as_csv(figures.COUNTED, found.counted), taking.CSV
    elif kind == "grades":
        body, mimetype = sheets.as_csv(figures.GRADES, found.grades), taking.CSV
    else:
        body, mimetype = sheets.as_workbook(found), taking.EXCEL
    name = f"{figures.name_of(found, place, actor())}.{'xlsx' if mimetype == taking.EXCEL else 'csv'}"
    return taking.download(body, mimetype, name)


def _page(place: str, schools: Sequence[School], error: str = "") -> str:
    board = {
        PlaceKind.SCHOOL: lambda: url_for("boards.school", key=place.partition(":")[2]),
        PlaceKind.NETWORK: lambda: url_for("boards.network", key=place.partition(":")[2]),
    }
    kind = place.partition(":")[0]
    back = board[PlaceKind(kind)]() if kind in board else url_for("boards.district")
    last = max(rows.last_counted([one.id for one in schools], today()).values(), default=None)
    return render_template(
        "figures.html",
        place=place,
        schools=len(schools),
        as_of=request.args.get("as_of", "") or str(last or ""),
        known_at=request.args.get("known_at", ""),
        form=request.args.get("form", "xlsx"),
        kinds=KINDS,
        back=back,
        error=error,
    )
