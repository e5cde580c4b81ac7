"""S19: people and their roles, as the pages show and change them."""

from __future__ import annotations

import re
from typing import Any

import pytest
from flask import Flask

from ew_app.services.people import accounts
from models.base import db
from models.staff import Grant, Person
from tests.web.conftest import SignInAs

NEW = {"name": "Nora Vale", "login": "nvale", "role": "counselor", "place": "school:LIN"}
HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "{{ 7*7 }}",
    "{% raw %}",
    "' OR 1=1 --",
    "%00",
]


def count(app: Flask, table: type[Any]) -> int:
    with app.app_context():
        return int(db.session.query(table).count())


def test_the_answer_counts_the_people_of_the_own_places(sign_in: SignInAs) -> None:
    page = sign_in("principal").get("/people").text
    assert "Person nurse" in page and "Person oak_clerk" not in page and "Person carver_counselor" not in page
    everyone = sign_in("system_admin").get("/people").text
    assert "24 people can sign in where you look after access" in everyone


def test_filters_narrow_the_list_and_can_be_removed(sign_in: SignInAs) -> None:
    browser = sign_in("system_admin")
    page = browser.get("/people?role=counselor").text
    assert "2 people can sign in" in page and "Person carver_counselor" in page and "Person nurse<" not in page
    assert "1 person can sign in" in browser.get("/people?q=oak_cl").text
    assert "Nobody matches" in browser.get("/people?q=nobody+at+all").text


def test_a_list_costs_the_same_few_queries_however_long(app: Flask, sign_in: SignInAs) -> None:
    from sqlalchemy import event

    browser = sign_in("system_admin")
    asked: list[str] = []
    with app.app_context():
        event.listen(db.engine, "before_cursor_execute", lambda *given: asked.append(given[2]))
    browser.get("/people?role=partner")
    few, asked[:] = len(asked), []
    browser.get("/people")
    assert len(asked) <= few + 1 and len(asked) <= 12, asked


def test_a_new_person_gets_a_link_that_stands_on_one_page_only(app: Flask, sign_in: SignInAs) -> None:
    browser = sign_in("principal")
    page = browser.send("/people/new", NEW).text
    link = re.search(r"http://[^\s<]+/set-password/[^\s<]+", page)
    assert link
    assert app.test_client().get("/set-password/" + link[0].rpartition("/")[2]).status_code == 200
    with app.app_context():
        number = accounts.find("nvale").id
    assert "/set-password/" not in browser.get(f"/people/{number}").text


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_shown_as_text_or_refused(sign_in: SignInAs, text: str) -> None:
    browser = sign_in("system_admin")
    for field in ("name", "login", "role", "place", "homeroom", "starts", "ends"):
        answer = browser.send("/people/new", NEW | {"login": f"new_{field}", field: text})
        assert answer.status_code in (200, 422), field
        for page in (answer.text, browser.get("/people", query_string={"q": text}).text):
            assert "<script>alert" not in page and "<img src=x" not in page and ">49<" not in page


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_filters_find_nothing_more_and_break_nothing(sign_in: SignInAs, text: str) -> None:
    browser = sign_in("principal")
    for name in ("q", "role", "show", "page"):
        page = browser.get("/people", query_string={name: text})
        assert page.status_code == 200 and "Person oak_clerk" not in page.text, name


def test_a_form_sets_only_what_it_asks_for(app: Flask, sign_in: SignInAs) -> None:
    extra = {"is_demo": "1", "password_hash": "x", "person_id": "1", "disabled_at": "2026-01-01", "id": "999"}
    sign_in("principal").send("/people/new", NEW | extra)
    with app.app_context():
        person = accounts.find("nvale")
        assert (person.is_demo, person.password_hash, person.disabled_at) == (False, None, None) and person.id != 999


def test_a_double_click_writes_once(app: Flask, world: dict[str, int], sign_in: SignInAs) -> None:
    browser = sign_in("system_admin")
    for path, form in (
        ("/people/new", NEW),
        (f"/people/{world['nurse']}/roles", {"role": "partner", "place": "school:OAK"}),
    ):
        browser.send(path, form)
        before = count(app, Person), count(app, Grant)
        browser.send(path, form)
        assert (count(app, Person), count(app, Grant)) == before, path


def test_a_principal_cannot_reach_past_the_own_school_by_hand(
    app: Flask, world: dict[str, int], sign_in: SignInAs
) -> None:
    browser = sign_in("principal")
    beyond = {"role": "partner", "place": "school:OAK"}
    assert browser.send("/people/new", NEW | {"place": "school:OAK"}).status_code == 422
    assert browser.send(f"/people/{world['nurse']}/roles", beyond).status_code == 422
    mixed = f"/people/{world['nurse']}/roles/{world['oak_clerk_grant']}/end"
    assert browser.send(mixed).status_code == 404, "a grant of somebody else under a person within reach"
    with app.app_context():
        assert db.session.get_one(Grant, world["oak_clerk_grant"]).ends is None


def test_who_can_see_what_shows_every_role_and_class(sign_in: SignInAs) -> None:
    page = sign_in("records_custodian").get("/people/classes").text
    nurse = page.split("School nurse<")[1].split("</tr>")[0]
    cells = re.findall(r"<td>([^<]*)</td>", nurse)
    assert len(cells) == 11
    assert cells[0] == "reads" and cells[4] == "reads and writes" and cells[7] == ""
    assert cells[1] == "that support is in place; own: reads and writes"
