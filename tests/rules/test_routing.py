"""Routing: the table is whole and safe, and one small school shows how a person is found."""

from __future__ import annotations

import re
from datetime import date

import pytest

from rules.places import Place
from rules.roles import FieldClass, Right, all_roles, role
from rules.routing import (
    NEUTRAL_TITLE,
    Holder,
    Via,
    compartment_of,
    compartment_task,
    route,
    tasks_for,
    visible_rules,
)
from rules.routing_table import CASE_OWNER, Due, Opens, routing_table
from rules.vocabulary import vocabulary

TABLE = routing_table()
WORDS = vocabulary()
ENTRIES = [*TABLE.tiers.values(), *TABLE.rules.values(), *TABLE.rows.values()]
UNKIND = re.compile(r"\b(police|court|fine[ds]?|ticket|truan\w*|violat\w*|offen[cds]\w*|punish\w*)\b", re.I)

NETWORK, DISTRICT = Place.of_network("N1"), Place.district()
LINCOLN, DOUGLAS = Place.of_school("0101", "N1"), Place.of_school("0102", "N1")
TODAY = date(2026, 11, 20)

CLERK, COUNSELOR, WORKER, NURSE, LIAISON, VICE, PRINCIPAL, TEACHER = range(1, 9)
STAFF = [
    Holder(CLERK, "attendance_clerk", LINCOLN),
    Holder(COUNSELOR, "counselor", LINCOLN),
    Holder(WORKER, "social_worker", LINCOLN),
    Holder(NURSE, "nurse", LINCOLN),
    Holder(LIAISON, "stls_liaison", LINCOLN),
    Holder(VICE, "administrator", LINCOLN),
    Holder(PRINCIPAL, "principal", LINCOLN),
    Holder(TEACHER, "homeroom_teacher", LINCOLN),
]


def without(person: int, *instead: Holder) -> list[Holder]:
    return [holder for holder in STAFF if holder.person_id != person] + list(instead)


def owner(*reasons: str, tier: str = "2", causes: tuple[str, ...] = (), staff: list[Holder] = STAFF, **more):
    return route(reasons, tier, causes, LINCOLN, staff, on=TODAY, **more)


# -- the table --------------------------------------------------------------------------------------------


def test_fifteen_departments_and_every_row():
    assert len(TABLE.departments) == 15
    rows = {entry.row for entry in ENTRIES if entry.row} | {20}
    assert rows == set(range(1, 41))
    assert "safety_concern" in TABLE.outside


def test_every_rule_is_routed_or_kept_in_the_file():
    assert {*TABLE.rules, "R15"} == {f"R{n:02}" for n in range(1, 28)}


def test_every_cause_is_answered_for():
    assert set(WORDS.causes) <= set(TABLE.triggers)


def test_a_cause_is_restricted_here_exactly_when_it_is_in_the_vocabulary():
    assert {code: compartment_of(code) for code in WORDS.causes} == {
        code: cause.restricted for code, cause in WORDS.causes.items()
    }


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.key)
def test_an_entry_names_what_exists(entry):
    assert entry.department in TABLE.departments
    assert {seat.role for seat in entry.seats} <= {*all_roles(), CASE_OWNER}
    assert {seat.department for seat in entry.seats} <= {*TABLE.departments, None}
    assert set(WORDS.labels["via"]) == set(Via)
    for task in entry.tasks:
        assert task.kind in WORDS.labels["task_kind"]
        assert not UNKIND.search(task.title)


@pytest.mark.parametrize("entry", [e for e in ENTRIES if e.restricted], ids=lambda entry: entry.key)
def test_whoever_gets_restricted_work_may_read_it(entry):
    for seat in entry.seats:
        assert role(seat.role).right(entry.restricted, own=True).reaches(Right.READ), seat.role
    assert not entry.leads_case and not entry.firm
    assert len(entry.tasks) == 1 and entry.tasks[0].kind == "support"


@pytest.mark.parametrize(
    "entry",
    [e for e in ENTRIES if e.leads_case or e.opens is Opens.CASE or e.key in TABLE.tiers],
    ids=lambda entry: entry.key,
)
def test_whoever_gets_a_case_may_work_on_it(entry):
    for seat in entry.seats:
        assert role(seat.role).right(FieldClass.CASE, own=True) is Right.WRITE, seat.role
        assert seat.role not in ("department_contact", "partner")


def test_rules_and_rows_agree_on_the_department():
    for rule, row in (("R13", "lasting_health"), ("R22", "housing"), ("R18", "not_found"), ("R19", "law")):
        assert TABLE.rules[rule].department == TABLE.rows[row].department
        assert TABLE.rules[rule].restricted == TABLE.rows[row].restricted


def test_an_unknown_trigger_is_a_sentence():
    with pytest.raises(KeyError, match="no rule, root cause or condition"):
        TABLE.trigger("B-NOTHING")
    with pytest.raises(KeyError, match="calls the state hotline at once"):
        TABLE.trigger("safety_concern")


# -- which role: by cause, rule or tier -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reasons", "tier", "causes", "department", "role_key", "due"),
    [
        (["R07"], "2", [], "school_counseling", "counselor", Due(3, 10, 5)),
        (["R07"], "2", ["U-UNKNOWN"], "school_counseling", "counselor", Due(3, 10, 5)),
        (["R08"], "3", [], "related_services", "social_worker", Due(2, 7, 2)),
        (["R07"], "3", [], "related_services", "social_worker", Due(2, 7, 2)),
        (["R07", "R16"], "2", [], "related_services", "social_worker", Due(3, 10, 5)),
        ([], "2", [], "school_counseling", "counselor", Due(3, 10, 5)),
        (["R17"], "3", [], "related_services", "social_worker", Due(0, 7, 2)),
        (["R17", "R18"], "3", [], "networks", "administrator", Due(0, 7, 2)),
        (["R19", "R18"], "3", ["B-CARE"], "legal", "principal", Due(2, 7, 2)),
        (["R20"], "1", [], "networks", "attendance_clerk", Due(3, 10, 5)),
        (["R07"], "2", ["B-CARE"], "related_services", "social_worker", Due(3, 10, 5)),
        (["R08"], "3", ["D-WORK"], "school_counseling", "counselor", Due(2, 7, 2)),
        (["R07"], "2", ["B-HLTH-ACUTE"], "health_and_wellness", "nurse", Due(3, 10, 5)),
        (["R07"], "2", ["A-ACADEMIC"], "teaching_and_learning", "administrator", Due(3, 10, 5)),
        (["R07"], "2", ["B-TRANSPORT"], "transportation", "counselor", Due(3, 10, 5)),
        (["R07"], "2", ["B-TRANSPORT", "B-CARE"], "transportation", "social_worker", Due(3, 10, 5)),
    ],
)
def test_the_owner(reasons, tier, causes, department, role_key, due):
    found = owner(*reasons, tier=tier, causes=tuple(causes))
    assert (found.department, found.role, found.due) == (department, role_key, due)
    assert found.via is Via.HOLDER and found.due_days == due.contact


# -- restricted causes and rules change nothing outside ---------------------------------------------------

RESTRICTED = [code for code, cause in WORDS.causes.items() if cause.restricted]


@pytest.mark.parametrize("secret", [*RESTRICTED, "R13", "R14", "R22"])
@pytest.mark.parametrize("tier", ["2", "3"])
def test_the_twin_with_a_secret_has_the_same_owner(secret: str, tier: str):
    reasons, causes = (["R07", secret], []) if secret.startswith("R") else (["R07"], [secret])
    for known in ([], ["M-FEW"], ["B-CARE"]):
        plain = owner("R07", tier=tier, causes=tuple(known))
        assert owner(*reasons, tier=tier, causes=(*causes, *known)) == plain
        assert owner(*reasons, tier=tier, causes=(*known, *causes)) == plain


@pytest.mark.parametrize(
    ("secret", "compartment", "role_key", "person", "due"),
    [
        ("B-HOUSING", "stls", "stls_liaison", LIAISON, 1),
        ("R22", "stls", "stls_liaison", LIAISON, 1),
        ("B-HLTH-CHRON", "health", "nurse", NURSE, 5),
        ("R13", "health", "nurse", NURSE, 5),
        ("R14", "counseling", "counselor", COUNSELOR, 2),
        ("A-BULLY", "counseling", "counselor", COUNSELOR, 1),
        ("A-ANX", "counseling", "social_worker", WORKER, 3),
        ("A-DISABILITY", "iep_504", "case_manager", None, 5),
        ("B-PROTECTED", "protected", "protected_reasons_person", None, 1),
    ],
)
def test_the_task_in_the_compartment(secret, compartment, role_key, person, due):
    task = compartment_task(secret, LINCOLN, STAFF, on=TODAY)
    assert (task.compartment, task.role, task.person_id, task.due_days) == (
        compartment,
        role_key,
        person,
        due,
    )
    assert task.shown_title == NEUTRAL_TITLE != task.title


def test_restricted_rules_are_not_listed():
    assert visible_rules(["R07", "R13", "R14", "R22", "R99"]) == ("R07", "R99")


def test_what_is_not_restricted_has_no_compartment_task():
    with pytest.raises(ValueError, match="B-CARE is not restricted"):
        compartment_task("B-CARE", LINCOLN, STAFF, on=TODAY)


def test_a_restricted_task_never_falls_to_someone_who_may_not_read_it():
    task = compartment_task("R13", LINCOLN, without(NURSE), on=TODAY)
    assert (task.person_id, task.via) == (None, Via.UNOWNED)
    away = Holder(NURSE, "nurse", LINCOLN, deputy=CLERK, on_leave=((TODAY, TODAY),))
    assert compartment_task("R13", LINCOLN, without(NURSE, away), on=TODAY).via is Via.UNOWNED
    assert compartment_task("R22", LINCOLN, without(LIAISON), on=TODAY).person_id == WORKER


# -- tasks of open causes and rules -----------------------------------------------------------------------


def test_a_rule_asks_several_people():
    calls, visit = tasks_for("R17", LINCOLN, STAFF, on=TODAY)
    assert (calls.kind, calls.person_id, calls.due_days) == ("call", CLERK, 0)
    assert (visit.kind, visit.person_id, visit.due_days) == ("visit", WORKER, 2)


def test_a_department_contact_takes_the_task_of_their_department():
    buses = Holder(20, "department_contact", DISTRICT, department="transportation")
    safety = Holder(21, "department_contact", LINCOLN, department="safety_and_security")
    (task,) = tasks_for("B-TRANSPORT", LINCOLN, [*STAFF, safety, buses], on=TODAY)
    assert (task.person_id, task.department, task.via) == (20, "transportation", Via.HOLDER)
    (task,) = tasks_for("B-TRANSPORT", LINCOLN, [*STAFF, safety], on=TODAY)
    assert (task.role, task.person_id, task.via) == ("attendance_clerk", CLERK, Via.FALLBACK)


def test_praise_goes_to_whoever_owns_the_case():
    (task,) = tasks_for("R25", LINCOLN, STAFF, on=TODAY)
    assert (task.role, task.person_id) == (CASE_OWNER, None)


# -- which person: holder, deputy, fallback, network, nobody ----------------------------------------------


def test_the_least_loaded_holder_then_the_lowest_id():
    two = [*STAFF, Holder(30, "counselor", LINCOLN)]
    assert owner("R07", staff=two).person_id == COUNSELOR
    assert owner("R07", staff=two[::-1]).person_id == COUNSELOR
    assert owner("R07", staff=two, loads={COUNSELOR: 5, 30: 4}).person_id == 30


def test_someone_of_this_school_before_someone_of_the_network():
    itinerant = Holder(31, "social_worker", NETWORK)
    assert owner("R08", tier="3", staff=[*STAFF, itinerant], loads={WORKER: 40}).person_id == WORKER
    alone = owner("R08", tier="3", staff=without(WORKER, itinerant))
    assert (alone.person_id, alone.via) == (31, Via.HOLDER)


def test_people_of_another_school_are_passed_over():
    found = owner("R07", staff=without(COUNSELOR, Holder(32, "counselor", DOUGLAS)))
    assert (found.role, found.person_id, found.via) == ("social_worker", WORKER, Via.FALLBACK)
    assert found.why == ("Rule R07: led by the School social worker, because the school has no School counselor today.")


@pytest.mark.parametrize(
    "gone",
    [
        {"on_leave": ((date(2026, 11, 16), date(2026, 11, 20)),)},
        {"ends": date(2026, 11, 19)},
    ],
)
def test_the_deputy_steps_in(gone):
    away = Holder(COUNSELOR, "counselor", LINCOLN, deputy=VICE, **gone)
    found = owner("R07", staff=without(COUNSELOR, away))
    assert (found.role, found.person_id, found.via) == ("counselor", VICE, Via.DEPUTY)


def test_a_deputy_who_is_away_too_does_not():
    away = Holder(COUNSELOR, "counselor", LINCOLN, deputy=VICE, ends=date(2026, 11, 19))
    vice = Holder(VICE, "administrator", LINCOLN, on_leave=((TODAY, TODAY),))
    staff = [h for h in without(COUNSELOR, away, vice) if h is vice or h.person_id != VICE]
    assert owner("R07", staff=staff).via is Via.FALLBACK


def test_a_holder_counts_from_the_first_to_the_last_day():
    coming = Holder(33, "counselor", LINCOLN, starts=date(2026, 11, 21), deputy=VICE)
    assert owner("R07", staff=without(COUNSELOR, coming)).via is Via.FALLBACK
    last_day = Holder(33, "counselor", LINCOLN, ends=TODAY)
    assert owner("R07", staff=without(COUNSELOR, last_day)).person_id == 33


def test_the_network_helps_when_the_school_has_nobody():
    found = owner("R18", tier="3", staff=[Holder(40, "network_reengagement_contact", NETWORK)])
    assert (found.role, found.person_id, found.via) == (
        "network_reengagement_contact",
        40,
        Via.NETWORK_FALLBACK,
    )


def test_a_network_lead_is_never_given_a_case():
    found = owner("R08", tier="3", staff=[Holder(41, "network_lead", NETWORK)])
    assert (found.role, found.person_id, found.via) == ("social_worker", None, Via.UNOWNED)
    assert found.why.endswith("nobody holds the role of School social worker today. Please give it to someone.")
    assert TABLE.alarm_after == 1 and "network_lead" in TABLE.alarm_tells
