"""The table by grade: one a month and school, the same for everybody, kept as it was told."""

from __future__ import annotations

from datetime import date, timedelta

from flask import Flask
from sqlalchemy import delete, select

from ew_app.kernel import now, transaction
from ew_app.services.watching import cuts
from models.base import db
from models.cuts import ToldCut
from models.org import Network, School
from models.tiers import TierCount

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


def told(school: int, until: date) -> cuts.Told:
    found = cuts.by_grade(school, until)
    assert found is not None
    return found


def test_the_table_of_a_month_stays_whatever_is_corrected(app: Flask) -> None:
    school = a_school()
    count(school, OCTOBER, g1=(60, 20), g2=(60, 20), g3=(60, 3))
    first = told(school, OCTOBER)
    assert first.day == OCTOBER and first.table.rows[2][0] in (None, 60) and first.table.rows[2][2] is None
    count(school, OCTOBER, g1=(59, 21), g2=(60, 20), g3=(60, 3))
    count(school, OCTOBER + timedelta(days=3), g1=(50, 30), g2=(60, 20), g3=(60, 3))
    assert told(school, OCTOBER + timedelta(days=10)) == first


def test_the_next_month_brings_a_new_one_that_hides_no_less(app: Flask) -> None:
    school = a_school()
    count(school, OCTOBER, g1=(60, 30), g2=(60, 30), g3=(60, 3))
    first = told(school, OCTOBER)
    count(school, NOVEMBER, g1=(58, 32), g2=(60, 30), g3=(43, 20))
    second = told(school, NOVEMBER + timedelta(days=2))
    assert second.day == NOVEMBER and not second.waits
    for row, later in zip(first.table.rows, second.table.rows, strict=True):
        assert all(now_ is None for was, now_ in zip(row, later, strict=True) if was is None)


def test_a_table_that_would_tell_a_small_number_waits(app: Flask) -> None:
    """Grade 1 had 16 in Tier 3 in sight; now they are 4, and the school's totals of both days are known."""
    school = a_school()
    count(school, OCTOBER, g1=(60, 16), g2=(60, 30), g3=(60, 30))
    first = told(school, OCTOBER)
    assert first.table.rows[0][2] == 16
    count(school, NOVEMBER, g1=(72, 4), g2=(60, 30), g3=(60, 30))
    second = told(school, NOVEMBER)
    assert (second.day, second.table, second.waits) == (OCTOBER, first.table, True)
    assert db.session.scalars(select(ToldCut.day)).all() == [OCTOBER]


def test_none_is_told_before_somebody_stands_in_every_tier(app: Flask) -> None:
    """Set against a table of nobody, the first student of a tier would be told with the grade."""
    school = a_school()
    count(school, OCTOBER, g1=(60, 0), g2=(60, 0))
    assert cuts.by_grade(school, OCTOBER) is None
    count(school, NOVEMBER, g1=(60, 1), g2=(60, 20))
    assert told(school, NOVEMBER).day == NOVEMBER


def test_a_school_of_one_grade_has_no_table(app: Flask) -> None:
    school = a_school()
    count(school, OCTOBER, g1=(60, 16))
    assert cuts.by_grade(school, OCTOBER) is None


def test_a_file_of_a_moment_has_the_table_of_that_moment(app: Flask) -> None:
    school = a_school()
    count(school, OCTOBER, g1=(60, 30), g2=(60, 30))
    before = now()
    first = told(school, OCTOBER)
    assert cuts.told_by([school], OCTOBER, before) == {}
    assert cuts.told_by([school], NOVEMBER, now()) == {school: first}
