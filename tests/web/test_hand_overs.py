"""S11 as people use it: ask, see what they would see, send; say yes or no; each form counts once."""

from __future__ import annotations

import re

from flask import Flask

from ew_app.kernel import today, transaction
from models.base import db
from models.hand_overs import HandOver
from tests.web.casebook import case_of, committed, keep_secret, open_case, person
from tests.web.conftest import SignInAs

ASKED = "Please find a ride for the mornings"


def a_case(app: Flask) -> tuple[int, str]:
    """A case of the counselor with a secret inside, and how a form names the nurse."""
    with app.app_context():
        with transaction():
            number = open_case("zed")
            keep_secret(number, "stls", "B-HOUSING")
        return number, f"{person('nurse').id}:nurse"


def asked_about(number: int) -> list[HandOver]:
    return db.session.query(HandOver).filter_by(case_id=case_of(number).id).all()


def once_in(page: str) -> str:
    found = re.search(r'name="once" value="([^"]+)"', page)
    assert found
    return found[1]


def test_a_question_is_looked_at_before_it_is_sent_and_counts_once(app: Flask, sign_in: SignInAs) -> None:
    number, nurse = a_case(app)
    counselor, path = sign_in("counselor"), f"/cases/{number}/help"
    form = {"to": nurse, "kind": "refer", "asked": ASKED}
    looked = counselor.send(path, form).text
    assert "They will see" in looked and ASKED in looked and "phones and addresses" in looked
    assert "housing" not in looked.lower()
    with app.app_context():
        assert asked_about(number) == [], "nothing is sent by looking"
    again = counselor.send(path, form | {"change": "1"}).text
    assert "They will see" not in again and f'value="{nurse}" selected' in again
    key = once_in(looked)
    for _ in range(2):
        counselor.send(path, form | {"send": "1", "once": key})
    with app.app_context():
        (sent,) = asked_about(number)
        assert (sent.state, sent.asked) == ("sent", ASKED)
    assert ASKED in counselor.get(f"/cases/{number}/tasks").text
    _answered(sign_in, number, sent.id)


def _answered(sign_in: SignInAs, number: int, question: int) -> None:
    """The nurse reads it on Today without the case, says yes, and then has it."""
    nurse, here = sign_in("nurse"), f"/asked/{question}"
    assert "please find a ride" in nurse.get("/today").text
    page = nurse.get(here).text
    assert "After saying yes you also see" in page and "Open the case" not in page
    assert "without a reason" not in nurse.send(f"{here}/decline", {"words": ""}).text
    assert nurse.send(f"{here}/accept", {}).status_code == 302
    assert nurse.get(f"/cases/{number}").status_code == 200
    assert nurse.send(f"{here}/finish", {"words": "A neighbour drives."}).status_code == 302
    told = sign_in("counselor").get(here).text
    assert "A neighbour drives." in told and "done" in told


def test_what_is_missing_is_said_beside_what_was_typed(app: Flask, sign_in: SignInAs) -> None:
    number, nurse = a_case(app)
    counselor, path = sign_in("counselor"), f"/cases/{number}/help"
    assert "Choose whom you ask" in counselor.send(path, {"asked": ASKED}).text
    again = counselor.send(path, {"to": nurse, "asked": ""}).text
    assert "Say in a sentence" in again and f'value="{nurse}" selected' in again
    partner = f"{_id(app, 'partner')}:partner"
    assert "consent" in counselor.send(path, {"to": partner, "asked": ASKED}).text
    assert "cannot own a case" in counselor.send(path, {"to": partner, "asked": ASKED, "kind": "transfer"}).text


def _id(app: Flask, login: str) -> int:
    with app.app_context():
        return person(login).id


def test_a_colleague_asks_for_a_case_from_its_page(app: Flask, sign_in: SignInAs) -> None:
    number, _ = a_case(app)
    worker = sign_in("social_worker")
    page = worker.get(f"/cases/{number}/tasks").text
    assert "Ask its owner for this case" in page
    asked = {"why": "I know the brother.", "once": once_in(page)}
    assert worker.send(f"/cases/{number}/request", asked).status_code == 302
    with app.app_context():
        question = asked_about(number)[0].id
    counselor = sign_in("counselor")
    assert "I know the brother." in counselor.get("/asked").text
    counselor.send(f"/asked/{question}/accept", {})
    with app.app_context():
        assert case_of(number).owner_id == person("social_worker").id


def test_a_word_that_tells_too_much_is_pointed_at_before_it_is_sent(app: Flask, sign_in: SignInAs) -> None:
    number, nurse = a_case(app)
    counselor, path = sign_in("counselor"), f"/cases/{number}/help"
    plain = counselor.send(path, {"to": nurse, "kind": "refer", "asked": ASKED}).text
    assert "Everybody who works on this case reads this sentence too" in plain and "It names" not in plain
    private = counselor.send(path, {"to": nurse, "kind": "refer", "asked": "They sleep in a Shelter now"}).text
    assert "It names “Shelter”" in private and "They will see" in private, "a person decides"


def test_forms_say_who_is_on_leave_until_when_and_who_stands_in(
    sign_in: SignInAs, app: Flask, world: dict[str, int]
) -> None:
    pages = f"/cases/{world['ana_case']}/help", f"/cases/{world['ana_case']}/assign"
    leave = ", on leave until"
    assert not any(leave in sign_in("principal").get(page).text for page in pages)
    with app.app_context():
        away = "UPDATE role_grant SET away_from = :a, away_until = :a, deputy_id = :d WHERE person_id = :p"
        given = {"a": today(), "d": world["principal"], "p": world["social_worker"]}
        committed(db.session.execute, db.text(away), given)
    for page in pages:
        shown = sign_in("principal").get(page).text
        assert leave in shown and "; Person principal stands in" in shown
