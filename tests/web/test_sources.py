"""S03, sources: set up, tried out, fetched, paused, and told of where somebody waits for them."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask

from ew_app.kernel import OPERATOR, now, settings, today, transaction
from ew_app.services.people import accounts
from ew_app.services.sources import keeping
from ew_app.services.sources.keeping import Wanted
from models.base import db
from models.org import CalendarDay, School, Source
from models.pulls import Arrival, Pull
from tests.web.conftest import Browser, SignInAs

FORM = {
    "kind": "folder", "name": "Skyward", "at_folder": "skyward", "at_quiet": "0", "brings": "both", "feed": "exception",
    "times": "06:00, 18:15", "days": "school", "expected_by": "18:30", "expected_day": "same",
}  # fmt: skip


@pytest.fixture
def admin(sign_in: SignInAs) -> Browser:
    return sign_in("system_admin")


@pytest.fixture
def folder(app: Flask) -> Path:
    """Where the source of the named world looks."""
    with app.app_context():
        path = settings().drops / "aspen"
    path.mkdir(parents=True)
    return path


def number(app: Flask, name: str = "Aspen") -> int:
    with app.app_context():
        return db.session.query(Source).filter_by(name=name).one().id


def test_a_source_is_set_up_and_changed(app: Flask, admin: Browser) -> None:
    assert "A drop folder" in admin.get("/sources/new").text
    assert "Where the files are" in admin.get("/sources/new?kind=sftp").text
    made = admin.send("/sources/new", FORM)
    assert made.status_code == 302
    page = admin.get(made.location).text
    assert "at 06:00 and 18:15 on school days" in page and "by 18:30, the same day" in page
    assert "the roster and attendance" in page
    form = admin.get(f"{made.location}/edit").text
    assert 'value="06:00 18:15"' in form and 'value="skyward"' in form
    changed = admin.send(f"{made.location}/edit", FORM | {"times": "", "every": "15", "at_leave": "1"})
    assert changed.status_code == 302
    assert "every 15 minutes" in admin.get(made.location).text
    with app.app_context():
        assert db.session.query(Source).filter_by(name="Skyward").one().location["afterwards"] == "leave"


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"at_folder": "../etc"}, "inside"),
        ({"name": ""}, "a name"),
        ({"name": "Aspen"}, "a source Aspen already"),
        ({"times": "25:00"}, "not a time of the day"),
        ({"every": "15"}, "not both"),
        ({"brings": "lunch"}, "one of the ways"),
        ({"kind": "pigeon"}, "How can the files be fetched"),
    ],
)
def test_what_cannot_be_is_said_and_what_was_typed_stays(admin: Browser, wrong: dict[str, str], sentence: str) -> None:
    answer = admin.send("/sources/new", FORM | wrong)
    assert answer.status_code == 422 and sentence in answer.text
    assert "kind" in wrong or 'value="18:30"' in answer.text


def test_a_secret_that_is_typed_is_not_kept_and_not_repeated_in_the_sentence(app: Flask, admin: Browser) -> None:
    form = FORM | {"kind": "sftp", "at_host": "sftp.example.org", "at_user": "ew", "at_password": "Hunter-2-secret"}
    answer = admin.send("/sources/new", form)
    assert answer.status_code == 422 and "Never type the secret itself" in answer.text
    assert "Hunter-2-secret" not in answer.text
    with app.app_context():
        assert db.session.query(Source).filter_by(name="Skyward").count() == 0


def test_a_test_says_what_would_be_taken(app: Flask, admin: Browser, folder: Path) -> None:
    here = f"/sources/{number(app)}"
    assert "No new file is there" in admin.send(f"{here}/test").text
    (folder / "attendance.csv").write_text("student_id,school_id,date,code\n")
    assert "1 file would be taken: attendance.csv" in admin.send(f"{here}/test").text
    folder.rename(folder.with_name("gone"))
    answer = admin.send(f"{here}/test")
    assert answer.status_code == 422 and "There is no folder aspen" in answer.text


def test_fetch_now_asks_for_one_look_however_often_it_is_pressed(app: Flask, admin: Browser) -> None:
    here = f"/sources/{number(app)}"
    for _ in range(2):
        assert admin.send(f"{here}/look").location == here
    with app.app_context():
        assert db.session.query(Pull).count() == 1
    assert "is being looked at" in admin.get(here).text


def test_a_pause_and_its_end(app: Flask, admin: Browser) -> None:
    here = f"/sources/{number(app)}"
    admin.send(f"{here}/pause")
    assert "Aspen is paused" in admin.get(here).text
    admin.send(f"{here}/resume")
    assert "Aspen waits for its first look" in admin.get(here).text


def test_a_refused_file_stays_on_the_page_until_it_is_set_aside(app: Flask, admin: Browser) -> None:
    here = f"/sources/{number(app)}"
    with app.app_context(), transaction():
        source = db.session.query(Source).filter_by(name="Aspen").one().id
        look = Pull(source_id=source, asked_at=now(), asked_by="x", started_at=now(), ended_at=now(), ended="nothing")
        db.session.add(look)
        db.session.flush()
        refused = Arrival(
            source_id=source, pull_id=look.id, name="attendance.csv", size=3, modified="1", found_as="refused",
            sentence="It has no column date.", at=now(),
        )  # fmt: skip
        db.session.add(refused)
        db.session.flush()
        button = f"{here}/refused/{refused.id}"
    page = admin.get(here).text
    assert "Aspen has refused files" in page and "It has no column date." in page and button in page
    assert "1 source needs a look" in admin.get("/sources").text.replace("1 of 1 source", "1 source")
    assert admin.send(button).location == here
    assert button not in admin.get(here).text and "Aspen is well" in admin.get(here).text
    assert admin.send(button).status_code in (404, 422)


def test_files_that_could_not_be_put_away_are_told_with_what_to_do(app: Flask, admin: Browser) -> None:
    here = f"/sources/{number(app)}"
    with app.app_context(), transaction():
        why = {
            "not_cleared": "We cannot move files in the folder aspen: Permission denied.",
            "not_cleared_since": now(),
        }
        db.session.query(Source).filter_by(name="Aspen").update(why)
    assert "Not put away" in admin.get(here).text, "also before the first look has ended"
    with app.app_context(), transaction():
        looked = {"asked_by": "schedule", "ended": "nothing", "sentence": "Nothing new."}
        db.session.add(Pull(source_id=number(app), asked_at=now(), ended_at=now(), **looked))
    page = admin.get(here).text
    assert "Aspen has files that could not be put away" in page
    assert "Permission denied. They are in and are not taken twice. Mend the rights and fetch once more" in page
    assert "1 of 1 source needs a look" in admin.get("/sources").text
    assert "could not be moved out of the way since" in admin.get("/health").text


def test_an_empty_list_says_how_to_begin(app: Flask, admin: Browser) -> None:
    with app.app_context(), transaction():
        db.session.query(Source).filter_by(name="Aspen").update({"kind": "by_hand"})
    page = admin.get("/sources").text
    assert "Nothing is fetched by itself yet" in page and "Add the first source" in page


def test_only_whoever_answers_for_the_district_finds_them(app: Flask, sign_in: SignInAs) -> None:
    assert "/sources" in sign_in("system_admin").get("/health").text
    assert 'href="/sources"' not in sign_in("data_steward").get("/imports").text, "this one is a school's"
    with app.app_context():
        accounts.add_person(
            login="dee", name="Dee", role="data_steward", place="district", by=OPERATOR, starts=today() - timedelta(9)
        )
    assert 'href="/sources"' in sign_in("dee").get("/imports").text


def late_world(app: Flask) -> None:
    """Aspen was expected from midnight on for today, a school day at Lincoln, which it alone feeds."""
    with app.app_context():
        yesterday = now() - timedelta(days=2)
        wanted = Wanted("folder", location={"folder": "aspen"}, expected_by="00:00")
        keeping.change("Aspen", wanted, by=OPERATOR)
        with transaction():
            aspen = db.session.query(Source).filter_by(name="Aspen").one()
            aspen.changed_at = yesterday
            others = Source(name="by hand")
            db.session.add(others)
            db.session.flush()
            for school in db.session.query(School):
                school.source_id = aspen.id if school.key == "LIN" else others.id
            lincoln = db.session.query(School).filter_by(key="LIN").one()
            db.session.merge(
                CalendarDay(school_id=lincoln.id, calendar_key="", day=today(), day_type="instructional", weight=1000)
            )


def test_what_is_late_stands_where_somebody_waits_for_it(app: Flask, sign_in: SignInAs) -> None:
    late_world(app)
    clerk = sign_in("attendance_clerk")
    for page in (clerk.get("/today").text, clerk.get("/imports").text):
        assert "Expected and not here" in page and "missing for Lincoln" in page
    admin = sign_in("system_admin")
    assert "Aspen: attendance since" in admin.get("/today").text
    assert "Aspen: attendance since" in admin.get("/health").text
    assert "1 of 1 source needs a look" in admin.get("/sources").text
    elsewhere = sign_in("oak_clerk").get("/imports").text
    assert "Expected and not here" not in elsewhere, "nothing of Oak is late"
