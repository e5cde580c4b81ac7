"""Supports first, the record to print, the search list and days of the district, as people see them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from flask import Flask
from sqlalchemy import select

from ew_app.kernel import now, today, transaction
from models.audit import AuditRow
from models.base import db
from models.cases import Case, Cause, Outreach
from models.duty import SearchDone
from models.plans import PlanSupport
from tests.web.casebook import case_of, committed, give_task, keep_secret, open_case
from tests.web.conftest import SignInAs
from tests.web.test_case import key_of

House = dict[str, int]


def whole_record(number: int) -> None:
    """What the law asks for before a referral: three attempts in two ways, three voices, a support declined."""
    case = case_of(number)
    written: dict[str, Any] = {
        "case_id": case.id, "student_id": case.student_id, "author": "Person counselor", "position": "School counselor",
        "written_at": now(),
    }  # fmt: skip
    for back, method in enumerate(("call", "text", "call")):
        day = {"on_day": today() - timedelta(days=back), "at": now() - timedelta(days=back)}
        db.session.add(Outreach(method=method, outcome="reached_agreed", is_contact=True, **day, **written))
    for code, said_by in (("B-CARE", "student"), ("B-TRANSPORT", "staff")):
        db.session.add(Cause(code=code, said_by=said_by, confidence="said", **written))
    dates = {"starts": today(), "planned_end": today() + timedelta(days=30)}
    db.session.add(
        PlanSupport(episode=1, intervention="I12", dose_planned=3, family_agreed="no", **dates, **written)
    )  # fmt: skip
    case.opened = today() - timedelta(days=30)


def test_a_step_is_refused_with_what_is_missing_and_prints_only_a_whole_record(
    app: Flask, world: House, sign_in: SignInAs
) -> None:
    with app.app_context():
        number = committed(open_case, "one")
        committed(keep_secret, number, "stls", "B-HOUSING")
    browser, path = sign_in("principal"), f"/cases/{number}/supports-first"
    page = browser.get(path).text
    assert "No support has been offered yet" in page and "105 ILCS 5/26-12" in page
    refused = browser.send(f"{path}/outside_referral")
    assert refused.status_code == 422 and "Not yet: supports come first" in refused.text
    assert browser.get(f"{path}/outside_referral/record").location.endswith(path)
    assert browser.send(f"{path}/anything").status_code == 404
    with app.app_context():
        committed(whole_record, number)
    answer = browser.send(f"{path}/outside_referral")
    assert answer.status_code == 302 and answer.location.endswith("/outside_referral/record")
    record = browser.get(answer.location).text
    body = record[record.index("<main") : record.index("</main>")]
    assert all(words in body for words in ("A mentor", "family: no, not now", "Phone call", "3 days with an attempt"))
    assert not [word for word in ("Tier", "hous", "liaison", "Only for those") if word in body]
    with app.app_context():
        taken = db.session.scalars(select(AuditRow.actor).where(AuditRow.action == "evidence_taken_out")).all()
        assert taken == ["principal"]


def test_the_list_for_a_student_who_cannot_be_found_is_walked_once(app: Flask, world: House, sign_in: SignInAs) -> None:
    with app.app_context():
        number = committed(open_case, "one", tier=3)
        committed(give_task, number, "counselor", "Look everywhere", kind="search")
    browser, path = sign_in("counselor"), f"/cases/{number}"
    assert "Begin the list" in browser.get(f"{path}/tasks").text
    for _ in range(2):
        browser.send(f"{path}/search")
    page = browser.get(f"{path}/tasks").text
    assert "Call and write to every number on file" in page and "The network has a copy" in page
    form = {"once": key_of(page), "words": "Two numbers are dead"}
    for _ in range(3):
        browser.send(f"{path}/search/all_numbers", form)
    assert "Two numbers are dead" in browser.get(f"{path}/tasks").text
    assert browser.send(f"{path}/search/no_such_step", form).status_code == 404
    with app.app_context(), transaction():
        of_it = select(SearchDone.step).join(Case, Case.id == SearchDone.case_id).where(Case.number == number)
        steps = db.session.scalars(of_it.order_by(SearchDone.id)).all()
        assert steps == ["begun", "all_numbers"]
