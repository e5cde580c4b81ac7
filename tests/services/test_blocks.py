"""Packed school years: a new day goes on from where the last one ended, and whatever is older is read again."""

from __future__ import annotations

import zlib
from typing import Any

import numpy as np
import pytest
from sqlalchemy import text

from ew_app.kernel import transaction
from ew_app.services.deciding import flagging
from ew_app.services.measuring import blocks
from ew_app.services.measuring.touched import touch, touch_schools
from models.base import db
from tests.rules.test_carried import assert_same
from tests.services import letters

pytestmark = pytest.mark.usefixtures("app")
DAYS = letters.weekdays(30)
YEAR = DAYS[0].replace(month=7, day=1)


def _status(student: int) -> Any:
    found = text("SELECT enrolled, absent, tier, missing_days FROM student_status WHERE student_id = :id")
    return tuple(db.session.execute(found, {"id": student}).one())


def _submit(school: int, day: Any) -> None:
    letters.submit(school, [day])
    with transaction():
        touch_schools([school], day)


def _ana_after_twenty_days() -> tuple[int, int]:
    lincoln = letters.school("lincoln")
    ana = letters.year(lincoln, {"ana": "PPPPP AAPPP PPPPA PPPPP", "ben": "P" * 20})["ana"]
    flagging.evaluate_all()
    assert _status(ana) == (20_000, 3000, 2, 0)
    return lincoln, ana


def _known() -> blocks.Known:
    numbers = db.session.scalars(text("SELECT block FROM year_block")).all()
    return blocks.read(numbers, YEAR)


def test_a_new_day_is_judged_from_what_is_packed_and_not_from_the_rows() -> None:
    lincoln, ana = _ana_after_twenty_days()
    with transaction():
        db.session.execute(text("DELETE FROM mark"))  # behind its back: nobody was marked for evaluation
    _submit(lincoln, DAYS[20])
    flagging.evaluate_touched()
    assert _status(ana) == (21_000, 3000, 2, 0)
    flagging.evaluate_all()
    assert _status(ana) == (21_000, 0, 0, 0)


def test_an_older_change_is_read_from_the_rows_of_the_whole_year() -> None:
    lincoln, ana = _ana_after_twenty_days()
    _submit(lincoln, DAYS[20])
    flagging.evaluate_touched()
    letters.mark(ana, lincoln, DAYS[6], "P")
    with transaction():
        touch([ana], DAYS[6])
    flagging.evaluate_touched()
    assert _status(ana) == (21_000, 2000, 1, 0)


def test_a_change_of_the_last_days_is_judged_from_a_block_put_aside_before_it() -> None:
    lincoln, ana = _ana_after_twenty_days()
    for day in DAYS[20:25]:
        _submit(lincoln, day)
        flagging.evaluate_touched()
    with transaction():
        db.session.execute(text("DELETE FROM mark"))  # behind its back: of the first twenty days
    letters.mark(ana, lincoln, DAYS[22], "A")
    with transaction():
        touch([ana], DAYS[22])
    flagging.evaluate_touched()
    assert _status(ana) == (25_000, 4000, 2, 0)
    letters.mark(ana, lincoln, DAYS[3], "A")
    with transaction():
        touch([ana], DAYS[3])
    flagging.evaluate_touched()  # older than what was put aside, which tells nothing of her any more
    letters.mark(ana, lincoln, DAYS[23], "A")
    with transaction():
        touch([ana], DAYS[23])
    flagging.evaluate_touched()
    assert _status(ana) == (25_000, 3000, 2, 0)


def test_two_blocks_are_put_aside_a_fortnight_apart() -> None:
    lincoln, _ = _ana_after_twenty_days()
    for day in letters.weekdays(60)[20:]:
        _submit(lincoln, day)
        flagging.evaluate_touched()
    asked = text("SELECT day, outdated FROM past_block ORDER BY day")
    assert [(day - DAYS[0]).days for day, _ in db.session.execute(asked)] == [67, 81]
    flagging.evaluate_all()
    assert [((day - DAYS[0]).days, outdated) for day, outdated in db.session.execute(asked)][1:] == [(81, [])]


def test_a_skipped_day_becomes_missing_once_a_later_one_is_sent() -> None:
    lincoln, ana = _ana_after_twenty_days()
    _submit(lincoln, DAYS[22])
    flagging.evaluate_touched()
    assert _status(ana) == (21_000, 3000, 2, 2)


def test_a_day_skipped_by_a_school_becomes_missing_also_for_who_left_it() -> None:
    lincoln, carver = letters.school("lincoln"), letters.school("carver")
    ana = letters.student("ana", lincoln, exit=DAYS[10])
    letters.student("ana", carver, entry=DAYS[10])
    letters.submit(lincoln, DAYS[:9])
    letters.submit(carver, DAYS[:11])
    for day in DAYS[:3]:
        letters.mark(ana, lincoln, day, "A")
    flagging.evaluate_all()
    assert _status(ana) == (10_000, 3000, 1, 0)
    _submit(lincoln, DAYS[12])
    flagging.evaluate_touched()
    assert _status(ana) == (10_000, 3000, 1, 1)


def test_who_is_at_a_second_school_for_some_weeks_belongs_there_just_then_whenever_one_asks() -> None:
    lincoln, carver = letters.school("lincoln"), letters.school("carver")
    letters.student("ana", lincoln)
    letters.student("ana", carver, entry=DAYS[7], exit=DAYS[18])
    for day in DAYS:
        _submit(lincoln, day)
        _submit(carver, day)
        flagging.evaluate_touched()
    asked = text("SELECT school_id, since, until FROM standing ORDER BY since")
    followed = [tuple(row) for row in db.session.execute(asked)]
    flagging.evaluate_all()
    assert [tuple(row) for row in db.session.execute(asked)] == followed
    assert [school for school, *_ in followed] == [lincoln, carver, lincoln]


def test_packing_and_unpacking_lose_nothing() -> None:
    lincoln, _ = _ana_after_twenty_days()
    _submit(lincoln, DAYS[20])
    flagging.evaluate_touched()
    known = _known()
    with transaction():
        blocks.write(known, (), YEAR)
    again = _known()
    for name in ("students", "until", "waits", "concerned", "kept", "tier_since"):
        assert np.array_equal(getattr(known, name), getattr(again, name)), name
    assert_same(known.carried, again.carried)
    assert np.array_equal(known.state.entered, again.state.entered)
    assert {key: part.tolist() for key, part in known.state.active.items()} == {
        key: part.tolist() for key, part in again.state.active.items()
    }


def test_a_block_of_an_older_release_is_built_anew() -> None:
    lincoln, ana = _ana_after_twenty_days()
    with transaction():
        db.session.execute(text("UPDATE year_block SET content = :old"), {"old": zlib.compress(b"[0, []]\n")})
    assert not len(_known().students)
    _submit(lincoln, DAYS[20])
    flagging.evaluate_touched()
    assert _status(ana) == (21_000, 3000, 2, 0)
    assert len(_known().students) == 2


def test_who_is_enrolled_from_a_later_day_on_is_judged_when_that_day_comes() -> None:
    """The first evaluation knows nothing of them yet; the day that marks the whole school must still find them."""
    lincoln = letters.school("lincoln")
    letters.student("ben", lincoln)
    ana = letters.student("ana", lincoln, entry=DAYS[5])
    for day in DAYS[:8]:
        letters.submit(lincoln, [day])
        if day >= DAYS[5]:
            letters.mark(ana, lincoln, day, "A")
        with transaction():
            touch_schools([lincoln], day)
        flagging.evaluate_touched()
    counted = text("SELECT sum(tier_1 + watch + tier_2 + tier_3) FROM tier_count WHERE day = :day")
    assert [db.session.scalar(counted, {"day": day}) for day in (DAYS[4], DAYS[7])] == [1, 2]
    assert db.session.scalar(text("SELECT count(*) FROM student_status WHERE student_id = :id"), {"id": ana}) == 1


def test_a_block_whose_last_student_is_gone_is_forgotten() -> None:
    lincoln = letters.school("lincoln")
    ana = letters.year(lincoln, {"ana": "PPPPP AAPPP PPPPA PPPPP"})["ana"]
    flagging.evaluate_all()
    with transaction():
        db.session.execute(text("DELETE FROM stint"))
        touch([ana], DAYS[0])
    flagging.evaluate_touched()
    assert not len(_known().students)
    _submit(lincoln, DAYS[20])
    flagging.evaluate_touched()
    assert db.session.scalar(text("SELECT count(*) FROM student_status")) == 0
