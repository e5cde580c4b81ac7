"""S07 and S06: the lists show what is within reach, can be filtered and sorted, and cases can be given away."""

from __future__ import annotations

from typing import Any

from flask import Flask
from sqlalchemy import select

from ew_app.kernel import today, transaction
from ew_app.services.casework import handing_over
from ew_app.services.casework import moves as casework
from ew_app.services.casework.handing_over import Wanted
from ew_app.services.people import accounts, signing_in
from models.base import db
from models.cases import Task
from models.hand_overs import HandOver
from models.tiers import StudentStatus
from tests.web.casebook import case_of, committed, counting, give_task, long_ago, open_case, person
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


def test_a_case_that_is_due_later_says_that_a_task_of_it_is_late(app: Flask, sign_in: SignInAs) -> None:
    with app.app_context(), transaction():
        ahead = open_case("one")
        give_task(ahead, "counselor", "Ring the clinic", due=long_ago())
        shut = open_case("two")
        give_task(shut, "counselor", "Talk", due=long_ago(), compartment="counseling")
    browser = sign_in("counselor")
    assert "a task of it is late" in words(browser.get(f"/caseload?view=mine&q={ahead}").text)
    assert "task of it" not in words(browser.get(f"/caseload?view=mine&q={shut}").text), "a compartment says nothing"


def test_an_unknown_filter_value_is_as_good_as_none(app: Flask, sign_in: SignInAs) -> None:
    with app.app_context():
        committed(open_case, "one")
    answer = sign_in("counselor").get("/caseload?tier=9&school=abc&status=x&page=0&sort=nothing")
    assert answer.status_code == 200
    assert "Student One" in answer.text


def test_a_list_costs_the_same_for_one_row_and_for_two_hundred(app: Flask, sign_in: SignInAs) -> None:
    browser = sign_in("social_worker")
    spent: list[list[int]] = []
    for more in (range(1), range(1, 201)):
        with app.app_context():
            committed(lambda keys=more: [flag(open_case(f"k{key}")) for key in keys])
        for path in ("/caseload?view=all", "/flagged"):
            for _ in range(2):  # the first look fills what is kept in memory
                with app.app_context(), counting() as sent:
                    page = browser.get(path)
            assert page.status_code == 200
            assert len(page.data) < 100_000
            spent.append([len(sent)])
    assert spent[:2] == spent[2:]


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
    committed(db.session.add, status)  # joins the transaction that is open


def test_flagged_students_are_taken_with_one_press(app: Flask, sign_in: SignInAs) -> None:
    with app.app_context():
        number = committed(open_case, "one", owner=None)
        flag(number)
    browser = sign_in("social_worker")
    page = browser.get("/flagged").text
    assert "1 student newly flagged" in page
    assert "11.5%" in page
    answer = browser.send("/flagged", {"take": number, "back": "/flagged?tier=2"})
    assert answer.location.startswith("/flagged?tier=2&undo=")
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
    asked = browser.send("/flagged", {"case": numbers, "to": to})
    assert "Give 2 cases to Person counselor?" in asked.text
    with app.app_context():
        assert {case_of(number).owner_id for number in numbers} == {person("social_worker").id}
    browser.send("/flagged", {"case": numbers, "to": to, "sure": "1"})
    with app.app_context():
        assert {case_of(number).owner_id for number in numbers} == {to}


def test_what_cannot_be_given_is_named_with_its_reason_and_nothing_is_half_given(app: Flask, sign_in: SignInAs) -> None:
    with app.app_context():
        free, asked = (committed(open_case, key, owner="social_worker") for key in ("one", "two"))
        to, wanted = person("counselor").id, Wanted(to=f"{person('principal').id}:principal", asked="Please lead this")
        with transaction():
            handing_over.transfer(asked, wanted, by=signing_in.actor_of(person("social_worker")))
    browser, sent = sign_in("social_worker"), {"case": [free, asked], "to": to}
    page = browser.send("/caseload", sent).text
    assert "Give 1 case to Person counselor?" in page and "Stay where they are" in page
    assert "Somebody was asked to take it over" in page and f'name="case" value="{asked}"' not in page
    answer = browser.send("/caseload", sent | {"sure": "1"})
    assert answer.status_code == 422 and f"Nothing was given. Case {asked}:" in answer.text
    with app.app_context():
        assert case_of(free).owner_id == person("social_worker").id


def test_who_was_given_several_may_say_no_to_one(app: Flask, sign_in: SignInAs) -> None:
    with app.app_context():
        numbers = [committed(open_case, key, owner="social_worker") for key in ("one", "two")]
        to = person("counselor").id
    sign_in("social_worker").send("/caseload", {"case": numbers, "to": to, "sure": "1"})
    with app.app_context():
        rows = db.session.scalars(select(HandOver).where(HandOver.case_id == case_of(numbers[0]).id)).all()
        ((number, state),) = [(row.id, row.state) for row in rows]
        assert state == "sent"
    sign_in("counselor").send(f"/asked/{number}/decline", {"words": "My week is full"})
    with app.app_context():
        assert case_of(numbers[0]).owner_id == person("social_worker").id and case_of(numbers[1]).owner_id == to


def test_giving_nothing_or_to_nobody_says_so_and_keeps_the_ticks(app: Flask, sign_in: SignInAs) -> None:
    with app.app_context():
        number = committed(open_case, "one", owner=None)
        flag(number)
    browser = sign_in("social_worker")
    assert "Tick the students" in browser.send("/flagged", {}).text
    answer = browser.send("/flagged", {"case": number})
    assert "Choose the person" in answer.text
    assert f'value="{number}" aria-label="Student One" checked' in answer.text


def test_what_was_given_is_taken_back_as_it_was(app: Flask, sign_in: SignInAs) -> None:
    with app.app_context():
        numbers = [committed(open_case, "one", owner=None), committed(open_case, "two", owner="principal")]
        task = committed(give_task, numbers[1], "principal", "Visit the family")
        to, principal = person("counselor").id, person("principal").id
    browser = sign_in("social_worker")
    sent = {"case": numbers, "to": to, "sure": "1", "back": "/caseload?view=all"}
    answer = browser.send("/caseload", sent, follow_redirects=True)
    assert "2 cases given to Person counselor." in answer.text
    again = browser.send("/caseload", sent)
    path = answer.text.split('action="/given/')[1].split('"')[0].replace("&amp;", "&")
    assert f"undo={path.partition('/')[0]}" in again.location, "the same press twice is one handful"
    with app.app_context():
        assert {case_of(number).owner_id for number in numbers} == {to}
        assert db.session.get_one(Task, task).owner_id == to
    assert "where they were before" in browser.send(f"/given/{path}", follow_redirects=True).text
    with app.app_context():
        assert [(case_of(n).owner_id, case_of(n).status) for n in numbers] == [(None, "new"), (principal, "new")]
        assert db.session.get_one(Task, task).owner_id == principal
    assert "Given back" in browser.get(f"/cases/{numbers[0]}/timeline").text


def test_nothing_is_taken_back_over_the_work_of_somebody_else(app: Flask, sign_in: SignInAs) -> None:
    with app.app_context():
        number = committed(open_case, "one", owner=None)
    browser = sign_in("social_worker")
    given = browser.send("/caseload", {"case": number, "take": number, "back": "/caseload?view=all"})
    late = sign_in("principal").send("/caseload", {"case": number, "take": number, "back": "/caseload"})
    assert "Person social_worker has taken this case" in late.text, "an old list takes nothing"
    with app.app_context():
        casework.assign(number, by=accounts.acting_as("principal"))
    answer = browser.send(f"/given/{given.location.rpartition('=')[2]}/undo", follow_redirects=True)
    assert "Somebody changed this case" in answer.text
    with app.app_context():
        assert case_of(number).owner_id == person("principal").id


def test_a_handful_is_given_by_the_same_number_of_statements(app: Flask, sign_in: SignInAs) -> None:
    browser, spent = sign_in("social_worker"), []
    for keys in ("xy", "ab", "cdefghijklmn"):  # the first round fills what is kept in memory
        with app.app_context():
            numbers = [committed(open_case, key, owner=None) for key in keys]
            to = person("counselor").id
        with app.app_context(), counting() as sent:
            assert browser.send("/caseload", {"case": numbers, "to": to, "sure": "1"}).status_code == 302
            spent.append(sent)
    assert len(spent[1]) == len(spent[2]), [one for one in spent[2] if one not in spent[1]]


def test_a_flag_is_set_aside_with_a_reason_and_comes_back_on_request(app: Flask, sign_in: SignInAs) -> None:
    with app.app_context():
        number = committed(open_case, "one", owner=None)
        flag(number)
        student = case_of(number).student_id
        committed(_without_case, number)
    browser, path = sign_in("social_worker"), f"/flagged/{student}"
    assert "Choose why nothing follows now" in browser.send(f"{path}/set-aside", {"useful": "no"}).text
    assert "right to be told" in browser.send(f"{path}/set-aside", {"reason": "not_needed"}).text
    answer = browser.send(f"{path}/set-aside", {"reason": "not_needed", "useful": "no", "back": "/flagged"})
    assert answer.location == "/flagged"
    browser.get("/flagged")  # shows what was said
    assert "Student One" not in browser.get("/flagged?tier=2").text
    assert "Student One" in browser.get("/flagged?aside=1").text
    browser.send(f"{path}/take-up")
    assert "Student One" in browser.get("/flagged").text


def _without_case(number: int) -> None:
    case = case_of(number)
    case.status, case.closed_on, case.close_reason = "closed", today(), "not_needed"


def test_setting_a_flag_aside_closes_its_open_case(app: Flask, sign_in: SignInAs) -> None:
    with app.app_context():
        number = committed(open_case, "one", owner=None)
        flag(number)
        student = case_of(number).student_id
    browser = sign_in("social_worker")
    assert f"Case {number} is closed by this" in browser.get(f"/flagged/{student}/set-aside").text
    browser.send(f"/flagged/{student}/set-aside", {"reason": "other_team", "useful": "yes"})
    with app.app_context():
        case = case_of(number)
        assert (case.status, case.close_reason) == ("closed", "other_team")


def test_a_view_is_kept_begins_the_list_and_is_taken_off(app: Flask, sign_in: SignInAs) -> None:
    with app.app_context():
        committed(open_case, "one", tier=3)
    browser = sign_in("principal")
    kept = {"asks": "view=all&sort=due&tier=3&page=9", "name": "My Tier 3", "first": "1"}
    page = browser.send("/views/caseload", kept, follow_redirects=True).text
    assert "Kept as “My Tier 3”" in page and "Student One" in page
    assert "tier=3&view=all" in browser.get("/caseload").location
    assert "My Tier 3" not in sign_in("social_worker").get("/caseload?view=all").text
    number = page.split("/views/caseload/")[1].split("/")[0]
    assert sign_in("social_worker").send(f"/views/caseload/{number}/forget").status_code == 404
    browser.send(f"/views/caseload/{number}/first")
    assert browser.get("/caseload").status_code == 200
    browser.send(f"/views/caseload/{number}/forget", follow_redirects=True)
    assert "My Tier 3" not in browser.get("/caseload").text


def test_keys_are_off_until_somebody_turns_them_on(app: Flask, sign_in: SignInAs) -> None:
    with app.app_context():
        committed(open_case, "one")
    browser = sign_in("counselor")
    assert "data-keys" not in browser.get("/caseload?view=mine").text
    browser.send("/keys", {"on": "1"})
    assert "data-keys" in browser.get("/caseload?view=mine").text
    browser.send("/keys")
    assert "data-keys" not in browser.get("/caseload?view=mine").text
