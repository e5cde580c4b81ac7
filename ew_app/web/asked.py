"""What an address or a form may ask with: numbers that a row can have, and text that a database can hold."""

from __future__ import annotations

from flask import Flask, abort, request
from werkzeug.routing import IntegerConverter

GREATEST = 2**31 - 1  # no row has a higher number
LAST_PAGE = 100_000


class RowNumber(IntegerConverter):
    """`<int:...>` in an address; a number that no row can have leads nowhere."""

    def __init__(self, *args: object, **options: object) -> None:
        options.setdefault("max", GREATEST)
        super().__init__(*args, **options)  # type: ignore[arg-type]


def init_app(app: Flask) -> None:
    app.url_map.converters["int"] = RowNumber


def refuse_nul() -> None:
    """No text of ours holds a NUL character: such an address leads nowhere, such a query or form is broken."""
    if "\0" in request.path:
        abort(404)
    if any("\0" in value for values in request.args.listvalues() for value in values):
        abort(422)
    if request.method == "POST" and any("\0" in value for values in request.form.listvalues() for value in values):
        abort(400)


def number(text: str) -> int:
    """A number of a row, for `type=`; ValueError for what no row can have."""
    found = int(text)
    if not 0 <= found <= GREATEST:
        raise ValueError(f"{text[:20]} is no number of a row")
    return found


def row_number(text: str) -> int | None:
    """The same, or None for whatever is none."""
    try:
        return number(text)
    except ValueError:
        return None


def page(name: str = "page") -> int:
    """The page of a list that the address asks for, from 1 on."""
    return min(max(1, request.args.get(name, 1, type=int)), LAST_PAGE)
