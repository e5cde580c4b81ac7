"""S02: what each role is told first, and what no role learns from it."""

from __future__ import annotations

import pytest
from flask import Flask

from models.base import db
from models.cases import Task
from tests.web.casebook import case_of, committed, counting, give_task, hold_a_file, long_ago, open_case
from tests.web.conftest import SignInAs

House = dict[str, int]


def text_of(sign_in: SignInAs, login: str) -> str:
    answer = sign_in(login).get("/today")
    assert answer.status_code == 200
    return str(answer.text)


def test_home_leads_to_today(sign_in: SignInAs) -> None:
    assert sign_in("counselor").get("/").location == "/today"


def test_a_counselor_reads_how_many_families_wait_for_a_first_contact(app: Flask, sign_in: SignInAs) -> None:
    with app.app_context():
        for key in ("one", "two"):
            committed(open_case, key)
    page = text_of(sign_in, "counselor")
    assert "2 students need a first contact today" in page
    assert page.index("Student One") < page.index("flagged since")
    assert "Log a contact" in page


def test_a_case_and_its_tasks_stand_once_with_what_is_due_first(app: Flask, sign_in: SignInAs) -> None:
    with app.app_context():
        number = committed(open_case, "one", due=long_ago())
        for title in ("Visit", "Meet"):
            committed(give_task, number, "counselor", title)
    first = text_of(sign_in, "counselor").partition("flagged since")[0]
    assert first.count("Student One") == 1
    assert "and 2 more" in first


def test_a_principal_reads_what_nobody_has(app: Flask, sign_in: SignInAs) -> None:
    with app.app_context():
        committed(open_case, "orphan", owner=None)
    page = text_of(sign_in, "principal")
    assert "1 case has no owner" in page
    assert "Nobody has these yet" in page
    assert "Student Orphan" in page


def test_a_clerk_reads_calls_without_tiers(app: Flask, sign_in: SignInAs) -> None:
    with app.app_context():
        number = committed(open_case, "one", tier=3)
        committed(give_task, number, "attendance_clerk", "Call home", kind="call")
    page = text_of(sign_in, "attendance_clerk")
    assert "1 family waits for a call" in page
    assert "Tier" not in page


def test_work_in_a_compartment_stands_only_on_its_owners_page(app: Flask, world: House, sign_in: SignInAs) -> None:
    with app.app_context():
        number = committed(open_case, "one", owner="principal")
        committed(give_task, number, "nurse", "Look at the asthma plan", compartment="health", kind="support")
    nurse = text_of(sign_in, "nurse")
    assert "1 task is due today" in nurse
    assert "Look at the asthma plan" in nurse
    assert f"/cases/{number}/restricted/health" in nurse
    for login in ("principal", "counselor", "social_worker", "attendance_clerk"):
        page = text_of(sign_in, login)
        assert "asthma" not in page
        assert "restricted" not in page


def test_work_in_a_compartment_of_a_student_without_a_case_leads_to_where_it_is_done(
    app: Flask, world: House, sign_in: SignInAs
) -> None:
    with app.app_context():
        number = committed(open_case, "one", owner="principal")
        task = committed(give_task, number, "nurse", "Look at the asthma plan", compartment="health", kind="support")
        key = case_of(number).student.key
        committed(_off_the_case, task)
    nurse = sign_in("nurse")
    where = f"/students/{key}/restricted/health"
    assert where in text_of(sign_in, "nurse")
    page = nurse.get(where).text
    assert "Look at the asthma plan" in page and f'action="/supports/health/tasks/{task}/done"' in page
    nurse.send(f"/supports/health/tasks/{task}/done")
    assert where not in text_of(sign_in, "nurse")


def _off_the_case(task: int) -> None:
    db.session.get_one(Task, task).case_id = None


@pytest.mark.parametrize("login", ["network_lead", "district_analyst", "system_admin", "policy_editor"])
def test_those_who_see_counts_read_no_name(app: Flask, sign_in: SignInAs, login: str) -> None:
    with app.app_context():
        committed(open_case, "one", owner=None)
    page = text_of(sign_in, login)
    assert "Sample" not in page
    assert "Student One" not in page


def test_a_network_lead_reads_which_schools_need_help(app: Flask, sign_in: SignInAs) -> None:
    with app.app_context():
        committed(open_case, "one", owner=None)
    page = text_of(sign_in, "network_lead")
    assert "of 2 schools" in page
    assert "without an owner" in page


def test_the_page_costs_the_same_for_few_and_many(app: Flask, sign_in: SignInAs) -> None:
    browser = sign_in("principal")
    spent = []
    for more in ("ab", "cdefghij"):
        with app.app_context():
            for key in more:
                committed(open_case, key, owner="principal", due=long_ago())
        with app.app_context(), counting() as sent:
            assert browser.get("/today").status_code == 200
            spent.append(len(sent))
    assert spent[0] == spent[1] <= 40


def test_a_clerk_reads_of_a_file_that_waits_before_anything_else(app: Flask, sign_in: SignInAs) -> None:
    with app.app_context():
        committed(hold_a_file, "From Lincoln.csv", "Only 1 school is in this file.")
    page = text_of(sign_in, "attendance_clerk")
    assert "1 file waits for your answer" in page
    assert page.index("From Lincoln.csv") < page.index("Only 1 school is in this file.")
    assert "Look at the file" in page
