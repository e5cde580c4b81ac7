"""The counts of a school added up: whatever is done to the counts by grade, their sums are the sums."""

from __future__ import annotations

import random
from datetime import date, timedelta

import pytest
from sqlalchemy import text

from ew_app.kernel import WORKER, transaction
from ew_app.services.deciding import counting, flagging
from ew_app.services.measuring import measures
from ew_app.services.watching import boards, figures
from models.base import db
from models.queries.boards import Counts, counted_on, last_counted, newest_counted, schools_in
from rules.access import Area
from tests.services import letters

pytestmark = pytest.mark.usefixtures("app")

START = letters.FIRST_DAY
NAMES = ("tier_1", "watch", "tier_2", "tier_3", '"none"', "too_early")
ADDED = f"""
    SELECT school_id, day, {", ".join(f"sum({name})" for name in NAMES)} FROM tier_count GROUP BY 1, 2 ORDER BY 1, 2
"""
SUMS = f"SELECT school_id, day, {', '.join(NAMES)} FROM school_count ORDER BY 1, 2"


def sums() -> list[tuple[object, ...]]:
    """The stored sums, which are those of the rows by grade."""
    with transaction():
        stored, added = ([tuple(row) for row in db.session.execute(text(asked))] for asked in (SUMS, ADDED))
    assert stored == added
    return stored


def put(school: int, day: date, grade: str, tier_2: int) -> None:
    row = text("INSERT INTO tier_count VALUES (:school, :day, :grade, 20, 3, :two, 1, 0, 2)")
    db.session.execute(row, {"school": school, "day": day, "grade": grade, "two": tier_2})


def test_a_school_that_is_behind_is_the_same_number_everywhere() -> None:
    """Carver is a day behind and somebody left it on its last day: board, files, API and public bands say 3 there."""
    lincoln, carver, elm = (letters.school(name) for name in ("lincoln", "carver", "elm"))
    days = letters.weekdays(20)
    letters.year(lincoln, {"ana": "AAAAA " * 4, "ben": "PPPPP " * 4})
    letters.year(carver, {name: "PPAPP " * 3 + "PPAP-" for name in ("cleo", "dan", "eva")})
    letters.student("fay", elm)
    with transaction():
        db.session.execute(text("UPDATE stint SET exit_date = :last WHERE student_id = (SELECT id FROM student "
                                "WHERE key = 'dan')"), {"last": days[18]})  # fmt: skip
    flagging.evaluate_all()
    schools, on = schools_in(Area(district=True)), days[19]
    line = {one.key: one.counts for one in boards.board(schools, on).lines}
    assert line["carver"] and (line["carver"].students, line["elm"]) == (3, None)
    for asked in (on, None):
        told = {row["school_id"]: row for row in measures.tiers(asked, by="school")}
        assert {key: row["students"] for key, row in told.items()} == {"carver": 3, "lincoln": 2, "elm": 1}
        assert told["carver"]["tier_2"] == line["carver"].tier_2 and told["carver"]["data_through"] == str(days[18])
        (whole,) = measures.tiers(asked)
        assert (whole["students"], whole["data_through"]) == (6, "")
    file = figures.take(schools, "district", by=WORKER, as_of=on)
    assert {row["school_id"]: row["students"] for row in file.counted} == {"carver": 3, "lincoln": 2, "elm": 1}
    assert ("Carver", str(days[18])) in file.behind
    assert sum(measures.bands(on)["carver"].values()) == 3
    only = measures.tiers(on, by="school", schools=[carver])
    assert [row["students"] for row in only if row["school_id"] == "carver"] == [3]
    (enrolled,) = measures.tiers(on, on_the_day=True)
    assert (enrolled["students"], enrolled["data_through"]) == (5, "")  # dan is at no school on the day itself


def test_sums_follow_whatever_is_done_to_the_counts() -> None:
    """Rows come one by one and by the hundred, change their numbers, their day and their school, and go."""
    drawn = random.Random(4)
    schools = [letters.school(name) for name in ("lincoln", "carver", "douglass")]
    days = letters.weekdays(12)
    with transaction():
        for at in (at for at in schools for _ in days[:10]):
            put(at, drawn.choice(days[:10]), f"new {drawn.random()}", drawn.randrange(9))
    assert len(sums()) > 10
    acts = (
        "UPDATE tier_count SET tier_3 = tier_3 + 1, too_early = 0 WHERE school_id = {one} AND day <= '{day}'",
        "UPDATE tier_count SET day = '{last}' WHERE school_id = {one} AND day = '{day}'",
        "UPDATE tier_count SET school_id = {two} WHERE school_id = {one} AND day = '{day}'",
        "DELETE FROM tier_count WHERE school_id = {one} AND day >= '{day}'",
        "DELETE FROM tier_count WHERE false",
        """INSERT INTO tier_count SELECT {one}, day + 7, grade || {at}, 1, 2, 3, 4, 5, 6 FROM tier_count
           WHERE school_id = {two} AND day <= '{day}'""",
    )
    for at in range(40):
        one, two = drawn.sample(schools, 2)
        act = drawn.choice(acts).format(one=one, two=two, day=drawn.choice(days), last=days[-1], at=at)
        with transaction():
            db.session.execute(text(act))
        sums()
    with transaction():
        db.session.execute(text("DELETE FROM tier_count"))
    assert not sums()


def test_a_late_correction_mends_the_sums_with_the_counts() -> None:
    lincoln = letters.school("lincoln")
    letters.year(lincoln, {"ana": "PPPPP AAPPP PPPPA PPPPP", "ben": "AAAAA AAAAA PPPPP PPPPP"})
    flagging.evaluate_all()
    once, days = sums(), letters.weekdays(20)
    assert [day for _, day, *_ in once] == days
    for day in days[12:17]:
        letters.mark(db.session.scalar(text("SELECT id FROM student WHERE key = 'ana'")), lincoln, day, "A")
    with transaction():
        db.session.execute(text("INSERT INTO touched_student SELECT id, :day FROM student"), {"day": days[12]})
    flagging.evaluate_all()
    assert sums() != once and sums()[:12] == once[:12]


@pytest.mark.parametrize(
    "spoiled",
    [
        "UPDATE school_count SET tier_2 = tier_2 + 1 WHERE day = '{day}'",
        "DELETE FROM school_count WHERE day = '{day}'",
        "INSERT INTO school_count SELECT school_id, day + 90, 1, 0, 0, 0, 0, 0 FROM school_count WHERE day = '{day}'",
    ],
)
def test_the_night_puts_sums_right_that_somebody_spoiled(spoiled: str) -> None:
    letters.year(letters.school("lincoln"), {"ana": "PPPPP AAPPP PPPPA PPPPP"})
    flagging.evaluate_all()
    once = sums()
    with transaction():
        db.session.execute(text(spoiled.format(day=letters.weekdays(8)[7])))
    assert counting.count_everything() == 1
    assert sums() == once
    assert counting.count_everything() == 0


def test_each_school_is_told_as_of_its_own_last_day() -> None:
    """Lincoln through Friday, Carver only through Tuesday, Douglass begins on Thursday, Elm never."""
    lincoln, carver, douglass, elm = ids = [letters.school(name) for name in ("lincoln", "carver", "douglass", "elm")]
    days = letters.weekdays(5)
    with transaction():
        for day, at in enumerate(days):
            put(lincoln, at, "K", day)
            put(lincoln, at, "1", 10)
        put(carver, days[1], "K", 7)
        put(douglass, days[3], "K", 5)
    with transaction():
        found = counted_on(ids, [days[2], days[4], days[4] + timedelta(days=2), days[0] - timedelta(days=1)], START)
        told = {key: (one.day, one.counts.tier_2) for key, one in found.items()}
        assert last_counted(ids, days[4]) == {lincoln: days[4], carver: days[1], douglass: days[3]}
        assert last_counted(ids, days[4] + timedelta(days=60)) == last_counted(ids, days[4])
        assert (newest_counted(ids, days[2]), newest_counted([elm], days[4])) == (days[2], None)
    weekend = days[4] + timedelta(days=2)
    assert told == {
        (lincoln, days[2]): (days[2], 12),
        (carver, days[2]): (days[1], 7),
        **{(lincoln, on): (days[4], 14) for on in (days[4], weekend)},
        **{(carver, on): (days[1], 7) for on in (days[4], weekend)},
        **{(douglass, on): (days[3], 5) for on in (days[4], weekend)},
    }
    assert found[lincoln, days[2]].counts == Counts(40, 6, 12, 2, 0, 4)
