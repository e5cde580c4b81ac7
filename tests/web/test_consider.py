"""The pages that the optional risk model changes, in every state it can have, for who may read it and who may not."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from html import unescape
from typing import Any

import pytest
from flask import Flask

from ew_app.config import Settings
from ew_app.services.risk import answers, reading
from tests.services import risk_staff
from tests.services.lincoln_and_carver import query
from tests.services.risk_district import District, school_days
from tests.services.risk_model import actor
from tests.web.conftest import Browser, close, let_in, ready

EVENING = school_days(2026)[44]
SECTION = "What earlier years suggest"
OF_THE_MODEL = ("model", SECTION, "similar students", "Consider", "/risk")  # words that give it away


@dataclass
class House:
    """The application, its district, and a student whom no rule has reached."""

    app: Flask
    district: District

    def sign_in(self, login: str) -> Browser:
        return let_in(self.app, login)

    def do(self, act: Callable[[], Any]) -> Any:
        with self.app.app_context():
            return act()

    def brought(self) -> Any:
        """The first student on the social worker's list."""
        return self.do(lambda: reading.consider(actor("sol")).students[0].student)


@pytest.fixture
def house(settings: Settings, built_once: Callable[..., District]) -> Iterator[House]:
    settings = replace(settings, today=EVENING)
    made = built_once(settings, risk_staff.district)
    app = ready(settings)
    yield House(app, made)
    close(app)


def text(page: Any) -> str:
    """What a page says, without its marks."""
    return unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page.text)))


# -- its states ----------------------------------------------------------------------------------------------------


def test_where_nobody_asked_for_a_model_no_page_has_a_trace_of_it(house: House) -> None:
    ((student,), *_) = house.do(lambda: query("SELECT key FROM student ORDER BY id"))
    ((case,), *_) = house.do(lambda: query("SELECT number FROM support_case WHERE owner_id IS NOT NULL"))
    for login in ("paul", "sol", "cora"):
        browser = house.sign_in(login)
        for path in ("/today", "/flagged?since=year", "/caseload?view=all", f"/students/{student}", f"/cases/{case}"):
            said = browser.get(path).text
            assert not [word for word in OF_THE_MODEL if word in said.partition("<main")[2]], path
            assert "/consider" not in said, "and no place in the rail"
        assert "no risk model" in browser.get("/consider").text


@pytest.mark.parametrize("state", risk_staff.STATES)
def test_the_head_of_a_counselors_lists_says_how_it_stands_and_nothing_is_shown(house: House, state: str) -> None:
    make, sentence = risk_staff.STATES[state]
    orders = [rows_of(house.sign_in(login), path) for login, path in LISTS]
    house.do(make)
    for (login, path), before in zip(LISTS, orders, strict=True):
        browser = house.sign_in(login)
        page = browser.get(path)
        assert sentence in text(page) and rows_of(browser, path) == before
        assert "Order it so" not in page.text and "similar students" not in page.text
    page = house.sign_in("sol").get("/consider")
    assert sentence in text(page) and "Nobody to consider" in page.text and "See who is flagged" in page.text
    assert ('href="/consider"' in page.text.partition("<main")[0]) == (state == "held back")
    ((case,), *_) = house.do(lambda: query("SELECT number FROM support_case WHERE owner_id IS NOT NULL"))
    assert SECTION not in house.sign_in("sol").get(f"/cases/{case}").text


LISTS = (("cora", "/caseload"), ("cora", "/flagged?since=year"), ("sol", "/flagged?since=year"))


def rows_of(browser: Browser, path: str) -> list[str]:
    """Whom a list shows, from its top."""
    return re.findall(r'class="row-link" href="([^"]+)"', browser.get(path).text)


def test_at_work_it_orders_within_tiers_on_request_or_by_itself_and_views_that_were_kept_stay(house: House) -> None:
    sol = house.sign_in("sol")
    by_rule, by_due = rows_of(sol, "/flagged?since=year"), rows_of(sol, "/caseload?view=all")
    house.do(risk_staff.at_work)
    page = sol.get("/flagged?since=year")
    assert "Ordered by a model within each tier, as of Fri 23 Oct. Rules alone decide" in text(page)
    assert rows_of(sol, "/flagged?since=year") != by_rule == rows_of(sol, "/flagged?since=year&sort=rule")
    assert "Order it so" in sol.get("/flagged?since=year&sort=rule").text
    assert rows_of(sol, "/caseload?view=all") == by_due, "what is due first stays first until somebody asks"
    assert "A model can order this list within each tier, as of Fri 23 Oct." in text(sol.get("/caseload?view=all"))
    assert rows_of(sol, "/caseload?view=all&sort=model") != by_due
    assert "similar students" not in page.text and not re.search(r"\d+ of 10", text(page)), "an order and no number"


def test_files_scripts_and_print_carry_neither_a_score_nor_its_order(house: House) -> None:
    """Byte for byte what they were without a model."""
    before = taken(house)
    house.do(risk_staff.at_work)
    assert taken(house) == before
    page = house.sign_in("sol").get(f"/students/{house.brought().key}").text
    part = page.partition(SECTION)[0].rpartition("<div")[2]
    assert part.startswith(' class="no-print"')


def taken(house: House) -> list[str]:
    sol, found = house.sign_in("sol"), []
    for order in ("model", "due"):
        answer = sol.send(f"/caseload/file?view=all&sort={order}", {"reason": "The work of the day"})
        found.append(re.sub(r"20\d\d-\d\d-\d\d \d\d:\d\d", "", answer.text))
    for path in ("/api/v1/tiers?by=school", "/api/v1/cases", "/api/v1/measures"):
        answer = house.sign_in("paul").get(path)
        assert answer.status_code == 200
        found.append(answer.text)
    assert found[0] == found[1] != "", "a file keeps to what is due, whatever the screen shows"
    return found


# -- one student ---------------------------------------------------------------------------------------------------


def test_reasons_are_facts_in_words_with_a_range_and_only_for_who_may_read_them(house: House) -> None:
    house.do(risk_staff.at_work)
    student = house.brought()
    said = text(house.sign_in("sol").get(f"/students/{student.key}"))
    part = said.partition(SECTION)[2].partition("Day by day")[0]
    assert "up to Fri 23 Oct" in part and "middle of the grade: " in part
    assert re.search(r"(\d to \d|about \d) of 10 had missed a tenth", part)
    assert "It cannot know why days were missed" in part and "Race, sex, language" in part
    assert not re.search(r"0\.\d\d|logit|score|percent chance", part)
    for login in ("tara", "nia", "carl"):
        page = house.sign_in(login).get(f"/students/{student.key}")
        assert SECTION not in page.text and "/risk" not in page.text
    assert house.sign_in("ines").get(f"/students/{student.key}").status_code == 404


def test_the_page_of_a_case_says_it_too_and_a_closed_one_does_not(house: House) -> None:
    house.do(risk_staff.at_work)
    cora = house.sign_in("cora")
    ((number, student),) = house.do(
        lambda: query("SELECT number, student_id FROM support_case WHERE owner_id = :who AND closed_on IS NULL LIMIT 1",
                      who=actor("cora").person_id)
    )  # fmt: skip
    assert SECTION in cora.get(f"/cases/{number}").text
    page = cora.get(f"/students/{student}/risk").text
    assert "Who has a look?" not in page, "somebody works with the student already"


def test_a_student_is_taken_up_and_the_answer_taken_back(house: House) -> None:
    house.do(risk_staff.at_work)
    student, sol = house.brought(), house.sign_in("sol")
    address = f"/students/{student.id}/risk"
    assert f'href="{address}?back=/consider' in sol.get("/consider").text
    bad = sol.send(address, {"answer": "dismissed"})
    assert (bad.status_code, "Say why" in bad.text) == (422, True)
    bad = sol.send(address, {"answer": "wrong_data", "reason": "Her trip was no absence"})
    assert "Her trip was no absence" in bad.text, "nothing that was typed is lost"
    cora = house.do(lambda: actor("cora").person_id)
    done = sol.send(address, {"answer": "accepted", "looker": cora, "back": "/consider"})
    page = sol.get(done.location)
    assert "Answered in the last month" in page.text and "You can still take it back" in page.text
    asked = house.sign_in("cora")
    assert "You were asked to look at 1 student" in asked.get("/consider").text
    news = re.search(r"/news/\d+", asked.get("/news").text)
    assert news and asked.send(news.group()).location == f"/students/{student.key}"
    shown = asked.get(f"/students/{student.key}")
    assert "Asked of you" in shown.text and SECTION in shown.text
    finish = re.search(r'action="(/students/\d+/tasks/\d+/done)"', shown.text)
    assert finish
    after = asked.send(finish.group(1), follow_redirects=True)
    assert "Done: Look at how" in after.text
    asked.send(finish.group(1).replace("/done", "/undo"))
    assert "Asked of you" in asked.get(f"/students/{student.key}").text
    ((answer,),) = house.do(lambda: query("SELECT id FROM risk_answer"))
    assert "Taken back" in sol.send(f"{address}/answers/{answer}/take-back", follow_redirects=True).text
    assert asked.get(f"/students/{student.key}").status_code == 404


def test_a_student_is_left_out_and_let_in_again(house: House) -> None:
    house.do(risk_staff.at_work)
    student, paul = house.brought(), house.sign_in("paul")
    address = f"/students/{student.id}/risk"
    assert "Say who asked for it" in paul.send(f"{address}/leave-out", {"reason": " "}).text
    said = text(paul.send(f"{address}/leave-out", {"reason": "The family asked for it"}, follow_redirects=True))
    assert re.search(r"is left out of the model since [^:]+: The family asked for it Paul Adler, Principal", said)
    assert "nothing to answer" in paul.get(address).text
    assert "nothing" in text(paul.send(address, {"answer": "accepted", "looker": "1"}))
    assert "is left out" in paul.get(f"{address}/leave-out").text
    assert "sees" in text(paul.send(f"{address}/take-in", follow_redirects=True))
    assert house.do(lambda: answers.standing_exclusion(student.id)) is None
