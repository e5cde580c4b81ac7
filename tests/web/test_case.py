"""S08: one case is worked from its page; what is restricted shows to nobody who may not read it."""

from __future__ import annotations

import re
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from models.audit import AuditRow
from models.base import db
from models.cases import CaseReason, Cause, Note, Task
from models.staff import Grant
from tests.web.casebook import case_of, committed, counting, give_task, keep_secret, open_case, person
from tests.web.conftest import Browser, SignInAs
from tests.web.world import FIRST_DAY

House = dict[str, int]
TABS = ("", "/timeline", "/plan", "/tasks", "/attendance", "/contacts")


def key_of(page: str) -> str:
    return page.split('name="once" value="')[1].split('"')[0]


def fill(browser: Browser, path: str, **form: str) -> Any:
    """Open a form, fill it in, send it."""
    return browser.send(path, {"once": key_of(browser.get(path).text), **form})


@pytest.mark.parametrize("tab", TABS)
def test_out_of_reach_is_not_there(world: House, sign_in: SignInAs, tab: str) -> None:
    for login, case in (("counselor", "cleo_case"), ("principal", "dora_case"), ("attendance_clerk", "ana_case")):
        assert sign_in(login).get(f"/cases/{world[case]}{tab}").status_code == 404, login
    assert sign_in("counselor").get("/cases/999999").status_code == 404


def test_the_first_things_to_know_stand_first(app: Flask, sign_in: SignInAs) -> None:
    with app.app_context():
        number = committed(open_case, "one")
    page = sign_in("counselor").get(f"/cases/{number}").text
    order = [
        "Student One",
        "Nobody has tried to reach them yet",
        "Find out what gets in the way",
        "Who can see this",
    ]
    assert [page.index(words) for words in order] == sorted(page.index(words) for words in order)
    assert "owner Person counselor" in page


def test_only_moves_that_the_status_allows_are_offered(app: Flask, sign_in: SignInAs) -> None:
    with app.app_context():
        number = committed(open_case, "one")
    browser = sign_in("counselor")
    page = browser.get(f"/cases/{number}").text
    assert "Pause" in page
    assert f"/cases/{number}/monitor" not in page
    assert f"/cases/{number}/take" not in page  # it is theirs already
    assert browser.send(f"/cases/{number}/monitor").status_code == 409


def test_a_case_is_taken_given_paused_and_resumed(app: Flask, world: House, sign_in: SignInAs) -> None:
    with app.app_context():
        number = committed(open_case, "one", owner=None)
    browser, path = sign_in("social_worker"), f"/cases/{number}"
    browser.send(f"{path}/take")
    assert "owner Person social_worker" in browser.get(path).text
    assert "Choose a person" in fill(browser, f"{path}/assign", to="999999").text
    fill(browser, f"{path}/assign", to=str(world["counselor"]))
    assert "owner Person counselor" in browser.get(path).text
    fill(browser, f"{path}/pause", reason="agreed")
    assert "Paused" in browser.get(path).text
    browser.send(f"{path}/resume")
    with app.app_context():
        assert case_of(number).status == "assigned"


def test_a_plan_is_agreed_and_followed(app: Flask, sign_in: SignInAs) -> None:
    with app.app_context():
        number = committed(open_case, "one", status="contacting")
    browser, path = sign_in("counselor"), f"/cases/{number}"
    assert "Write the goal" in fill(browser, f"{path}/plan/write", goal=" ").text
    fill(browser, f"{path}/plan/write", goal="Here four days of five", next_step="Mr. Lee meets the bus")
    assert "Mr. Lee meets the bus" in browser.get(path).text
    browser.send(f"{path}/monitor")
    with app.app_context():
        assert case_of(number).status == "monitoring"


def test_closing_asks_about_every_reason_and_keeps_what_was_chosen(app: Flask, sign_in: SignInAs) -> None:
    with app.app_context():
        number = committed(open_case, "one")
    browser, path = sign_in("counselor"), f"/cases/{number}/close"
    answer = fill(browser, path, reason="recovered", useful_R07="yes")
    assert answer.status_code == 422
    assert "look at the goals" in answer.text
    assert 'value="recovered" checked' in answer.text
    assert "R07 is still open" in fill(browser, path, reason="not_needed").text
    fill(browser, path, reason="recovered", useful_R07="yes", goals_reviewed="1", family_told="1")
    assert "Closed on" in browser.get(f"/cases/{number}").text
    with app.app_context():
        assert db.session.scalars(select(CaseReason.useful).where(CaseReason.case_id == case_of(number).id)).all() == [
            "yes"
        ]


def test_a_closed_case_is_reopened_with_a_sentence(app: Flask, sign_in: SignInAs) -> None:
    with app.app_context():
        number = committed(open_case, "one")
    browser, path = sign_in("counselor"), f"/cases/{number}"
    fill(browser, f"{path}/close", reason="not_needed", useful_R07="no")
    page = browser.get(path).text
    assert "Log a contact" not in page
    assert "Say in a sentence" in fill(browser, f"{path}/reopen", why="").text
    fill(browser, f"{path}/reopen", why="Absent again since Monday")
    assert "Absent again since Monday" in browser.get(path).text


def test_two_people_at_once_do_not_overwrite_each_other(app: Flask, world: House, sign_in: SignInAs) -> None:
    with app.app_context():
        number = committed(open_case, "one")
    browser, path = sign_in("social_worker"), f"/cases/{number}"
    old = browser.get(f"{path}/pause").text.split('name="version" value="')[1].split('"')[0]
    assert "has taken this case" in sign_in("principal").send(f"{path}/take").text, "an old page takes nothing"
    fill(sign_in("principal"), f"{path}/assign", to=str(world["principal"]))
    answer = browser.send(f"{path}/pause", {"reason": "agreed", "version": old})
    assert "Somebody changed this case" in answer.text


def test_a_task_is_done_and_taken_back(app: Flask, sign_in: SignInAs) -> None:
    with app.app_context():
        number = committed(open_case, "one")
        task = committed(give_task, number, "counselor", "Visit the family")
    browser, path = sign_in("counselor"), f"/cases/{number}/tasks"
    answer = browser.send(f"{path}/{task}/done", follow_redirects=True)
    assert "Done: Visit the family" in answer.text
    assert f"{path}/{task}/undo" in answer.text
    browser.send(f"{path}/{task}/undo")
    with app.app_context():
        assert db.session.get_one(Task, task).status == "open"


def test_a_restricted_cause_says_where_it_is_kept_to_its_writer_alone(app: Flask, sign_in: SignInAs) -> None:
    with app.app_context():
        number = committed(open_case, "one")
    writer = sign_in("counselor")
    fill(writer, f"/cases/{number}/causes", code="A-ANX", said_by="student", confidence="said")
    page = writer.get(f"/cases/{number}").text
    assert "Only those who may open “Restricted: counseling” can read it" in page
    assert "Anxious" not in page
    told = sign_in("principal").get(f"/cases/{number}").text
    assert "Anxious" not in told and "Only for some" not in told and "can read it" not in told


def test_a_colleagues_case_is_taken_over_only_after_a_question(app: Flask, sign_in: SignInAs) -> None:
    with app.app_context():
        owned, free = committed(open_case, "one"), committed(open_case, "two", owner=None)
    browser = sign_in("social_worker")
    page = browser.get(f"/cases/{owned}").text
    assert "Take it over" in page and f"/cases/{owned}/take" not in page
    assert f"/cases/{free}/take" in browser.get(f"/cases/{free}").text


def test_causes_are_three_at_most_and_say_who_said_it(app: Flask, sign_in: SignInAs) -> None:
    with app.app_context():
        number = committed(open_case, "one")
    browser, path = sign_in("counselor"), f"/cases/{number}/causes"
    assert "Choose who says so" in fill(browser, path, code="B-TECH").text
    for code in ("B-TRANSPORT", "B-CARE", "B-TECH"):
        fill(browser, path, code=code, said_by="caregiver", confidence="said")
    page = browser.get(f"/cases/{number}").text
    assert "A parent or caregiver, they said so" in page
    assert page.count("the main one") == 1
    assert "3 current causes already" in fill(browser, path, code="A-CLIMATE", said_by="staff", confidence="guess").text
    with app.app_context():
        of_case = Cause.case_id == case_of(number).id, Cause.code == "B-TRANSPORT"
        first = db.session.scalars(select(Cause.id).where(*of_case)).one()
    browser.send(f"{path}/{first}/end")
    assert "No longer in the way" in browser.get(f"/cases/{number}/timeline").text


def test_notes_are_signed_and_unfit_words_refused(app: Flask, sign_in: SignInAs) -> None:
    with app.app_context():
        number = committed(open_case, "one")
    browser, path = sign_in("counselor"), f"/cases/{number}/notes"
    assert "Please leave out" in fill(browser, path, text="Her number is 123-45-6789").text
    fill(browser, path, text="Likes the robotics club.")
    page = browser.get(f"/cases/{number}").text
    assert "Likes the robotics club." in page
    assert "Person counselor, School counselor" in page


def test_whoever_names_what_is_kept_only_for_some_looks_once_more(app: Flask, sign_in: SignInAs) -> None:
    with app.app_context():
        number = committed(open_case, "one")
    browser, path = sign_in("counselor"), f"/cases/{number}/notes"
    asked = fill(browser, path, text="They sleep in the car.").text
    assert "this note names “sleep in the car”" in asked and "They sleep in the car.</textarea>" in asked
    with app.app_context():
        assert db.session.scalars(select(Note.text)).all() == []
    fill(browser, path, text="They sleep in the car.", meant="1")
    fill(browser, path, text="She sees a therapist.", compartment="counseling")
    fill(browser, path, text="Waits in the bus shelter.")
    with app.app_context():
        assert db.session.scalars(select(Note.compartment).order_by(Note.id)).all() == [None, "counseling", None]


def test_a_page_costs_the_same_for_few_and_many(app: Flask, sign_in: SignInAs) -> None:
    with app.app_context():
        number = committed(open_case, "one")
    browser = sign_in("counselor")
    spent = []
    for more in ("a", "bc", "defghijk"):  # the first round fills what is kept in memory
        with app.app_context():
            for title in more:
                committed(give_task, number, "counselor", title)
        for tab in TABS:
            with app.app_context(), counting() as sent:
                browser.get(f"/cases/{number}{tab}")
                spent.append(len(sent))
    last = len(TABS)
    assert spent[-last:] == spent[-2 * last : -last]


# -- compartments ------------------------------------------------------------------------------------------------


def alike(page: str, *differing: str) -> str:
    """A page without what differs for every student and every request."""
    page = re.sub(r'(name="(?:csrf_token|once)" value=")[^"]+', r"\1", page)
    page = re.sub(r"Made in \d+ ms|/contacts/\d+", "", page)
    page = re.sub(r'datetime="[^"]*"|nonce="[^"]*"|, \d\d:\d\d', "", page)
    for words in differing:
        page = page.replace(words, "~")
    return page


@pytest.mark.parametrize("login", ["social_worker", "attendance_clerk", "nurse"])
def test_twins_look_the_same_to_whoever_may_not_know(app: Flask, sign_in: SignInAs, login: str) -> None:
    """One of two students has a cause, a note and a task in a compartment; the pages are equal byte for byte."""
    compartment, code = ("protected", "B-PROTECTED") if login == "social_worker" else ("stls", "B-HOUSING")
    with app.app_context():
        plain, secret = (committed(open_case, key, owner=login) for key in ("aaa", "bbb"))
        committed(keep_secret, secret, compartment, code)
    browser = sign_in(login)
    for tab in (*TABS, "/outreach", "/causes", "/notes"):
        pages = [browser.get(f"/cases/{number}{tab}") for number in (plain, secret)]
        assert pages[0].status_code == pages[1].status_code, tab
        first, second = (
            alike(page.text, str(number), name, name.title())
            for page, number, name in zip(pages, (plain, secret), ("aaa", "bbb"), strict=True)
        )
        assert first == second, tab
    lists = browser.get("/caseload").text + browser.get("/today").text
    assert "support is in place" not in lists.lower()
    assert "restricted" not in lists.lower()


def test_another_support_is_all_that_a_counselor_learns(app: Flask, sign_in: SignInAs) -> None:
    with app.app_context():
        plain, secret = (committed(open_case, key) for key in ("aaa", "bbb"))
        committed(keep_secret, secret, "stls", "B-HOUSING")
    browser = sign_in("counselor")
    assert "Another support is in place" not in browser.get(f"/cases/{plain}").text
    page = browser.get(f"/cases/{secret}").text
    assert "Another support is in place" in page
    assert "Housing" not in page
    assert "temporary" not in page.lower()
    assert browser.get(f"/cases/{secret}/restricted/stls").status_code in (403, 404)


def test_opening_a_compartment_of_an_own_case_is_written_down(app: Flask, sign_in: SignInAs) -> None:
    with app.app_context():
        number = committed(open_case, "one", owner="social_worker")
        committed(keep_secret, number, "stls", "B-HOUSING")
    browser = sign_in("social_worker")
    assert "Restricted: temporary living situation" in browser.get(f"/cases/{number}").text
    assert openings(app) == []
    page = browser.get(f"/cases/{number}/restricted/stls").text
    assert "Only for those who may read it." in page
    assert "Housing changed" in page
    assert openings(app) == [("social_worker", "stls", "")]


def test_from_outside_the_case_a_reason_is_asked_first(app: Flask, sign_in: SignInAs) -> None:
    with app.app_context():
        number = committed(open_case, "one", owner="counselor")
        committed(keep_secret, number, "stls", "B-HOUSING")
        committed(also_make_liaison, "social_worker")
    browser, path = sign_in("social_worker"), f"/cases/{number}/restricted/stls"
    asked = browser.get(path).text
    assert "Why do you need it?" in asked
    assert "Only for those who may read it." not in asked
    assert browser.send(path, {"reason": " "}).status_code == 422
    assert openings(app) == []
    assert "Only for those who may read it." in browser.send(path, {"reason": "Stands in for the liaison"}).text
    assert openings(app) == [("social_worker", "stls", "Stands in for the liaison")]


def also_make_liaison(login: str) -> None:
    """A second role at the same school: reads the compartment without working on the case."""
    grant = Grant(person_id=person(login).id, role="stls_liaison", place="school:LIN", starts=FIRST_DAY)
    db.session.add(grant)


def openings(app: Flask) -> list[tuple[str, str | None, str]]:
    with app.app_context():
        found = select(AuditRow.actor, AuditRow.compartment, AuditRow.reason)
        return [tuple(row) for row in db.session.execute(found.where(AuditRow.action == "compartment_opened"))]


def test_a_note_in_a_compartment_stays_there(app: Flask, sign_in: SignInAs) -> None:
    with app.app_context():
        number = committed(open_case, "one")
    browser, path = sign_in("counselor"), f"/cases/{number}/notes"
    assert "Who may read it?" in browser.get(path).text
    fill(browser, path, text="Said in confidence.", compartment="counseling")
    for tab in TABS:
        assert "Said in confidence." not in browser.get(f"/cases/{number}{tab}").text
    assert "Said in confidence." in browser.get(f"/cases/{number}/restricted/counseling").text
    with app.app_context():
        assert db.session.scalars(select(Note.compartment)).all() == ["counseling"]
