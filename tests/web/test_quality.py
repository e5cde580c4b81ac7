"""What the night found, on the screen: within reach, with ids only for whoever may open the students."""

from __future__ import annotations

from dataclasses import replace

import pytest
from flask import Flask

from ew_app.config import Settings
from ew_app.kernel import transaction
from ew_app.services.system import quality
from models.base import db
from models.jobs import Outbox
from models.org import Network, School
from models.quality import QualityFinding, QualityRun
from tests.opened import statements
from tests.web.conftest import Browser, SignInAs
from tests.web.importing import TODAY, once_of, open_schools, words


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return replace(settings, today=TODAY)


@pytest.fixture
def looked(app: Flask, sign_in: SignInAs) -> None:
    """A look that found nothing, and then by hand: marks off the calendar at Lincoln and Oak, one file of nobody."""
    open_schools(app)
    with app.app_context():
        quality.look_now(by=quality.WORKER)
        with transaction():
            db.session.query(QualityFinding).delete()
            for key in ("LIN", "OAK"):
                found(key, "off_calendar", 3, [{"student": "001", "day": "2026-11-14", "words": "A"}])
            found(None, "refused_files", 1, [{"words": "broken.csv", "batch": 1}])


def found(school: str | None, check: str, count: int, examples: list[dict[str, object]]) -> None:
    number = db.session.query(School.id).filter_by(key=school).scalar() if school else None
    seen = {"first_seen": TODAY, "last_seen": TODAY}
    db.session.add(QualityFinding(check_key=check, school_id=number, count=count, examples=examples, **seen))


def page(browser: Browser) -> str:
    return words(browser.get("/quality").text)


@pytest.mark.usefixtures("looked")
def test_a_clerk_sees_the_own_school_with_ids_and_what_to_do(sign_in: SignInAs) -> None:
    clerk = sign_in("attendance_clerk")
    told = page(clerk)
    assert "1 kind of mistake to mend" in told
    assert "Marks on days without school: 3 marks" in told
    assert "If there was school that day, correct the calendar" in told
    assert "001, Sat 14 Nov: A" in told
    assert "Oak" not in told and "broken.csv" not in told
    assert 'href="/students/001"' in clerk.get("/quality").text


@pytest.mark.usefixtures("looked")
@pytest.mark.parametrize("role", ["network_lead", "district_analyst", "system_admin"])
def test_whoever_may_not_open_students_sees_counts_alone(sign_in: SignInAs, role: str) -> None:
    browser = sign_in(role)
    assert "Lincoln" in page(browser)
    assert "001" not in page(browser)
    assert "001" not in browser.get("/quality.csv").text
    assert ("Oak" in page(browser)) is (role != "network_lead"), "another network"


@pytest.mark.usefixtures("looked")
def test_a_principal_sees_the_school_and_changes_nothing(sign_in: SignInAs) -> None:
    principal = sign_in("principal")
    assert "001, Sat 14 Nov: A" in page(principal)
    assert "Check now" not in page(principal) and "Say so" not in page(principal)
    assert "Open where it is mended" not in page(principal), "she may not open Fix data"


@pytest.mark.usefixtures("looked")
def test_the_file_holds_what_the_page_does(sign_in: SignInAs) -> None:
    lines = sign_in("attendance_clerk").get("/quality.csv").text.splitlines()
    assert lines[0].endswith("check,title,school_id,school,rows,since,state,reason,examples")
    assert lines[1:] == [
        'off_calendar,Marks on days without school,LIN,Lincoln,3,2026-11-20,to be mended,,"001, Sat 14 Nov: A"'
    ]


@pytest.mark.usefixtures("looked")
def test_known_and_right_needs_a_reason_hides_and_comes_back(app: Flask, sign_in: SignInAs) -> None:
    clerk = sign_in("attendance_clerk")
    with app.app_context():
        number = db.session.query(QualityFinding.id).join(School).filter(School.key == "LIN").scalar()
    form = {"once": once_of(clerk.get("/quality").text)}
    refused = clerk.send(f"/quality/{number}/known", {**form, "reason": " "})
    assert refused.status_code == 422 and "Say in a few words why" in words(refused.text)
    clerk.send(f"/quality/{number}/known", {**form, "reason": "Saturday school for grade 8"})
    told = page(clerk)
    assert "Nothing to mend" in told and "Saturday school for grade 8" in told and "Person attendance_clerk" in told
    clerk.send(f"/quality/{number}/ask-again", form)
    assert "1 kind of mistake to mend" in page(clerk)


def test_before_the_first_look_the_page_says_so_and_one_press_asks_for_it_once(app: Flask, sign_in: SignInAs) -> None:
    clerk = sign_in("attendance_clerk")
    assert "Nothing has been looked through yet" in page(clerk)
    form = {"once": once_of(clerk.get("/quality").text)}
    for _ in range(2):
        assert clerk.send("/quality", form).status_code == 302
    told = page(clerk)
    assert "Looking through the records: 0 of" in told and "Check now" not in told
    with app.app_context():
        assert db.session.query(Outbox).filter_by(job="check_quality").count() == 1
        quality.look(db.session.query(QualityRun.id).scalar())
    assert "Checked and in order" in page(clerk)


@pytest.mark.usefixtures("looked")
def test_today_tells_the_clerk_what_is_new_since_the_day_before(app: Flask, sign_in: SignInAs) -> None:
    clerk = sign_in("attendance_clerk")
    assert "new finding" not in words(clerk.get("/today").text)
    with app.app_context(), transaction():
        earlier = {"asked_at": quality.now(), "finished_at": quality.now(), "local_date": TODAY.replace(day=19)}
        db.session.add(QualityRun(asked_by="worker", counts={}, students={}, **earlier))
    assert "1 new finding in the records" in words(clerk.get("/today").text)
    assert "New since Thu 19 Nov" in page(clerk)


@pytest.mark.usefixtures("looked")
def test_the_number_of_queries_does_not_grow_with_the_schools(app: Flask, sign_in: SignInAs) -> None:
    analyst = sign_in("district_analyst")
    page(analyst)
    with statements(app) as few:
        page(analyst)
    with app.app_context(), transaction():
        network = db.session.query(Network).first()
        db.session.add_all(School(key=f"S{n}", name=f"School {n}", network=network) for n in range(40))
        db.session.flush()
        for number in range(40):
            found(f"S{number}", "off_calendar", 1, [])
    with statements(app) as many:
        assert "17 more schools" in page(analyst)
    assert len(many) == len(few) <= 25
