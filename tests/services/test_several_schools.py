"""A student of several schools: whose day a number is told of, and at which of them the student belongs."""

from __future__ import annotations

from dataclasses import fields
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from ew_app.kernel import OPERATOR, transaction
from ew_app.services.measuring import policies
from ew_app.services.measuring.measures import measures, tiers
from ew_app.services.measuring.trends import weekly_absence
from ew_app.services.measuring.why import Glance, explain, glance
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


def test_whoever_moves_is_judged_by_the_line_of_where_they_are(tmp_path: Path) -> None:
    """Fifteen percent at Lincoln, ten elsewhere; Ana has three of 26 days."""
    own = "extends: default\nname: own\nlabel: Own\ngroups: {lincoln: {label: Lincoln, schools: [lincoln]}}\n"
    line = "bands: {tier_2: {for: {lincoln: {at_least: {2000-01-01: 0.15}, after_days_enrolled: {2000-01-01: 10}}}}}\n"
    (tmp_path / "own.yaml").write_text(own + line, encoding="utf-8")
    lincoln, carver = letters.school("lincoln"), letters.school("carver")
    ana = letters.student("ana", lincoln, exit=DAYS[24])
    letters.student("ana", carver, entry=DAYS[25])
    for day in (DAYS[3], DAYS[6], DAYS[20]):
        letters.mark(ana, lincoln, day, "E")
    letters.submit(lincoln, DAYS[:26])
    letters.submit(carver, DAYS[:26])
    policies.activate(tmp_path / "own.yaml", starts=DAYS[0], by=OPERATOR)
    assert (_of("ana", DAYS[24])["rate_tier"], _of("ana", DAYS[25])["rate_tier"]) == ("watch", "2")
    lines = [dict(explain("ana", day).lines)["2"] for day in (DAYS[24], DAYS[25])]
    assert lines == ["15", "10"]
    assert "R07" in [reason.rule for reason in explain("ana", DAYS[25]).reasons]
    rows = {row["school_id"]: row for row in measures(DAYS[25], scope="school", student="ana")}
    assert (rows["lincoln"]["rate_tier"], rows["carver"]["too_early"]) == ("watch", "true")


def test_a_glance_and_the_last_weeks_say_what_the_whole_says() -> None:
    """Ana moved, and three weeks of a break lie behind her; the last weeks are the end of all weeks."""
    days = letters.weekdays(60)
    lincoln, carver = letters.school("lincoln"), letters.school("carver")
    ana = letters.student("ana", lincoln, exit=days[39])
    letters.student("ana", carver, entry=days[40])
    for day, code in ((days[3], "A"), (days[25], "E"), (days[41], "H"), (days[44], "A"), (days[58], "E")):
        letters.mark(ana, lincoln if day < days[40] else carver, day, code)
    for at in (lincoln, carver):
        letters.close(at, days[45:57])
        letters.submit(at, [day for day in days if day not in days[45:57]])
    whole, short = explain("ana"), glance("ana")
    assert all(getattr(short, one.name) == getattr(whole, one.name) for one in fields(Glance))
    every = weekly_absence([ana], weeks=40)[ana]
    assert sum(every) == sum(day.absent for day in whole.days) == 4500
    for weeks in range(1, len(every) + 1):
        assert weekly_absence([ana], weeks=weeks)[ana] == every[-weeks:]
