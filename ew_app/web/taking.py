"""A page of counts as a file: the same address, asked with `form`; whoever may open the page may take it along."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from urllib.parse import urlencode

from flask import Response, request
from flask.typing import ResponseReturnValue

from ew_app.kernel import Refused
from ew_app.services.measuring import hindsight
from ew_app.services.watching import pages, sheets, taking_along
from ew_app.web import limits
from ew_app.web.guard import actor
from models.org import School

CSV, EXCEL = "text/csv", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
NO_TABLE = "This page has no such table. Take it as Excel to get all of them."


def wanted() -> bool:
    """Whether the page is asked for as a file."""
    return bool(request.args.get("form"))


@limits.export
def answer(name: str, where: str, schools: Sequence[School], **more: str) -> ResponseReturnValue:
    """The file: Excel with every table, or one of them as CSV (`form`: xlsx, or the table's key). Raises Refused."""
    asked = {one: request.args.get(one, "").strip() for one in ("from", "as_of", "tier", "weeks")}
    asked["as_of"] = asked["as_of"] or request.args.get("to", "").strip()
    page, tell = pages.ask(name, where, schools, actor(), asked | more)
    known, form = request.args.get("known_at", "").strip(), request.args.get("form", "")
    taken = taking_along.take(page, tell, by=actor(), known_at=hindsight.moment_of(known) if known else None)
    excel = form == "xlsx"
    try:
        body = sheets.taken_workbook(taken) if excel else sheets.taken_csv(taken, form)
    except KeyError as error:
        raise Refused(NO_TABLE) from error
    file = taking_along.name_of(taken, actor()) + (".xlsx" if excel else f"-{form}.csv")
    return download(body, EXCEL if excel else CSV, file)


def download(body: bytes, mimetype: str, name: str) -> Response:
    """The answer that a browser keeps as a file."""
    found = Response(body, mimetype=mimetype)
    found.headers.set("Content-Disposition", "attachment", filename=name)
    return found


def links(tables: Mapping[str, str], **what: object) -> list[tuple[str, str]]:
    """(words, address) of this page as a file, and of each of its tables (key -> words), asked as it is now."""
    asked = {name: str(value) for name, value in what.items() if value not in (None, "")}
    forms = [("Excel", "xlsx"), *((f"CSV {words}".strip(), key) for key, words in tables.items())]
    return [(words, f"{request.path}?{urlencode(asked | {'form': form})}") for words, form in forms]
