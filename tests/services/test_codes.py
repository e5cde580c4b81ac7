"""Explaining codes: the effect is shown first, saving it measures whoever has the code again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, timedelta

import pytest

from ew_app.config import Settings
from ew_app.kernel import OPERATOR, NotFound, Refused, transaction
from ew_app.services.deciding import flagging
from ew_app.services.rosters import codes, fixing, roster
from ew_app.services.rosters.codes import Meaning
from models.attendance import SchoolDay, Submission
from models.base import db
from models.org import School, Source
from models.people import Stint, Student
from rules.access import Area
from tests.services.rosters import ROSTER, TODAY, deliver, load, mark, open_district, rows

EVERYWHERE = Area(district=True)
FIRST = date(2026, 8, 17)
DAYS = [day for day in (FIRST + timedelta(n) for n in range(40)) if day.weekday() < 5]


@pytest.fixture(autouse=True)
def district(settings: Settings, built_once: Callable[..., None]) -> Iterator[None]:
    """Two schools, three students, and 28 school days at school 010."""
    built_once(replace(settings, today=TODAY), _loaded)
    with open_district(settings):
        yield


def _loaded() -> None:
    load({**ROSTER, "calendar": _calendar()})
    _submit(DAYS)
    flagging.evaluate_touched()


def _calendar() -> str:
    return "school_id,date,day_type\n" + "".join(f"010,{day},instructional\n" for day in DAYS)


def _submit(days: list[date]) -> None:
    """Attendance of school 010 was taken on these days."""
    with transaction():
        school = db.session.query(School.id).where(School.key == "010").scalar()
        for day in days:
            db.session.add(Submission(school_id=school, day=day, batch_id=1, feed="exception", rows=0, whole=False))
            db.session.add(
                SchoolDay(school_id=school, day=day, status="submitted", feed="exception", rows=0, expected=2)
            )


def absent_on(days: list[date], code: str) -> None:
    for day in days:
        mark("000123", "010", day, code)


def found(key: str, area: Area = EVERYWHERE) -> list[dict[str, object]]:
    return [dict(row) for row in fixing.rows(key, area, OPERATOR)]


def test_unknown_codes_are_listed_with_how_often_they_occur():
    absent_on(DAYS[:8], "AQ7")
    mark("000124", "010", FIRST, "A")
    assert found("unknown_codes") == [
        {
            "school_id": "010",
            "school": "Lakeview",
            "code": "AQ7",
            "rows": 8,
            "students": 1,
            "first_day": FIRST,
            "last_day": DAYS[7],
        }
    ]
    assert found("unknown_codes", Area(schools=frozenset({"020"}))) == []


def test_the_effect_is_shown_and_nothing_of_it_stays():
    absent_on(DAYS[:8], "AQ7")
    meaning = Meaning("AQ7", "absence", excused="unexcused")
    effect = codes.effect_of(meaning)
    assert (effect.marks, effect.students, effect.tiers["enter_3"]) == (8, 1, 1)
    assert rows("SELECT count(*) FROM absence_code WHERE code = 'AQ7'") == [(0,)]
    assert rows("SELECT tier FROM student_status s JOIN student p ON p.id = s.student_id WHERE key = '000123'") == [
        (0,)
    ]
    assert rows("SELECT count(*) FROM touched_student") == [(0,)]


def test_saving_does_what_the_effect_said():
    absent_on(DAYS[:8], "AQ7")
    meaning = Meaning("AQ7", "absence", excused="unexcused", school_key="010")
    effect = codes.effect_of(meaning)
    codes.map_code(meaning, by=OPERATOR)
    assert rows("SELECT since FROM touched_student") == [(FIRST,)]
    assert flagging.evaluate_touched() == effect.tiers
    assert found("unknown_codes") == []
    assert rows("SELECT kind FROM event WHERE kind = 'code_mapped'") == [("code_mapped",)]
    assert rows("SELECT count(*) FROM outbox WHERE job = 'evaluate'") == [(1,)]


def test_a_meaning_holds_between_its_dates():
    absent_on(DAYS[:4], "AQ7")
    codes.map_code(Meaning("AQ7", "school_function", valid_from=FIRST, valid_to=DAYS[1]), by=OPERATOR)
    assert [(row["rows"], row["first_day"]) for row in found("unknown_codes")] == [(2, DAYS[2])]
    assert codes.effect_of(Meaning("AQ7", "absence", valid_from=DAYS[2])).marks == 2


def test_a_corrected_meaning_keeps_its_earlier_form():
    codes.map_code(Meaning("AQ7", "absence"), by=OPERATOR)
    codes.map_code(Meaning("AQ7", "tardy"), by=OPERATOR)
    assert rows("SELECT kind, absent_fraction FROM absence_code WHERE code = 'AQ7'") == [("tardy", 0)]
    kept = "SELECT before->>'kind' FROM row_history WHERE batch_id = 0 ORDER BY id"
    assert rows(kept) == [(None,), ("absence",)]


@pytest.mark.parametrize(
    ("meaning", "sentence"),
    [
        (Meaning("AQ7", "away"), "'away' is no kind of mark"),
        (Meaning("AQ7", "absence", excused="perhaps"), "'perhaps' is no excuse status"),
        (Meaning("AQ7", "absence", absent_fraction=1200), "between 0 and 1"),
        (Meaning("AQ7", "absence", valid_from=DAYS[1], valid_to=FIRST), "comes before its first day"),
    ],
)
def test_an_impossible_meaning_is_refused_with_a_sentence(meaning: Meaning, sentence: str):
    with pytest.raises(Refused, match=sentence):
        codes.map_code(meaning, by=OPERATOR)


def test_an_unknown_school_is_not_found():
    with pytest.raises(NotFound, match="There is no school 99"):
        codes.effect_of(Meaning("AQ7", "absence", school_key="99"))


# -- the other lists of Fix data -----------------------------------------------------------------------------


def test_every_list_can_be_read_and_counted():
    counted = {one.check.key: one.rows for one in fixing.overview(EVERYWHERE, OPERATOR)}
    assert set(counted) == {check.key for check in fixing.CHECKS}
    for key, number in counted.items():
        assert len(found(key)) == number
        assert found(key, Area()) == []


def test_marks_off_the_calendar_or_outside_an_enrolment_are_listed():
    saturday = date(2026, 8, 22)
    mark("000123", "010", saturday, "A")
    mark("000124", "010", date(2026, 9, 14), "A")
    assert [(row["student_id"], row["day"]) for row in found("off_calendar")] == [("000123", saturday)]
    assert [(row["student_id"], row["day"]) for row in found("not_enrolled")] == [("000124", date(2026, 9, 14))]


def test_a_mark_is_off_the_calendar_that_its_own_enrolment_follows():
    """Ana follows the afternoon calendar, which has one school day; everybody else the school's."""
    load({"calendar": f"school_id,calendar_id,date,day_type\n010,PM,{FIRST},instructional\n"})
    with transaction():
        stints = db.session.query(Stint).join(Student).filter(Student.key.in_(("000123", "000124")))
        stints.filter(Student.key == "000123").one().calendar_key = "PM"
    for student in ("000123", "000124"):
        for day in DAYS[:2]:
            mark(student, "010", day, "A")
    assert [(row["student_id"], row["day"]) for row in found("off_calendar")] == [("000123", DAYS[1])]


def test_rows_that_name_nobody_are_listed_until_the_next_roster():
    for line in ("9,010,2026-08-17", "000123,010,2026-08-17"):
        batch = deliver({"enrollments": f"student_id,school_id,entry_date\n{line}\n"})
        roster.apply(batch)
        with transaction():
            batch.status = "applied"
        listed = [(row["what"], row["value"], row["line"]) for row in found("unmatched")]
        assert listed == ([("student_id", "9", 2)] if line.startswith("9") else [])


def test_students_who_did_not_arrive_and_odd_enrolments_are_listed():
    load(
        {
            "enrollments": "student_id,school_id,entry_date,exit_date,exit_code\n"
            "000125,010,2026-08-17,2026-08-20,no show\n"
            "000124,010,2026-08-25,2026-08-26,\n"
            "000123,020,2026-09-10,2026-09-01,\n"
        }
    )
    assert [row["student_id"] for row in found("did_not_arrive")] == ["000125"]
    listed = {(row["student_id"], row["entry_date"]): row["why"] for row in found("odd_stints")}
    assert listed[("000123", date(2026, 9, 10))] == "ends before it begins"
    assert listed[("000124", date(2026, 8, 25))] == "overlaps another enrolment at this school"
    assert listed[("000125", date(2026, 8, 17))].startswith("enrolled at two schools at once")
    assert ("000124", date(2026, 9, 4)) not in listed


def test_schools_without_a_calendar_and_late_schools_are_listed():
    assert [(row["school_id"], row["students"]) for row in found("no_calendar")] == [("020", 2)]
    assert found("late_schools") == []
    more = [day for day in (DAYS[-1] + timedelta(n) for n in range(1, 9)) if day.weekday() < 5]
    load({"calendar": "school_id,date,day_type\n" + "".join(f"010,{day},make_up\n" for day in more)})
    late = [(row["school_id"], row["data_through"], row["school_days_late"]) for row in found("late_schools")]
    assert late == [("010", DAYS[-1], sum(day < date(2026, 9, 30) for day in more))]


def test_two_sources_and_one_child_under_two_ids_are_listed():
    with transaction():
        db.session.add(Source(name="gradebook"))
    mark("000123", "010", FIRST, "A")
    mark("000123", "010", FIRST, "T", source=2)
    assert [(row["code"], row["other_code"]) for row in found("two_sources")] == [("A", "T")]
    load({"students": "student_id,first_name,last_name,birth_date\n777,Ana,Rivera,2016-03-01\n"})
    assert [row["student_ids"] for row in found("same_child")] == ["000123, 777"]
    assert [row["student_id"] for row in found("nowhere")] == ["777"]
