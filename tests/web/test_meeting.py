"""The screens of a team meeting: on the wall nothing that is only for some, nothing overwritten, few statements."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from flask import Flask

from ew_app.kernel import clock
from models.base import db
from tests.web import casebook
from tests.web.casebook import committed, counting
from tests.web.conftest import SignInAs


def begun(sign_in: SignInAs) -> str:
    """Today's meeting of Lincoln, with Ana's case on it; its address."""
    browser = sign_in("principal")
    browser.send("/meeting/schools/LIN/begin")
    address = browser.send("/meeting/schools/LIN/begin").location
    browser.send(f"{address}/add", {"case": 1})
    return str(address)


def action(world: dict[str, int], **more: Any) -> dict[str, Any]:
    plain = {
        "decision": "act", "action": "Walk in together on Monday", "owner_id": world["nurse"],
        "due": (clock() + timedelta(days=2)).date().isoformat(), "note": "Only for the minutes", "version": 1,
    }  # fmt: skip
    return plain | more


def test_a_team_walks_the_list_and_the_wall_shows_initials_and_no_notes(
    sign_in: SignInAs, world: dict[str, int]
) -> None:
    address, browser = begun(sign_in), sign_in("principal")
    page = browser.get(f"{address}/students/1").text
    assert "Ana Sample" in page and "1 of 1" in page
    saved = browser.send(f"{address}/students/1", action(world))
    assert saved.location == address
    minutes = browser.get(address).text
    assert "Walk in together on Monday" in minutes and "Person nurse" in minutes and "Only for the minutes" in minutes
    for path in (address, f"{address}/students/1"):
        wall = browser.get(f"{path}?view=room&names=initials").text
        assert "A. S." in wall and "Ana Sample" not in wall and "/cases/1" not in wall
    assert "Only for the minutes" not in browser.get(f"{address}?view=room").text
    assert "Walk in together on Monday" in browser.get("/news").text or sign_in("nurse").get("/news").text


def test_two_who_write_at_once_see_both_texts(sign_in: SignInAs, world: dict[str, int]) -> None:
    address = begun(sign_in)
    sign_in("principal").send(f"{address}/students/1", action(world))
    answer = sign_in("social_worker").send(f"{address}/students/1", action(world, action="Call the aunt"))
    assert answer.status_code == 409
    assert "Walk in together on Monday" in answer.text and 'value="Call the aunt"' in answer.text
    sign_in("principal").send(f"{address}/minutes", {"minutes": "The bus was late.", "version": 1})
    answer = sign_in("social_worker").send(f"{address}/minutes", {"minutes": "More lights.", "version": 1})
    assert answer.status_code == 409 and "The bus was late." in answer.text and "More lights." in answer.text


def test_a_counselor_sees_students_of_the_own_caseload_and_how_many_others(
    sign_in: SignInAs, app: Flask, world: dict[str, int]
) -> None:
    address = begun(sign_in)
    with app.app_context():
        number = committed(casebook.open_case, "nia", owner=None)
    sign_in("principal").send(f"{address}/add", {"case": number})
    page = sign_in("counselor").get(address).text
    assert "Ana Sample" in page and "Nia" not in page and "1 more is led by colleagues" in page


def test_the_pages_ask_as_much_for_many_students_as_for_one(
    sign_in: SignInAs, app: Flask, world: dict[str, int]
) -> None:
    address, browser, asked = begun(sign_in), sign_in("principal"), []
    for more in (1, 8):
        for number in range(more):
            with app.app_context():
                case = committed(casebook.open_case, f"pupil{more}x{number}", tier=3)
            browser.send(f"{address}/add", {"case": case})
        for position in range(1, more + 1):
            browser.send(f"{address}/students/{position}", action(world))
        with app.app_context(), counting() as sent:
            browser.get(address)
        asked.append(len(sent))
    assert asked[0] == asked[1], "whatever the number of students and actions"


def test_the_week_counts_by_school_and_role_and_names_nobody(
    sign_in: SignInAs, app: Flask, world: dict[str, int]
) -> None:
    with app.app_context():
        number = committed(casebook.open_case, "nia", owner=None, due=casebook.long_ago(), tier=3)
        committed(casebook.give_task, number, "nurse", "Look at the plan", compartment="health", kind="support")
        committed(db.session.execute, db.text("UPDATE task SET due = due - 9"))
    lead, principal = (sign_in(login).get("/week").text.split("<main")[1] for login in ("network_lead", "principal"))
    for page in (lead, principal):
        assert "Lincoln" in page and "School counselor" in page
        assert not any(name in page for name in ("Nia", "Ana", "Person ", "nurse", "Nurse", "Oak"))
    assert "Carver" in lead and "Carver" not in principal
