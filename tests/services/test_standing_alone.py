"""One row that cannot be worked on stops nobody else's work, and the page of checks says what was left."""

from __future__ import annotations

import pytest
from psycopg.errors import CheckViolation
from sqlalchemy import text

from ew_app import outbox
from ew_app.alone import NotAllDone, all_told, alone, in_parts
from ew_app.kernel import operation, transaction
from ew_app.outbox import Job, enqueue
from ew_app.services.casework import answering, catching_up, handing_out, handing_over, moves
from ew_app.services.casework.handing_over import Wanted
from ew_app.services.system import health, schedule
from ew_app.services.system.health import State
from models.base import db
from models.jobs import Outbox
from models.people import Stint
from models.tiers import StudentStatus
from tests.services.one_case import follow
from tests.services.world import TODAY, World, rows

STANDS = (
    "SELECT h.kind, h.state FROM hand_over h JOIN student s ON s.id = h.student_id WHERE s.key = :key ORDER BY h.id"
)


@pytest.fixture
def two(world: World) -> World:
    """Ana has case 1001 and Ben case 1002, both with Cora."""
    for name in ("ana", "ben"):
        world.stands(name, 2)
        world.finds(name, "R07")
        follow(world, name)
    for number in (1001, 1002):
        moves.assign(number, by=world.actor("cora"))
    return world


def go_to_douglas(world: World, *names: str) -> None:
    with transaction():
        for name in names:
            student = world.students[name]
            db.session.query(Stint).filter(Stint.student_id == student).update({"exit_date": TODAY})
            db.session.add(Stint(student_id=student, school_id=world.schools["DOU"], entry_date=TODAY))
            db.session.get_one(StudentStatus, student).school_id = world.schools["DOU"]


def do(statement: str) -> None:
    with transaction():
        db.session.execute(text(statement))


def test_a_case_that_somebody_was_asked_to_take_over_goes_along_with_the_student(two: World) -> None:
    wanda = Wanted(to=f"{two.people['wanda']}:social_worker", asked="Please take this case")
    handing_over.transfer(1001, wanda, by=two.actor("cora"))
    go_to_douglas(two, "ana", "ben")
    handing_out.hand_out()
    assert rows(STANDS, key="S-ana") == [("transfer", "taken_back"), ("school_change", "to_write")]
    assert rows(STANDS, key="S-ben") == [("school_change", "to_write")]
    with pytest.raises(Exception, match="taken back"):
        answering.accept(1, by=two.actor("wanda"))


def test_what_cannot_be_done_for_one_is_done_for_all_others_and_told(two: World) -> None:
    """No hand-over of Ana's case can be written; Ben changes school, and a case of somebody who left waits."""
    ana = two.students["ana"]
    do(f"ALTER TABLE hand_over ADD CONSTRAINT broken CHECK (student_id <> {ana})")
    go_to_douglas(two, "ana", "ben")
    two.give("dean", "Dean Moss", "counselor", "school:DOU")
    two.stands("dan", 2)
    two.finds("dan", "R07")
    follow(two, "dan")
    moves.assign(1003, by=two.actor("otto"), to=two.people["dean"])
    two.end("dean")
    with transaction():
        enqueue(Job.HAND_OUT, "today", key="unowned")
    ((number,),) = rows("SELECT max(id) FROM outbox WHERE job = 'hand_out'")
    for _ in range(outbox.MAX_ATTEMPTS):
        outbox.perform(Job.HAND_OUT, number, handing_out.hand_out)
    assert rows(STANDS, key="S-ana") == []
    assert rows(STANDS, key="S-ben") == [("school_change", "to_write")]
    assert rows("SELECT owner_id FROM support_case WHERE number = 1003") == [(two.people["dora"],)]
    aside = {check.name: check for check in health.checks()}["Set aside"]
    assert (aside.state, aside.sentence) == (State.LATE, "1 set aside for a person to look at.")
    ((why,),) = rows("SELECT error FROM outbox WHERE quarantined_at IS NOT NULL")
    assert why.startswith("case 1001: ") and "1002" not in why and "Rivera" not in why

    do("ALTER TABLE hand_over DROP CONSTRAINT broken")
    with transaction():
        enqueue(Job.HAND_OUT, "today", key="unowned")
    number = db.session.query(Outbox.id).filter(Outbox.quarantined_at.is_(None), Outbox.job == "hand_out")
    outbox.perform(Job.HAND_OUT, number.order_by(Outbox.id.desc()).limit(1).scalar(), handing_out.hand_out)
    assert rows(STANDS, key="S-ana") == [("school_change", "to_write")]
    aside = {check.name: check for check in health.checks()}["Set aside"]
    assert aside.state is State.OK, "the same work was done since"


@pytest.mark.parametrize("broken", ["late_days.follow", "starting.start_due", "digests.ask_for_due", "_start"])
def test_whatever_stops_a_tick_two_people_who_are_not_back_are_missed(
    world: World, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    looked = []
    monkeypatch.setattr(schedule.visit_alarm, "look", lambda: looked.append(True))
    with monkeypatch.context() as hurt:
        hurt.setattr(f"ew_app.services.system.schedule.{broken}", _fails)
        schedule.tick()
    assert looked
    check = {one.name: one for one in health.checks()}["Schedule"]
    assert check.state is State.LATE and "The disk is full" in check.sentence
    schedule.tick()
    assert {one.name: one for one in health.checks()}["Schedule"].state is State.OK


def _fails(*_: object, **__: object) -> int:
    raise OSError("The disk is full")


def decided_about_all(world: World) -> int:
    """Everybody in Tier 2 after an evening of decisions, and their cases followed in one transaction."""
    for name in world.students:
        world.stands(name, 2)
        world.finds(name, "R07")
    with transaction():
        return catching_up.follow(sorted(world.students.values()))


def test_one_child_whose_case_cannot_be_written_leaves_no_other_without_one(world: World) -> None:
    ana = world.students["ana"]
    do(f"ALTER TABLE support_case ADD CONSTRAINT broken CHECK (student_id <> {ana})")
    assert decided_about_all(world) == len(world.students) - 1
    assert ana not in {student for (student,) in rows("SELECT student_id FROM support_case")}
    ((number, asked),) = rows("SELECT id, args FROM outbox WHERE job = 'follow'")
    assert asked == [ana]
    assert not outbox.perform(Job.FOLLOW, number, catching_up.follow_left), "tried again, and kept"
    do("ALTER TABLE support_case DROP CONSTRAINT broken")
    assert outbox.perform(Job.FOLLOW, number, catching_up.follow_left)
    assert rows("SELECT count(*) FROM support_case WHERE student_id = :ana", ana=ana) == [(1,)]


def test_a_fault_that_is_nobodys_own_is_not_looked_for_one_by_one(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ew_app.alone.MOST_LEFT", 1)
    do("ALTER TABLE support_case ADD CONSTRAINT broken CHECK (student_id < 0)")
    with pytest.raises(CheckViolation):
        decided_about_all(world)
    assert rows("SELECT count(*) FROM outbox WHERE job = 'follow'") == [(0,)]


def test_in_parts_does_all_but_those_that_fail(world: World) -> None:
    """Each student of the district is renamed but Ben, whose name is not to change."""
    ben = world.students["ben"]
    do(f"ALTER TABLE student ADD CONSTRAINT broken CHECK (id <> {ben} OR first_name = 'Ben')")

    def rename(students: list[int]) -> int:
        changed = text("UPDATE student SET first_name = 'X' WHERE id = ANY(:ids)")
        return int(db.session.execute(changed, {"ids": list(students)}).rowcount)  # type: ignore[attr-defined]

    @operation
    def all_of_them() -> int:
        with alone("students"):
            return in_parts("student", sorted(world.students.values()), rename)
        return 0

    with pytest.raises(NotAllDone, match=f"^student {ben}: IntegrityError"), all_told():
        assert all_of_them() == len(world.students) - 1
    assert rows("SELECT count(*) FROM student WHERE first_name = 'X'") == [(len(world.students) - 1,)]
