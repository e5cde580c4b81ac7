"""S10: a plan with its supports, written by one and changed by two, and the sheet that a family takes home."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from models.base import db
from models.cases import Cause
from models.plans import Plan, PlanReview, PlanSupport, SupportGiven
from tests.web.casebook import case_of, committed, keep_secret, open_case
from tests.web.conftest import SignInAs
from tests.web.test_case import fill, key_of

House = dict[str, int]
GOAL = "Here four days of five"


@pytest.fixture
def path(app: Flask, world: House, sign_in: SignInAs) -> str:
    """The address of a case of the counselor's with a plan and a mentor."""
    with app.app_context():
        number = committed(open_case, "one", status="contacting", tier=3)
    browser, path = sign_in("counselor"), f"/cases/{number}"
    fill(browser, f"{path}/plan/write", goal=GOAL, seen="0", most_absent="2", of_days="20")
    fill(browser, f"{path}/plan/supports/new", intervention="I12", dose_planned="3", family_agreed="yes")
    return path


def lasting(page: str) -> list[str]:
    """The lines of a page without its one-time keys and how long it took."""
    return [line for line in page.splitlines() if not any(word in line for word in ("once", "csrf", "Made in"))]


def rows_of(app: Flask, table: type) -> list[Any]:
    """The rows that were added to the world's, oldest first."""
    with app.app_context():
        return list(db.session.scalars(select(table).order_by(table.id)))[1 if table is not PlanReview else 0 :]


def test_the_plan_tab_says_what_was_agreed_and_what_is_tried(path: str, sign_in: SignInAs) -> None:
    page = sign_in("counselor").get(f"{path}/plan").text
    order = ["The plan", GOAL, "at most 2 days away in 20 school days", "What we try", "A mentor", "Given 0 of 3 times"]
    assert [page.index(words) for words in order] == sorted(page.index(words) for words in order)
    assert "Whether it helps cannot be told yet" in page


def test_the_second_of_two_writers_sees_both_texts_and_decides(path: str, app: Flask, sign_in: SignInAs) -> None:
    first, second = sign_in("counselor"), sign_in("principal")
    answer = fill(first, f"{path}/plan/write", goal="The counselor's words", seen="1")
    answer = second.send(
        f"{path}/plan/write",
        {"once": key_of(second.get(f"{path}/plan/write").text), "goal": "The principal's words", "seen": "1"},
    )
    assert answer.status_code == 409
    assert "Person counselor changed this plan while you were writing" in answer.text
    assert "<dd>The counselor&#39;s words</dd>" in answer.text
    assert ">The principal&#39;s words</textarea>" in answer.text
    assert 'name="seen" value="2"' in answer.text
    second.send(f"{path}/plan/write", {"once": key_of(answer.text), "goal": "Words of both", "seen": "2"})
    assert [plan.goal for plan in rows_of(app, Plan)] == [GOAL, "The counselor's words", "Words of both"]
    shown = second.get(f"{path}/plan").text
    assert all(
        words in shown for words in ("Words of both", "The counselor&#39;s words", "What the plan said before (2)")
    )


def test_a_form_of_a_plan_sent_twice_writes_once(path: str, app: Flask, sign_in: SignInAs) -> None:
    browser = sign_in("counselor")
    support = rows_of(app, PlanSupport)[0].id
    plan, new, look = (f"{path}/plan{end}" for end in ("/write", "/supports/new", "/look"))
    for address, form in (
        (plan, {"goal": "Again", "seen": "1"}),
        (new, {"intervention": "I30"}),
        (look, {"decision": "continue"}),
        (f"{path}/causes", {"code": "B-CARE", "said_by": "student", "confidence": "said"}),
    ):
        once = key_of(browser.get(address).text)
        for _ in range(3):
            assert browser.send(address, {"once": once, **form}).status_code == 302, address
    given, once = f"{path}/plan/supports/{support}/given", key_of(browser.get(plan).text)
    for _ in range(3):
        browser.send(given, {"once": once})
    counts = [len(rows_of(app, table)) for table in (Plan, PlanSupport, PlanReview, SupportGiven, Cause)]
    assert counts == [2, 2, 1, 1, 1]


def test_what_was_typed_is_kept_when_something_is_missing(path: str, sign_in: SignInAs) -> None:
    browser = sign_in("counselor")
    answer = fill(browser, f"{path}/plan/write", goal="Kept", most_absent="many", seen="1")
    assert answer.status_code == 422 and ">Kept</textarea>" in answer.text and "write a whole number" in answer.text
    answer = fill(browser, f"{path}/plan/supports/new", dose_planned="7")
    assert "Choose a support from the list" in answer.text and 'value="7"' in answer.text
    assert "Choose" in fill(browser, f"{path}/plan/look", words="Kept too").text


def test_a_support_is_given_changed_and_ends(path: str, app: Flask, sign_in: SignInAs) -> None:
    browser, other = sign_in("counselor"), sign_in("principal")
    support = rows_of(app, PlanSupport)[0]
    address = f"{path}/plan/supports/{support.id}"
    browser.send(f"{address}/given", {"once": key_of(browser.get(f"{path}/plan/write").text)})
    assert "Given 1 of 3 times" in browser.get(f"{path}/plan").text
    fill(browser, address, dose_planned="9", seen=str(support.version))
    late = fill(other, address, dose_planned="5", seen=str(support.version))
    assert late.status_code == 409 and "<dd>9</dd>" in late.text and 'value="5"' in late.text
    assert "Choose how it went" in fill(browser, f"{address}/result", why="x").text
    fill(browser, f"{address}/result", result="stopped", why="Moved to another class")
    page = browser.get(f"{path}/plan").text
    assert "What we tried" in page and "Moved to another class" in page and "No support is running" in page


def test_the_familys_sheet_holds_no_tier_and_nothing_restricted(path: str, app: Flask, sign_in: SignInAs) -> None:
    with app.app_context():
        number = int(path.rpartition("/")[2])
        committed(keep_secret, number, "stls", "B-HOUSING")
        case = case_of(number).id
    fill(sign_in("counselor"), f"{path}/plan/supports/new", intervention="I33")  # kept with counseling
    fill(sign_in("counselor"), f"{path}/plan/supports/new", intervention="I30", family_agreed="no")
    for reader in ("counselor", "principal", "social_worker"):
        sheet = sign_in(reader).get(f"{path}/plan/family").text
        body = sheet[sheet.index('class="family-sheet"') : sheet.index("</main>")]
        assert GOAL in body and "gets a mentor" in body and "come to see you at home" not in body
        lower = body.lower()
        assert not [word for word in ("tier", "hous", "liaison", "step by step", "rate", "%", "r07") if word in lower]
    assert len(rows_of(app, PlanSupport)) == 3 and case


def test_a_support_of_a_compartment_shows_only_there(path: str, sign_in: SignInAs) -> None:
    before = sign_in("social_worker").get(f"{path}/plan").text
    answer = fill(sign_in("counselor"), f"{path}/plan/supports/new", intervention="I33")
    inside = sign_in("counselor").get(f"{path}/restricted/counseling").text
    assert answer.status_code == 302 and "A return step by step" in inside
    assert "A return step by step" not in sign_in("counselor").get(f"{path}/plan").text
    after = sign_in("social_worker").get(f"{path}/plan").text
    assert lasting(after) == lasting(before)
    offers = sign_in("social_worker").get(f"{path}/plan/supports/new").text
    assert "Teeth and eyes" not in offers and "secure home" not in offers


def test_the_guide_for_the_talk_can_be_read_and_printed(world: House, sign_in: SignInAs) -> None:
    page = sign_in("counselor").get("/interview-guide").text
    assert "What we do not ask" in page and "We missed you here" in page
