"""A past day asks who owned a case then: staff may come and go without moving the tiers of weeks that are over."""

from __future__ import annotations

from contextlib import AbstractContextManager
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from sqlalchemy import text

from ew_app.kernel import now, told_as_of, transaction
from ew_app.services.deciding import flagging
from models.base import db
from models.queries import measuring
from models.staff import Person
from tests.services import letters

DAYS = letters.weekdays(60)
STEPS = "SELECT day, before, after FROM tier_change WHERE withdrawn_at IS NULL ORDER BY day"


def evening_of(day: date) -> AbstractContextManager[None]:
    return told_as_of(datetime(day.year, day.month, day.day, 18, tzinfo=ZoneInfo("America/Chicago")))


def rows(statement: str) -> list[tuple[object, ...]]:
    return [tuple(row) for row in db.session.execute(text(statement))]


def owned_by(person: str, on: date) -> None:
    """The only case is given to this person, or to nobody."""
    with evening_of(on), transaction():
        owner = f"(SELECT id FROM person WHERE login = '{person}')" if person else "NULL"
        db.session.execute(text(f"UPDATE support_case SET owner_id = {owner}"))


@pytest.fixture
def ana(app: Flask) -> tuple[int, int]:
    """Ana reaches Tier 3 with a case in her fourth week, and says what keeps her; then she is at school every day."""
    school = letters.school("lincoln")
    student = letters.student("ana", school)
    letters.submit(school, DAYS[:22])
    for day in DAYS[10:17]:
        letters.mark(student, school, day, "E")
    with evening_of(DAYS[21]):
        flagging.evaluate_all()
    with evening_of(DAYS[22]), transaction():
        for name in ("sue", "kim"):
            db.session.add(Person(login=name, name=name, email="", password_hash="", created_at=now()))
        db.session.execute(
            text("""
                INSERT INTO cause (case_id, student_id, code, said_by, confidence, is_primary, strengths, note, author,
                                   position, written_at)
                SELECT id, student_id, 'B-TRANSPORT', 'student', 'said', true, '', '', 'sue', '', :at FROM support_case
            """),
            {"at": datetime(DAYS[22].year, DAYS[22].month, DAYS[22].day, 12, tzinfo=ZoneInfo("America/Chicago"))},
        )
    return school, student


def decided_on_the_last_day(school: int) -> list[tuple[object, ...]]:
    letters.submit(school, DAYS[22:])
    with evening_of(DAYS[59]):
        flagging.evaluate_all()
    return rows(STEPS)


@pytest.mark.parametrize("later", ["", "kim"])
def test_an_owner_who_goes_moves_no_week_that_is_over(ana: tuple[int, int], later: str) -> None:
    owned_by("sue", DAYS[23])
    steps = decided_on_the_last_day(ana[0])
    assert [(before, after) for _, before, after in steps][-1][0] == 3
    owned_by(later, DAYS[59])
    with evening_of(DAYS[59]):
        flagging.evaluate_all()
    assert rows(STEPS) == steps


def test_a_first_owner_lets_the_tier_step_down_from_then_on_and_not_before(ana: tuple[int, int]) -> None:
    steps = decided_on_the_last_day(ana[0])
    assert steps[-1][2] == 3
    owned_by("sue", DAYS[59])
    with evening_of(DAYS[59]):
        flagging.evaluate_all()
    (*before, (day, *step)) = rows(STEPS)
    assert (before, day, step) == (steps, DAYS[59], [3, 2])


def test_every_owner_of_a_case_is_on_record_with_its_days(ana: tuple[int, int]) -> None:
    for person, day in (("sue", 23), ("kim", 30), ("", 40)):
        owned_by(person, DAYS[day])
    told = rows("SELECT login, since, until FROM case_owner JOIN person p ON p.id = person_id ORDER BY case_owner.id")
    assert told == [("sue", DAYS[23], DAYS[30]), ("kim", DAYS[30], DAYS[40])]


def test_a_cause_heard_in_the_evening_counts_from_that_day(ana: tuple[int, int]) -> None:
    """Eight in the evening here is the next day in UTC."""
    evening = datetime(DAYS[22].year, DAYS[22].month, DAYS[22].day, 20, tzinfo=ZoneInfo("America/Chicago"))
    owned_by("sue", DAYS[22])
    with transaction():
        db.session.execute(text("UPDATE cause SET written_at = :at"), {"at": evening})
    with transaction():
        owned = measuring.case_spans([ana[1]])["owned"].tolist()
    assert [measuring.EPOCH + timedelta(days=day) for day in owned] == [DAYS[22]]


def test_a_cause_that_had_ended_is_not_known_of_a_case_taken_up_again(ana: tuple[int, int]) -> None:
    owned_by("sue", DAYS[22])
    noon = datetime(DAYS[30].year, DAYS[30].month, DAYS[30].day, 12, tzinfo=ZoneInfo("America/Chicago"))
    with transaction():
        db.session.execute(text("UPDATE cause SET ended_at = :at"), {"at": noon})
        db.session.execute(text("UPDATE case_episode SET closed_on = :day"), {"day": DAYS[30]})
        again = "INSERT INTO case_episode (case_id, episode, opened) SELECT case_id, 2, :day FROM case_episode"
        db.session.execute(text(again), {"day": DAYS[40]})
    with transaction():
        found = measuring.case_spans([ana[1]])
    owned = dict(zip(found["opened"].tolist(), found["owned"].tolist(), strict=True))
    assert owned[(DAYS[40] - measuring.EPOCH).days] == measuring.OPEN
    assert sorted(owned.values())[0] == (DAYS[22] - measuring.EPOCH).days


@pytest.mark.parametrize("fixed", ["", str(DAYS[40])], ids=["on any day", "on a fixed day"])
def test_without_a_cause_the_barrier_has_no_owner(ana: tuple[int, int], fixed: str) -> None:
    owned_by("sue", DAYS[22])
    with transaction():
        db.session.execute(text("DELETE FROM cause"))
    with transaction():
        db.session.execute(text("SELECT set_config('ew.today', :day, true)"), {"day": fixed})
        assert measuring.case_spans([ana[1]])["owned"].tolist() == [measuring.OPEN]
