"""The JSON API: it tells what the commands tell, to whoever may see it; a token dies with what it stands on."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from ew_app.kernel import OPERATOR, today, transaction
from ew_app.services.casework import viewing
from ew_app.services.deliveries import ledger
from ew_app.services.measuring import measures
from ew_app.services.people import accounts, api_tokens, credentials, signing_in
from ew_app.services.watching.columns import BY, CASES, COUNTS, KEYS, LEDGER
from ew_app.web import api_schemas as told
from ew_app.web import limits
from models.attendance import SchoolDay
from models.audit import AuditRow
from models.base import db
from models.org import School
from models.staff import ApiToken
from tests.web.conftest import SignInAs
from tests.web.world import START

LISTS = ("measures", "tiers?by=school", "cases", "ledger")
Ask = Callable[..., Any]


@pytest.fixture
def token(app: Flask, world: dict[str, int]) -> Callable[[str], str]:
    """A function: login -> a new token of that person."""

    def made(login: str) -> str:
        with app.app_context():
            by = accounts.acting_as(login)
            return api_tokens.new(name="Monday counts", last_day=today() + timedelta(days=30), by=by)

    return made


@pytest.fixture
def ask(app: Flask, token: Callable[[str], str]) -> Ask:
    """A function: login, path under /api/v1/ -> the answer that a script of that person gets."""
    kept: dict[str, str] = {}

    def asked(login: str, path: str) -> Any:
        shown = kept.setdefault(login, "") or kept.update({login: token(login)}) or kept[login]
        return with_token(app, shown, path)

    return asked


def with_token(app: Flask, shown: str, path: str) -> Any:
    return FlaskClient(app, app.response_class).get(f"/api/v1/{path}", headers={"Authorization": f"Bearer {shown}"})


def rows(ask: Ask, login: str, path: str) -> list[dict[str, Any]]:
    """Every row, page after page."""
    found: list[dict[str, Any]] = []
    answer = ask(login, path)
    assert answer.status_code == 200, answer.text
    while True:
        body = answer.get_json()
        found += body["rows"]
        if body["next"] is None:
            return found
        answer = ask(login, f"{path}{'&' if '?' in path else '?'}cursor={body['next']}")


def attendance(app: Flask) -> None:
    """Two days of attendance at every school."""
    with app.app_context(), transaction():
        for school in db.session.scalars(select(School.id)):
            for day in (START, START + timedelta(days=1)):
                db.session.add(
                    SchoolDay(
                        school_id=school, day=day, status="submitted", feed="exception", rows=0, expected=2, absences=0
                    )
                )


def test_a_script_gets_the_rows_of_the_commands(app: Flask, ask: Ask) -> None:
    attendance(app)
    with app.app_context():
        by = accounts.acting_as("data_steward")
        everyone = {row["student_id"] for row in measures.measures()}
        mine = viewing.students_of(by)
        days = [(row.school_id, str(row.date), row.status) for row in ledger.days(school="LIN")]
        counts = {row["school_id"]: row["students"] for row in measures.tiers(by="school")}
    found = rows(ask, "data_steward", "measures")
    assert mine is not None and {row["student_id"] for row in found} == mine < everyone
    assert [(row["school_id"], row["date"], row["status"]) for row in rows(ask, "data_steward", "ledger")] == days != []
    assert {row["school_id"]: row["students"] for row in rows(ask, "system_admin", "tiers?by=school")} == counts
    assert [row["case_number"] for row in rows(ask, "principal", "cases")] == [1]
    assert all(tuple(row) == (*KEYS["student"], *measures.MEASURES) for row in found)


@pytest.mark.parametrize("later", ["as_of=2199-01-01", "known_at=2199-01-01"])
def test_what_has_not_come_is_refused(app: Flask, ask: Ask, later: str) -> None:
    """Tomorrow it would be other rows at the same address."""
    attendance(app)
    for login, path in (("system_admin", "tiers"), ("principal", "measures")):
        answer = ask(login, f"{path}?{later}")
        assert answer.status_code == 422 and "has not come yet" in answer.get_json()["detail"], path


def test_pages_add_up_to_the_whole(app: Flask, ask: Ask) -> None:
    attendance(app)
    for login, path in (
        *(("principal", "measures"), ("principal", "cases")),
        *(("system_admin", "tiers?by=school"), ("system_admin", "ledger")),
    ):
        small = f"{path}{'&' if '?' in path else '?'}limit=1"
        assert rows(ask, login, small) == rows(ask, login, path), path


def test_the_columns_are_those_of_the_commands() -> None:
    """The document promises what the commands print, by the same names."""

    def named(schema: type) -> list[str]:
        return list(schema().fields)

    assert named(told.MeasureRow) == ["student_id", "school_id", *measures.MEASURES]
    assert named(told.TierRow) == [*BY["school"], *COUNTS]
    assert named(told.CaseRow) == list(CASES)
    assert named(told.LedgerRow) == list(LEDGER)
    assert set(KEYS["school"]) <= set(named(told.MeasureRow))


# -- who gets in -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("login", "opens"),
    [
        ("principal", {"measures", "tiers?by=school", "cases", "ledger"}),
        ("social_worker", {"measures", "tiers?by=school", "cases", "ledger"}),
        ("data_steward", {"measures", "tiers?by=school", "cases", "ledger"}),
        ("network_lead", {"tiers?by=school", "ledger"}),
        ("district_analyst", {"tiers?by=school", "ledger"}),
        ("system_admin", {"tiers?by=school", "ledger"}),
    ],
)
def test_a_token_opens_what_its_person_may_see(ask: Ask, login: str, opens: set[str]) -> None:
    assert {path for path in LISTS if ask(login, path).status_code == 200} == opens
    assert {ask(login, path).status_code for path in LISTS if path not in opens} <= {403}


def test_nothing_of_another_network_goes_out(app: Flask, ask: Ask) -> None:
    attendance(app)
    for login, path in (("network_lead", "tiers?by=school"), ("network_lead", "ledger")):
        assert {row["school_id"] for row in rows(ask, login, path)} <= {"LIN", "CAR"}
    assert {row["network_id"] for row in rows(ask, "network_lead", "tiers?by=network")} <= {"N"}
    assert rows(ask, "network_lead", "ledger?school=OAK") == []
    assert ask("network_lead", "tiers?by=district").status_code == 403
    with app.app_context():
        dora = measures.naming.student_keys([world_number(app, "OAK")])
    answer = ask("principal", f"measures?student={next(iter(dora.values()))}")
    assert answer.status_code == 404 and answer.mimetype == "application/problem+json"


def world_number(app: Flask, school: str) -> int:
    from models.people import Stint

    key = select(Stint.student_id).join(School, School.id == Stint.school_id).where(School.key == school)
    return int(db.session.scalars(key).first() or 0)


def test_whoever_has_no_right_to_it_makes_no_token(app: Flask, sign_in: SignInAs) -> None:
    with app.app_context(), pytest.raises(Exception, match="does not let you"):
        api_tokens.new(name="x", last_day=today(), by=accounts.acting_as("nurse"))
    assert sign_in("nurse").get("/scripts").status_code == 403


def expired(app: Flask) -> None:
    with transaction():
        for row in db.session.scalars(select(ApiToken)):
            row.last_day = today() - timedelta(days=1)


def revoked(app: Flask) -> None:
    by = accounts.acting_as("network_lead")
    for row in api_tokens.standing(by):
        api_tokens.end(token_id=row.id, by=by)


def disabled(app: Flask) -> None:
    accounts.disable(person_id=accounts.find("network_lead").id, by=OPERATOR)
    accounts.enable(person_id=accounts.find("network_lead").id, by=OPERATOR)


def without_a_role(app: Flask) -> None:
    with transaction():
        for grant in accounts.find("network_lead").grants:
            grant.starts, grant.ends = date(2020, 1, 1), today() - timedelta(days=1)


def signed_out_everywhere(app: Flask) -> None:
    accounts.sign_out_everywhere(person_id=accounts.find("network_lead").id, by=OPERATOR)


def new_password(app: Flask) -> None:
    person = accounts.find("network_lead").id
    link = credentials.new_link(person_id=person, by=OPERATOR)
    credentials.set_password(token=link.rpartition("/")[2], password="a long walk to the lake")


@pytest.mark.parametrize(
    "happens", [expired, revoked, disabled, without_a_role, signed_out_everywhere, new_password],
    ids=lambda one: one.__name__,
)  # fmt: skip
def test_a_token_dies(app: Flask, ask: Ask, happens: Callable[[Flask], None]) -> None:
    assert ask("network_lead", "ledger").status_code == 200
    with app.app_context():
        happens(app)
    answer = ask("network_lead", "ledger")
    assert answer.status_code == 401 and answer.headers["WWW-Authenticate"] == "Bearer"
    assert answer.get_json()["detail"].startswith("Send a token of yours")


def test_a_role_that_is_given_back_brings_no_token_back(app: Flask, ask: Ask) -> None:
    assert ask("network_lead", "ledger").status_code == 200
    with app.app_context():
        without_a_role(app)
    assert ask("network_lead", "ledger").status_code == 401
    with app.app_context(), transaction():
        for grant in accounts.find("network_lead").grants:
            grant.ends = None
    assert ask("network_lead", "ledger").status_code == 401


def test_demo_people_use_theirs_on_this_machine_only(app: Flask, ask: Ask, token: Callable[[str], str]) -> None:
    shown = token("network_lead")
    with app.app_context(), transaction():
        accounts.find("network_lead").is_demo = True
    assert with_token(app, shown, "ledger").status_code == 200
    outside = {"Authorization": f"Bearer {shown}", "X-Forwarded-For": "203.0.113.9"}
    assert FlaskClient(app, app.response_class).get("/api/v1/ledger", headers=outside).status_code == 401


def test_a_token_opens_no_page_and_no_cookie_counts_beside_it(
    app: Flask, token: Callable[[str], str], sign_in: SignInAs
) -> None:
    shown = {"Authorization": f"Bearer {token('principal')}"}
    page = FlaskClient(app, app.response_class).get("/schools", headers=shown)
    assert page.status_code == 302 and page.location.startswith("/sign-in")
    browser = sign_in("principal")
    assert browser.get("/api/v1/ledger").status_code == 200
    assert browser.get("/api/v1/ledger", headers={"Authorization": "Bearer forged"}).status_code == 401
    assert browser.get("/api/v1/ledger", headers={"Authorization": "Basic eDp5"}).status_code == 401


def test_only_a_hash_is_stored(app: Flask, token: Callable[[str], str]) -> None:
    shown = token("principal")
    with app.app_context():
        row = db.session.scalars(select(ApiToken).where(ApiToken.name == "Monday counts")).one()
        assert shown not in (row.token_hash, row.name, row.hint) and row.hint == shown[-4:]
        assert row.used_at is None
    assert with_token(app, shown, "ledger").status_code == 200
    with app.app_context():
        row = db.session.scalars(select(ApiToken).where(ApiToken.name == "Monday counts")).one()
        assert row.used_at is not None and row.used_from == "127.0.0.1"


def test_a_person_makes_a_token_and_ends_it(sign_in: SignInAs, app: Flask) -> None:
    browser = sign_in("district_analyst")
    assert "None yet" in browser.get("/scripts").text
    with app.app_context():
        last_day = str(today() + timedelta(days=10))
    page = browser.send("/scripts", {"name": "Monday counts", "last_day": last_day}).text
    shown = page.split("ewt_")[1].split("<")[0].split('"')[0]
    assert with_token(app, f"ewt_{shown}", "ledger").status_code == 200
    listed = browser.get("/scripts").text
    assert shown not in listed and "Monday counts" in listed and "from 127.0.0.1" in listed
    ending = listed.split('action="/scripts/')[1].split('"')[0]
    browser.send(f"/scripts/{ending}")
    assert with_token(app, f"ewt_{shown}", "ledger").status_code == 401
    for name, day in (("", last_day), ("Counts", "2020-01-01"), ("Counts", "soon"), ("Counts", "2199-01-01")):
        answer = browser.send("/scripts", {"name": name, "last_day": day})
        assert answer.status_code == 422 and "No token was made" in answer.text


# -- what is written down, what is refused ---------------------------------------------------------------------------


def test_every_call_is_written_down(app: Flask, ask: Ask) -> None:
    ask("principal", "measures")
    ask("principal", "cases")
    ask("principal", "ledger")
    with app.app_context():
        seen = db.session.execute(
            select(AuditRow.action, AuditRow.subject, AuditRow.actor, AuditRow.student_id).where(
                AuditRow.action.in_(("api_read", "case_fetched"))
            )
        ).all()
    assert [(row.action, row.subject) for row in seen] == [
        ("api_read", "api:measures"), ("case_fetched", "case:1"), ("api_read", "api:ledger"),
    ]  # fmt: skip
    assert {row.actor for row in seen} == {"principal"} and seen[1].student_id is not None


@pytest.mark.parametrize(
    ("path", "code", "words"),
    [
        ("measures?as_of=9.10.2026", 400, "as_of: Write the day as 2026-10-09."),
        ("measures?as_of=0001-01-01", 400, "as_of: A day between 1950-01-01"),
        ("measures?limit=0", 400, "limit: A whole number from 1 to 1000."),
        ("measures?limit=1_0", 400, "limit: A whole number from 1 to 1000."),
        ("measures?limit=1&limit=2", 400, "'limit' is given twice."),
        ("measures?colour=blue", 400, "There is no parameter 'colour'. There are: limit, cursor, as_of"),
        ("measures?known_at=then", 422, "'then' is no moment."),
        ("measures?student=nobody", 404, "There is no student nobody."),
        ("measures?cursor=forged", 400, "cursor: Send `next` of the page before, as it came."),
        ("tiers?by=grade", 400, "by: One of district, network, school."),
        ("nothing", 404, "/api/v1/openapi.json lists what there is."),
    ],
)
def test_a_refusal_is_a_sentence(ask: Ask, path: str, code: int, words: str) -> None:
    answer = ask("principal", path)
    body = answer.get_json()
    assert (answer.status_code, answer.mimetype) == (code, "application/problem+json")
    assert words in body["detail"] and body["status"] == code and body["type"] == "about:blank"


def test_a_cursor_answers_its_own_question_alone(ask: Ask) -> None:
    cursor = ask("principal", "measures?limit=1").get_json()["next"]
    assert ask("principal", f"measures?limit=1&cursor={cursor}").status_code == 200
    answer = ask("principal", f"measures?limit=1&scope=school&cursor={cursor}")
    assert answer.status_code == 400 and "another question" in answer.get_json()["detail"]


def test_only_reading_is_offered(app: Flask, token: Callable[[str], str]) -> None:
    shown = {"Authorization": f"Bearer {token('principal')}"}
    answer = FlaskClient(app, app.response_class).post("/api/v1/cases", headers=shown)
    assert answer.status_code == 405 and "GET" in answer.headers["Allow"]


def test_too_many_calls_are_told_when_to_go_on(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "API", "2 per minute")
    answers = [ask("network_lead", "ledger?limit=1") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert 1 <= int(answers[-1].headers["Retry-After"]) <= 60


def test_the_document_is_for_everybody_and_holds_no_data(app: Flask, browser: Any) -> None:
    document = browser.get("/api/v1/openapi.json").get_json()
    assert set(document["paths"]) == {f"/api/v1/{name}" for name in ("measures", "tiers", "cases", "ledger")}
    assert "Lincoln" not in str(document) and signing_in.NO_ROLE not in str(document)
