"""Answers that are not the page someone wanted: each says what happened, that nothing was lost, what to do."""

from __future__ import annotations

import logging
from http import HTTPStatus

from flask import Flask, g, json, render_template, request
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import (
    BadRequest,
    HTTPException,
    InternalServerError,
    MethodNotAllowed,
    RequestEntityTooLarge,
)

from ew_app.kernel import SENTENCES, Conflict, NotFound
from ew_app.services.system.health import DatabaseAway
from ew_app.web import drafts, limits
from rules.access import NotAllowed
from rules.case_flow import IllegalMove
from rules.counting import many

log = logging.getLogger("ew.web")

STATUS: dict[type[Exception], int] = {NotFound: 404, NotAllowed: 403, Conflict: 409, IllegalMove: 409}


def init_app(app: Flask) -> None:
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(CSRFError, _csrf)
    for kind in SENTENCES:
        app.register_error_handler(kind, _sentence)
    app.register_error_handler(DatabaseAway, _database_away)
    app.register_error_handler(InternalServerError, _broken)


SCRIPTS = {
    400: "The query cannot be read as it is.",
    401: "Send a token of yours as `Authorization: Bearer ewt_...`; this one, if any, is not taken.",
    403: "Your roles do not open this.",
    404: "There is nothing here, or not for you. /api/v1/openapi.json lists what there is.",
    405: "This address is only read: use GET.",
    429: "Too many calls in a short time. Wait as many seconds as Retry-After says.",
    503: "The system is not ready at the moment. Try again in a minute.",
}


def answer(code: int, sentence: str = "", error: HTTPException | None = None) -> ResponseReturnValue:
    """The error page, or for scripts the sentence in the form of RFC 9457."""
    if request.path.startswith("/api/"):
        return _problem(code, sentence, error)
    kept = not g.get("plain") and drafts.still_kept()
    if code == 429:
        wait = limits.seconds_left()
        sentence = sentence or f"Nothing was changed. Wait {many(-(-wait // 60), 'minute')}, then try again."
        return (
            render_template("error.html", code=code, sentence=sentence, reference=g.request_id, kept=kept),
            code,
            {"Retry-After": str(wait)},
        )
    return render_template("error.html", code=code, sentence=sentence, reference=g.request_id, kept=kept), code


def _problem(code: int, sentence: str, error: HTTPException | None) -> ResponseReturnValue:
    title = HTTPStatus(code).phrase
    said = sentence or SCRIPTS.get(code, f"{title}. Nothing was changed.")
    problem = {"type": "about:blank", "title": title, "status": code, "detail": said, "request_id": g.request_id}
    headers = {"Content-Type": "application/problem+json"}
    if code == 401:
        headers["WWW-Authenticate"] = "Bearer"
    if code == 429:
        headers["Retry-After"] = str(limits.seconds_left())
    if isinstance(error, MethodNotAllowed):
        headers["Allow"] = ", ".join(sorted(error.valid_methods or ()))
    return json.dumps(problem), code, headers


def _http(error: HTTPException) -> ResponseReturnValue:
    if isinstance(error, RequestEntityTooLarge):
        request.environ["wsgi.input_terminated"] = True
    if request.routing_exception is error and error.code == 400:
        return "This server is not known by that name.\n", 400, {"Content-Type": "text/plain"}
    if error.code is None or error.code < 400:
        return error
    if isinstance(error, BadRequest) and request.path.startswith("/api/"):
        return answer(400, "" if error.description == BadRequest.description else str(error.description))
    return (_given_back() if error.code == 401 else None) or answer(error.code, error=error)


def _csrf(_: HTTPException) -> ResponseReturnValue:
    """The page is from before the last sign-in: whoever filled it in gets it back."""
    return _given_back() or answer(400)


def _given_back() -> ResponseReturnValue | None:
    script = request.path.startswith("/api/") or request.headers.get("X-Fragment")
    return None if script else drafts.hold()


def _sentence(error: Exception) -> ResponseReturnValue:
    """An error that a screen did not catch to show beside its field."""
    code = next((code for kind, code in STATUS.items() if isinstance(error, kind)), 422)
    return answer(code, str(error))


def _database_away(error: Exception) -> ResponseReturnValue:
    """No page may ask the database for anything now, not even who is signed in."""
    log.warning("database away: %s", type(error).__name__)
    g.plain = True
    return answer(503)


def _broken(_: HTTPException) -> ResponseReturnValue:
    g.plain = True
    return answer(500)
