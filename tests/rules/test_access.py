"""Access: the whole truth table, and the places, days and sentences around it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
import yaml

from rules import access, roles
from rules.access import FieldClass, Grant, Grants, NotAllowed, Permission, Place, Right
from rules.roles import ClassRight, all_roles, assignable_roles, meanings, role

SPEC = yaml.safe_load((Path(__file__).parents[1] / "spec" / "access.yaml").read_text(encoding="utf-8"))
LETTERS = {".": "none", "A": "aggregate", "F": "flag", "P": "part", "R": "read", "W": "write"}
OWN = {"o": "write", "or": "read", "op": "part"}

LINCOLN = Place.of_school("0101", network="N1")
DOUGLAS = Place.of_school("0102", network="N1")
FARAWAY = Place.of_school("0201", network="N2")
TODAY = date(2026, 11, 20)


def holding(*grants: Grant) -> Grants:
    return Grants.on(TODAY, grants)


def as_role(key: str, place: Place = LINCOLN, **more: str) -> Grants:
    return holding(Grant(key, place, **more))


def spelled(cell: str) -> ClassRight:
    others, own = cell[:1] if cell[:1] in LETTERS else ".", cell.lstrip(".AFPRW")
    return ClassRight(Right(LETTERS[others]), Right(OWN.get(own, LETTERS[others])))


# -- the truth table --------------------------------------------------------------------------------------


def test_the_table_speaks_of_every_role_and_every_permission():
    assert set(SPEC["may"]) == set(SPEC["classes"]) == set(all_roles())
    assert set(SPEC["columns"]) == set(FieldClass)
    assert set(meanings()) == set(Permission)


@pytest.mark.parametrize("key", all_roles())
@pytest.mark.parametrize("permission", Permission)
def test_role_and_permission(key: str, permission: Permission):
    assert access.can(as_role(key), permission, LINCOLN) is (permission in SPEC["may"][key].split())


@pytest.mark.parametrize("key", all_roles())
def test_role_and_class(key: str):
    expected = dict(zip(SPEC["columns"], map(spelled, SPEC["classes"][key].split()), strict=True))
    held = as_role(key)
    for field_class in FieldClass:
        others, own = (access.right(held, field_class, LINCOLN, own=mine) for mine in (False, True))
        assert (field_class, ClassRight(others, own)) == (field_class, expected[field_class])


def test_only_those_who_may_read_a_compartment_may_open_it():
    for one in all_roles().values():
        for field_class in FieldClass:
            if field_class.restricted:
                opens = Permission(f"open_{field_class}") in one.permissions
                assert opens is one.right(field_class, own=True).reaches(Right.READ)


def test_roles_that_see_counts_see_no_name():
    for key in ("network_lead", "district_analyst", "system_admin", "policy_editor", "student_support_lead"):
        held = as_role(key, Place.district())
        assert access.readable_classes(held, own=True) <= {FieldClass.AGG}
        assert not access.scope_of(held, Permission.SEE_STUDENT)
        assert not access.scope_of(held, Permission.SEE_CASE)


def test_the_operator_sees_no_restricted_class():
    assert not any(c.restricted for c in access.readable_classes(Grants.operator(), LINCOLN, own=True))
    assert not any(c.restricted for c in access.flagged_classes(Grants.operator(), LINCOLN))


# -- places -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["district", "network:N1", "school:0101"])
def test_a_place_reads_what_it_writes(text: str):
    assert str(Place.parse(text)) == text


@pytest.mark.parametrize("text", ["", "school", "school:", "district:1", "class:7A", "network"])
def test_what_is_no_place_is_answered_with_the_forms_there_are(text: str):
    with pytest.raises(ValueError, match="Write district, network:ID or school:ID"):
        Place.parse(text)


def test_who_covers_whom():
    assert Place.district().covers(FARAWAY)
    assert Place.parse("network:N1").covers(LINCOLN)
    assert not Place.parse("network:N1").covers(FARAWAY)
    assert not Place.parse("network:N1").covers(Place.parse("school:0101"))
    assert not LINCOLN.covers(Place.parse("network:N1"))
    assert LINCOLN.covers(Place.parse("school:0101"))


def test_rights_end_at_the_border_of_the_place():
    nurse = as_role("nurse", LINCOLN)
    assert access.can(nurse, Permission.OPEN_HEALTH, LINCOLN)
    assert not access.can(nurse, Permission.OPEN_HEALTH, DOUGLAS)
    assert access.right(nurse, FieldClass.HEALTH, DOUGLAS) is Right.NONE


def test_two_roles_add_up_each_at_its_own_place():
    held = holding(Grant("nurse", LINCOLN), Grant("stls_liaison", DOUGLAS))
    assert access.readable_classes(held, LINCOLN) >= {FieldClass.HEALTH}
    assert FieldClass.STLS not in access.readable_classes(held, LINCOLN)
    assert FieldClass.STLS in access.readable_classes(held, DOUGLAS)


# -- days -------------------------------------------------------------------------------------------------


def test_a_role_counts_from_its_first_to_its_last_day():
    grant = Grant("nurse", LINCOLN, starts=date(2026, 11, 10), ends=date(2026, 11, 20))
    days = (date(2026, 11, 9), date(2026, 11, 10), date(2026, 11, 20), date(2026, 11, 21))
    assert [access.can(Grants.on(day, [grant]), Permission.SEE_STUDENT) for day in days] == [0, 1, 1, 0]


# -- sentences --------------------------------------------------------------------------------------------


def test_the_refusal_says_what_is_missing():
    with pytest.raises(NotAllowed, match="does not let you bring in attendance files"):
        access.check(as_role("nurse"), Permission.IMPORT_ATTENDANCE, LINCOLN)
    with pytest.raises(NotAllowed, match="does not reach school 0102, so there you cannot open a case"):
        access.check(as_role("principal"), Permission.SEE_CASE, DOUGLAS)


def test_nobody_without_a_role_may_anything():
    assert not any(access.can(Grants(), permission) for permission in Permission)


def test_an_unknown_role_is_answered_with_the_list():
    with pytest.raises(KeyError, match="no role 'janitor'.*attendance_clerk"):
        role("janitor")


def test_every_role_tells_what_it_may_do():
    for one in assignable_roles():
        assert one.label and one.summary.endswith(".") and one.position
        assert "see what is due for them today" in one.may()
    assert "operator" not in {one.key for one in assignable_roles()}


# -- scope: whose records ---------------------------------------------------------------------------------


def test_a_social_worker_reaches_every_school_assigned():
    held = holding(Grant("social_worker", LINCOLN), Grant("social_worker", DOUGLAS))
    assert access.scope_of(held, Permission.SEE_CASE).whole.schools == {"0101", "0102"}


def test_a_counselor_reaches_the_caseload_but_counts_the_whole_school():
    held = as_role("counselor")
    students = access.scope_of(held, Permission.SEE_STUDENT)
    assert not students.whole and students.caseload.schools == {"0101"}
    assert access.scope_of(held, Permission.SEE_SCHOOL_BOARD).whole.schools == {"0101"}


def test_a_teacher_reaches_the_homeroom_and_assigned_students():
    scope = access.scope_of(as_role("homeroom_teacher", homeroom="7B"), Permission.SEE_STUDENT)
    assert scope.homerooms == {("0101", "7B")}
    assert not scope.whole and scope.caseload.schools == {"0101"}


def test_a_clerk_sees_the_roster_but_only_cases_of_their_own():
    held = as_role("attendance_clerk")
    assert access.scope_of(held, Permission.SEE_STUDENT).whole.schools == {"0101"}
    cases = access.scope_of(held, Permission.SEE_CASE)
    assert not cases.whole and cases.own.schools == {"0101"}


def test_the_reengagement_contact_reaches_only_own_tasks():
    held = as_role("network_reengagement_contact", Place.of_network("N1"))
    scope = access.scope_of(held, Permission.LOG_OUTREACH)
    assert scope.own.networks == {"N1"} and not scope.whole and not scope.caseload
    assert access.fields_shown(held, FieldClass.ROSTER, LINCOLN, own=True) == {"name", "grade", "school"}
    assert access.fields_shown(held, FieldClass.ROSTER, LINCOLN) == frozenset()


def test_a_steward_of_the_district_reaches_it_all():
    scope = access.scope_of(as_role("data_steward", Place.district()), Permission.FIX_DATA)
    assert scope.whole.district and scope.whole.covers(FARAWAY)


def test_no_grant_is_an_empty_scope():
    assert not access.scope_of(Grants(), Permission.SEE_STUDENT)
    assert not access.scope_of(as_role("partner"), Permission.SEE_STUDENT)


def test_a_teacher_is_shown_phone_numbers_but_no_address():
    shown = access.fields_shown(as_role("homeroom_teacher"), FieldClass.CONTACTS, LINCOLN)
    assert shown is not None and "phone" in shown and "address" not in shown
    assert access.fields_shown(as_role("nurse"), FieldClass.CONTACTS, LINCOLN) is None


# -- giving roles -----------------------------------------------------------------------------------------


def test_a_principal_gives_roles_at_the_school_only():
    principal = as_role("principal")
    access.check_grantable(principal, "counselor", LINCOLN)
    with pytest.raises(NotAllowed, match="does not reach school 0102"):
        access.check_grantable(principal, "counselor", DOUGLAS)


def test_a_role_is_given_where_it_belongs():
    admin = as_role("system_admin", Place.district())
    with pytest.raises(ValueError, match="A Network attendance lead is placed at a network, not at school 0101"):
        access.check_grantable(admin, "network_lead", LINCOLN)
    with pytest.raises(ValueError, match="belongs to the command line"):
        access.check_grantable(admin, "operator", Place.district())


# -- in a crisis ------------------------------------------------------------------------------------------

NINE = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)


@pytest.mark.parametrize("key", all_roles())
def test_role_and_crisis(key: str):
    """What a role may open for an hour, and that nobody opens like that what they read anyhow, or ever the last."""
    held = as_role(key)
    named = {FieldClass(one) for one in SPEC["crisis"].get(key, ())}
    assert access.in_crisis(held, LINCOLN) == named
    assert access.can(held, Permission.OPEN_IN_CRISIS, LINCOLN) is bool(named)
    assert FieldClass.PROTECTED not in named and not named & access.readable_classes(held, LINCOLN)
    assert access.in_crisis(held, DOUGLAS) == frozenset()


@pytest.mark.parametrize(
    "key, field_class, place, minutes, reads",
    [
        ("principal", "health", LINCOLN, 0, True),
        ("principal", "health", LINCOLN, 59, True),
        ("principal", "health", LINCOLN, 60, False),
        ("principal", "health", LINCOLN, -1, False),
        ("principal", "counseling", LINCOLN, 0, False),
        ("principal", "health", DOUGLAS, 0, False),
        ("social_worker", "counseling", LINCOLN, 0, True),
        ("attendance_clerk", "health", LINCOLN, 0, False),
        ("network_lead", "health", LINCOLN, 0, False),
        ("social_worker", "protected", LINCOLN, 0, False),
    ],
)
def test_what_was_opened_lets_read_for_its_time_and_only_in_a_role_that_may(
    key: str, field_class: str, place: Place, minutes: int, reads: bool
):
    """Even a row that should not be there opens nothing for a role that may not."""
    opened = access.OpenedInCrisis(FieldClass(field_class), NINE, NINE + timedelta(minutes=60))
    assert access.lets_read(as_role(key), opened, place, NINE + timedelta(minutes=minutes)) is reads


def test_an_ended_role_reads_nothing_though_the_hour_runs():
    opened = access.OpenedInCrisis(FieldClass.HEALTH, NINE, NINE + timedelta(minutes=60))
    gone = Grants.on(TODAY + timedelta(days=1), [Grant("principal", LINCOLN, ends=TODAY)])
    assert not access.lets_read(gone, opened, LINCOLN, NINE)


def test_a_district_cannot_let_a_role_open_protected_reasons_in_a_crisis():
    with pytest.raises(ValueError, match="principal cannot open protected in a crisis: no role may"):
        roles._crisis("principal", ["health", "protected"])
    with pytest.raises(ValueError, match="cannot open contacts"):
        roles._crisis("principal", ["contacts"])


@pytest.mark.parametrize(
    "key, named",
    [
        ("principal", {"stls", "health", "iep_504"}),
        ("nurse", {"health", "iep_504"}),
        ("records_custodian", {"stls", "health", "counseling", "iep_504", "protected"}),
        ("attendance_clerk", set()),
        ("network_lead", set()),
    ],
)
def test_of_an_opening_somebody_hears_which_part_only_if_they_may_know_of_it(key: str, named: set[str]):
    held = as_role(key, Place.district())
    assert {str(one) for one in FieldClass if one.restricted and access.may_name(held, one, LINCOLN)} == named
