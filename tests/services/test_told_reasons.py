"""Rules that ask why: days ill, mental-health days, and how a plan goes; from what is stored to the finding."""

from __future__ import annotations

from datetime import date, datetime, time
from typing import Any

from flask import Flask
from sqlalchemy import text

from ew_app.kernel import OPERATOR, settings, told_as_of, transaction
from ew_app.services.casework import planning
from ew_app.services.casework.planning import Agreed
from ew_app.services.deciding import flagging
from ew_app.services.measuring import why
from ew_app.services.measuring.outlook import Outlook
from ew_app.services.measuring.touched import touch_schools
from models.base import db
from tests.services import letters

DAYS = letters.weekdays(60)
RULES = ("R09", "R13", "R14", "R25")


def said(query: str, **asked: Any) -> list[tuple[Any, ...]]:
    with transaction():
        return [tuple(row) for row in db.session.execute(text(query), asked)]


def findings() -> list[tuple[Any, ...]]:
    query = """
        SELECT s.key, rule, since, until, compartment, sentence FROM finding f JOIN student s ON s.id = f.student_id
        WHERE withdrawn_at IS NULL AND rule = ANY(:rules) ORDER BY 1, 2, 3
    """
    return said(query, rules=list(RULES))


def away(who: int, at: int, days: list[int], reason: str, code: str = "E") -> None:
    """Absent on the how manieth days of the year, with a reason on record."""
    for number in days:
        letters.mark(who, at, DAYS[number], code)
        with transaction():
            told = {"who": who, "day": DAYS[number], "reason": reason or None}
            db.session.execute(text("UPDATE mark SET reason = :reason WHERE student_id = :who AND day = :day"), told)


def decide(at: int, first: int, until: int) -> None:
    """The school's next days come in, and are decided on the evening of the last."""
    with told_as_of(datetime.combine(DAYS[until - 1], time(18), settings().timezone)):
        letters.submit(at, DAYS[first:until])
        with transaction():
            touch_schools([at], DAYS[first])
        flagging.evaluate_touched()


def test_illness_and_mental_health_stay_in_their_compartments(app: Flask) -> None:
    at = letters.school("lincoln")
    ill, low, plain = (letters.student(key, at) for key in ("ill", "low", "plain"))
    away(ill, at, [5, 22, 23, 41], "Illness")
    away(low, at, [10, 30], "Mental Health Day")
    away(plain, at, [5, 22, 23, 41], "")
    for until in range(20, 60, 3):
        decide(at, 0 if until == 20 else until - 3, until)
    found = findings()
    assert [row[:5] for row in found] == [
        ("ill", "R13", DAYS[41], None, "health"),
        ("low", "R14", DAYS[30], None, "counseling"),
    ]
    assert found[0][5].startswith("Ill 3 times in the last 40 school days.")
    assert said("SELECT compartment FROM task WHERE rule IN ('R13', 'R14') ORDER BY 1") == [
        ("counseling",),
        ("health",),
    ]
    assert not said("SELECT 1 FROM student_status WHERE rules && ARRAY['R13', 'R14']")
    flagging.evaluate_all()
    assert findings() == found


def test_a_plan_that_has_not_helped_yet_and_one_that_has(app: Flask) -> None:
    at = letters.school("lincoln")
    still, better = letters.student("still", at), letters.student("better", at)
    for who in (still, better):
        away(who, at, [0, 2, 4, 6], "")
    away(still, at, [51, 53, 55, 57], "")
    decide(at, 0, 20)
    agree(DAYS[19])
    for until in range(22, 60, 2):
        decide(at, until - 2, until)
    found = findings()
    assert [row[:3] for row in found] == [
        ("better", "R25", DAYS[39]),
        ("still", "R09", DAYS[57]),
        ("still", "R25", DAYS[39]),
    ]
    assert "20.0%" in found[1][5]
    flagging.evaluate_all()
    assert findings() == found
    with told_as_of(datetime.combine(DAYS[57], time(18), settings().timezone)):
        told = {who: why.explain(who).outlook for who in ("better", "still")}
    assert told["better"] == Outlook(left=1_500, ahead=2_000, line="10", last_day=DAYS[58])
    assert told["still"] and told["still"].sentence.startswith("The year will end at 10% or more")


def agree(on: date) -> None:
    """A plan for every open case, agreed with the family that evening."""
    with told_as_of(datetime.combine(on, time(19), settings().timezone)):
        for (number,) in said("UPDATE support_case SET status = 'contacting' RETURNING number"):
            planning.agree(number, Agreed(goal="At most one day away in twenty"), by=OPERATOR)
        flagging.evaluate_touched()
