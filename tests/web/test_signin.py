"""Signing in: what opens a session, what ends it, and what gives nothing away."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pyotp
import pytest
from flask import Flask

from ew_app.config import Settings
from ew_app.kernel import OPERATOR, Trace, now, trace, transaction
from ew_app.services.people import accounts, credentials, demo_people, granting, passwords, signing_in
from models.base import db
from models.staff import Person
from tests.web import world as named_world
from tests.web.conftest import Browser, SignInAs, age, close, held_token, hold, is_in

GOOD = "rain on the tin roof 41"
ELSEWHERE = {"REMOTE_ADDR": "10.1.2.3"}


@pytest.fixture
def nurse(app: Flask, world: dict[str, int]) -> Callable[[], Person]:
    """The nurse of the named world with a password; a function that reads the row anew."""
    with app.app_context(), transaction():
        db.session.get_one(Person, world["nurse"]).password_hash = passwords.hashed(GOOD)
    return lambda: db.session.get_one(Person, world["nurse"], populate_existing=True)


@pytest.fixture
def demo(app: Flask) -> None:
    """Demo people and no others."""
    with app.app_context():
        with transaction():
            named_world.schools_and_students()
        demo_people.add()


def hidden(page: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    assert found, f"no {name} in the page"
    return found[1]


def post(browser: Browser, path: str, form: dict[str, str], **options: Any) -> Any:
    """Fill in the form of a page as a person would: with its hidden token."""
    page = browser.get(path, **options).text
    return browser.post(path, data={"csrf_token": hidden(page, "csrf_token"), **form}, **options)


def sign_in(browser: Browser, login: str, password: str, **options: Any) -> Any:
    return post(browser, "/sign-in", {"login": login, "password": password}, **options)


# -- first sign-in -------------------------------------------------------------------------------------------


def enrol(browser: Browser) -> tuple[pyotp.TOTP, str]:
    """Password, then the app of a phone; returns the phone and the code it was added with."""
    assert sign_in(browser, "nurse", GOOD).location == "/sign-in/code"
    assert browser.get("/sign-in/code").location == "/sign-in/app"
    page = browser.get("/sign-in/app").text
    secret = re.sub(r"\s", "", re.search(r'<code id="secret">([^<]+)</code>', page)[1])  # type: ignore[index]
    phone = pyotp.TOTP(secret)
    form = {name: hidden(page, name) for name in ("csrf_token", "offer")}
    code = phone.at(now())
    answer = browser.post("/sign-in/app", data={**form, "code": code})
    assert (answer.status_code, answer.location) == (302, "/")
    return phone, code


def test_at_a_first_sign_in_the_phone_is_added_and_later_its_code_is_asked(
    browser: Browser, app: Flask, nurse: Callable[[], Person]
) -> None:
    phone, used = enrol(browser)
    assert is_in(browser)
    other = app.test_client()
    assert sign_in(other, "nurse", GOOD).location == "/sign-in/code"
    assert not is_in(other), "a password alone opens no page"
    assert other.get("/sign-in/app").location == "/sign-in/code", "a known phone is not replaced on the way"
    assert post(other, "/sign-in/code", {"code": used}).status_code == 401, "that code was used up"
    assert post(other, "/sign-in/code", {"code": phone.at(now(), counter_offset=1)}).location == "/"
    assert is_in(other)


def test_the_secret_of_the_phone_cannot_be_chosen_by_the_browser(browser: Browser, nurse: Callable[[], Person]) -> None:
    sign_in(browser, "nurse", GOOD)
    own = pyotp.TOTP(pyotp.random_base32())
    assert post(browser, "/sign-in/app", {"offer": own.secret, "code": own.at(now())}).status_code == 401
    assert not is_in(browser)


def test_wrong_codes_make_a_login_rest_even_with_the_right_password(
    browser: Browser, app: Flask, nurse: Callable[[], Person]
) -> None:
    enrol(browser)
    other = app.test_client()
    for _ in range(signing_in.TRIES):
        sign_in(other, "nurse", GOOD)
        assert post(other, "/sign-in/code", {"code": "000000"}).status_code == 401
    assert sign_in(other, "nurse", GOOD).status_code == 401
    with app.app_context():
        assert nurse().locked_until is not None


def test_a_waiting_session_dies_after_ten_minutes(browser: Browser, app: Flask, nurse: Callable[[], Person]) -> None:
    sign_in(browser, "nurse", GOOD)
    age(app, created_at=timedelta(minutes=11))
    assert browser.get("/sign-in/app").location == "/sign-in/code"
    assert browser.get("/sign-in/code").location == "/sign-in"


def test_a_session_planted_before_sign_in_is_worth_nothing_after_it(
    browser: Browser, app: Flask, nurse: Callable[[], Person]
) -> None:
    hold(browser, "planted")
    sign_in(browser, "nurse", GOOD)
    waiting = held_token(browser)
    assert waiting != "planted"
    enrol(browser)
    proved = held_token(browser)
    assert proved != waiting
    for old in ("planted", waiting):
        other = app.test_client()
        hold(other, old)
        assert not is_in(other)


# -- refusals that give nothing away -------------------------------------------------------------------------


def test_unknown_login_and_wrong_password_read_the_same(browser: Browser, nurse: Callable[[], Person]) -> None:
    answers = [sign_in(browser, login, "nothing that fits at all") for login in ("nurse", "nobody")]
    pages = [re.sub(r"Made in \d+ ms|value=\"[^\"]*\"", "", answer.text) for answer in answers]
    assert [answer.status_code for answer in answers] == [401, 401]
    assert pages[0] == pages[1]


def test_unknown_login_and_wrong_password_take_the_same_time(app: Flask, nurse: Callable[[], Person]) -> None:
    def seconds(login: str) -> float:
        began = time.process_time()
        with app.app_context(), pytest.raises(signing_in.Refused):
            signing_in.by_password(login, "nothing that fits", ip="", on_this_machine=True)
        return time.process_time() - began

    known, unknown = (min(seconds(login) for _ in range(5)) for login in ("nurse", "nobody"))
    assert 0.6 < known / unknown < 1.7


def test_wrong_passwords_typed_elsewhere_do_not_shut_a_person_out_of_where_they_work(
    browser: Browser, app: Flask, nurse: Callable[[], Person]
) -> None:
    def attempt(password: str, ip: str) -> bool:
        token = trace.set(Trace(ip))
        try:
            signing_in.by_password("nurse", password, ip=ip, on_this_machine=True)
        except signing_in.Refused:
            return False
        finally:
            trace.reset(token)
        return True

    enrol(browser)  # from 127.0.0.1
    with app.app_context():
        for number in range(4):
            assert not any(attempt("wrong", f"10.0.0.{number}") for _ in range(4))
        assert nurse().locked_until is not None
        assert not attempt(GOOD, "10.0.0.99"), "nowhere new, not even with the right password"
        assert attempt(GOOD, "127.0.0.1")
        assert not any(attempt("wrong", "127.0.0.1") for _ in range(signing_in.TRIES))
        assert not attempt(GOOD, "127.0.0.1"), "nor there, after ten wrong ones from there"


def test_after_ten_wrong_tries_a_login_rests_for_ten_minutes(
    app: Flask, nurse: Callable[[], Person], monkeypatch: pytest.MonkeyPatch
) -> None:
    def attempt(password: str) -> bool:
        try:
            signing_in.by_password("nurse", password, ip="", on_this_machine=True)
        except signing_in.Refused as refusal:
            assert str(refusal) == signing_in.NO_MATCH
            return False
        return True

    with app.app_context():
        assert not any(attempt("wrong") for _ in range(9)) and attempt(GOOD)
        assert not attempt("wrong") and not attempt(GOOD), "a password alone does not start the count anew"
        with transaction():
            nurse().locked_until = now() - timedelta(seconds=1)
        assert not attempt(GOOD)
        monkeypatch.setattr(signing_in, "REST", timedelta(0))  # the tries are long ago
        assert attempt(GOOD)


def test_an_address_or_a_login_that_tries_too_often_is_told_to_wait(browser: Browser, world: dict[str, int]) -> None:
    answers = [sign_in(browser, "nobody", "wrong") for _ in range(12)]
    assert [answer.status_code for answer in answers] == [401] * 10 + [429] * 2
    assert (
        "Wait 10 minutes, then try again" in answers[-1].text and 540 <= int(answers[-1].headers["Retry-After"]) <= 600
    )
    assert sign_in(browser, "somebody", "wrong").status_code == 401, "another login may still try"
    assert browser.get("/sign-in").status_code == 200


def test_someone_without_a_role_today_is_told_so(browser: Browser, app: Flask, nurse: Callable[[], Person]) -> None:
    with app.app_context():
        granting.end_role(grant_id=nurse().grants[0].id, by=OPERATOR)
    answer = sign_in(browser, "nurse", GOOD)
    assert answer.status_code == 401 and "no role today" in answer.text


def test_sign_in_works_while_redis_is_away(settings: Settings) -> None:
    app = ready_without_redis(settings)
    with app.app_context():
        named_world.build()
        with transaction():
            accounts.find("nurse").password_hash = passwords.hashed(GOOD)
    browser = app.test_client()
    assert sign_in(browser, "nurse", "wrong").status_code == 401
    assert sign_in(browser, "nurse", GOOD).location == "/sign-in/code"
    close(app)


def ready_without_redis(settings: Settings) -> Flask:
    from ew_app.factory import create_app

    app = create_app(replace(settings, redis_url="redis://127.0.0.1:1/0"))
    app.test_client_class = Browser
    return app


# -- demo people ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "options",
    [
        {"environ_overrides": ELSEWHERE},
        {"headers": {"X-Forwarded-For": "10.1.2.3"}},
    ],
)
def test_demo_people_sign_in_on_this_machine_only(app: Flask, demo: None, options: dict[str, Any]) -> None:
    here, there = app.test_client(), app.test_client()
    assert "Demo logins" in here.get("/sign-in").text
    assert "Demo logins" not in there.get("/sign-in", **options).text
    assert sign_in(there, "nurse", demo_people.PASSWORD, **options).status_code == 401
    assert sign_in(here, "nurse", demo_people.PASSWORD).status_code == 302
    assert is_in(here)
    assert here.get("/session/extend", **options).status_code == 302, "nor may their cookie travel"


def test_every_page_of_a_demo_person_says_demo(app: Flask, demo: None) -> None:
    browser = app.test_client()
    sign_in(browser, "system_admin", demo_people.PASSWORD)
    for path in ("/health", "/people", "/people/classes", "/nowhere"):
        assert "banner-demo" in browser.get(path).text, path


# -- where to next -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "elsewhere",
    [
        "https://elsewhere.example",
        "//elsewhere.example",
        "/\\elsewhere.example",
        "\\\\elsewhere.example",
        "/\t/elsewhere.example",
        " //elsewhere.example",
        "javascript:alert(1)",
        "elsewhere.example",
        "/%0d%0aSet-Cookie:x=1\r\nSet-Cookie: x=1",
        "",
    ],
)
def test_after_sign_in_nobody_is_led_elsewhere(app: Flask, demo: None, elsewhere: str) -> None:
    browser = app.test_client()
    answer = post(browser, "/sign-in", {"login": "nurse", "password": demo_people.PASSWORD, "next": elsewhere})
    assert answer.location == "/"


def test_after_sign_in_the_page_that_was_asked_for_opens(app: Flask, demo: None) -> None:
    browser = app.test_client()
    asked = browser.get("/people?role=nurse")
    assert asked.location == "/sign-in?next=/people?role%3Dnurse"
    page = browser.get(asked.location).text
    form = {name: hidden(page, name) for name in ("csrf_token", "next")}
    answer = browser.post("/sign-in", data={**form, "login": "system_admin", "password": demo_people.PASSWORD})
    assert answer.location == "/people?role=nurse"


# -- links to choose a password ------------------------------------------------------------------------------


@pytest.fixture
def link(app: Flask, world: dict[str, int]) -> Iterator[str]:
    with app.app_context():
        address = credentials.new_link(person_id=world["nurse"], by=OPERATOR)
    yield "/set-password/" + address.rpartition("/")[2]


def choose(browser: Browser, link: str, password: str, again: str | None = None) -> Any:
    return post(browser, link, {"password": password, "again": password if again is None else again})


def test_a_link_sets_a_password_once(browser: Browser, app: Flask, link: str) -> None:
    page = browser.get(link).text
    assert choose(browser, link, GOOD).location == "/sign-in"
    assert browser.get(link).status_code == 422
    form = {"csrf_token": hidden(page, "csrf_token"), "password": GOOD + " 2", "again": GOOD + " 2"}
    assert app.test_client().post(link, data=form).status_code == 400
    assert sign_in(browser, "nurse", GOOD).location == "/sign-in/code", "and the second factor is still asked"


@pytest.mark.parametrize(
    ("password", "again", "sentence"),
    [
        ("too short", None, "at least 15 characters"),
        ("x" * 129, None, "at most 128"),
        ("password password 2026", None, "easy to guess"),
        (GOOD, GOOD + "!", "not the same"),
    ],
)
def test_a_weak_password_is_refused_with_a_reason(
    browser: Browser, link: str, password: str, again: str | None, sentence: str
) -> None:
    answer = choose(browser, link, password, again)
    assert answer.status_code == 422 and sentence in answer.text
    assert browser.get(link).status_code == 200, "the link still works"


def test_a_new_password_ends_open_sessions(browser: Browser, link: str, sign_in: SignInAs) -> None:
    open_one = sign_in("nurse")
    choose(browser, link, GOOD)
    assert not is_in(open_one)


def test_a_forged_link_is_refused(browser: Browser, link: str) -> None:
    start, mark = link[:-10], link[-10:]
    assert browser.get(start + mark.swapcase()).status_code == 422


def test_signing_in_and_failing_leave_audit_rows_without_the_login_that_was_typed(
    browser: Browser, app: Flask, nurse: Callable[[], Person]
) -> None:
    from models.audit import AuditRow

    sign_in(browser, "my secret typed as a login", "wrong")
    sign_in(browser, "nurse", "wrong")
    with app.app_context():
        rows = [(row.action, row.subject, row.ip) for row in db.session.query(AuditRow).order_by(AuditRow.id)]
        number = nurse().id
    assert rows[-2:] == [
        ("sign_in_refused", "login:unknown", "127.0.0.1"),
        ("sign_in_refused", f"person:{number}", "127.0.0.1"),
    ]
