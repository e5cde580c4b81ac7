"""Ohio's school month is four weeks of the student's own school, whoever else is asked about."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import text

from ew_app.kernel import transaction
from ew_app.services.measuring import statutory
from models.base import db
from tests.services import letters

pytestmark = pytest.mark.usefixtures("app")
DAYS = letters.weekdays(60)


def test_a_school_month_is_that_of_the_students_own_school_whoever_else_is_asked_about() -> None:
    late, early = letters.school("late"), letters.school("early")
    letters.close(late, DAYS[:5])  # its first school month ends a week after the other's
    letters.year(late, {"ana": "-" * 5 + "P" * 14 + "A" * 6 + "P"})
    letters.year(early, {"bo": "P" * 26})
    assert hours("ana", student="ana") == hours("ana") == [("42", "true")]


def test_whoever_moves_keeps_the_months_of_the_school_they_went_to_then() -> None:
    late, early = letters.school("late"), letters.school("early")
    letters.close(late, DAYS[:5])
    letters.year(early, {"bo": "P" * 30})
    letters.year(late, {"ana": "-" * 5 + "P" * 14 + "A" * 6 + "P" * 5})
    with transaction():
        left = {"day": DAYS[24], "at": late}
        db.session.execute(text("UPDATE stint SET exit_date = :day WHERE school_id = :at"), left)
    letters.student("ana", early, entry=DAYS[25])
    assert hours("ana") == [("42", "true")]
    assert hours("ana", as_of=DAYS[26]) == [("0", "false")]  # the next month begins where the last one ended


def hours(of: str, as_of: date = DAYS[24], **asked: str) -> list[tuple[str, str]]:
    told = statutory.counts(as_of=as_of, states=["OH"], **asked)
    return [
        (row["value"], row["met"])
        for row in told
        if row["measure"] == "OH_42_HOURS_IN_A_MONTH" and row["student_id"] == of
    ]
