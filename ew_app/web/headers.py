"""What surrounds every request and answer: its number, its time, whose site it came from, what a browser may do."""

from __future__ import annotations

import secrets
import time
from urllib.parse import urlsplit

from flask import Flask, Response, abort, g, request
from flask.typing import ResponseReturnValue

from ew_app.config import Settings
from ew_app.kernel import Trace, end_reading, trace

LOOPBACK = ["localhost", "127.0.0.1"]
ANYWHERE = {"0.0.0.0", "::"}
SAFE = {"GET", "HEAD", "OPTIONS"}

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; "
        "frame-ancestors 'none'; form-action 'self'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


def init_app(app: Flask, settings: Settings) -> None:
    app.config["TRUSTED_HOSTS"] = trusted_hosts(settings)
    app.before_request(_begin)
    app.before_request(_same_origin)
    app.after_request(_finish)
    app.teardown_request(_forget)
    app.teardown_request(end_reading)
    if settings.secure:
        app.after_request(_only_https)


def trusted_hosts(settings: Settings) -> list[str]:
    """Names people may call this server by: its public address or its own, and loopback.

    Werkzeug compares names and IPv4 only: who listens on an IPv6 address gives it a name in EW_PUBLIC_URL.
    """
    name = urlsplit(settings.address).hostname or ""
    own = [] if name in ANYWHERE or name in LOOPBACK else [name]
    return [*own, *LOOPBACK]


def milliseconds() -> int:
    """How long this request has taken so far."""
    began: float = g.began
    return round((time.perf_counter() - began) * 1000)


def _begin() -> None:
    g.began = time.perf_counter()
    g.request_id = secrets.token_hex(8)
    trace.set(Trace(request.remote_addr or "", g.request_id))


def _same_origin() -> ResponseReturnValue | None:
    """Refuse a change asked for by another site. Browsers say "null" because we send no referrer."""
    if request.method in SAFE:
        return None
    origin = request.headers.get("Origin", "null")
    if origin != "null" and urlsplit(origin).netloc != request.host:
        abort(403)
    if request.headers.get("Sec-Fetch-Site", "none") not in ("same-origin", "none"):
        abort(403)
    return None


def _finish(response: Response) -> Response:
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    if request.endpoint not in ("static", "bootstrap.static"):
        response.headers.setdefault("Cache-Control", "no-store")
    response.headers["X-Request-ID"] = g.request_id
    response.headers["Server-Timing"] = f"app;dur={milliseconds()}"
    return response


def _only_https(response: Response) -> Response:
    response.headers["Strict-Transport-Security"] = "max-age=31536000"
    return response


def _forget(_: BaseException | None) -> None:
    trace.set(Trace())
