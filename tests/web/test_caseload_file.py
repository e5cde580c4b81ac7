"""The caseload as a file: who may take it, what is in it, what never is, and that each student is written down."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest
from sqlalchemy import select

from ew_app.kernel import Refused, today
from ew_app.services.casework import taking_along
from ew_app.services.people import accounts
from models.audit import AuditRow
from models.base import db
from models.people import Student
from rules.spreadsheets import ACTS, safe
from tests.web.casebook import case_of, committed, counting, keep_secret, open_case
from tests.web.conftest import SignInAs

WHY = {"reason": "The team meeting of Friday"}


def table(answer: Any) -> list[dict[str, str]]:
    assert answer.mimetype == "text/csv" and answer.text.startswith("\ufeff")
    return list(csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff"))))


def test_a_view_of_the_caseload_with_its_filters_becomes_a_table(app, sign_in: SignInAs) -> None:
    with app.app_context():
        committed(open_case, "mine", tier=3, next_step="Call the aunt")
        committed(open_case, "lower")
        committed(open_case, "theirs", owner="social_worker", tier=3)
        day = f"{today():%Y-%m-%d}"
    answer = sign_in("counselor").send("/caseload/file?view=mine&tier=3", WHY)
    (row,) = table(answer)
    assert (row["last_name"], row["tier"], row["next_step"]) == ("Mine", "Tier 3", "Call the aunt")
    assert row["as_of"].startswith(day) and row["taken_by"].startswith("Person counselor,")
    name = answer.headers["Content-Disposition"]
    assert name == f'attachment; filename="caseload-{day}.csv"'
    assert answer.headers["Cache-Control"] == "no-store"


def test_each_student_in_it_is_written_down_with_the_reason(app, world, sign_in: SignInAs) -> None:
    with app.app_context():
        committed(open_case, "one")
    sign_in("counselor").send("/caseload/file", WHY)
    with app.app_context():
        read = select(AuditRow.actor, AuditRow.reason, AuditRow.student_id).where(AuditRow.action == "caseload_taken")
        kept = [tuple(row) for row in db.session.execute(read)]
        students = set(db.session.scalars(select(Student.id).where(Student.key.in_(["001", "one"]))))
    assert {row[:2] for row in kept} == {("counselor", WHY["reason"])}
    assert {row[2] for row in kept} == students and len(kept) == 2


def test_without_a_reason_or_with_too_many_nothing_leaves(app, world, sign_in: SignInAs) -> None:
    browser = sign_in("principal")
    refused = browser.send("/caseload/file?view=all", {"reason": " "})
    assert refused.status_code == 422 and "what the file is for" in refused.text
    assert "no case fits" in browser.get("/caseload/file?q=nobody").text.lower()
    with app.app_context():
        with pytest.raises(Refused, match="501 cases are more than one file holds.*Filter the list first"):
            taking_along.take_along([], 501, by=accounts.acting_as("principal"), reason=WHY["reason"])
        assert db.session.query(AuditRow).filter_by(action="caseload_taken").count() == 0


@pytest.mark.parametrize("login", ["attendance_clerk", "nurse", "homeroom_teacher", "network_lead", "system_admin"])
def test_who_does_not_lead_cases_takes_none_along_and_sees_no_way_to(world, sign_in: SignInAs, login: str) -> None:
    browser = sign_in(login)
    assert browser.send("/caseload/file?view=all", WHY).status_code == 403
    assert "/caseload/file" not in browser.get("/caseload?view=all").text


def test_what_is_kept_in_a_compartment_changes_nothing_in_it(app, world, sign_in: SignInAs) -> None:
    def cells() -> list[dict[str, str]]:
        return [{**row, "as_of": ""} for row in table(sign_in("principal").send("/caseload/file?view=all", WHY))]

    before = cells()
    with app.app_context():
        committed(keep_secret, world["ana_case"], "stls", "B-HOUSING")
    assert cells() == before and before


def test_a_name_that_a_spreadsheet_would_run_is_made_harmless(app, world, sign_in: SignInAs) -> None:
    with app.app_context():
        committed(_named, "=HYPERLINK(0)", "@SUM(1)")
        committed(open_case, "x", next_step=" +1 call")
    by_case = {row["case"]: row for row in table(sign_in("principal").send("/caseload/file?view=all", WHY))}
    assert by_case["1"]["first_name"] == "'=HYPERLINK(0)" and by_case["1"]["last_name"] == "'@SUM(1)"
    assert all(not cell.lstrip().startswith(ACTS) for row in by_case.values() for cell in row.values())


def _named(first: str, last: str) -> None:
    student = db.session.get_one(Student, case_of(1).student_id)
    student.first_name, student.last_name = first, last


@pytest.mark.parametrize("text", ["=1", "+1", "-1", "@a", "\ta", "\ra", "\na", "\0a", "|a", "%a", "  =1", "\t =1"])
def test_a_cell_that_acts_begins_with_an_apostrophe(text: str) -> None:
    assert safe(text) == f"'{text}"
    assert [safe(one) for one in ("a=1", 5, None, "")] == ["a=1", "5", "", ""]


def test_a_file_costs_the_same_for_one_case_and_for_forty(app, world, sign_in: SignInAs) -> None:
    browser, spent = sign_in("principal"), []
    for more in (1, 40):
        with app.app_context():
            for number in range(more):
                committed(open_case, f"c{more}-{number}")
        with app.app_context(), counting() as sent:
            browser.send("/caseload/file?view=all", WHY)
        spent.append(len([one for one in sent if one.lstrip().upper().startswith("SELECT")]))
    assert spent[0] == spent[1]
