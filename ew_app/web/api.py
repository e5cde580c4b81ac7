"""The JSON API: the reports of the command line for scripts, with a token that opens what its person may see."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask import Blueprint, Response, current_app, json, request
from flask.typing import ResponseReturnValue
from itsdangerous import BadSignature, URLSafeSerializer
from marshmallow import ValidationError
from werkzeug.exceptions import BadRequest

from ew_app.services.watching import fetching
from ew_app.services.watching.fetching import Cursor, Slice
from ew_app.web import api_schemas as told
from ew_app.web import limits
from ew_app.web.api_document import document
from ew_app.web.guard import actor, requires
from rules.access import Permission

screen = Blueprint("api", __name__, url_prefix="/api/v1")
USE = Permission.USE_API


@screen.get("/openapi.json")
@limits.limiter.limit("60 per minute", key_func=limits.address)
def openapi() -> dict[str, Any]:
    """What the API offers, for everybody: no data of the district is in it."""
    return document()


@screen.get("/measures")
@requires(USE)
@limits.api
def measures() -> ResponseReturnValue:
    asked = _asked(told.MeasuresQuery())
    return _page(asked, fetching.measures(by=actor(), **_plain(asked)))


@screen.get("/tiers")
@requires(USE)
@limits.api
def tiers() -> ResponseReturnValue:
    asked = _asked(told.TiersQuery())
    words = _plain(asked)
    return _page(asked, fetching.tiers(by=actor(), level=words.pop("by"), **words))


@screen.get("/cases")
@requires(USE)
@limits.api
def cases() -> ResponseReturnValue:
    asked = _asked(told.CasesQuery())
    return _page(asked, fetching.cases(by=actor(), **_plain(asked)))


@screen.get("/ledger")
@requires(USE)
@limits.api
def ledger() -> ResponseReturnValue:
    asked = _asked(told.LedgerQuery())
    return _page(asked, fetching.ledger(by=actor(), **_plain(asked)))


def _asked(query: told.PageQuery) -> dict[str, Any]:
    """The query as values. Raises BadRequest with a sentence for each parameter that cannot be taken."""
    twice = [name for name, values in request.args.lists() if len(values) > 1]
    if twice:
        raise BadRequest(f"{_short(twice[0])} is given twice. Give it once.")
    try:
        return dict(query.load(request.args.to_dict()))
    except ValidationError as error:
        assert isinstance(error.messages, dict)
        raise BadRequest(" ".join(_sentence(query, name, said) for name, said in error.messages.items())) from error


def _sentence(query: told.PageQuery, name: str, said: Any) -> str:
    known = [field.data_key or key for key, field in query.fields.items()]
    if name not in known:
        return f"There is no parameter {_short(name)}. There are: {', '.join(known)}."
    return f"{name}: {' '.join(map(str, said))}"


def _short(name: str) -> str:
    return repr(name[:40])


def _plain(asked: dict[str, Any]) -> dict[str, Any]:
    """What a service takes: the cursor opened, the limit by its name there."""
    words = {name: value for name, value in asked.items() if name not in ("cursor", "limit")}
    return words | {"after": _opened(asked), "most": asked["limit"]}


def _page(asked: dict[str, Any], found: Slice) -> Response:
    body = {"rows": [_iso(row) for row in found.rows], "next": _sealed(asked, found.next) if found.next else None}
    return Response(json.dumps(body, ensure_ascii=False, sort_keys=False), mimetype="application/json")


def _iso(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value.isoformat() if isinstance(value, date) else value for name, value in row.items()}


def _sealed(asked: dict[str, Any], after: Cursor) -> str:
    return str(_signer().dumps([_same(asked), after]))


def _opened(asked: dict[str, Any]) -> Cursor | None:
    """Where to go on. Raises BadRequest for a cursor that is not of ours, or of another question."""
    if "cursor" not in asked:
        return None
    try:
        of, after = _signer().loads(asked["cursor"])
    except (BadSignature, ValueError) as error:
        raise BadRequest("cursor: Send `next` of the page before, as it came.") from error
    if of != _same(asked):
        raise BadRequest("cursor: It is of another question. Keep the other parameters as they were.")
    return list(after)


def _same(asked: dict[str, Any]) -> list[list[str]]:
    """What must stay as it was from page to page."""
    kept = {name: str(value) for name, value in asked.items() if name not in ("cursor", "limit")}
    return [[request.path, ""], *([name, kept[name]] for name in sorted(kept))]


def _signer() -> URLSafeSerializer:
    return URLSafeSerializer(str(current_app.secret_key), salt="api page")
