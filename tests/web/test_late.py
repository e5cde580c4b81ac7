"""Missing days on screen: whoever answers for a school sees its days, and nobody sees a student there."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from flask import Flask
from sqlalchemy import update

from ew_app.kernel import now, transaction
from ew_app.services.deliveries.late_days import WHOLE_SOURCE
from models.base import db
from models.cases import Task
from tests.opened import statements
from tests.web.conftest import SignInAs
from tests.web.world import START

World = dict[str, int]


def raised(app: Flask, world: World, to: str, **more: str) -> None:
    """Lincoln's day went up."""
    with app.app_context(), transaction():
        given = {"owner_id": world[to], "owner_role": to, "raised_at": now(), **more}
        db.session.execute(update(Task).where(Task.id == world["lincoln_day"]).values(**given))


@pytest.mark.parametrize("login", ["attendance_clerk", "principal", "network_lead"])
def test_everybody_sees_the_days_of_their_own_schools(sign_in: SignInAs, login: str) -> None:
    page = sign_in(login).get("/late").text
    assert "1 school day is missing" in page
    assert "Lincoln" in page and "Oak" not in page and "Sample" not in page


def test_the_district_sees_all_of_them_and_may_look_at_one_school(sign_in: SignInAs) -> None:
    browser = sign_in("system_admin")
    assert "2 school days are missing" in browser.get("/late").text
    one = browser.get("/late?school=OAK").text
    assert "1 school day is missing" in one and "Lincoln" not in one


def test_who_sends_attendance_is_led_there_and_others_are_told_whom_to_ask(sign_in: SignInAs, world: World) -> None:
    path = f"/late/{world['lincoln_day']}"
    clerk, principal = sign_in("attendance_clerk").get(path).text, sign_in("principal").get(path).text
    assert "Bring in attendance" in clerk and "Nobody was absent all day?" in clerk
    assert "Bring in attendance" not in principal and "Ask whoever brings in attendance at Lincoln" in principal


def test_what_went_up_stands_on_the_day_of_whoever_has_it_and_stays_with_the_clerk(
    app: Flask, sign_in: SignInAs, world: World
) -> None:
    assert "Schools to ask" not in sign_in("system_admin").get("/today").text
    raised(app, world, "system_admin")
    mine = sign_in("system_admin").get("/today").text
    assert "Schools to ask for their attendance" in mine and "It is asked of you." in mine
    assert "Asked of Person system_admin." in sign_in("attendance_clerk").get("/today").text
    assert "went up" in sign_in("network_lead").get("/late").text
    page = sign_in("principal").get(f"/late/{world['lincoln_day']}").text
    assert "Ask Person system_admin what keeps it" in page, "who is not at the school is not looked for there"
    raised(app, world, "system_admin", title=WHOLE_SOURCE)
    page = sign_in("system_admin").get(f"/late/{world['lincoln_day']}").text
    assert "A source that runs by itself: the attendance of" in page and "Find out why it has brought nothing" in page


def test_the_list_costs_the_same_for_few_and_many(app: Flask, sign_in: SignInAs, world: World) -> None:
    browser, spent = sign_in("system_admin"), []
    for more in (0, 20):
        with app.app_context(), transaction():
            db.session.add_all(asked(world, START + timedelta(days=n)) for n in range(1, more + 1))
        with statements(app) as sent:
            assert browser.get("/late").status_code == 200
        spent.append(len(sent))
    assert spent[0] == spent[1]


def asked(world: World, day: date) -> Task:
    """Another day that Lincoln is asked for."""
    first = db.session.get_one(Task, world["lincoln_day"])
    same = {"kind": "feed", "department": "its", "title": first.title, "owner_role": first.owner_role}
    return Task(school_id=first.school_id, day=day, period=day.isoformat(), created_at=now(), **same)
