"""People and what they are granted: who may give what, what a change leaves behind, people.csv."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from flask import Flask

from ew_app.config import Settings
from ew_app.kernel import OPERATOR, Actor, NotFound, Refused, now, today, transaction
from ew_app.services.people import accounts, credentials, demo_people, granting, signing_in, staff_rows
from models.audit import AuditRow, Event
from models.base import db
from models.staff import Grant, Person, SignIn
from rules import access
from rules.access import NotAllowed
from rules.roles import assignable_roles
from tests.opened import statements
from tests.web import world as named_world


@pytest.fixture
def numbers(app: Flask, settings: Settings, built_once: Callable[..., dict[str, int]]) -> dict[str, int]:
    """The named world of the screen tests."""
    return built_once(settings, named_world.build)


def actor(login: str) -> Actor:
    return accounts.acting_as(login)


def add(by: Actor = OPERATOR, **given: Any) -> Person:
    row = {"login": "nvale", "name": "Nora Vale", "role": "nurse", "place": "school:LIN"}
    return accounts.add_person(**(row | given), by=by)


def held(login: str) -> list[tuple[str, str]]:
    person = accounts.find(login)
    db.session.refresh(person)
    return [(g.role, str(g.place)) for g in signing_in.grants_today(person).held]


# -- adding --------------------------------------------------------------------------------------------------


def test_a_new_person_holds_the_role_and_has_no_password(numbers: dict[str, int]) -> None:
    person = add(actor("principal"), role="counselor")
    assert held("nvale") == [("counselor", "school:LIN")]
    assert person.password_hash is None and person.totp_secret is None
    kinds = [event.kind for event in db.session.query(Event).filter_by(subject=f"person:{person.id}")]
    audited = [(row.action, row.actor) for row in db.session.query(AuditRow).filter_by(subject=f"person:{person.id}")]
    assert kinds == ["person_added", "role_given"]
    assert audited == [("person_added", "principal"), ("role_given", "principal")]


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"login": ""}, "Give a login without spaces"),
        ({"login": "nora vale"}, "Give a login without spaces"),
        ({"login": "operator"}, "Give a login without spaces"),
        ({"name": " "}, "Give the person's name"),
        ({"login": "nurse"}, "The login nurse is taken"),
        ({"role": "wizard"}, "There is no role 'wizard'"),
        ({"role": "operator"}, "belongs to the command line"),
        ({"place": "moon"}, "is not a place. Write district, network:ID or school:ID"),
        ({"place": "school:XYZ"}, "There is no school XYZ"),
        ({"place": "network:XYZ"}, "There is no network XYZ"),
        ({"role": "principal", "place": "district"}, "A Principal is placed at a school"),
        ({"starts": date(2026, 9, 2), "ends": date(2026, 9, 1)}, "The last day is before the first"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_is_kept(
    numbers: dict[str, int], given: dict[str, Any], sentence: str
) -> None:
    people = db.session.query(Person).count()
    with pytest.raises(Refused) as refusal:
        add(**given)
    assert sentence in str(refusal.value)
    assert db.session.query(Person).count() == people


@pytest.mark.parametrize(
    ("giver", "place", "may"),
    [
        ("principal", "school:LIN", True),
        ("principal", "school:OAK", False),
        ("principal", "network:N", False),
        ("system_admin", "school:OAK", True),
        ("system_admin", "district", True),
        ("records_custodian", "school:LIN", False),
        ("data_steward", "school:LIN", False),
        ("network_lead", "school:LIN", False),
        ("nurse", "school:LIN", False),
    ],
)
def test_a_role_is_given_only_where_the_giver_manages_people(
    numbers: dict[str, int], giver: str, place: str, may: bool
) -> None:
    role = "partner"
    if may:
        assert add(actor(giver), role=role, place=place)
    else:
        with pytest.raises(NotAllowed):
            add(actor(giver), role=role, place=place)


def test_nobody_gives_themselves_a_role_or_a_link_or_shuts_themselves_out(numbers: dict[str, int]) -> None:
    me = actor("system_admin")
    number = numbers["system_admin"]
    for act in (
        lambda: granting.give_role(person_id=number, role="principal", place="school:LIN", by=me),
        lambda: credentials.new_link(person_id=number, by=me),
        lambda: credentials.drop_second_factor(person_id=number, by=me, reason="new phone"),
        lambda: accounts.disable(person_id=number, by=me),
    ):
        with pytest.raises(Refused):
            act()


# -- giving and ending ---------------------------------------------------------------------------------------


def test_the_same_role_given_twice_is_one_row(numbers: dict[str, int]) -> None:
    first, again = (
        granting.give_role(person_id=numbers["nurse"], role="partner", place="school:LIN", by=OPERATOR).id
        for _ in range(2)
    )
    assert first == again


def test_a_role_holds_from_its_first_to_its_last_day(numbers: dict[str, int]) -> None:
    tomorrow = today() + timedelta(days=1)
    add(login="later", starts=tomorrow)
    add(login="until_today", starts=today() - timedelta(days=5), ends=today())
    add(login="over", starts=today() - timedelta(days=5), ends=today() - timedelta(days=1))
    assert [held(login) for login in ("later", "until_today", "over")] == [[], [("nurse", "school:LIN")], []]


def test_an_ended_role_is_over_at_once_and_its_row_stays(numbers: dict[str, int]) -> None:
    granting.end_role(grant_id=numbers["nurse_grant"], by=actor("principal"))
    grant = db.session.get_one(Grant, numbers["nurse_grant"])
    assert held("nurse") == [] and grant.ends == today() - timedelta(days=1)
    granting.end_role(grant_id=numbers["nurse_grant"], by=actor("principal"))
    assert db.session.query(Event).filter_by(kind="role_ended").count() == 1, "ended once"


def test_a_role_given_today_by_mistake_leaves_only_its_events(numbers: dict[str, int]) -> None:
    grant = granting.give_role(person_id=numbers["nurse"], role="partner", place="district", by=OPERATOR).id
    granting.end_role(grant_id=grant, by=OPERATOR)
    assert db.session.get(Grant, grant) is None
    kinds = [event.kind for event in db.session.query(Event).filter_by(subject=f"person:{numbers['nurse']}")]
    assert kinds == ["role_given", "role_ended"]


def test_a_principal_ends_roles_of_the_own_school_only(numbers: dict[str, int]) -> None:
    with pytest.raises(NotAllowed):
        granting.end_role(grant_id=numbers["oak_clerk_grant"], by=actor("principal"))
    with pytest.raises(NotFound):
        granting.end_role(grant_id=999_999, by=OPERATOR)


def test_whoever_works_elsewhere_too_is_shut_out_by_someone_who_manages_both_places(numbers: dict[str, int]) -> None:
    granting.give_role(person_id=numbers["nurse"], role="nurse", place="school:OAK", by=OPERATOR)
    with pytest.raises(NotAllowed):
        accounts.disable(person_id=numbers["nurse"], by=actor("principal"))
    assert accounts.disable(person_id=numbers["nurse"], by=actor("system_admin")).disabled_at


def test_a_disabled_person_acts_no_more_and_may_come_back(numbers: dict[str, int]) -> None:
    signing_in._new_session(accounts.find("nurse"), "127.0.0.1", proved=True)
    accounts.disable(person_id=numbers["nurse"], by=actor("principal"), reason="left")
    assert db.session.query(SignIn).filter_by(ended_at=None).count() == 0
    with pytest.raises(Refused, match="disabled"):
        actor("nurse")
    accounts.enable(person_id=numbers["nurse"], by=actor("principal"))
    assert actor("nurse").grants.held


def test_a_lost_phone_is_forgotten_with_a_reason(numbers: dict[str, int]) -> None:
    accounts.find("nurse").totp_secret = "ABCDEFGH"
    with pytest.raises(Refused, match="Say why"):
        credentials.drop_second_factor(person_id=numbers["nurse"], by=actor("system_admin"), reason=" ")
    credentials.drop_second_factor(person_id=numbers["nurse"], by=actor("system_admin"), reason="came by in person")
    assert accounts.find("nurse").totp_secret is None


@pytest.mark.parametrize("role", ["stls_liaison", "protected_reasons_person", "nurse", "case_manager"])
def test_nobody_opens_a_compartment_through_an_account_of_their_own_making(numbers: dict[str, int], role: str) -> None:
    principal = actor("principal")
    with pytest.raises(NotAllowed, match="give roles that open restricted information"):
        add(principal, role=role)
    person = add(actor("system_admin"), role=role)
    for way_in in (
        lambda: credentials.new_link(person_id=person.id, by=principal),
        lambda: credentials.drop_second_factor(person_id=person.id, by=principal, reason="lost the phone"),
    ):
        with pytest.raises(NotAllowed):
            way_in()
    accounts.disable(person_id=person.id, by=principal)  # to shut somebody out opens nothing
    assert accounts.find("nvale").disabled_at


def test_the_form_offers_only_what_may_be_given(numbers: dict[str, int]) -> None:
    offered = {role.key for role in access.grantable_roles(actor("principal").grants)}
    assert {"counselor", "attendance_clerk"} <= offered
    assert not offered & {"stls_liaison", "protected_reasons_person", "nurse", "case_manager"}


def test_an_unknown_login_is_said_so(app: Flask) -> None:
    with pytest.raises(NotFound, match="Nobody has the login 'nobody'"):
        accounts.find("nobody")


# -- people.csv ----------------------------------------------------------------------------------------------


def row(line: int, **given: Any) -> dict[str, Any]:
    plain = {"login": "nvale", "name": "Nora Vale", "role": "nurse", "place": "school:LIN", "from": date(2026, 8, 1)}
    return {"line": line, "to": None, "homeroom": None, "deputy": None, "hours": None} | plain | given


def counts(loaded: staff_rows.Loaded) -> tuple[int, int, int, int]:
    return loaded.created, loaded.changed, loaded.unchanged, len(loaded.problems)


def test_rows_add_people_then_change_nothing_then_correct(numbers: dict[str, int]) -> None:
    rows = [row(2), row(3, role="nurse", place="school:CAR"), row(4, login="ktan", name="Kim Tan", hours="20")]
    assert counts(staff_rows.apply_people(rows, OPERATOR)) == (2, 1, 0, 0)
    assert counts(staff_rows.apply_people(rows, OPERATOR)) == (0, 0, 3, 0)
    name = "Nora Vale-Ruiz"
    corrected = [row(2, name=name), row(3, name=name, place="school:CAR", to=date(2026, 9, 1))]
    assert counts(staff_rows.apply_people(corrected, OPERATOR)) == (0, 2, 0, 0)
    assert accounts.find("nvale").name == "Nora Vale-Ruiz" and accounts.find("ktan").grants[0].hours == 20
    assert [grant.ends for grant in accounts.find("nvale").grants] == [None, date(2026, 9, 1)]


def test_a_row_states_hours_department_and_address_and_leaves_a_chosen_one(
    numbers: dict[str, int],
) -> None:
    face = {"role": "department_contact", "place": "district", "department": "Family and Community Engagement"}
    staff_rows.apply_people([row(2, **face, hours="70", email="nvale@example.org")], OPERATOR)
    (grant,) = accounts.find("nvale").grants
    assert (grant.department, grant.hours, accounts.find("nvale").email) == ("face", None, "nvale@example.org")
    again = row(2, **face, hours="5", email="other@example.org")
    assert counts(staff_rows.apply_people([again], OPERATOR)) == (0, 1, 0, 0)
    assert (accounts.find("nvale").grants[0].hours, accounts.find("nvale").email) == (5, "nvale@example.org")
    staff_rows.apply_people([row(3, login="ktan", email="a@b.org, c@d.org")], OPERATOR)
    assert accounts.find("ktan").email == ""


def test_a_deputy_may_stand_further_down_the_file(numbers: dict[str, int]) -> None:
    rows = [row(2, deputy="ktan"), row(3, login="ktan", name="Kim Tan"), row(4, login="lone", deputy="nobody")]
    loaded = staff_rows.apply_people(rows, OPERATOR)
    assert accounts.find("nvale").grants[0].deputy_id == accounts.find("ktan").id
    assert [(warning.line, warning.column, warning.value) for warning in loaded.warnings] == [(4, "deputy", "nobody")]


def test_a_bad_row_stays_out_and_the_others_go_in(numbers: dict[str, int]) -> None:
    rows = [row(2, place="school:XYZ"), row(3, role="wizard"), row(4, to=date(2026, 7, 1)), row(5, login="ktan")]
    loaded = staff_rows.apply_people(rows, OPERATOR)
    assert counts(loaded) == (1, 0, 0, 3)
    assert [problem.line for problem in loaded.problems] == [2, 3, 4]
    assert "There is no school XYZ" in loaded.problems[0].reason
    with pytest.raises(NotFound):
        accounts.find("nvale")


def test_a_file_gives_nobody_more_than_its_sender_may_give(numbers: dict[str, int]) -> None:
    loaded = staff_rows.apply_people([row(2, role="system_admin", place="district")], actor("data_steward"))
    assert counts(loaded) == (0, 0, 0, 1) and "does not let you give and end roles" in loaded.problems[0].reason


def test_a_file_of_people_tells_of_each_in_turn_and_is_asked_and_stored_at_once(
    numbers: dict[str, int], app: Flask
) -> None:
    def of(count: int) -> list[dict[str, Any]]:
        return [row(number + 2, login=f"n{count}-{number}", name=f"N {number}") for number in range(count)]

    staff_rows.apply_people(of(1), OPERATOR)
    with statements(app) as few:
        staff_rows.apply_people(of(2), OPERATOR)
    with statements(app) as many:
        staff_rows.apply_people(of(60), OPERATOR)
    assert len(many) == len(few)
    person = accounts.find("n60-7")
    told = [(event.kind, event.data) for event in db.session.query(Event).filter_by(subject=f"person:{person.id}")]
    assert told == [("person_added", {}), ("role_given", {"role": "nurse", "place": "school:LIN"})]
    audited = db.session.query(AuditRow).filter_by(subject=f"person:{person.id}")
    assert [(kept.action, kept.actor) for kept in audited] == [("person_added", "operator"), ("role_given", "operator")]


def test_a_last_day_in_a_file_ends_the_role_and_the_sessions(numbers: dict[str, int]) -> None:
    staff_rows.apply_people([row(2)], OPERATOR)
    person = accounts.find("nvale")
    with transaction():
        db.session.add(SignIn(token_hash="t", person_id=person.id, created_at=now(), last_seen=now()))
    assert counts(staff_rows.apply_people([row(2)], OPERATOR)) == (0, 0, 1, 0)
    assert db.session.query(SignIn).filter_by(person_id=person.id, ended_at=None).count() == 1
    assert counts(staff_rows.apply_people([row(2, to=date(2027, 1, 29))], OPERATOR)) == (0, 1, 0, 0)
    assert db.session.query(SignIn).filter_by(person_id=person.id, ended_at=None).count() == 0
    kinds = [event.kind for event in db.session.query(Event).filter_by(subject=f"person:{person.id}")]
    assert kinds == ["person_added", "role_given", "role_ended"]


# -- demo people ---------------------------------------------------------------------------------------------


def test_a_demo_has_one_person_for_each_role_once(app: Flask) -> None:
    with transaction():
        named_world.schools_and_students()
    first, again = demo_people.add(), demo_people.add()
    assert first == again
    assert sorted(login for login, _, _ in first) == sorted(role.key for role in assignable_roles())
    assert held("homeroom_teacher") == [("homeroom_teacher", "school:LIN")]
    assert accounts.find("homeroom_teacher").grants[0].homeroom in ("4A", "5B")
    with pytest.raises(Refused, match="keep their demo password"):
        credentials.new_link(person_id=accounts.find("nurse").id, by=OPERATOR)
