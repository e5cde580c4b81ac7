"""What would be published: prepared when asked, read by those who may publish, taken along and written down."""

from __future__ import annotations

import json
from datetime import date

import pytest
from flask import Flask
from sqlalchemy import func, select

from ew_app.kernel import OPERATOR, Refused, now
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


def test_there_is_one_summary_of_a_month_and_it_says_who_is_behind(app: Flask, sign_in: SignInAs) -> None:
    """Prepared again, asked for another day or taken by command it is the same: nothing to subtract."""
    analyst = sign_in("district_analyst")
    with app.app_context():
        publishing.sum_up()
        first = publishing.newest()
        assert first and str(first.as_of) == "2026-11-13", "the first day counted in the month"
        publishing.sum_up()
        assert publishing.newest() == first == publishing.publish(by=OPERATOR)
        with pytest.raises(Refused, match="told once of a month.*2026-11-13"):
            publishing.publish(by=OPERATOR, as_of=date(2026, 11, 18))
        with pytest.raises(Refused, match="there is one of each month"):
            publishing.publish(by=OPERATOR, as_of=first.as_of, known_at=now())
        assert [one.split(" (")[0] for one in first.behind] == [
            line.school for line in first.lines if line.school and line.data_through != "2026-11-13"
        ]
    page = analyst.get("/public").text
    assert "Counted through" in page and "Prepare the summary" not in page
    told = json.loads(analyst.get(f"/public/{first.known_at}/chronic-absence.json").data)
    assert told["behind"] == first.behind and "data_through" in told["rows"][0]


@pytest.mark.parametrize("path", ["/public/2026-11-20/chronic-absence.csv", "/public/yesterday/index.html"])
def test_what_was_not_prepared_is_not_there(sign_in: SignInAs, path: str) -> None:
    assert sign_in("district_analyst").get(path).status_code == 404
