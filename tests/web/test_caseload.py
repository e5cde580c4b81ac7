"""S07 and S06: the lists show what is within reach, can be filtered and sorted, and cases can be given away."""

from __future__ import annotations

from typing import Any

from flask import Flask

from ew_app.kernel import today
from models.base import db
from models.tiers import StudentStatus
from tests.web.casebook import case_of, committed, counting, long_ago, open_case, person
from tests.web.conftest import SignInAs
from tests.web.importing import words

House = dict[str, int]


def test_a_counselor_lists_the_own_cases_and_no_others(app: Flask, sign_in: SignInAs) -> None:
    with app.app_context():
        committed(open_case, "mine")
        committed(open_case, "theirs", owner="social_worker")
    page = sign_in("counselor").get("/caseload?view=all").text
    assert "Student Mine" in page
    assert "Student Theirs" not in page
    assert "Dora" not in page


def test_a_social_worker_lists_the_school_on_request(app: Flask, sign_in: SignInAs) -> None:
    with app.app_context():
        committed(open_case, "mine", owner="social_worker")
        committed(open_case, "theirs")
    browser = sign_in("social_worker")
    assert "Student Theirs" not in browser.get("/caseload").text
    assert "Student Theirs" in browser.get("/caseload?view=all").text


def test_filters_narrow_and_each_has_a_chip_that_takes_it_off(app: Flask, sign_in: SignInAs) -> None:
    with app.app_context():
        committed(open_case, "late", due=long_ago(), tier=3)
        committed(open_case, "early")
    page = sign_in("counselor").get("/caseload?view=mine&overdue=1&tier=3").text
    assert "Student Late" in page
    assert "Student Early" not in page
    assert 'href="/caseload?view=mine&amp;sort=due&amp;tier=3"' in page
    assert 'href="/caseload?view=mine&amp;sort=due&amp;overdue=1"' in page


def test_an_unknown_filter_value_is_as_good_as_none(app: Flask, sign_in: SignInAs) -> None:
    with app.app_context():
        committed(open_case, "one")
    answer = sign_in("counselor").get("/caseload?tier=9&school=abc&status=x&page=0&sort=nothing")
    assert answer.status_code == 200
    assert "Student One" in answer.text


def test_a_list_costs_the_same_for_few_and_many(app: Flask, sign_in: SignInAs) -> None:
    browser = sign_in("social_worker")
    spent = []
    for more in ("a", "bc", "defghijk"):  # the first round fills what is kept in memory
        with app.app_context():
            for key in more:
                flag(committed(open_case, key))
        for path in ("/caseload?view=all", "/flagged"):
            with app.app_context(), counting() as sent:
                assert browser.get(path).status_code == 200
                spent.append(len(sent))
    assert spent[2:4] == spent[4:]


def test_while_days_are_missing_every_list_shows_between_which_tiers_a_student_stands(
    app: Flask, sign_in: SignInAs
) -> None:
    with app.app_context():
        number = committed(open_case, "one")
        flag(number, tier_min=1, missing_days=2)
        kept = committed(open_case, "kept", tier=3)  # its people keep it there; the student stands below
        flag(kept, tier=2, tier_min=1, tier_max=2, missing_days=2)
    browser = sign_in("counselor")
    for path in ("/caseload?view=mine", "/flagged", f"/cases/{number}"):
        assert "Watch to Tier 2" in words(browser.get(path).text), path
    told = words(browser.get(f"/cases/{kept}").text)
    assert "Tier 3 · 2 days missing" in told and "Watch to" not in told


def test_the_caseload_says_how_far_attendance_has_come_in(app: Flask, sign_in: SignInAs) -> None:
    assert "Nothing has come in yet" in words(sign_in("counselor").get("/caseload").text)


def flag(number: int, **more: Any) -> None:
    """Let the student of a case stand in its tier since today."""
    case = case_of(number)
    counted: dict[str, Any] = dict.fromkeys(
        ("excused", "unexcused", "federal_absent", "tardies", "missing_days", "unknown_days", "streak_now"), 0
    )
    status = StudentStatus(
        student_id=case.student_id, school_id=case.school_id, grade="4", enrolled_now=True, data_through=today(),
        enrolled=52000, absent=6000, absent_last_20=3000, enrolled_last_20=20000, rate_tier=2, too_early=False,
        tier=case.tier, tier_min=case.tier, tier_max=case.tier, tier_since=today(), rules=["R07"],
        policy_version="v", **counted,
    )  # fmt: skip
    for column, value in more.items():
        setattr(status, column, value)
    committed(db.session.add, status)


def test_flagged_students_are_taken_with_one_press(app: Flask, sign_in: SignInAs) -> None:
    with app.app_context():
        number = committed(open_case, "one", owner=None)
        flag(number)
    browser = sign_in("social_worker")
    page = browser.get("/flagged").text
    assert "1 student newly flagged" in page
    assert "11.5%" in page
    answer = browser.send("/flagged", {"take": number, "back": "/flagged?tier=2"})
    assert answer.location == "/flagged?tier=2"
    with app.app_context():
        assert case_of(number).owner_id == person("social_worker").id


def test_several_are_given_at_once_and_all_or_none(app: Flask, world: House, sign_in: SignInAs) -> None:
    with app.app_context():
        numbers = [committed(open_case, key, owner="social_worker") for key in ("one", "two")]
        to = person("counselor").id
    browser = sign_in("social_worker")
    answer = browser.send("/flagged", {"case": [*numbers, world["dora_case"]], "to": to})
    assert answer.status_code == 422
    with app.app_context():
        assert {case_of(number).owner_id for number in numbers} == {person("social_worker").id}
    browser.send("/flagged", {"case": numbers, "to": to})
    with app.app_context():
        assert {case_of(number).owner_id for number in numbers} == {to}


def test_giving_nothing_or_to_nobody_says_so_and_keeps_the_ticks(app: Flask, sign_in: SignInAs) -> None:
    with app.app_context():
        number = committed(open_case, "one", owner=None)
        flag(number)
    browser = sign_in("social_worker")
    assert "Tick the students" in browser.send("/flagged", {}).text
    answer = browser.send("/flagged", {"case": number})
    assert "Choose the person" in answer.text
    assert f'value="{number}" aria-label="Student One" checked' in answer.text
