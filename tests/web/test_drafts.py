"""A session that ends while somebody writes loses nothing: the form is given back to its writer and to nobody else."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape
from typing import Any

from flask import Flask
from sqlalchemy import select, update

from ew_app.kernel import now, transaction
from ew_app.services.people import drafts
from models.base import db
from models.cases import Note, Task
from models.staff import Draft, SignIn
from tests.web import casebook
from tests.web.conftest import Browser, SignInAs, let_in

World = dict[str, int]
WORDS = "The bus comes too late on Mondays."


def fields_of(page: str) -> dict[str, str]:
    return {name: unescape(value) for name, value in re.findall(r'name="(\w+)" value="([^"]*)"', page)}


def write_too_late(app: Flask, browser: Browser, case: int) -> Any:
    """Open the form of a note, lose the session, send what was written."""
    path = f"/cases/{case}/notes"
    form = fields_of(browser.get(path).text)
    with app.app_context(), transaction():
        db.session.execute(update(SignIn).values(ended_at=now()))
    return browser.post(path, data={**form, "text": WORDS})


def notes(app: Flask) -> list[str]:
    with app.app_context():
        return list(db.session.scalars(select(Note.text)))


def test_what_was_written_comes_back_after_signing_in_again(app: Flask, world: World, sign_in: SignInAs) -> None:
    answer = write_too_late(app, sign_in("counselor"), world["ana_case"])
    assert (answer.status_code, answer.location) == (303, "/draft")
    assert notes(app) == []

    again = let_in(app, "counselor")
    page = again.get("/draft").text
    assert WORDS in page
    sent = again.post("/draft", data=fields_of(page))
    assert (sent.status_code, sent.location) == (307, f"/cases/{world['ana_case']}/notes")
    assert WORDS in again.get("/draft").text, "kept until it has arrived"
    assert again.post(sent.location, data=fields_of(page)).status_code == 302
    assert notes(app) == [WORDS]
    assert again.get("/draft").location == "/", "given back once"


def test_nothing_is_lost_where_the_page_takes_it_no_more(app: Flask, world: World, sign_in: SignInAs) -> None:
    """The case went to a colleague meanwhile."""
    write_too_late(app, sign_in("counselor"), world["ana_case"])
    again = let_in(app, "counselor")
    page = again.get("/draft").text
    with app.app_context(), transaction():
        casebook.case_of(world["ana_case"]).owner_id = casebook.person("social_worker").id
        db.session.execute(update(Task).values(owner_id=casebook.person("social_worker").id))
    sent = again.post("/draft", data=fields_of(page))
    refused = again.post(sent.location, data=fields_of(page))
    assert refused.status_code == 404 and "still kept for you" in refused.text
    assert WORDS in again.get("/draft").text and notes(app) == []


def test_of_several_pages_none_takes_the_place_of_another(app: Flask, world: World, sign_in: SignInAs) -> None:
    browser, path = sign_in("counselor"), f"/cases/{world['ana_case']}/notes"
    forms = [fields_of(browser.get(path).text) for _ in range(2)]
    with app.app_context(), transaction():
        db.session.execute(update(SignIn).values(ended_at=now()))
    for form, words in zip(forms, (WORDS, "The second page."), strict=True):
        for _ in range(2):
            browser.post(path, data={**form, "text": words})
    again = let_in(app, "counselor")
    page = again.get("/draft").text
    assert page.count(WORDS) == page.count("The second page.") == 2, "in words and in the form, once each"
    first = re.findall(r"/draft[?]draft=(\d+)", page)[-1]
    assert again.send(f"/draft?draft={first}").status_code == 307
    again.send("/draft/forget")
    page = again.get("/draft").text
    assert WORDS in page and "The second page." not in page


def test_the_way_in_is_by_the_sign_in_and_says_that_nothing_is_lost(
    app: Flask, world: World, sign_in: SignInAs
) -> None:
    browser = sign_in("counselor")
    write_too_late(app, browser, world["ana_case"])
    to_sign_in = browser.get("/draft")
    assert to_sign_in.location == "/sign-in?next=/draft"
    page = browser.get(to_sign_in.location).text
    assert "nothing is lost" in page and "30 minutes" in page
    assert WORDS not in page


def test_nobody_else_gets_it(app: Flask, world: World, sign_in: SignInAs) -> None:
    write_too_late(app, sign_in("counselor"), world["ana_case"])
    for login in ("social_worker", "principal"):
        assert let_in(app, login).get("/draft").location == "/"


def test_a_page_from_before_the_last_sign_in_is_given_back_too(app: Flask, world: World, sign_in: SignInAs) -> None:
    """Signed in again in another tab: the old page's token no longer holds."""
    app.config["WTF_CSRF_ENABLED"] = True
    path = f"/cases/{world['ana_case']}/notes"
    form = fields_of(sign_in("counselor").get(path).text)
    again = let_in(app, "counselor")
    assert again.post(path, data={**form, "text": WORDS}).location == "/draft"
    assert WORDS in again.get("/draft").text


def test_it_is_kept_for_a_short_time_and_may_be_let_go(app: Flask, world: World, sign_in: SignInAs) -> None:
    write_too_late(app, sign_in("counselor"), world["ana_case"])
    with app.app_context(), transaction():
        db.session.execute(update(Draft).values(kept_at=now() - drafts.KEPT_FOR - timedelta(seconds=1)))
    assert let_in(app, "counselor").get("/draft").location == "/"
    with app.app_context():
        drafts.expire()
        assert db.session.scalar(select(Draft.id)) is None

    write_too_late(app, let_in(app, "counselor"), world["ana_case"])
    again = let_in(app, "counselor")
    assert again.send("/draft/forget").status_code == 302
    assert again.get("/draft").location == "/"


def test_a_form_that_was_made_for_nobody_is_not_kept(app: Flask, world: World, browser: Browser) -> None:
    answer = browser.post(f"/cases/{world['ana_case']}/notes", data={"text": WORDS, "once": "forged"})
    assert answer.status_code in (400, 401)
    with app.app_context():
        assert db.session.scalar(select(Draft.id)) is None
