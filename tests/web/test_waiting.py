"""What waits, who is asked, and what is stated of an assignment, as the pages show and take it."""

from __future__ import annotations

from datetime import date, timedelta

from flask import Flask

from ew_app.kernel import day_text, today, transaction
from ew_app.services.casework import rising
from models.base import db
from models.staff import Grant
from tests.web.casebook import case_of, keep_secret, open_case, person
from tests.web.conftest import SignInAs
from tests.web.importing import words


def prepared(app: Flask) -> int:
    with app.app_context():
        with transaction():
            number = open_case("zed", owner=None)
            keep_secret(number, "health", "B-HLTH-CHRON")
        rising.rise()
        return number


def test_a_principal_reads_names_and_a_network_numbers(app: Flask, sign_in: SignInAs) -> None:
    number = prepared(app)
    principal = sign_in("principal").get("/waiting").text
    assert "Student Zed" in principal and "Nobody has it" in principal
    network = sign_in("network_lead")
    for page in (network.get("/waiting").text, network.get("/today").text):
        assert "Zed" not in page
    assert f"Case {number}" not in network.get("/waiting").text, "not before a school day has passed"


def test_what_is_stated_comes_back_in_words(app: Flask, sign_in: SignInAs) -> None:
    with app.app_context():
        counselor, deputy = person("counselor"), person("principal")
        grant: Grant = counselor.grants[0]
        path, back = f"/people/{counselor.id}/roles/{grant.id}/terms", f"/people/{counselor.id}"
        chosen = deputy.id
    browser = sign_in("administrator")
    assert "as far as" not in browser.get(path).text
    form = {"away_from": "2026-12-01", "away_until": "2026-12-04", "deputy": str(chosen), "hours": "20"}
    assert browser.send(path, form).status_code == 302
    assert "4 new cases a week" in browser.get(path).text
    said = browser.get(back).text
    assert "20 hours a week" in said and "deputy Person principal" in said
    wrong = browser.send(path, {"hours": "twenty"})
    assert wrong.status_code == 422 and "as a number" in wrong.text
    with app.app_context():
        stored = db.session.get_one(Grant, grant.id)
        assert (stored.away_from, stored.hours) == (date(2026, 12, 1), 20)


def test_today_says_for_whom_a_deputy_does_what_and_until_when(app: Flask, sign_in: SignInAs) -> None:
    with app.app_context(), transaction():
        number = open_case("zed", owner="counselor")
        case_of(number).next_step = "Walk in together"
        (grant,) = person("counselor").grants
        grant.deputy_id = person("principal").id
        grant.away_from, grant.away_until = today() - timedelta(days=1), today() + timedelta(days=1)
        until = day_text(grant.away_until)
    page = sign_in("principal").get("/today").text
    assert f"For Person counselor until {until}: Walk in together" in page
    assert "For Person counselor" not in sign_in("social_worker").get("/today").text
    listed = words(sign_in("principal").get("/caseload?view=mine").text)
    assert f"For Person counselor until {until}" in listed and "1 more of colleagues on leave" not in listed
    told = words(sign_in("social_worker").get(f"/cases/{number}").text)
    assert f"owner Person counselor, on leave until {until}; Person principal stands in" in told


def test_an_empty_role_can_be_tried_out(sign_in: SignInAs) -> None:
    browser = sign_in("principal")
    assert "Person counselor" in browser.get("/people/seats").text
    tried = browser.get("/people/seats?without=counselor").text
    assert "Without a School counselor" in tried
    assert browser.get("/people/seats?school=OAK").status_code == 404


def test_an_empty_role_that_reads_a_compartment_is_shown_and_never_the_work_in_it(
    app: Flask, sign_in: SignInAs
) -> None:
    principal = sign_in("principal")
    before = principal.get("/waiting").text
    assert "Nobody is there for" not in before, "every role is held in this world"
    with app.app_context(), transaction():
        person("nurse").grants[0].ends = today() - timedelta(days=1)
    empty = words(principal.get("/waiting").text)
    assert "Nobody is there for" in empty and "Lincoln: health" in empty
    prepared(app)  # with something about health inside
    assert words(principal.get("/waiting").text).count("Lincoln: health") == 1
    network = words(sign_in("network_lead").get("/waiting").text)
    assert "Lincoln: health" in network and "Zed" not in network
