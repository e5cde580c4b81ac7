"""Students who come and stay away by turns: one case each, taken up again rather than opened twice."""

from __future__ import annotations

import random
from datetime import date, datetime, time
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text

from ew_app.kernel import OPERATOR, settings, told_as_of, transaction
from ew_app.services.casework import closing
from ew_app.services.casework.cases import REOPENS_WITHIN
from ew_app.services.deciding import flagging
from ew_app.services.measuring.touched import touch_schools
from models.base import db
from models.cases import Case
from tests.services import letters

DAYS_AT_ONCE = 3


def by_turns(chance: random.Random, days: int) -> str:
    """A year of one student: away for some days, here for some, and so on."""
    away, here = chance.choice("AEH") * chance.randint(1, 5), "P" * chance.randint(2, 25)
    first = chance.randint(0, 10)
    return ("P" * first + (away + here) * days)[:days]


def said(query: str) -> list[tuple[Any, ...]]:
    with transaction():
        return [tuple(row) for row in db.session.execute(text(query))]


def close_some(chance: random.Random) -> int:
    """A person closes a few of the open cases, whatever the student does then; returns how many."""
    numbers = [number for (number,) in said("SELECT number FROM support_case WHERE closed_on IS NULL ORDER BY 1")]
    chosen = chance.sample(numbers, len(numbers) // 4)
    for number in chosen:
        useful = dict.fromkeys((one.rule for one in closing.rules_to_answer(case(number))), "cannot_tell")
        closing.close(number, by=OPERATOR, reason="other_team", useful=useful)
    return len(chosen)


def case(number: int) -> Case:
    return db.session.query(Case).filter_by(number=number).one()


@pytest.mark.parametrize("students", [30, pytest.param(600, marks=pytest.mark.deep)])
def test_alternating_days_open_no_second_case(app: Flask, students: int, capsys: pytest.CaptureFixture[str]) -> None:
    chance, at, days = random.Random(students), letters.school("lincoln"), letters.weekdays(60)
    years = {letters.student(f"s{number}", at): by_turns(chance, len(days)) for number in range(students)}
    closed = 0
    for first in range(0, len(days), DAYS_AT_ONCE):
        here = slice(first, first + DAYS_AT_ONCE)
        with told_as_of(datetime.combine(days[here][-1], time(18), settings().timezone)):
            bring_in(at, days[here], {student: year[here] for student, year in years.items()})
            flagging.evaluate_touched()
            closed += close_some(chance) if first % 5 == 0 else 0
            flagging.evaluate_touched()
    episodes = said("SELECT case_id, opened, closed_on FROM case_episode ORDER BY case_id, episode")
    with capsys.disabled():
        print(f"\n{students} students by turns: {len(episodes)} episodes of {cases()} cases, {closed} closed by people")
    assert closed > students // 5
    assert cases() > students // 3
    assert_no_duplicates()


def bring_in(at: int, days: list[date], marks: dict[int, str]) -> None:
    letters.submit(at, days)
    for student, year in marks.items():
        for day, code in zip(days, year, strict=True):
            if code != "P":
                letters.mark(student, at, day, code)
    with transaction():
        touch_schools([at], days[0])


def cases() -> int:
    ((number,),) = said("SELECT count(*) FROM support_case")
    return int(number)


def assert_no_duplicates() -> None:
    """One case at a time, no new one within a month of the last, each reason and each task once."""
    spans = said("""
        SELECT c.student_id, c.id, e.opened, e.closed_on FROM support_case c JOIN case_episode e ON e.case_id = c.id
        ORDER BY 1, 3, 2
    """)
    for one, two in zip(spans, spans[1:], strict=False):
        if one[0] == two[0]:
            assert one[3] is not None and one[3] <= two[2], "two at once"
            assert one[1] == two[1] or two[2] - one[3] > REOPENS_WITHIN, "a second case instead of another episode"
    assert said("SELECT case_id, rule, episode FROM case_reason GROUP BY 1, 2, 3 HAVING count(*) > 1") == []
    assert said("SELECT student_id, kind FROM task WHERE status = 'open' GROUP BY 1, 2 HAVING count(*) > 1") == []
    assert said("SELECT student_id, kind, period FROM task GROUP BY 1, 2, 3 HAVING count(*) > 1") == []
