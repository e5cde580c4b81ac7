"""The screens of home visits and news: two people, what the door needs and no more, a card without a reason."""

from __future__ import annotations

import re

from flask import Flask

from ew_app.kernel import today
from ew_app.services.casework import visit_alarm
from models.base import db
from models.people import Contact
from tests.web import casebook
from tests.web.casebook import committed
from tests.web.conftest import Browser, SignInAs


def test_a_visit_from_the_plan_to_the_contact(sign_in: SignInAs, app: Flask, world: dict[str, int]) -> None:
    with app.app_context():
        committed(db.session.execute, db.text("UPDATE visit SET status = 'called_off'"))
        day = today().isoformat()
        committed(
            db.session.add, Contact(student_id=world["ana"], name="Rosa", phone="555 0100", address="14 Elm Street")
        )
    browser = sign_in("counselor")
    form = browser.get("/cases/1/visit").text
    assert 'value="14 Elm Street"' in form and "Person nurse" in form
    once = form.split('name="once" value="')[1].split('"')[0]
    fields = {"day": day, "minutes": 45, "address": "14 Elm Street", "phone": "312 555 0142", "once": once}
    assert "Two people go on a visit" in browser.send("/cases/1/visit", fields).text
    fields |= {"second_id": world["nurse"], "watcher_id": world["attendance_clerk"]}
    planned = browser.send("/cases/1/visit", fields)
    again = browser.send("/cases/1/visit", fields)
    visit = planned.location
    assert planned.status_code == 302 and again.location == visit, "a double click plans one visit"
    assert "Check the address today" in browser.get(visit).text
    browser.send(f"{visit}/address", {"address": "14 Elm Street"})
    browser.send(f"{visit}/go", {"no_call_why": "No number works"})
    page = browser.get(visit)
    assert "If it does not feel safe, leave." in page.text and "no-store" in page.headers["Cache-Control"]
    clerk = sign_in("attendance_clerk").get(visit).text
    assert "They are back and well" in clerk and "Elm Street" not in clerk and "Ana" not in clerk
    sheet, card = browser.get(f"{visit}/sheet").text, browser.get(f"{visit}/card").text
    assert "Ana Sample" in sheet and "14 Elm Street" in sheet and "Absent" not in sheet
    inside = card.split('class="door-card"', 1)[1].split("</main>")[0]
    assert "Person counselor" in inside and not any(word in inside for word in ("Ana", "Lincoln", "absen", "school"))
    browser.send(f"{visit}/back")
    assert "Elm Street" not in browser.get(visit).text.split("<main", 1)[1]
    once = browser.get(visit).text.split('name="once" value="')[1].split('"')[0]
    browser.send(f"{visit}/outcome", {"outcome": "visited_spoke", "once": once})
    assert "Spoke at the door" in browser.get("/cases/1/contacts").text.replace("spoke", "Spoke")


def test_whoever_is_alarmed_reads_whom_to_call_and_nothing_of_the_child(
    sign_in: SignInAs, app: Flask, world: dict[str, int]
) -> None:
    """The principal is on leave and the visit late: the network is told, which sees no student's name anywhere."""
    late = """
        UPDATE visit SET status = 'out', phone = '312 555 0142', address = '14 Elm Street', out_at = now(),
               back_by = now() - interval '1 minute' WHERE id = :visit
    """
    away = (
        "UPDATE role_grant SET away_from = current_date - 400, away_until = current_date + 400 WHERE role = ANY(:who)"
    )
    number = world["ana_visit"]
    with app.app_context():
        committed(db.session.execute, db.text(late), {"visit": number})
        committed(db.session.execute, db.text(away), {"who": ["principal", "administrator"]})
        assert visit_alarm.give(number)
    lead = sign_in("network_lead")
    news = lead.get("/news").text.split("<main")[1]
    assert "Person counselor and" in news and "312 555 0142" in news and "Ana" not in news
    page = lead.get(f"/visits/{number}").text.split("<main")[1]
    assert "tel:312 555 0142" in page and "They are back and well" in page
    assert not any(word in page for word in ("Ana", "Elm", "Sheet on paper", "/cases/"))
    assert lead.get(f"/visits/{number}/sheet").status_code in (403, 404)
    lead.send(f"/visits/{number}/back")
    assert "312 555 0142" not in lead.get(f"/visits/{number}").text


def test_news_are_counted_opened_and_read(sign_in: SignInAs, world: dict[str, int]) -> None:
    browser = sign_in("counselor")
    assert "1 thing you have not read yet" in browser.get("/news").text
    assert 'class="badge-count">1<' in browser.get("/today").text
    assert browser.send(f"/news/{world['counselor_notice']}").location.endswith("/cases/1")
    assert "badge-count" not in browser.get("/today").text.split("<main")[0]
    assert sign_in("carver_counselor").send(f"/news/{world['counselor_notice']}").status_code == 404


def test_the_choice_of_e_mails_is_kept(sign_in: SignInAs, world: dict[str, int]) -> None:
    browser = sign_in("counselor")
    choice = {"address": "cora@district.example", "how_often": "weekly", "hour": 9, "weekday": 2, "mailed": ["given"]}
    assert browser.send("/news/choices", choice).status_code == 302
    kept = browser.get("/news/choices").text
    assert 'value="cora@district.example"' in kept and 'value="9" selected' in kept and 'value="weekly" checked' in kept
    assert browser.send("/news/choices", choice | {"address": "not one"}).status_code == 422


def test_a_calendar_program_gets_numbers_and_no_name_until_the_address_ends(
    sign_in: SignInAs, app: Flask, world: dict[str, int], browser: Browser
) -> None:
    with app.app_context():
        committed(db.session.execute, db.text("UPDATE support_case SET due = current_date"))
        committed(casebook.give_task, 1, "counselor", "Ask about the inhaler", compartment="health", kind="support")
    mine = sign_in("counselor")
    first = address_in(mine.send("/news/calendar").text)
    answer = browser.get(first)
    assert answer.content_type.startswith("text/calendar") and b"Case 1: next step" in answer.data
    assert answer.data.count(b"A task is due") == 1 and b"no-store" in answer.headers["Cache-Control"].encode()
    assert not any(word in answer.data for word in (b"Ana", b"inhaler", b"Lincoln", b"health"))
    again = address_in(mine.send("/news/calendar").text)
    assert browser.get(first).status_code == 404 and browser.get(again).status_code == 200
    with app.app_context():
        committed(db.session.execute, db.text("UPDATE person SET disabled_at = now() WHERE login = 'counselor'"))
    assert browser.get(again).status_code == 404, "whoever is shut out has no calendar"


def address_in(page: str) -> str:
    """The path of the secret address that a page shows."""
    found = re.search(r"/calendar/[\w-]+\.ics", page)
    assert found
    return found[0]
