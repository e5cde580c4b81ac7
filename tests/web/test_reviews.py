"""A network lead's Monday by its pages: five schools with a reason each, a question, a review, its minutes."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

from flask import Flask

from ew_app.kernel import clock
from models.base import db
from models.org import School
from models.queries import boards
from rules.access import Area
from tests.web.casebook import committed, counting
from tests.web.conftest import Browser, SignInAs

SOON = (clock() + timedelta(days=2)).date().isoformat()


def once_of(page: str) -> str:
    found = re.search(r'name="once" value="([^"]+)"', page)
    assert found
    return found[1]


def sent(browser: Browser, path: str, **fields: Any) -> Any:
    """A form of a page, with its key."""
    return browser.send(path, fields | {"once": once_of(browser.get(path).text)})


def test_a_school_is_asked_and_answers_and_both_see_it(sign_in: SignInAs, world: dict[str, int]) -> None:
    lead, principal = sign_in("network_lead"), sign_in("principal")
    assert "Ask this school" in lead.get("/schools/LIN").text
    refused = sent(lead, "/schools/LIN/nudge", words="", owner_id=world["principal"], due=SOON)
    assert refused.status_code == 422 and "Write what you ask for" in refused.text
    ask = {"words": "What do you need?", "owner_id": world["principal"], "due": SOON, "reason": "invented"}
    page = once_of(lead.get("/schools/LIN/nudge").text)
    for _ in range(2):
        assert lead.send("/schools/LIN/nudge", ask | {"once": page}).location.endswith("/nudges")
    assert lead.get("/nudges").text.count("What do you need?") == 1
    today = principal.get("/today").text
    assert "You are asked" in today and "What do you need?" in today
    number, *_ = re.findall(r"/nudges/(\d+)/answer", principal.get("/nudges").text.split("What do you need?")[1])
    principal.send(f"/nudges/{number}/answer", {"answer": "A second phone line"})
    assert "A second phone line" in lead.get("/schools/LIN").text
    assert "invented" not in lead.get("/nudges").text, "a reason comes out of the numbers"
    assert "A second phone line" not in sign_in("attendance_clerk").get("/schools/LIN").text


def test_a_review_is_held_from_the_first_line_to_the_minutes(sign_in: SignInAs, world: dict[str, int]) -> None:
    lead = sign_in("network_lead")
    assert "North" in lead.get("/reviews").text
    address = lead.send("/reviews/networks/N/begin").location
    walked = lead.get(f"{address}/lines/1").text
    assert "Its board, as it is now" in walked
    refused = sent(lead, f"{address}/lines/1", version=1, note="Look closer", words="Ring them")
    assert refused.status_code == 422 and "Look closer" in refused.text and "Ring them" in refused.text
    agreed = {"version": 1, "note": "Look closer", "words": "Ring them", "owner_id": world["network_lead"], "due": SOON}
    assert sent(lead, f"{address}/lines/1", **agreed).location.endswith("/lines/2")
    lead.send(f"{address}/minutes", {"there": "Lena, Paul", "minutes": "The bus again", "version": 1})
    stale = lead.send(f"{address}/minutes", {"there": "Lena", "minutes": "Other words", "version": 1})
    assert stale.status_code == 409 and "The bus again" in stale.text and "Other words" in stale.text
    lead.send(f"{address}/end")
    minutes = lead.get(address).text
    for words in ("Ring them", "Look closer", "Lena, Paul", "The bus again", "closed by"):
        assert words in minutes
    assert "<textarea" not in minutes and "Ana" not in minutes
    assert lead.send(f"{address}/lines/1", {"version": 2, "note": "Later"}).status_code == 422
    assert "1 of 2" in minutes


def test_the_first_page_of_a_network_lead_names_five_schools_with_one_reason_each(
    sign_in: SignInAs, app: Flask, world: dict[str, int]
) -> None:
    with app.app_context():
        north = next(one for one in boards.schools_in(Area(district=True)) if one.key == "LIN").network_id
        for number in range(7):
            committed(another_school, north, number)
    page = sign_in("network_lead").get("/today").text.split("<main")[1]
    listed = page.split('aria-label="Schools that need help first"')[1].split("</ul>")[0]
    assert listed.count("do-who") == 5 and " · " not in re.sub(r"<[^>]+>", "", listed)
    assert "more on the board" in page


def another_school(network: int, number: int) -> None:
    db.session.add(School(key=f"X{number}", name=f"School {number}", network_id=network))


def test_the_pages_ask_as_much_for_many_schools_as_for_two(
    sign_in: SignInAs, app: Flask, world: dict[str, int]
) -> None:
    lead, asked = sign_in("network_lead"), []
    with app.app_context():
        north = next(one for one in boards.schools_in(Area(district=True)) if one.key == "LIN").network_id
    for more in (0, 6):
        with app.app_context():
            for number in range(more):
                committed(another_school, north, number)
            committed(db.session.execute, db.text("DELETE FROM review_line"))
            committed(db.session.execute, db.text("DELETE FROM review"))
        address = lead.send("/reviews/networks/N/begin").location
        for path in ("/reviews", address, f"{address}/lines/1", "/networks/N/follow-through"):
            with app.app_context(), counting() as statements:
                lead.get(path)
            asked.append(len(statements))
    assert asked[:4] == asked[4:], asked
