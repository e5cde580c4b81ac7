"""The same delivery again, and one that goes on after it was interrupted."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date

import pytest
from flask import Flask
from sqlalchemy import text

from ew_app import outbox
from ew_app.kernel import OPERATOR, clock, operation, transaction
from ew_app.services.deciding import flagging
from ew_app.services.deliveries import attendance, going_in, ingest, loading, together
from ew_app.services.measuring.touched import ask_for_evaluation
from models import touched
from models.attendance import Batch
from models.base import db
from rules.feed_checks import Limits
from tests.services.lincoln_and_carver import (
    CARVER,
    LINCOLN,
    build,
    counts,
    csv,
    enrol,
    everyone,
    load,
    load_files,
    query,
    school_named,
    standing,
)

WITH_TIME = "student_id,school_id,date,code,last_modified"
WITH_PERIOD = "student_id,school_id,date,code,period"


@pytest.fixture(autouse=True)
def world(app: Flask) -> None:
    build()


# -- the same again ------------------------------------------------------------------------------------------


def test_the_same_delivery_under_another_name_is_a_duplicate() -> None:
    load("ana lincoln 08-17 A", "ben lincoln 08-17 A")
    for n in range(50):
        told = load_files({f"attendance_{n}.csv": csv("ana lincoln 08-17 A", "ben lincoln 08-17 A")})
        assert counts(told, "status", "unchanged", "applied") == ("duplicate", 2, 0)


def test_the_right_file_sent_once_more_after_a_wrong_one_counts_again() -> None:
    load("ana lincoln 08-17 E")
    load("ana lincoln 08-17 T")
    told = load("ana lincoln 08-17 E")
    assert counts(told, "status", "superseded") == ("applied", 1)
    assert standing() == {"ana 08-17": "E"}
    assert load("ana lincoln 08-17 E")["status"] == "duplicate"


def test_a_file_stays_a_duplicate_while_later_ones_speak_of_other_days_or_were_taken_back() -> None:
    load("ana lincoln 08-17 E")
    load("ana lincoln 08-18 A", "fay carver 08-17 A")
    wrong = load("ana lincoln 08-17 T")["batch"]
    ingest.take_back(wrong, by=OPERATOR)
    ingest.undo(wrong)
    assert load("ana lincoln 08-17 E")["status"] == "duplicate"
    assert standing() == {"ana 08-17": "E", "ana 08-18": "A", "fay 08-17": "A"}


def take_back(batch: int) -> str:
    ingest.take_back(batch, by=OPERATOR)
    ingest.undo(batch)
    return str(ingest.describe(batch)["sentence"])


def test_a_moment_of_change_far_in_the_future_keeps_no_correction_out() -> None:
    told = load("ana lincoln 08-17 A 2099-01-01T00:00:00", header=WITH_TIME, accept_held=True)
    assert told["problems"][0]["reason"].startswith("This moment of change is more than a year from now.")
    told = load("ana lincoln 08-17 E 2026-08-20T00:00:00", header=WITH_TIME, accept_held=True)
    assert (told["superseded"], standing()) == (1, {"ana 08-17": "E"})


def test_what_came_twice_stays_until_the_second_is_taken_back_too() -> None:
    rows = ("ana lincoln 08-17 A", "ben lincoln 08-17 E", "zoe lincoln 08-17 A")
    first = load(*rows, accept_held=True)["batch"]
    again, third = (load(*rows, accept_held=True) for _ in range(2))
    assert (again["status"], third["status"]) == ("duplicate", "duplicate")
    corrected = load("ana lincoln 08-17 T")["batch"]
    before = standing()
    assert take_back(first).startswith(f"Batch {again['batch']} was the same delivery, so what it says stays.")
    assert standing() == before == {"ana 08-17": "T", "ben 08-17": "E"}
    told = ingest.describe(again["batch"])
    assert counts(told, "status", "rows_in", "applied", "unchanged", "rejected") == ("applied", 3, 0, 2, 1)
    take_back(corrected)
    assert standing() == {"ana 08-17": "A", "ben 08-17": "E"}
    with transaction():
        enrol("zoe", school_named("lincoln"))
    ingest.retry_rejected([again["batch"]])
    assert standing()["zoe 08-17"] == "A"
    take_back(again["batch"])
    assert standing()["ana 08-17"] == "A" and ingest.describe(third["batch"])["status"] == "applied"
    take_back(third["batch"])
    assert standing() == {}


def test_what_a_clerk_may_not_send_is_no_repeat_when_the_district_sends_it() -> None:
    rows = ("ana lincoln 08-17 A", "fay carver 08-17 A")
    load(*rows, options={"schools": ["lincoln"]}, accept_held=True)
    assert standing() == {"ana 08-17": "A"}
    assert counts(load(*rows), "status", "applied", "unchanged") == ("applied", 1, 1)
    assert load(*rows, options={"schools": ["carver"]})["status"] == "duplicate"


def test_the_same_rows_in_another_order_change_nothing() -> None:
    load("ana lincoln 08-17 A", "ben lincoln 08-17 A")
    told = load("ben lincoln 08-17 A", "ana lincoln 08-17 A")
    assert counts(told, "status", "unchanged") == ("applied", 2)


def test_two_clerks_at_once_are_one_applied_set(app: Flask) -> None:
    files = {"attendance.csv": csv(*everyone("08-17", ana="A"))}
    batches = [ingest.receive(kind="attendance", name="x", files=files, by=OPERATOR) for _ in range(2)]

    def work(batch: int) -> str:
        with app.app_context():
            status = loading.load_now(batch)
            db.session.remove()
            return status

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, batches * 2))
    told = [ingest.describe(batch) for batch in batches]
    assert sorted(each["status"] for each in told) == ["applied", "duplicate"]
    assert sum(each["applied"] for each in told) == 8


# -- interruptions -------------------------------------------------------------------------------------------


def test_a_killed_load_goes_on_to_the_same_counts() -> None:
    batch = _interrupted_after_one_school(everyone("08-17", ana="A", fay="T", zoe="A"))
    assert 0 < len(standing()) < 8
    ingest.load(batch)
    assert counts(ingest.describe(batch), "status", "applied", "rejected") == ("applied", 8, 0)
    assert len(standing()) == 8


def test_a_load_survives_the_loss_of_what_was_staged() -> None:
    batch = _interrupted_after_one_school([*everyone("08-17", ana="A"), "zoe lincoln 08-17 A"])
    with transaction():
        db.session.execute(text("TRUNCATE staged_mark, staged_roll, staged_day"))
        enrol("zoe", school_named("lincoln"))
    ingest.load(batch)
    assert counts(ingest.describe(batch), "rows_in", "applied", "rejected") == (9, 8, 1)


def test_a_load_that_is_done_is_left_alone() -> None:
    told = load("ana lincoln 08-17 A")
    ingest.load(told["batch"])
    assert ingest.describe(told["batch"]) == told


def test_of_several_files_whoever_they_concern_is_decided_once_at_the_end_and_also_if_that_never_comes() -> None:
    flagging.evaluate_touched()
    first, second = (_received(everyone(day, ana="A")) for day in ("08-17", "08-18"))
    for batch in (first, second):
        ingest.load(batch, more_follow=True)
        assert ingest.describe(batch)["status"] == "applied"
    assert touched.waiting() and _decisions_asked() == [([second], True)]
    assert outbox.sweep() == 0  # others may follow yet
    operation(ask_for_evaluation)(second)
    assert _decisions_asked() == [([second], False)]
    flagging.evaluate(second)
    assert not touched.waiting()


WEEK = ("08-17", "08-18", "08-19", "08-20", "08-21")


def test_what_moved_is_told_of_the_files_that_waited_and_not_of_another() -> None:
    """Ana is away all week: the file that waits moved her, ben's nobody."""
    flagging.evaluate_touched()
    waits = _received([row for day in WEEK for row in everyone(day, ana="A")])
    ingest.load(waits, more_follow=True)
    preview = ingest.receive(
        kind="attendance", name="x", files={"attendance.csv": csv("ben lincoln 08-17 T")}, by=OPERATOR, preview=True
    )
    ingest.load(preview)
    assert not any(ingest.describe(preview)["effect"].values())
    assert ingest.describe(waits)["effect"]["enter_3"] == 1
    assert not any(load("ben lincoln 08-17 T")["effect"].values())


def test_files_decided_together_say_with_which_and_an_undo_between_tells_only_its_own() -> None:
    flagging.evaluate_touched()
    halves = (WEEK[:3], WEEK[3:])
    first, second = (_received([row for day in days for row in everyone(day, ana="A")]) for days in halves)
    for batch in (first, second):
        ingest.load(batch, more_follow=True)
    together.decide()
    with transaction():
        told = [db.session.get_one(Batch, batch) for batch in (first, second)]
        assert [(one.decided_with, one.undecided, one.effect.get("enter_3", 0)) for one in told] == [
            (second, False, 0),
            (second, False, 1),
        ]
    third = _received(["ben lincoln 08-17 A", "ben lincoln 08-18 A"])
    ingest.load(third, more_follow=True)
    ingest.take_back(first, by=OPERATOR)
    ingest.undo(first)
    assert ingest.describe(third)["effect"]["enter_watch"] == 1
    assert ingest.describe(first)["effect"]["leave_3"] == 1


def test_a_held_file_is_told_of_in_a_later_piece_of_work_where_files_before_it_left_much_to_decide() -> None:
    flagging.evaluate_touched()
    waits = _received([row for day in WEEK for row in everyone(day, ana="A")])
    ingest.load(waits, more_follow=True)
    files = {"attendance.csv": csv("zoe lincoln 08-17 A", "ben lincoln 08-17 T")}
    odd = ingest.receive(kind="attendance", name="x", files=files, by=OPERATOR)
    assert not ingest.load(odd, more_follow=True, until=clock())
    assert query("SELECT status, effect FROM batch ORDER BY id DESC LIMIT 1") == [("held", {})]
    assert ingest.load(odd, more_follow=True, until=clock())
    assert query("SELECT status, effect FROM batch ORDER BY id DESC LIMIT 1") == [("held", flagging.NO_EFFECT)]
    assert ingest.describe(waits)["effect"]["enter_3"] == 1


def test_a_load_that_is_cut_while_it_decides_goes_on_there() -> None:
    flagging.evaluate_touched()
    batch = _received([row for day in WEEK for row in everyone(day, ana="A")])
    assert not ingest.load(batch, until=clock())
    assert ingest.describe(batch)["status"] == "applying"
    assert ingest.load(batch, until=clock())
    told = ingest.describe(batch)
    assert counts(told, "status", "rows_in", "applied") == ("applied", 40, 40)
    assert told["effect"]["enter_3"] == 1


def _received(rows: Sequence[str]) -> int:
    files = {"attendance.csv": csv(*rows)}
    batch: int = ingest.receive(kind="attendance", name="x", files=files, by=OPERATOR, accept_held=True)
    return batch


def _decisions_asked() -> list[tuple[list[int], bool]]:
    """For which batch the waiting evaluations were asked, and whether only for later."""
    asked = db.session.execute(
        text("SELECT args, sent_at > now() FROM outbox WHERE job = 'evaluate' AND done_at IS NULL ORDER BY id")
    )
    return [(args, later) for args, later in asked]


def test_everyone_is_measured_after_a_new_day_and_later_only_who_changed() -> None:
    assert _merged_only("ana lincoln 08-17 A") == set(LINCOLN)
    assert _merged_only("ana lincoln 08-17 E", "ben lincoln 08-17 A", "fay carver 08-18 A") == {"ana", "ben", *CARVER}


def _merged_only(*rows: str) -> set[str]:
    """Who waits for evaluation after these rows went in."""
    with transaction():
        touched.place_students(date(2026, 7, 1))
        touched.forget_all()
    batch = _received(rows)
    going_in.read(batch)
    going_in._check(batch)
    going_in._merge(batch)
    with transaction():
        taken = touched.take(touched.claim(100))
        with_school, _ = touched.enrolled_among(touched.members(taken.block), taken)
        waiting = [*taken.named.tolist(), *with_school.tolist()]
        return set(db.session.scalars(text("SELECT key FROM student WHERE id = ANY(:ids)"), {"ids": waiting}))


def _interrupted_after_one_school(rows: list[str]) -> int:
    """A batch whose worker died after the first school."""
    batch = _received(rows)
    going_in.read(batch)
    with transaction():
        row = db.session.get_one(Batch, batch)
        row.counts = row.counts | {"schools_a_slice": 1}
    going_in._check(batch)
    with transaction():
        spans = going_in._spans(db.session.get_one(Batch, batch))
    assert len(spans) == 2
    attendance.merge_slice(batch, spans[0], Limits())
    return batch
