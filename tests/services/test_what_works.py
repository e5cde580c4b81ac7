"""What followed a support, from rows: the right students beside the right others, and no number about a few."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import pytest
from flask import current_app

from ew_app.kernel import now, transaction
from ew_app.services.watching import what_works
from ew_app.services.watching.what_works import Line
from models.attendance import Batch, BatchFile, Mark, SchoolDay
from models.base import db
from models.cases import Case
from models.org import AbsenceCode, Source
from models.people import Stint, Student
from models.plans import PlanSupport, SupportGiven
from models.queries import boards
from models.tiers import Standing
from rules.access import Area
from rules.what_works import Verdict
from tests.opened import statements
from tests.services.world import TODAY, YEAR_BEGAN, World, school_days

BEGAN = date(2026, 9, 28)  # a Monday, thirty school days after the year began
DAYS = [day for day in school_days() if day < TODAY]
BEFORE = [day for day in DAYS if day < BEGAN][-20:]
SINCE = [day for day in DAYS if day >= BEGAN][:20]
LINCOLN = Area(schools=frozenset({"LIN"}))
BADLY, WELL = (2, 3, 4, 3), (0, 1, 0, 1)  # days away in the twenty since, one student after the other


@dataclass
class Autumn:
    """A district whose schools sent every day; `away` adds students who missed so many days before and since."""

    world: World
    batch: Batch

    def away(
        self, count: int, since: Iterable[int], *, school: str = "LIN", tier: int = 2, before: int = 3
    ) -> list[int]:
        """Students of a school, in the tier since the year began."""
        often = tuple(since)
        with transaction():
            first = db.session.query(Student).count()
            made = [
                Student(key=f"A{first + n}", first_name="A", last_name="B", grade="7", homeroom="")
                for n in range(count)
            ]
            db.session.add_all(made)
            db.session.flush()
            for n, student in enumerate(made):
                at = {"student_id": student.id, "school_id": self.world.schools[school]}
                db.session.add(Stint(**at, entry_date=YEAR_BEGAN))
                db.session.add(Standing(**at, since=YEAR_BEGAN, grade="7", tier=tier, too_early=False))
                missed = [*BEFORE[2::3][:before], *SINCE[1::4][: often[n % len(often)]]]
                db.session.add_all(
                    Mark(**at, day=day, period="", code="A", line=line, source_id=self.batch.source_id,
                         batch_id=self.batch.id)
                    for line, day in enumerate(missed)
                )  # fmt: skip
        return [student.id for student in made]

    def supported(
        self, students: Iterable[int], key: str = "I12", *, school: str = "LIN", given: int = 0, **more: Any
    ) -> list[PlanSupport]:
        """Each of them has a case with this support, given so many times."""
        signed = {"author_id": None, "author": "Cora Bell", "position": "School counselor", "written_at": now()}
        values = {"starts": BEGAN, "planned_end": BEGAN + timedelta(days=28), "dose_planned": 10} | more
        made = []
        with transaction():
            for student in students:
                case = db.session.query(Case).filter_by(student_id=student).one_or_none() or Case(
                    student_id=student, school_id=self.world.schools[school], tier=2, department="x",
                    owner_role="counselor", owner_id=None, opened=BEGAN, opened_at=now(), contact_due=BEGAN, due=TODAY,
                )  # fmt: skip
                db.session.add(case)
                db.session.flush()
                one = PlanSupport(case_id=case.id, student_id=student, episode=1, intervention=key, **values, **signed)
                db.session.add(one)
                db.session.flush()
                db.session.add_all(
                    SupportGiven(support_id=one.id, on_day=BEGAN + timedelta(days=n), **signed) for n in range(given)
                )
                made.append(one)
        return made


@pytest.fixture
def autumn(world: World) -> Autumn:
    with transaction():
        source = Source(name="SIS")
        code = AbsenceCode(code="A", title="Absent", kind="absence", absent_fraction=1000, excused="unexcused")
        db.session.add_all([source, code])
        db.session.flush()
        batch = Batch(kind="attendance", source=source, status="applied", name="a.csv", sha256="x",
                      received_at=now(), received_by="clerk")  # fmt: skip
        batch.files = [BatchFile(name="a.csv", table_name="attendance", size=1, sha256="x", content=b"")]
        db.session.add(batch)
        db.session.flush()
        db.session.add_all(
            SchoolDay(school_id=school, day=day, status="submitted", feed="exception", rows=0, expected=0)
            for school in world.schools.values()
            for day in DAYS
        )
    return Autumn(world, batch)


def lines(area: Area = LINCOLN, since: date = YEAR_BEGAN) -> dict[str, Line]:
    return {one.support.key: one for one in what_works.of(boards.schools_in(area), since).lines}


def test_who_had_a_mentor_is_set_beside_those_who_began_alike_and_had_none_yet(autumn: Autumn) -> None:
    autumn.supported(autumn.away(16, WELL), given=7)
    autumn.away(24, BADLY)
    mentor = lines()["I12"]
    assert (mentor.students, mentor.given) == (16, 70)
    assert mentor.before and mentor.before.middle == 3.0 and mentor.since and mentor.since.middle == 0.5
    told = mentor.difference
    assert (told.served, told.others, told.verdict) == (16, 24, Verdict.FEWER)
    assert told.days == pytest.approx(0.5 - 3)


def test_what_passes_by_itself_is_not_called_a_help(autumn: Autumn) -> None:
    """Both are better by as much since."""
    autumn.supported(autumn.away(16, WELL))
    autumn.away(24, WELL)
    told = lines()["I12"]
    assert told.since and told.before and told.since.middle < told.before.middle
    assert told.difference.verdict is Verdict.CANNOT_TELL and told.difference.days == pytest.approx(0)


@pytest.mark.parametrize(
    "unlike", [{"tier": 3}, {"before": 7}, {"school": "DOU"}], ids=["another tier", "more absence", "elsewhere"]
)
def test_whoever_began_otherwise_is_nobody_to_set_beside(autumn: Autumn, unlike: dict[str, Any]) -> None:
    autumn.supported(autumn.away(16, WELL))
    autumn.away(24, BADLY, **unlike)
    told = lines()["I12"].difference
    assert (told.others, told.days, told.verdict) == (0, None, Verdict.CANNOT_TELL)


def test_whoever_had_a_support_by_then_or_soon_after_is_not_without_one(autumn: Autumn) -> None:
    autumn.supported(autumn.away(16, WELL))
    others = autumn.away(24, BADLY)
    autumn.supported(others[:4], "I13", starts=YEAR_BEGAN)
    autumn.supported(others[4:8], "I13", starts=BEGAN + timedelta(days=20))
    autumn.supported(others[8:12], "I13", starts=BEGAN + timedelta(days=44))
    assert lines()["I12"].difference.others == 16


def test_a_few_students_are_named_as_a_few_and_nothing_more(autumn: Autumn) -> None:
    autumn.supported(autumn.away(9, WELL), given=10)
    autumn.away(24, BADLY)
    few = lines()["I12"]
    assert not few.shown and few == Line(few.support, 9)


def test_what_was_given_beyond_the_plan_or_taken_back_makes_up_for_nothing(autumn: Autumn) -> None:
    students = autumn.away(20, WELL)
    autumn.supported(students[:10], given=20)
    taken_back = autumn.supported(students[10:], given=5)
    with transaction():
        for given in db.session.query(SupportGiven).filter_by(support_id=taken_back[0].id):
            given.taken_back_at = now()
    assert lines()["I12"].given == 70, "145 of 200 to the nearest five"


def test_a_support_that_goes_on_has_not_been_given_in_full_yet(autumn: Autumn) -> None:
    autumn.supported(autumn.away(12, WELL), planned_end=TODAY, given=3)
    assert lines()["I12"].given is None


def test_a_support_that_was_stopped_counts_as_begun(autumn: Autumn) -> None:
    autumn.supported(autumn.away(12, WELL), planned_end=TODAY, result="stopped", ended_on=BEGAN, why_ended="Moved away")
    assert lines()["I12"].students == 12 and lines()["I12"].given == 0


def test_the_first_of_two_supports_of_one_kind_is_where_a_student_begins(autumn: Autumn) -> None:
    students = autumn.away(16, WELL)
    autumn.supported(students, starts=TODAY - timedelta(days=3))
    autumn.supported(students)
    autumn.away(24, BADLY)
    assert lines()["I12"].students == 16 and lines()["I12"].difference.served == 16


def test_whose_weeks_are_not_over_or_not_known_stays_out_of_the_comparison(autumn: Autumn) -> None:
    autumn.supported(autumn.away(16, WELL), starts=TODAY - timedelta(days=5))
    autumn.away(24, BADLY)
    told = lines()["I12"]
    assert told.students == 16 and told.before is None and told.difference.days is None


def test_only_what_began_in_the_time_asked_for_counts(autumn: Autumn) -> None:
    autumn.supported(autumn.away(16, WELL))
    assert lines(since=BEGAN)["I12"].students == 16
    assert lines(since=BEGAN + timedelta(days=1)) == {}


def test_nothing_of_a_compartment_or_of_a_cause_for_some_changes_anything(autumn: Autumn) -> None:
    autumn.supported(autumn.away(16, WELL))
    others = autumn.away(24, BADLY)
    before = lines()
    autumn.supported(others[:12], "I12", compartment="stls")
    autumn.supported(others[:12], "I37", compartment="protected")
    assert lines() == before


def test_each_school_tells_of_its_own(autumn: Autumn) -> None:
    autumn.supported(autumn.away(12, WELL, school="DOU"), school="DOU")
    assert lines() == {} and lines(Area(networks=frozenset({"N1"})))["I12"].students == 12
    assert lines(Area()) == {}


def test_of_very_many_the_same_part_is_compared(autumn: Autumn, monkeypatch: pytest.MonkeyPatch) -> None:
    autumn.supported(autumn.away(16, WELL))
    autumn.away(24, BADLY)
    monkeypatch.setattr(what_works, "MOST", 12)
    told = what_works.of(boards.schools_in(LINCOLN), YEAR_BEGAN)
    one = told.lines[0]
    assert told.part and one.students == 16 and one.difference.served == 12 and 10 <= one.difference.others <= 12
    assert told == what_works.of(boards.schools_in(LINCOLN), YEAR_BEGAN)


def test_more_students_and_supports_cost_no_more_statements(autumn: Autumn) -> None:
    def cost() -> int:
        lines()  # what is kept in memory is read now
        with statements(current_app) as sent:
            lines()
        return len(sent)

    autumn.supported(autumn.away(12, WELL))
    autumn.away(12, BADLY)
    few = cost()
    for key in ("I13", "I14", "I23"):
        autumn.supported(autumn.away(12, BADLY), key)
    assert cost() == few
