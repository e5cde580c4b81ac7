"""A student of several schools: whose day a number is told of, and at which of them the student belongs."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from sqlalchemy import text

from ew_app.kernel import transaction
from ew_app.services.measuring.measures import measures, tiers
from models.base import db
from tests.services import letters

pytestmark = pytest.mark.usefixtures("app")
DAYS = letters.weekdays(30)


def _of(key: str, as_of: date | None = None) -> dict[str, Any]:
    (row,) = measures(as_of, student=key)
    return row


def test_whoever_moved_is_told_up_to_the_last_day_that_was_counted() -> None:
    lincoln, carver = letters.school("lincoln"), letters.school("carver")
    letters.student("ana", lincoln, exit=DAYS[11])
    letters.student("ana", carver, entry=DAYS[12])
    letters.submit(lincoln, DAYS[:20])
    letters.submit(carver, DAYS[:10])
    now = _of("ana")
    assert (now["as_of"], now["data_through"], now["enrolled_days"]) == (str(DAYS[11]), str(DAYS[9]), "12")
    then = _of("ana", DAYS[11])  # still at Lincoln, with the same numbers
    assert (then["as_of"], then["data_through"], then["enrolled_days"]) == (str(DAYS[11]), str(DAYS[11]), "12")


def test_a_school_that_is_said_not_to_be_the_primary_one_comes_last() -> None:
    lincoln, carver = letters.school("lincoln"), letters.school("carver")
    letters.student("ana", lincoln)
    letters.student("ana", carver, entry=DAYS[1])
    letters.submit(lincoln, DAYS[:10])
    with transaction():
        db.session.execute(text("UPDATE stint SET is_primary = false WHERE school_id = :id"), {"id": carver})
    assert [row["school_id"] for row in tiers(by="school") if row["students"]] == ["lincoln"]
