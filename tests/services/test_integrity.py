"""What the record is asked about: what counts, what is how offices work, who sees it, how a question is answered."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import text

from ew_app.kernel import NotFound, Refused, transaction
from ew_app.services.watching import integrity
from models.attendance import Mark, MarkHistory, SchoolDay
from models.base import db
from models.org import AbsenceCode, Source
from models.people import Stint
from models.queries import integrity as counted
from rules.access import NotAllowed
from rules.integrity import Count, asking, compared
from tests.services.world import TODAY, rows, school_days

DAYS = [day for day in school_days() if day < TODAY][-20:]
DAY = DAYS[5]
LIMITS = {"after_days": 1, "cut_off": 16, "excuse_days": 14}


@pytest.fixture
def record(world):
    """Codes, a source, and twenty school days that came in."""
    with transaction():
        for code, kind, excused in (
            ("A", "absence", "unexcused"), ("E", "absence", "excused"), ("P", "present", "exempt"),
            ("T", "tardy", "unknown"), ("H", "hospital", "exempt"),
        ):  # fmt: skip
            whole = 1000 if kind == "absence" else 0
            db.session.add(AbsenceCode(code=code, kind=kind, absent_fraction=whole, excused=excused))
        db.session.add(Source(name="sis"))
        for school in world.schools.values():
            for day in DAYS:
                db.session.add(
                    SchoolDay(school_id=school, day=day, status="submitted", feed="exception", rows=0, expected=1)
                )
    return world


def said(world, was: str, became: str | None, changed: datetime, *, name: str = "ana", by: str | None = None) -> None:
    """What stood on a day, what a later file made of it (None: taken away), and when it was changed there."""
    own = {"ana": "LIN", "ben": "LIN", "dan": "DOU"}[name]
    keys = {
        "school_id": world.schools[own], "student_id": world.students[name], "day": DAY, "period": "",
        "source_id": 1, "batch_id": 1, "line": 2,
    }  # fmt: skip
    with transaction():
        db.session.add(
            MarkHistory(**keys, code=was, ended="superseded" if became else "removed", ended_by=2, ended_at=changed)
        )
        if became:
            db.session.add(Mark(**keys, code=became, last_modified=changed, modified_by=by))


def at(day: date, hour: int = 10) -> datetime:
    """An hour of a day in Chicago's winter."""
    return datetime(day.year, day.month, day.day, hour + 6, tzinfo=UTC)


@pytest.mark.parametrize(
    ("was", "became", "changed", "counts"),
    [
        ("A", "P", at(DAY + timedelta(days=5)), (1, 0, 0)),
        ("A", "T", at(DAY + timedelta(days=5)), (1, 0, 0)),
        ("A", None, at(DAY + timedelta(days=5)), (1, 0, 0)),
        ("A", "P", at(DAY + timedelta(days=1)), (0, 0, 0)),
        ("A", "P", at(DAY, 9), (0, 0, 0)),
        ("A", "P", at(DAY, 16), (0, 1, 0)),
        ("A", "H", at(DAY + timedelta(days=5)), (0, 0, 0)),
        ("A", "E", at(DAY + timedelta(days=7)), (0, 0, 0)),
        ("A", "E", at(DAY + timedelta(days=15)), (0, 0, 1)),
        ("E", "A", at(DAY + timedelta(days=15)), (0, 0, 0)),
    ],
    ids=[
        "present days later", "tardy days later", "taken away", "the day after", "in the morning", "after the cut-off",
        "a hospital stay", "a note within two weeks", "a note after more", "no excuse after all",
    ],
)  # fmt: skip
def test_what_counts_and_what_is_how_offices_work(record, was, became, changed, counts):
    said(record, was, became, changed)
    found = counted.changes(DAYS[0], DAYS[-1], **LIMITS)
    got = [(one.became_present, one.after_cut_off, one.late_excuse) for one in found]
    assert (got or [(0, 0, 0)]) == [counts]


def test_a_file_that_is_taken_back_changed_nothing(record):
    said(record, "A", None, at(DAY + timedelta(days=5)))
    with transaction():
        db.session.execute(text("UPDATE mark_history SET ended = 'undone'"))
    assert counted.changes(DAYS[0], DAYS[-1], **LIMITS) == []


def test_who_entered_it_is_told_as_far_as_the_file_says(record):
    said(record, "A", "P", at(DAY + timedelta(days=5)), by="jdoe")
    said(record, "A", "P", at(DAY + timedelta(days=5)), name="ben")
    assert {(one.who, one.absences) for one in counted.changes(DAYS[0], DAYS[-1], **LIMITS)} == {("jdoe", 1), ("", 1)}


def left(record, name: str, out: date, back: date | None = None, code: str = "W") -> None:
    with transaction():
        student, school = record.students[name], record.schools["LIN"]
        stint = db.session.query(Stint).filter_by(student_id=student).one()
        stint.exit_date, stint.exit_code = out, code
        if back:
            db.session.add(Stint(student_id=student, school_id=school, entry_date=back))


def exits() -> tuple[int, int, int]:
    found = counted.exits(DAYS[0], DAYS[-1], TODAY, ["No show"], return_days=30, run_days=21, run_least=5)
    one = found[0] if found else counted.Exits(0, 0, 0, 0)
    return one.left, one.leave_and_return, one.left_after_absences


def test_who_was_gone_for_some_school_days_and_nowhere_else_left_and_came_back(record):
    left(record, "ana", DAYS[3], DAYS[8])
    assert exits() == (1, 1, 0)
    with transaction():
        away = Stint(student_id=record.students["ana"], school_id=record.schools["DOU"], entry_date=DAYS[4])
        away.exit_date = DAYS[7]
        db.session.add(away)
    assert exits() == (1, 0, 0)


def test_no_gap_and_never_arrived_are_no_leaving(record):
    left(record, "ana", DAYS[3], DAYS[4])
    assert exits() == (1, 0, 0)
    left_code = text("UPDATE stint SET exit_code = 'no show' WHERE exit_date IS NOT NULL")
    with transaction():
        db.session.execute(left_code)
    assert exits() == (0, 0, 0)


def test_an_exit_after_days_without_a_valid_cause_counts_and_one_after_an_illness_does_not(record):
    keys = {"school_id": record.schools["LIN"], "period": "", "source_id": 1, "batch_id": 1, "line": 2}
    with transaction():
        for name, code in (("ana", "A"), ("ben", "E")):
            for day in DAYS[8:13]:
                db.session.add(Mark(**keys, student_id=record.students[name], day=day, code=code))
    left(record, "ana", DAYS[13])
    left(record, "ben", DAYS[13])
    assert exits() == (2, 0, 1)


# -- far from usual --------------------------------------------------------------------------------------------------


def test_one_school_of_many_is_asked_about_and_small_numbers_never():
    others = [Count(f"S{n}", 2 + n % 4, 60) for n in range(30)]
    found = {one.place: one for one in compared([*others, Count("CAR", 22, 60), Count("TINY", 4, 5)])}
    assert [place for place, one in found.items() if one.asks] == ["CAR"]
    assert found["CAR"].usual == pytest.approx(0.058, abs=0.01)


def test_schools_that_differ_widely_by_themselves_ask_nothing():
    wide = [Count(f"S{n}", (n * 7) % 23, 60) for n in range(30)]
    assert not any(one.asks for one in compared(wide))


def test_nothing_to_count_asks_nothing():
    assert compared([]) == [] and [one.asks for one in compared([Count("A", 0, 0), Count("B", 9, 9)])] == [False, False]


def test_every_measure_has_a_question_with_an_innocent_reason():
    for measure in asking().kinds.values():
        words = measure.question("Carver", 11, 40, 0.075)
        assert words.startswith("About 10 of about 40") and "about 3 of as many" in words, measure.key
        assert words.endswith("?"), measure.key


def test_a_question_tells_no_small_count():
    """Seven of the twelve who left would be seven families; of twelve of fourteen the two others would be told."""
    left = asking().kinds["leave_and_return"]
    assert left.question("Carver", 7, 32, 0.1).startswith("Fewer than 10 of about 30 who left Carver")
    assert left.question("Carver", 12, 14, 0.1).startswith("Nearly all of about 10 who left")
    assert left.question("Carver", 5, 8, 0.1).startswith("Fewer than 10 of fewer than 10 who left")


# -- asked and answered ----------------------------------------------------------------------------------------------


@pytest.fixture
def carver(record, monkeypatch):
    """Lincoln stands out among many schools: the counts of the others are given."""
    real = integrity._counted

    def many(first: date, last: date):
        found = real(first, last)
        found["became_present"] = {
            **{(9000 + n, ""): (2 + n % 3, 60) for n in range(30)},
            (record.schools["LIN"], "jdoe"): (22, 60), (record.schools["ROS"], ""): (25, 60),
        }  # fmt: skip
        return found

    monkeypatch.setattr(integrity, "_counted", many)
    record.give("ada", "Ada Moss", "district_analyst", "district")
    return record


def out(world, login: str) -> list[tuple[str, str]]:
    found = integrity.watch(world.actor(login), 20)
    return [(line.school.key, line.who) for told in found.measures for line in told.out]


def test_accountability_and_the_network_see_it_and_nobody_else(carver):
    assert out(carver, "ada") == [("LIN", ""), ("ROS", "")]
    assert out(carver, "zoe") == [("LIN", "")], "the own network alone"
    for login in ("paul", "clara", "cora"):
        with pytest.raises(NotAllowed):
            integrity.watch(carver.actor(login), 20)


def test_a_question_is_asked_once_answered_and_ended_and_keeps_what_was_said(carver):
    ada, zoe = carver.actor("ada"), carver.actor("zoe")
    number = integrity.ask("became_present", "LIN", "", 20, "What happened in October?", by=ada, once="a")
    assert integrity.ask("became_present", "LIN", "", 20, "Again", by=ada, once="b") == number
    other = integrity.ask("became_present", "ROS", "", 20, "", by=ada)
    with pytest.raises(NotFound):
        integrity.answer(other, "Not ours", by=zoe)
    with pytest.raises(Refused, match="in a few words"):
        integrity.answer(number, " ", by=zoe)
    for _ in range(2):
        integrity.answer(number, "A new bell schedule began on 26 October.", by=zoe, once="c")
    with pytest.raises(Refused, match="Only the district"):
        integrity.close(number, "Fine", by=zoe)
    integrity.close(number, "The schedule explains it.", by=ada)
    asked = integrity.one(number, ada).question
    assert (asked.state, asked.x, asked.n) == ("closed", 22, 60)
    told = rows(f"SELECT step, author FROM integrity_note WHERE question_id = {number} ORDER BY id")
    assert told == [("asked", "Ada Moss"), ("answered", "Zoe Park"), ("closed", "Ada Moss")]


def test_what_does_not_stand_out_cannot_be_asked_about(carver):
    with pytest.raises(Refused, match="does not stand out"):
        integrity.ask("became_present", "DOU", "", 20, "", by=carver.actor("ada"))
