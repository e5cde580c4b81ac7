"""The table by grade: one a month and school, the same for everybody, kept as it was told."""

from __future__ import annotations

from datetime import date, timedelta

from flask import Flask
from sqlalchemy import delete

from ew_app.kernel import now, transaction
from ew_app.services.watching import groups
from ew_app.services.watching.parts import Told
from models.base import db
from models.org import Network, School
from models.tiers import TierCount
from rules.suppression import FEW

OCTOBER, NOVEMBER = date(2026, 10, 5), date(2026, 11, 9)


def a_school() -> int:
    with transaction():
        one = School(key="LIN", name="Lincoln", network=Network(key="N", name="North"), source_id=None)
        db.session.add(one)
        db.session.flush()
        return one.id


def count(school: int, day: date, **grades: tuple[int, int]) -> None:
    """(in Tier 1, in Tier 3) of each grade on a day, in place of what was counted before."""
    with transaction():
        db.session.execute(delete(TierCount).where(TierCount.school_id == school, TierCount.day == day))
        for grade, (one, three) in grades.items():
            numbers = {"tier_1": one, "watch": 20, "tier_2": 0, "tier_3": three, "none": 0, "too_early": 0}
            db.session.add(TierCount(school_id=school, day=day, grade=grade[1:], **numbers))


def told(school: int, until: date) -> Told:
    found = groups.by_grade(school, until)
    assert found is not None
    return found


def test_the_table_of_a_month_is_in_tens_and_stays_whatever_is_corrected(app: Flask) -> None:
    school = a_school()
    count(school, OCTOBER, g1=(60, 20), g2=(61, 20), g3=(60, 3))
    first = told(school, OCTOBER)
    assert (first.day, first.rows[2], first.totals) == (OCTOBER, (60, 20, FEW), (100, 100, 80))
    assert [first.words(one) for one in first.rows[2]] == ["about 60", "about 20", "under 15"]
    count(school, OCTOBER, g1=(49, 31), g2=(60, 20), g3=(60, 3))
    count(school, OCTOBER + timedelta(days=3), g1=(50, 30), g2=(60, 20), g3=(60, 3))
    assert told(school, OCTOBER + timedelta(days=10)) == first


def test_a_share_is_that_of_the_tens_and_of_few_what_they_stay_under(app: Flask) -> None:
    """At most 14 of 75 at least, in grade 3; nothing of a grade that may be few altogether."""
    school = a_school()
    count(school, OCTOBER, g1=(60, 20), g2=(61, 20), g3=(60, 3), g4=(0, 0))
    found = told(school, OCTOBER)
    assert [found.share(at, "Tier 2 and 3") for at in range(4)] == ["about 20%", "about 20%", "under 20%", "–"]


def test_the_next_month_shows_what_has_grown(app: Flask) -> None:
    """What was small in October and is not any more comes into sight: nothing stays hidden for the year."""
    school = a_school()
    count(school, OCTOBER, g1=(60, 30), g2=(60, 30), g3=(60, 3))
    told(school, OCTOBER)
    count(school, NOVEMBER, g1=(58, 32), g2=(60, 30), g3=(43, 20))
    second = told(school, NOVEMBER + timedelta(days=2))
    assert (second.day, second.rows[2]) == (NOVEMBER, (40, 20, 20))


def test_what_would_give_a_small_number_away_is_kept_back(app: Flask) -> None:
    """Of 25 in Tier 3, "about 30" of grade 1 are 25 at least: then nobody of grade 2 is."""
    school = a_school()
    count(school, OCTOBER, g1=(60, 25), g2=(60, 0))
    found = told(school, OCTOBER)
    assert found.rows == ((60, 20, None), (60, 20, FEW)) and found.hides
    assert found.words(None) == "kept back"


def test_a_school_of_one_grade_has_no_table(app: Flask) -> None:
    school = a_school()
    count(school, OCTOBER, g1=(60, 16))
    assert groups.by_grade(school, OCTOBER) is None


def test_a_month_without_a_counted_day_keeps_the_table_before(app: Flask) -> None:
    school = a_school()
    count(school, OCTOBER, g1=(60, 30), g2=(60, 30))
    first = told(school, OCTOBER)
    assert told(school, NOVEMBER) == first


def test_a_file_of_a_moment_has_the_table_of_that_moment(app: Flask) -> None:
    school = a_school()
    count(school, OCTOBER, g1=(60, 30), g2=(60, 30))
    before = now()
    first = told(school, OCTOBER)
    assert groups.grades_by([school], OCTOBER, before) == {}
    assert groups.grades_by([school], NOVEMBER, now()) == {school: first}
