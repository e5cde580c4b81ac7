"""Every night everybody is decided about again: nothing differs, or it is put right and told; in slices that go on."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from sqlalchemy import text

from ew_app.kernel import transaction
from ew_app.outbox import Job, perform
from ew_app.services.deciding import flagging
from ew_app.services.deciding.everybody import Progress, Stage
from ew_app.services.measuring.touched import touch_schools
from ew_app.services.system import health, upkeep
from models import touched
from models.base import db
from models.jobs import JobRun, Outbox
from tests.services import letters
from tests.services.test_flagging import derived

pytestmark = pytest.mark.usefixtures("app")

NIGHT = date(2026, 10, 1)


@pytest.fixture
def decided(app: object) -> list[int]:
    """Two schools, decided as their days came in; returns the schools."""
    schools = [letters.school("lincoln"), letters.school("carver", network="N2")]
    for at, name in zip(schools, "ab", strict=True):
        flagged = {f"{name}1": "PPPPP AAPPP PPPPA PPPPP", f"{name}2": "AAAAA AAAAA PPPPP PPPPP", f"{name}3": "P" * 20}
        letters.year(at, flagged)
    flagging.evaluate_all()
    return schools


def tonight() -> Progress:
    upkeep.nightly(NIGHT.isoformat())
    return progress()


def progress() -> Progress:
    found = Progress.of(db.session.get_one(JobRun, (Job.NIGHTLY.value, NIGHT), populate_existing=True))
    assert found is not None
    return found


def said() -> str:
    db.session.rollback()
    return next(check.sentence for check in health.checks() if check.name == "Nightly run")


def spoil(*statements: str) -> None:
    with transaction():
        for statement in statements:
            db.session.execute(text(statement))


def test_what_followed_every_change_does_not_differ(decided: list[int]) -> None:
    once = derived()
    assert tonight() == Progress(Stage.DONE, students=6, looked=6)
    assert derived() == once
    assert said() == (
        "Last for Thu 1 Oct: 6 students decided about again from the first day, and nothing stood differently."
    )


@pytest.mark.parametrize(
    "spoiled",
    [
        "UPDATE student_status SET absent = absent + 1000 WHERE student_id = {student}",
        "UPDATE standing SET tier = 3 WHERE student_id = {student} AND tier = 2",
        "UPDATE finding SET withdrawn_at = now() WHERE student_id = {student}",
        "UPDATE finding SET until = '2026-09-01' WHERE student_id = {student}",
        "UPDATE tier_change SET sentence = 'Because.' WHERE student_id = {student}",
        "DELETE FROM student_status WHERE student_id = {student}",
    ],
)
def test_what_stood_differently_is_put_right_and_told(decided: list[int], spoiled: str) -> None:
    once = derived()
    student = db.session.scalar(text("SELECT id FROM student WHERE key = 'a1'"))
    spoil(spoiled.format(student=student), "UPDATE tier_count SET tier_1 = 99 WHERE school_id = 2")
    assert derived() != once
    assert tonight() == Progress(Stage.DONE, students=6, looked=6, different=1, miscounted=1)
    assert derived() == once
    assert said().endswith("; 1 student stood differently, and the counts of 1 school did not fit. That was put right.")


def test_who_waits_anyway_is_no_difference(decided: list[int]) -> None:
    student = db.session.scalar(text("SELECT id FROM student WHERE key = 'a3'"))
    letters.mark(student, decided[0], letters.weekdays(5)[4], "A")
    with transaction():
        touch_schools(decided[:1], letters.weekdays(5)[4])
    assert tonight().different == 0


def test_who_came_with_nobody_marking_them_is_decided_about_too(decided: list[int]) -> None:
    letters.student("zoe", decided[0])
    assert tonight() == Progress(Stage.DONE, students=7, looked=7)
    assert db.session.scalar(text("SELECT count(*) FROM student_status")) == 7


def test_a_night_goes_on_in_slices(decided: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    """No time at all for a slice: each does nothing but begin, so a moment is given to one step after the other."""
    monkeypatch.setattr(flagging, "CHUNK", 1)
    monkeypatch.setattr(upkeep, "SLICE", timedelta(0))
    upkeep.nightly(NIGHT.isoformat())
    assert progress() == Progress(Stage.WAITING)
    assert said().startswith("Under way for Thu 1 Oct.")
    monkeypatch.setattr(upkeep, "SLICE", timedelta(seconds=45))
    ((number,),) = db.session.execute(text("SELECT id FROM outbox WHERE job = 'nightly'")).all()
    assert perform(Job.NIGHTLY, number, upkeep.nightly)
    assert progress() == Progress(Stage.DONE, students=6, looked=6)
    upkeep.nightly(NIGHT.isoformat())
    assert progress() == Progress(Stage.DONE, students=6, looked=6), "a night is done once"


def test_an_evaluation_that_takes_long_goes_on_as_another_piece_of_work(
    decided: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(flagging, "CHUNK", 1)
    monkeypatch.setattr(flagging, "SLICE", timedelta(0))
    flagging.mark_everyone()
    flagging.evaluate()
    assert touched.waiting_students() == 3, "one block is done, the other waits"
    (asked,) = db.session.query(Outbox).filter(Outbox.key == "go on None").all()
    assert perform(Job.EVALUATE, asked.id, flagging.evaluate)
    assert touched.waiting_students() == 0
