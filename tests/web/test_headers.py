"""What surrounds every answer: headers, cookies, names the server goes by, and pages for when things go wrong."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from flask import Flask

from ew_app.config import Settings
from ew_app.factory import create_app
from ew_app.services.system.health import DatabaseAway
from ew_app.web import page
from tests.web.conftest import Browser, SignInAs, close, let_in
from tests.web.test_access import TABLE, House, methods

ALWAYS = {
    "Content-Security-Policy": "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; "
    "frame-ancestors 'none'; form-action 'self'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
ADDRESSES = ["/", "/sign-in", "/nowhere", "/healthz", "/health"]


def missing(answer: object, expected: dict[str, str]) -> list[str]:
    headers = answer.headers  # type: ignore[attr-defined]
    return [name for name, value in expected.items() if headers.get(name) != value]


def test_every_route_answers_with_every_header(shared_app: House) -> None:
    app, numbers = shared_app
    for endpoint, probes in TABLE.items():
        for method in methods(app, endpoint):
            path = probes[0]["path"].format(**numbers)
            for browser in (app.test_client(), let_in(app, "system_admin")):
                answer = browser.open(path, method=method)
                assert missing(answer, ALWAYS) == [], f"{method} {path}"
                assert answer.headers["X-Request-ID"] and answer.headers["Server-Timing"].startswith("app;dur=")


def test_an_address_that_is_not_there_answers_with_them_too(browser: Browser) -> None:
    answer = browser.get("/nowhere")
    assert answer.status_code == 404 and missing(answer, ALWAYS) == []


def test_styles_may_be_kept_and_pages_may_not(browser: Browser) -> None:
    with browser.get("/static/ew.css") as answer:
        assert missing(answer, ALWAYS) == ["Cache-Control"]
        assert "no-store" not in answer.headers["Cache-Control"]


def test_plain_http_sets_a_plain_cookie_out_of_reach_of_scripts(browser: Browser) -> None:
    cookie = browser.get("/sign-in").headers["Set-Cookie"]
    assert cookie.startswith("ew=") and "HttpOnly" in cookie and "SameSite=Lax" in cookie and "Secure" not in cookie


def test_https_sets_a_host_cookie_and_asks_for_https_from_now_on(settings: Settings) -> None:
    app = create_app(replace(settings, public_url="https://attendance.example.org"))
    answer = app.test_client().get("/sign-in", base_url="https://attendance.example.org")
    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith("__Host-ew=")
    assert all(word in cookie for word in ("Secure", "HttpOnly", "SameSite=Lax", "Path=/")) and "Domain" not in cookie
    assert answer.headers["Strict-Transport-Security"] == "max-age=31536000"
    close(app)


@pytest.mark.parametrize("host", ["elsewhere.example", "attendance.example.org.elsewhere.example", "169.254.169.254"])
def test_a_server_answers_to_its_own_names_only(browser: Browser, host: str) -> None:
    for path in ADDRESSES:
        answer = browser.get(path, headers={"Host": host})
        assert answer.status_code == 400 and host not in answer.text
        assert missing(answer, ALWAYS) == []


@pytest.mark.parametrize("host", ["127.0.0.1:8000", "localhost:8000", "localhost"])
def test_loopback_names_are_its_own(browser: Browser, host: str) -> None:
    assert browser.get("/sign-in", headers={"Host": host}).status_code == 200


# -- when things go wrong ------------------------------------------------------------------------------------


def test_an_unknown_address_reads_kindly_and_keeps_the_way_around(sign_in: SignInAs) -> None:
    answer = sign_in("system_admin").get("/nowhere")
    assert answer.status_code == 404 and "Nothing was changed" in answer.text and 'href="/health"' in answer.text


def test_a_page_of_another_role_says_so_and_leaves_a_trace(app: Flask, sign_in: SignInAs) -> None:
    from models.audit import AuditRow
    from models.base import db

    answer = sign_in("nurse").get("/health")
    assert answer.status_code == 403 and "see whether feeds and jobs run" in answer.text
    with app.app_context():
        row = db.session.query(AuditRow).filter_by(action="page_refused").one()
        assert (row.actor, row.subject, row.request_id) == ("nurse", "page:health.show", answer.headers["X-Request-ID"])


def test_a_mistake_of_ours_shows_no_inside(app: Flask, sign_in: SignInAs) -> None:
    browser = sign_in("system_admin")
    broken(app, ZeroDivisionError("the secret inside"))
    answer = browser.get("/health")
    assert answer.status_code == 500 and missing(answer, ALWAYS) == []
    assert "secret inside" not in answer.text and "Traceback" not in answer.text
    assert answer.headers["X-Request-ID"] in answer.text


def broken(app: Flask, error: Exception) -> None:
    """Make the health page fail."""

    def fail() -> str:
        raise error

    fail.requires = ()  # type: ignore[attr-defined]
    app.view_functions["health.show"] = fail


def test_the_database_going_away_in_the_middle_is_said_without_asking_it(app: Flask, sign_in: SignInAs) -> None:
    browser = sign_in("system_admin")
    broken(app, DatabaseAway("SELECT secret", {}, Exception("gone")))
    answer = browser.get("/health")
    assert answer.status_code == 503 and "SELECT" not in answer.text and missing(answer, ALWAYS) == []


def test_without_a_database_every_page_says_wait(settings: Settings) -> None:
    app = create_app(replace(settings, database_url="postgresql://app@127.0.0.1:1/nothing"))
    browser = app.test_client()
    with browser.session_transaction() as session:
        session["_user_id"] = "a token from before"
    for path in ("/", "/sign-in", "/people", "/nowhere"):
        answer = browser.get(path)
        assert answer.status_code == 503 and "not ready" in answer.text, path
    assert browser.get("/healthz").text == "ok\n"
    assert (browser.get("/readyz").status_code, browser.get("/readyz").text) == (503, "waiting\n")


def test_a_body_too_large_is_refused_in_words(settings: Settings) -> None:
    app = create_app(replace(settings, upload_mb=1))
    answer = app.test_client().post("/sign-in", data={"login": "x" * 2_000_000})
    assert answer.status_code == 413 and "too large" in answer.text
    close(app)


def test_the_time_a_page_took_stands_at_its_foot(sign_in: SignInAs) -> None:
    assert "Made in " in sign_in("system_admin").get("/health").text


def test_a_script_gets_its_refusal_as_json(browser: Browser) -> None:
    answer = browser.get("/api/v1/nothing")
    assert answer.status_code == 404 and answer.get_json()["request_id"] == answer.headers["X-Request-ID"]


# -- keys of forms, days and rates ---------------------------------------------------------------------------


@pytest.mark.parametrize(("mils", "text"), [(0, "0"), (5000, "5"), (2500, "2.5"), (125, "0.125"), (-500, "-0.5")])
def test_days_are_told_without_idle_zeros(mils: int, text: str) -> None:
    assert page.days(mils) == text


@pytest.mark.parametrize(
    ("absent", "enrolled", "text"),
    [(6000, 52000, "11.5%"), (9999, 100000, "9.9%"), (10000, 100000, "10.0%"), (0, 20000, "0.0%"), (1000, 0, "")],
)
def test_a_rate_is_floored_so_that_it_never_claims_a_line_that_was_not_reached(
    absent: int, enrolled: int, text: str
) -> None:
    assert page.rate(absent, enrolled) == text


@pytest.fixture
def keyed(app: Flask) -> Callable[[], None]:
    """Put a page that gives a form's key in the place of the health page, and one that takes it."""
    from ew_app.web import guard

    def show() -> str:
        return guard.new_once()

    def take() -> str:
        return guard.once()

    for view in (show, take):
        view.requires = ()  # type: ignore[attr-defined]

    def put() -> None:
        app.view_functions["health.show"] = show
        app.view_functions["signin.sign_out"] = take

    return put


def test_the_key_of_a_form_is_the_same_act_each_time_it_is_sent(sign_in: SignInAs, keyed: Callable[[], None]) -> None:
    keyed()
    browser, other = sign_in("nurse"), sign_in("counselor")
    key = browser.get("/health").text
    first, again = (browser.send("/sign-out", {"once": key}) for _ in range(2))
    assert first.status_code == 200 and first.text == again.text
    assert browser.send("/sign-out", {"once": browser.get("/health").text}).text != first.text
    for forged in ("", "forged", key[:-1]):
        assert browser.send("/sign-out", {"once": forged}).status_code == 422
    assert other.send("/sign-out", {"once": key}).status_code == 422, "nor does it work for anybody else"
