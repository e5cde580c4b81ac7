"""One child under two ids: everything of both under one, nothing lost, and back as if it had never been said."""

from __future__ import annotations

import json
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from sqlalchemy import select, text

from ew_app.kernel import OPERATOR, NotFound, Refused, UnfitWords, now, told_as_of, transaction
from ew_app.services.deciding import flagging
from ew_app.services.deliveries import ingest, ledger, one_child
from ew_app.services.measuring import hindsight
from ew_app.services.measuring.measures import measures
from ew_app.services.measuring.why import explain
from ew_app.services.rosters import same_child
from models import merging
from models.base import db
from models.cases import Case, Outreach, Task
from models.lists import FlagAnswer
from models.people import Student
from tests.services.lincoln_and_carver import CARVER, LINCOLN, build, csv, load, query

CHICAGO = ZoneInfo("America/Chicago")
DAYS = [f"{month}-{day:02d}" for month, last in (("08", 31), ("09", 11)) for day in range(1, last + 1)]
SCHOOL_DAYS = [d for d in DAYS if d >= "08-17" and date(2026, int(d[:2]), int(d[3:])).weekday() < 5 and d != "09-07"]


@pytest.fixture(autouse=True)
def two_of_them(app: Flask) -> None:
    """Ana and Ben are one child; each has missed five days in a row and has an open case."""
    build()
    told_on(11, lambda: load(*(f"ana lincoln {d} A" for d in SCHOOL_DAYS[:5]), *_present()))
    told_on(12, lambda: load(*(f"ben lincoln {d} A" for d in SCHOOL_DAYS[5:10])))


def _present() -> list[str]:
    """Rows that let every day count as sent."""
    return [f"eli lincoln {d} T" for d in SCHOOL_DAYS]


def told_on(day: int, act: Any) -> None:
    with told_as_of(datetime(2026, 9, day, 18, tzinfo=CHICAGO)):
        act()


def one(key: str, **asked: Any) -> dict[str, Any]:
    (row,) = measures(student=key, **asked)
    return row


def join(kept: str = "ana", gone: str = "ben") -> None:
    one_child.merge(kept, gone, reason="Same name and birthday, the mother confirms", by=OPERATOR)
    flagging.evaluate_touched()


def part(gone: str = "ben") -> None:
    one_child.part(gone, by=OPERATOR)
    flagging.evaluate_touched()


def everything() -> dict[str, list[tuple[Any, ...]]]:
    """All that measures, cases, tasks, contacts and enrolments say, by the district's keys.

    A task that was asked for in between and is withdrawn stays on record, and is left out here.
    """
    who = "JOIN student s ON s.id = t.student_id"
    return {
        "measures": [tuple(row.values()) for row in measures()],
        "at schools": [tuple(row.values()) for row in measures(scope="school")],
        "status": query(f"SELECT s.key, enrolled, absent, tier, t.grade FROM student_status t {who} ORDER BY 1"),
        "standing": query(f"SELECT s.key, since, until, tier FROM standing t {who} ORDER BY 1, 2"),
        "findings": query(
            f"SELECT s.key, rule, since, until FROM finding t {who} WHERE withdrawn_at IS NULL ORDER BY 1, 2, 3"
        ),
        "steps": query(
            f"SELECT s.key, day, before, after FROM tier_change t {who} WHERE withdrawn_at IS NULL ORDER BY 1, 2"
        ),
        "cases": query(f"SELECT s.key, number, status, closed_on, due FROM support_case t {who} ORDER BY 2"),
        "episodes": query("SELECT case_id, episode, closed_on, close_reason FROM case_episode ORDER BY 1, 2"),
        "tasks": query(
            f"SELECT s.key, kind, period, status, case_id, note FROM task t {who} "
            "WHERE t.status <> 'withdrawn' ORDER BY t.id"
        ),
        "contacts": query(f"SELECT s.key, on_day FROM outreach t {who} ORDER BY t.id"),
        "stints": query(f"SELECT s.key, entry_date, exit_date, former_id FROM stint t {who} ORDER BY t.id"),
        "days": query("SELECT school_id, day, status, rows, expected FROM school_day ORDER BY 1, 2"),
    }


def test_both_histories_are_one() -> None:
    assert [one(key)["absent_days"] for key in ("ana", "ben")] == ["5", "5"]
    join()
    row = one("ana")
    assert (row["absent_days"], row["enrolled_days"], row["tier"]) == ("10", str(len(SCHOOL_DAYS)), "3")
    assert one("ben") == row, "the former id finds the child"
    assert [row["student_id"] for row in measures()] == ["ana", "cleo", "dev", "eli", *CARVER]
    marks = {mark.source.line for day in explain("ana").days for mark in day.marks if mark.code == "A"}
    assert marks == set(range(2, 7)), "each mark still tells its own file and line"


@pytest.mark.parametrize(("first", "second", "absent"), [("ana A", "ben T", "10"), ("ben T", "ana A", "11")])
def test_of_one_file_the_later_line_speaks_now_and_ever_after(first: str, second: str, absent: str) -> None:
    day = SCHOOL_DAYS[12]
    told_on(11, lambda: load(*(f"{line[:3]} lincoln {day} {line[4:]}" for line in (first, second))))
    join()
    assert one("ana")["absent_days"] == one("ana", known_at=now())["absent_days"] == absent


def test_taken_back_everything_is_as_it_was() -> None:
    flagging.evaluate_all()
    before = everything()
    join()
    assert everything() != before
    part()
    assert everything() == before
    flagging.evaluate_all()
    assert everything() == before


def test_it_can_be_said_again_after_it_was_taken_back() -> None:
    join()
    once = everything()
    part()
    join()
    assert {name: rows for name, rows in everything().items() if name != "episodes"} == {
        name: rows for name, rows in once.items() if name != "episodes"
    }


def test_a_day_of_the_former_ids_school_is_a_day_of_the_child() -> None:
    """Fay is at Carver; what Lincoln sends of Ben is hers from then on, day after day."""
    join(kept="fay")
    assert one("fay")["absent_days"] == "5"
    told_on(15, lambda: load("ben lincoln 09-14 A", "eli lincoln 09-14 T"))
    assert query(
        "SELECT s.key, t.absent FROM student_status t JOIN student s ON s.id = t.student_id "
        "WHERE s.key IN ('ben', 'fay')"
    ) == [("fay", 6000)]
    told_on(16, lambda: load("eli lincoln 09-15 T"))
    (found,) = query(
        "SELECT t.enrolled FROM student_status t JOIN student s ON s.id = t.student_id WHERE s.key = 'fay'"
    )
    assert found == (1000 * (len(SCHOOL_DAYS) + 2),)
    before = everything()
    flagging.evaluate_all()
    assert everything()["measures"] == before["measures"]


def test_of_two_open_cases_one_goes_on_and_both_say_so() -> None:
    goes_on, ends = (_case(key) for key in ("ana", "ben"))
    join()
    with transaction():
        kept, closed = (db.session.scalar(select(Case).where(Case.number == number)) for number in (goes_on, ends))
        assert kept is not None and closed is not None
        assert (kept.closed_on, closed.close_reason, closed.student_id) == (None, "merged", kept.student_id)
    told = query("SELECT kind, subject, data->>'number' FROM event WHERE kind IN ('case_goes_on', 'case_taken_in')")
    assert sorted(told) == [
        ("case_goes_on", f"case:{ends}", str(goes_on)),
        ("case_taken_in", f"case:{goes_on}", str(ends)),
    ]
    part()
    assert [_case(key) for key in ("ana", "ben")] == [goes_on, ends]


def test_an_open_case_of_the_former_id_alone_goes_on_as_it_is() -> None:
    ends = _case("ben")
    join(kept="cleo")
    assert _case("cleo") == ends


def _case(key: str) -> int | None:
    found = query(
        "SELECT number FROM support_case c JOIN student s ON s.id = c.student_id WHERE s.key = :key "
        "AND closed_on IS NULL",
        key=key,
    )
    return found[0][0] if found else None


def test_work_moves_with_its_authors_and_comes_back() -> None:
    _contact("ben", date(2026, 9, 3))
    join()
    assert query("SELECT s.key, o.author FROM outreach o JOIN student s ON s.id = o.student_id") == [("ana", "Mara")]
    _contact("ana", date(2026, 9, 4))
    part()
    found = query("SELECT s.key, o.on_day FROM outreach o JOIN student s ON s.id = o.student_id ORDER BY 2")
    assert found == [("ben", date(2026, 9, 3)), ("ana", date(2026, 9, 4))]


STAYS_WITH_ITS_ID = {
    *("mark", "mark_history", "prior_year", "staged_mark", "staged_other", "contact", "support_flag"),  # of files
    *("finding", "standing", "student_status", "tier_change", "touched_student", "block_student"),  # worked out
    *("year_end", "risk_score", "risk_told"),  # worked out
    "risk_excluded",  # read as the kept student's, so that it holds whichever id a family named
    *("stint", "event", "audit_row", "crisis_opening"),  # follows its id; appended and never changed
}


def test_all_work_of_people_moves() -> None:
    about = {name for name, table in db.metadata.tables.items() if "student_id" in table.columns}
    assert about == {*merging.WORK, *STAYS_WITH_ITS_ID}, "a new table moves, or says here why it stays"


def test_the_answer_to_a_flag_moves_and_comes_back_and_the_kept_students_own_stays() -> None:
    with transaction():
        for key, day in (("ben", 1), ("ben", 2), ("ana", 2)):
            db.session.add(
                FlagAnswer(student_id=_id(key), since=date(2026, 9, day), tier=1, reason="known", useful="yes",
                           author="Mara", position="Counselor", written_at=now())
            )  # fmt: skip
    answers = "SELECT s.key, a.since FROM flag_answer a JOIN student s ON s.id = a.student_id ORDER BY 1, 2"
    before = query(answers)
    join()
    first, second = date(2026, 9, 1), date(2026, 9, 2)
    assert query(answers) == [("ana", first), ("ana", second), ("ben", second)]
    part()
    assert query(answers) == before


def test_a_task_in_a_compartment_moves_and_stays_there() -> None:
    with transaction():
        ben, school = _id("ben"), query("SELECT id FROM school WHERE key = 'lincoln'")[0][0]
        for student in (ben, _id("ana")):
            db.session.add(
                Task(
                    student_id=student, school_id=school, kind="stls_needs", period="2026/R22/1", title="Check",
                    rule="R22", compartment="stls", department="STLS", owner_role="stls_liaison", created_at=now(),
                )
            )  # fmt: skip
    join()
    found = query(
        "SELECT s.key, compartment, t.status FROM task t JOIN student s ON s.id = t.student_id "
        "WHERE kind = 'stls_needs' ORDER BY t.id"
    )
    assert found == [("ana", "stls", "withdrawn"), ("ana", "stls", "open")], "asked once, and both on record"
    part()
    found = query(
        "SELECT s.key, period, t.status FROM task t JOIN student s ON s.id = t.student_id "
        "WHERE kind = 'stls_needs' ORDER BY t.id"
    )
    assert found == [("ben", "2026/R22/1", "open"), ("ana", "2026/R22/1", "open")]


def test_before_it_was_said_both_are_told_as_they_were_known() -> None:
    rows = {key: one(key, as_of=date(2026, 9, 11)) for key in ("ana", "ben")}
    _contact("ben", date(2026, 9, 3))
    moment = now()
    join()
    for key, row in rows.items():
        assert one(key, as_of=date(2026, 9, 11), known_at=moment) == row
    with hindsight.known_at(moment):
        assert [row["student_id"] for row in measures()] == [*LINCOLN, *CARVER]
    between = now()
    part()
    assert one("ben", known_at=between)["absent_days"] == "10"
    assert one("ben")["absent_days"] == "5"


def test_who_is_due_is_counted_by_children() -> None:
    def expected() -> set[int]:
        return {row.expected for row in ledger.days(school="lincoln") if row.status == "submitted"}

    assert expected() == {5}
    join()
    assert expected() == {4}
    part()
    assert expected() == {5}


def test_chains_lead_to_one_child_and_come_apart_in_their_order() -> None:
    before = everything()
    join("ana", "ben")
    join("cleo", "ana")
    assert one("ben")["absent_days"] == one("cleo")["absent_days"] == "10"
    with pytest.raises(Refused, match="Take that back first"):
        one_child.part("ben", by=OPERATOR)
    part("ana")
    assert (one("ana")["absent_days"], one("cleo")["absent_days"]) == ("10", "0")
    part("ben")
    assert everything() == before


@pytest.mark.parametrize(
    ("kept", "gone", "sentence"),
    [("ana", "ana", "same id"), ("ana", "nobody", "no student nobody"), ("nobody", "ana", "no student nobody")],
)
def test_what_cannot_be_is_refused(kept: str, gone: str, sentence: str) -> None:
    with pytest.raises((Refused, NotFound), match=sentence):
        one_child.merge(kept, gone, reason="Same child", by=OPERATOR)


def test_it_needs_a_reason_that_may_be_kept() -> None:
    with pytest.raises(Refused, match="how you know"):
        one_child.merge("ana", "ben", reason=" ", by=OPERATOR)
    with pytest.raises(UnfitWords):
        one_child.merge("ana", "ben", reason="Same visa papers, undocumented", by=OPERATOR)
    join()
    with pytest.raises(Refused, match="former id of ana already"):
        one_child.merge("cleo", "ben", reason="Same child", by=OPERATOR)


def test_a_roster_that_said_so_is_taken_back_with_it() -> None:
    before = everything()
    changes = csv("ana ben", header="student_id,former_student_id")
    batch = ingest.receive(kind="roster", name="roster", files={"student_changes.csv": changes}, by=OPERATOR)
    ingest.load(batch)
    assert one("ben")["absent_days"] == "10"
    ingest.take_back(batch, by=OPERATOR)
    ingest.undo(batch)
    assert everything() == before


def test_nothing_stays_with_a_child_who_was_enrolled_by_a_changed_id_alone() -> None:
    files = {
        "students.csv": b"student_id,first_name,last_name\nzed,Zed,Reyes\n",
        "student_changes.csv": csv("zed ben", header="student_id,former_student_id"),
    }
    batch = ingest.receive(kind="roster", name="roster", files=files, by=OPERATOR)
    ingest.load(batch)
    assert one("zed")["absent_days"] == "5"
    ingest.take_back(batch, by=OPERATOR)
    ingest.undo(batch)
    load(f"ana lincoln {SCHOOL_DAYS[10]} T")
    live = "SELECT student_id FROM finding WHERE withdrawn_at IS NULL UNION SELECT student_id FROM student_status"
    open_cases = "SELECT student_id FROM support_case WHERE closed_on IS NULL"
    who = "SELECT s.key FROM student s WHERE s.id IN ({}) AND s.key = 'zed'"
    assert [query(who.format(asked)) for asked in (live, open_cases)] == [[], []]


def test_the_audit_says_who_and_why() -> None:
    join()
    part()
    found = query("SELECT action, reason FROM audit_row WHERE action LIKE 'students_%' ORDER BY id")
    assert found == [("students_merged", "Same name and birthday, the mother confirms"), ("students_parted", "")]


def test_side_by_side() -> None:
    ana, ben = same_child.side("ana"), same_child.side("ben")
    assert (ana.marks, ben.marks, ana.cases, ben.same_as) == (5, 5, 1, None)
    assert ben.stints == (("Lincoln", "lincoln", date(2026, 8, 17), None),)
    join()
    assert same_child.side("ben").same_as == "ana"
    assert json.dumps(same_child.side("ben").marks) == "5", "what was sent under an id stays under it"


def _id(key: str) -> int:
    found = db.session.scalar(select(Student.id).where(Student.key == key))
    assert found is not None
    return found


def _contact(key: str, day: date) -> None:
    with transaction():
        db.session.add(
            Outreach(
                student_id=_id(key), on_day=day, at=now(), method="phone", outcome="reached", is_contact=True,
                author_id=None, author="Mara", position="Social worker", written_at=now(),
            )
        )  # fmt: skip
        db.session.execute(text("SELECT 1"))
