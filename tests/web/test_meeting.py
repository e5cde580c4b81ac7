"""The screens of a team meeting: on the wall nothing that is only for some, nothing overwritten, few statements."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape
from typing import Any

from flask import Flask

from ew_app.kernel import clock, today
from ew_app.services.casework import rising
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


def test_no_word_that_somebody_typed_stands_on_the_wall(sign_in: SignInAs, app: Flask, world: dict[str, int]) -> None:
    """Before, during and after: a next step, an action, a note, what a colleague wrote meanwhile."""
    address, browser = begun(sign_in), sign_in("principal")
    with app.app_context():
        committed(db.session.execute, db.text("UPDATE support_case SET next_step = 'Secret step'"))
    typed = ("Secret step", "Secret action", "Only for the minutes")

    def wall() -> str:
        return "".join(browser.get(f"{path}?view=room").text for path in (address, f"{address}/students/1"))

    assert not any(words in wall() for words in typed)
    browser.send(f"{address}/students/1", action(world, action="Secret action"))
    shown = wall()
    assert not any(words in shown for words in typed)
    assert shown.count("One action: Person nurse") == 2
    late = sign_in("social_worker").send(f"{address}/students/1?view=room", action(world, action="Call the aunt"))
    assert late.status_code == 409 and not any(words in late.text for words in typed)
    assert "Only for the minutes" in browser.get(address).text, "what was kept is kept"
    browser.send(f"{address}/end")
    assert not any(words in wall() for words in typed)
    with app.app_context():
        committed(db.session.execute, db.text("UPDATE meeting SET day = day - 14"))
    browser.send("/meeting/schools/LIN/begin")
    again = browser.send("/meeting/schools/LIN/begin").location
    assert "Secret action" in browser.get(again).text and "Secret action" not in browser.get(f"{again}?view=room").text


def test_a_student_is_added_by_name(sign_in: SignInAs, app: Flask, world: dict[str, int]) -> None:
    with app.app_context():
        number = committed(casebook.open_case, "nia", owner=None)
    address = begun(sign_in)
    choice = f'<option value="{number}">Student Nia, Grade 4, Tier 2</option>'
    assert choice in sign_in("principal").get(address).text
    assert 'name="case"' not in sign_in("principal").get(f"{address}?view=room").text
    assert choice not in sign_in("counselor").get(address).text, "not one of hers"
    sign_in("principal").send(f"{address}/add", {"case": number})
    assert choice not in sign_in("principal").get(address).text


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


def test_the_week_counts_by_school_and_by_role_only_for_who_may_open_the_cases(
    sign_in: SignInAs, app: Flask, world: dict[str, int]
) -> None:
    with app.app_context():
        number = committed(casebook.open_case, "nia", owner=None, due=casebook.long_ago(), tier=3)
        committed(casebook.give_task, number, "nurse", "Look at the plan", compartment="health", kind="support")
        committed(db.session.execute, db.text("UPDATE task SET due = due - 9"))
    lead, principal = (sign_in(login).get("/week").text.split("<main")[1] for login in ("network_lead", "principal"))
    for page in (lead, principal):
        assert "Lincoln" in page and "no owner" in page
        assert not any(name in page for name in ("Nia", "Ana", "Person ", "nurse", "Nurse", "Oak"))
    assert "Carver" in lead and "Carver" not in principal
    assert "School counselor" in principal
    roles_told = ("School counselor", "Social worker", "Late tasks", "tasks are late", "task is late")
    assert not any(word in lead for word in roles_told), "a role stands close to a reason; departments tell tens"
    waiting = sign_in("network_lead").get("/waiting").text.split("<main")[1]
    assert not any(word in waiting for word in ("counselor", "nurse", "worker"))
    assert "At no school have more new cases come this week" in waiting


def links_of(page: str) -> dict[str, str]:
    """The words of each link of a page -> where it leads."""
    return {unescape(words): unescape(to) for to, words in re.findall(r'<a href="([^"]+)">([^<]+)</a>', page)}


def test_every_figure_of_the_week_leads_to_its_list_for_who_may_open_the_cases(
    sign_in: SignInAs, app: Flask, world: dict[str, int]
) -> None:
    with app.app_context():
        late = committed(casebook.open_case, "nia", owner="counselor", due=casebook.long_ago(), tier=3)
        for number in range(9):  # one more than a week of hours has room for
            committed(casebook.open_case, f"new{number}", owner="counselor", tier=2)
        begun = "SELECT id, episode, :on, now() FROM support_case WHERE tier = 2"
        into = db.text(f"INSERT INTO case_episode (case_id, episode, opened, opened_at) {begun}")
        committed(db.session.execute, into, {"on": today()})
        committed(casebook.give_task, late, "social_worker", "Visit the family", kind="visit")
        committed(db.session.execute, db.text("UPDATE task SET due = due - 9"))
        committed(db.session.execute, db.text("UPDATE hand_over SET state = 'declined', answered_at = now()"))
        committed(rising.rise)
    page = sign_in("principal").get("/week").text.split("<main")[1]
    links = links_of(page)
    (declined,) = [to for words, to in links.items() if words.endswith("was declined this week")]
    assert "1 question was declined this week" in sign_in("principal").get(declined).text
    (risen,) = [words for words in links if "asked to step in" in words]
    listed = sign_in("principal").get(links[risen]).text
    assert risen.split()[0] == re.search(r'part-count">(\d+)', listed)[1]  # type: ignore[index]
    role = section_of(page, "Lincoln")
    for heading, filter_of in (("Late cases", "overdue=1"), ("Open", "role=counselor"), ("Late tasks", "/tasks/")):
        found = re.findall(rf'data-label="{heading}"><a href="([^"]+)">(\d+)', role)
        assert found, heading
        for to, figure in found:
            assert counted(sign_in("principal").get(unescape(to)).text) == int(figure), heading
        assert any(filter_of in unescape(to) for to, _ in found)
    assert "more than the stated hours have room for" in page
    lead = sign_in("network_lead").get("/week").text.split("<main")[1]
    assert not any("/caseload" in to or "/week/" in to for to in links_of(lead).values()), "names stay with the school"


def section_of(page: str, school: str) -> str:
    """What the week says of a school."""
    return page.split(f'part-title">{school}')[1].split("</section>")[0]


def counted(page: str) -> int:
    """How many rows a list has."""
    return page.split("<main")[1].split("</main")[0].count('<a class="row-link"')
