"""The OpenAPI document of the JSON API, made from the classes that check its queries. It holds no data."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from apispec import APISpec
from apispec.ext.marshmallow import MarshmallowPlugin
from marshmallow import Schema

from ew_app.web import api_schemas as told

ABOUT = """What the reports of the command line print, for scripts: the same rows, by the same definitions.

Send the token that you made under *Scripts* as `Authorization: Bearer ewt_...`. It opens what you may see at that
moment and nothing else; information that is kept apart never goes out here. Every call is written down.

Go on after a page by sending its `next` as `cursor`, with the other parameters as they were; `next` is null at the
end. Rows that change meanwhile may show on either side of a page, none twice.
"""
REFUSALS = {
    400: "A parameter that cannot be read, is unknown or is given twice.",
    401: "No token, or one that is not taken any more.",
    403: "Your roles do not open these rows.",
    404: "It is not there, or not for you.",
    422: "What was asked for cannot be answered as it is; the sentence says why.",
    429: "Too many calls in a short time. Retry-After says how many seconds to wait.",
}


@dataclass(frozen=True, slots=True)
class Offered:
    """One address: what it lists, what it takes and what a row is."""

    path: str
    summary: str
    query: type[told.PageQuery]
    row: type[Schema]


LISTS = (
    Offered("measures", "Days, rate, band and tier of each student", told.MeasuresQuery, told.MeasureRow),
    Offered("tiers", "How many students stand in each tier", told.TiersQuery, told.TierRow),
    Offered("cases", "Who owns which case and how far it is", told.CasesQuery, told.CaseRow),
    Offered("ledger", "Which school took attendance on which day", told.LedgerQuery, told.LedgerRow),
)


@cache
def document() -> dict[str, Any]:
    """OpenAPI 3.1."""
    spec = APISpec(
        title="Early warning for attendance",
        version="1",
        openapi_version="3.1.0",
        info={"description": ABOUT, "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"}},
        servers=[{"url": "/"}],
        plugins=[MarshmallowPlugin()],
    )
    scheme = {"type": "http", "scheme": "bearer", "description": "A token from the page Scripts."}
    spec.components.security_scheme("token", scheme)
    spec.components.schema("Problem", schema=told.Problem)
    for one in LISTS:
        name = one.row.__name__
        spec.components.schema(name, schema=one.row)
        spec.path(path=f"/api/v1/{one.path}", operations={"get": _operation(one, name)})
    return spec.to_dict()


def _operation(one: Offered, row: str) -> dict[str, Any]:
    page = {
        "type": "object",
        "required": ["rows", "next"],
        "additionalProperties": False,
        "properties": {
            "rows": {"type": "array", "items": {"$ref": f"#/components/schemas/{row}"}},
            "next": {"type": ["string", "null"], "description": "For `cursor`; null at the end."},
        },
    }
    problem = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    refused = {str(code): {"description": words, "content": problem} for code, words in REFUSALS.items()}
    return {
        "operationId": one.path,
        "summary": one.summary,
        "description": (one.row.__doc__ or "").strip(),
        "security": [{"token": []}],
        "parameters": [{"in": "query", "schema": one.query}],
        "responses": {"200": {"description": "A page.", "content": {"application/json": {"schema": page}}}} | refused,
    }
