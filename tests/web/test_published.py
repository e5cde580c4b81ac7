"""What would be published: prepared when asked, read by those who may publish, taken along and written down."""

from __future__ import annotations

import json

import pytest
from flask import Flask
from sqlalchemy import func, select

from ew_app.services.watching import publishing
from models.audit import AuditRow
from models.base import db
from models.jobs import Outbox
from tests.web.conftest import SignInAs
from tests.web.test_boards import counted, settings  # noqa: F401  the counted fortnight

pytestmark = pytest.mark.usefixtures("counted")


def test_before_anything_is_prepared_the_page_says_what_to_do(sign_in: SignInAs) -> None:
    text = sign_in("district_analyst").get("/public").text
    assert "Nothing is prepared" in text and "Prepare the summary" in text


def test_it_is_prepared_by_a_worker_read_and_taken_along(app: Flask, sign_in: SignInAs) -> None:
    analyst = sign_in("district_analyst")
    assert analyst.send("/public/prepare").status_code == 302
    assert "It is being worked out" in analyst.get("/public").text
    with app.app_context():
        assert db.session.scalar(select(func.count()).where(Outbox.job == "sum_up")) == 1
        publishing.sum_up()
        found = publishing.newest()
        assert found
    page = analyst.get("/public").text
    assert "Ready to publish" in page and "kept back" in page and "This wording holds since" in page
    told = json.loads(analyst.get(f"/public/{found.known_at}/chronic-absence.json").data)
    assert told["known_at"] == found.known_at and told["rows"] == found.rows()
    with app.app_context():
        assert db.session.scalar(select(func.count()).where(AuditRow.action == "summary_published")) == 1


@pytest.mark.parametrize("path", ["/public/2026-11-20/chronic-absence.csv", "/public/yesterday/index.html"])
def test_what_was_not_prepared_is_not_there(sign_in: SignInAs, path: str) -> None:
    assert sign_in("district_analyst").get(path).status_code == 404
