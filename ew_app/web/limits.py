"""How often one person, login or address may ask. Counted in Redis; in memory while Redis is away."""

from __future__ import annotations

import hashlib
from urllib.parse import urlsplit

from flask import Flask, Response, g, request
from flask_limiter import Limiter

from ew_app.config import Settings
from ew_app.kernel import clock

SIGN_IN_BY_LOGIN = "10 per 10 minutes"
API = "120 per minute"  # calls of one person's scripts
SIGN_IN_BY_ADDRESS = "100 per 10 minutes"  # a school's people share one address


def who() -> str:
    """The signed-in person, else the address they come from."""
    visitor = g.get("visitor")
    return f"person {visitor.actor.person_id}" if visitor else address()


def address() -> str:
    return request.remote_addr or "unknown"


def login_name() -> str:
    """The login that was typed and where, unreadable in the counter's key."""
    typed = f"{address()} {request.form.get('login', '').strip().lower()}"
    return hashlib.sha256(typed.encode()).hexdigest()[:32]


def was_refused(response: Response) -> bool:
    """Only what was refused counts, so a whole school can sign in from one address at eight."""
    return response.status_code in (401, 422)


limiter = Limiter(key_func=who)

# For views, beneath @requires: together, however many pages share one of them.
search = limiter.shared_limit("60 per minute", scope="search")
export = limiter.shared_limit("90 per 10 minutes", scope="export")  # an evening of every board, table and network
api = limiter.shared_limit(lambda: API, scope="api")
student_page = limiter.shared_limit("150 per 10 minutes", scope="student_page")


def seconds_left() -> int:
    """How long until whoever was refused may ask again."""
    held = limiter.current_limit
    return max(1, int(held.reset_at - clock().timestamp())) if held else 60


def init_app(app: Flask, settings: Settings) -> None:
    """Count for this installation alone: two of them may share one Redis."""
    database = urlsplit(settings.database_url or "").path.strip("/")
    app.config.update(
        RATELIMIT_STORAGE_URI=settings.redis_url or "memory://",
        RATELIMIT_STORAGE_OPTIONS={"socket_connect_timeout": 0.5, "socket_timeout": 0.5} if settings.redis_url else {},
        RATELIMIT_KEY_PREFIX=f"ew:{database}",
        RATELIMIT_IN_MEMORY_FALLBACK_ENABLED=True,
        RATELIMIT_SWALLOW_ERRORS=True,
    )
    limiter.init_app(app)
