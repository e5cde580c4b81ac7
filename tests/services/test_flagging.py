"""Evaluation on the real tables: what is decided, what a correction takes back, and the great identity."""

from __future__ import annotations

import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text

from ew_app.kernel import OPERATOR, transaction
from ew_app.services.deciding import flagging
from ew_app.services.measuring import blocks, policies
from ew_app.services.measuring.touched import touch, touch_schools
from models.base import db
from tests.services import letters

pytestmark = pytest.mark.usefixtures("app")

DERIVED = {
    "student_status": "student_id, school_id, grade, enrolled_now, data_through, enrolled, absent, excused, unexcused, "
    "federal_absent, tardies, missing_days, unknown_days, streak_now, rate_tier, too_early, tier, tier_min, tier_max, "
    "tier_since, rules",
    "standing": "student_id, since, until, school_id, grade, tier, too_early",
    "finding": "student_id, rule, since, until, sentence, numbers::text",
    "tier_change": "student_id, day, before, after, rules, sentence",
    "tier_count": 'school_id, day, grade, tier_1, watch, tier_2, tier_3, "none", too_early',
    "school_count": 'school_id, day, tier_1, watch, tier_2, tier_3, "none", too_early',
}


GROUPS = """\
extends: default
name: groups
label: With groups
groups:
  grade_6: {label: grade 6, grades: [6]}
  lincoln: {label: Lincoln, schools: [lincoln]}
  nowhere: {label: a school to come, schools: [nowhere]}
bands:
  watch: {for: {grade_6: {after_days_enrolled: {2026-08-24: 12}}, nowhere: {at_least: {2026-08-24: 0.01}}}}
  tier_2: {for: {grade_6: {at_least: {2026-09-30: 0.07}}, lincoln: {at_least: {2026-09-14: 0.14}}}}
rules:
  R03: {for: {lincoln: {at_least: {2026-08-24: 2}}}}
exits:
  watch: {for: {lincoln: {at_most_absences: {2026-08-24: 2}, after_days_in_tier: {2026-08-24: 2}}}}
"""


@pytest.fixture
def with_groups(tmp_path: Path) -> Callable[[], None]:
    """Puts a policy in force whose bounds differ by school and grade."""

    def activate() -> None:
        (tmp_path / "groups.yaml").write_text(GROUPS, encoding="utf-8")
        policy = policies.activate(tmp_path / "groups.yaml", starts=letters.FIRST_DAY, by=OPERATOR)
        assert policies.unknown_schools(policy) == ["nowhere"]

    return activate


def derived() -> dict[str, list[Any]]:
    """Every derived row that stands, without its number and moment."""
    live = {"finding": "WHERE withdrawn_at IS NULL", "tier_change": "WHERE withdrawn_at IS NULL"}
    return {
        table: [
            tuple(row)
            for row in db.session.execute(text(f"SELECT {columns} FROM {table} {live.get(table, '')} ORDER BY 1, 2, 3"))
        ]
        for table, columns in DERIVED.items()
    }


def status(student: int) -> Any:
    return db.session.execute(text("SELECT * FROM student_status WHERE student_id = :id"), {"id": student}).one()


def test_three_of_twenty_days_opens_tier_2() -> None:
    lincoln = letters.school("lincoln")
    ana = letters.year(lincoln, {"ana": "PPPPP AAPPP PPPPA PPPPP"})["ana"]
    flagging.evaluate_all()
    found = status(ana)
    assert (found.absent, found.enrolled, found.tier) == (3000, 20000, 2)
    sentence = db.session.scalar(text("SELECT sentence FROM finding WHERE rule = 'R07'"))
    assert sentence == "Absent 3 of 20 days (15.0%). Tier 2 starts at 10% after 20 days."


def test_a_correction_withdraws_what_rested_on_the_wrong_mark_and_keeps_it_on_record() -> None:
    lincoln = letters.school("lincoln")
    ana = letters.year(lincoln, {"ana": "PPPPP AAPPP PPPPA PPPPP"})["ana"]
    flagging.evaluate_all()
    wrong = letters.weekdays(20)[6]
    letters.mark(ana, lincoln, wrong, "P")
    with transaction():
        touch([ana], wrong)
    effect = flagging.evaluate_touched()
    assert effect["leave_2"] == 1
    kept = db.session.execute(text("SELECT withdrawn_at IS NULL AS stands FROM finding WHERE rule = 'R07'")).all()
    assert [row.stands for row in kept] == [False]
    assert status(ana).tier == 1


def test_a_day_nobody_submitted_is_on_neither_side_and_shows_as_a_range() -> None:
    lincoln = letters.school("lincoln")
    ana = letters.year(lincoln, {"ana": "PPPPP AAPPP PPPP- PPPPP PP"})["ana"]
    flagging.evaluate_all()
    found = status(ana)
    assert (found.enrolled, found.absent, found.missing_days) == (21000, 2000, 1)
    assert (found.rate_tier, found.tier_min, found.tier_max) == (1, 1, 2)


def test_an_unknown_code_counts_on_neither_side_and_holds_the_tier() -> None:
    lincoln = letters.school("lincoln")
    ana = letters.year(lincoln, {"ana": "PPPPP PPPPP PPPPP PPP?A AAAAA AAAAA"})["ana"]
    flagging.evaluate_all()
    found = status(ana)
    assert (found.enrolled, found.unknown_days, found.tier, found.rate_tier) == (29000, 1, 0, 3)


def test_a_transfer_follows_the_child_and_each_school_counts_its_own_days() -> None:
    lincoln, carver = letters.school("lincoln"), letters.school("carver")
    days = letters.weekdays(40)
    ana = letters.student("ana", lincoln, exit=days[20])
    letters.student("ana", carver, entry=days[20])
    for at in (lincoln, carver):
        letters.submit(at, days)
    for day in days[:6]:
        letters.mark(ana, lincoln, day, "A")
    letters.mark(ana, lincoln, days[20], "A")  # the boundary day belongs to Carver, where Ana was present
    flagging.evaluate_all()
    found = status(ana)
    assert (found.school_id, found.enrolled, found.absent) == (carver, 40000, 6000)
    counted = "SELECT school_id, tier_1 + watch + tier_2 + tier_3 FROM tier_count WHERE day = :day"
    assert dict(db.session.execute(text(counted), {"day": days[19]}).all()) == {lincoln: 1}  # type: ignore[arg-type]
    assert dict(db.session.execute(text(counted), {"day": days[20]}).all()) == {carver: 1}  # type: ignore[arg-type]


def test_evaluating_twice_changes_nothing() -> None:
    lincoln = letters.school("lincoln")
    letters.year(lincoln, {"ana": "PPPPP AAPPP PPPPA PPPPP", "ben": "AAAAA AAAAA PPPPP PPPPP"})
    flagging.evaluate_all()
    once, rows = derived(), _rows()
    assert set(flagging.NO_EFFECT.values()) == {0}
    flagging.evaluate_all()
    assert derived() == once
    assert _rows() == rows


def test_counts_that_no_longer_fit_are_mended_when_everybody_is_decided_again() -> None:
    letters.year(letters.school("lincoln"), {"ana": "PPPPP AAPPP PPPPA PPPPP", "ben": "AAAAA AAAAA PPPPP PPPPP"})
    flagging.evaluate_all()
    once = derived()
    with transaction():
        db.session.execute(
            text("UPDATE tier_count SET tier_1 = tier_1 + 1 WHERE day = :day"), {"day": letters.weekdays(9)[8]}
        )
        db.session.execute(
            text("UPDATE tier_count SET grade = 'gone' WHERE day = :day"), {"day": letters.weekdays(5)[4]}
        )
    assert derived() != once
    flagging.evaluate_all()
    assert derived() == once


def _rows() -> list[int]:
    return [db.session.scalar(text(f"SELECT count(*) FROM {table}")) or 0 for table in DERIVED]


@pytest.mark.parametrize("seed", [0, 1, *(pytest.param(seed, marks=pytest.mark.deep) for seed in range(2, 30))])
def test_following_every_change_equals_a_full_recompute(
    seed: int, monkeypatch: pytest.MonkeyPatch, with_groups: Callable[[], None]
) -> None:
    """Days come in one by one, old marks change, students move between schools with holidays of their own.

    The rows of each school decided by itself are those of a recompute of both together. Every other time bounds differ
    by school and grade.
    """
    monkeypatch.setattr(flagging, "CHUNK", 1)
    monkeypatch.setattr(flagging, "WHOLE_YEAR", 1)
    monkeypatch.setattr(flagging, "ANEW", 3)
    monkeypatch.setattr(blocks, "APART", timedelta(days=1 + seed % 3 * 6))
    chance = random.Random(seed)
    schools = [letters.school("lincoln"), letters.school("carver", network="N2")]
    days = letters.weekdays(50)
    holidays = {at: chance.sample(days, 6) for at in schools}
    for at, closed in holidays.items():
        letters.close(at, closed)
    students = {letters.student(f"s{n}", at, grade=str(6 + n % 2)): at for n, at in enumerate(schools * 7)}
    weights = {
        student: chance.choice(["P" * 19 + "A", "P" * 8 + "AAEH", "PPAET", "PPPPPPPP?A"]) for student in students
    }
    if seed % 2:
        with_groups()
    flagging.evaluate_all()
    for step, day in enumerate(days):
        _a_day(chance, [at for at in schools if day not in holidays[at]], students, weights, day)
        if step % 5 == 4:
            _corrections(chance, students, days[: step + 1])
        if step in (20, 33):
            _a_move(chance, schools, students, day)
        if step == 11:
            _a_visit(chance, schools, students, days[12:])
        flagging.evaluate_touched()
    followed = derived()
    with transaction():
        for table in DERIVED:
            db.session.execute(text(f"DELETE FROM {table}"))
    monkeypatch.undo()
    flagging.evaluate_all()
    recomputed = derived()
    for table in DERIVED:
        assert followed[table] == recomputed[table], table
    assert len(followed["finding"]) > 20
    assert seed % 2 == 0 or any("for Lincoln" in finding[4] for finding in followed["finding"])


def test_several_who_decide_side_by_side_come_to_what_one_comes_to(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    """Six blocks of five students, some of whom moved to the next school; each process takes a block at a time."""
    monkeypatch.setattr(flagging, "CHUNK", 1)
    schools = [letters.school(name) for name in ("one", "two", "three", "four", "five", "six")]
    days = letters.weekdays(30)
    for nth, at in enumerate(schools):
        rows = {f"s{nth}{who}": chosen * 6 for who, chosen in enumerate(["PPPPP", "APPPP", "PPEAP", "AAPPP", "PTPPA"])}
        moved = letters.year(at, rows)[f"s{nth}4"]
        letters.student(f"s{nth}4", schools[nth - 1], entry=days[10])
        letters.mark(moved, schools[nth - 1], days[12], "A")
    flagging.mark_everyone()
    flagging.place()

    def decide(_: int) -> None:
        with app.app_context():
            flagging.evaluate_touched(beside=True)

    with ThreadPoolExecutor(4) as together:
        list(together.map(decide, range(4)))
    side_by_side, cases = derived(), db.session.scalar(text("SELECT count(*) FROM support_case"))
    monkeypatch.undo()
    with transaction():
        for table in ("student_status", "standing", "finding", "tier_change", "tier_count", "year_block"):
            db.session.execute(text(f"DELETE FROM {table}"))
    flagging.evaluate_all()
    assert derived() == side_by_side
    assert cases == db.session.scalar(text("SELECT count(DISTINCT student_id) FROM support_case"))
    assert len(side_by_side["finding"]) > 10


def _a_day(
    chance: random.Random, schools: list[int], students: dict[int, int], weights: dict[int, str], day: Any
) -> None:
    for at in schools:
        if chance.random() < 0.1:
            continue  # this school is late today
        letters.submit(at, [day])
        for student in [s for s, here in students.items() if here == at]:
            letters.mark(student, at, day, chance.choice(weights[student]))
        with transaction():
            touch_schools([at], day)


def _corrections(chance: random.Random, students: dict[int, int], days: list[Any]) -> None:
    for student in chance.sample(sorted(students), 3):
        day = chance.choice(days)
        letters.mark(student, students[student], day, chance.choice("PAEH"))
        with transaction():
            touch([student], day)


def _a_move(chance: random.Random, schools: list[int], students: dict[int, int], day: Any) -> None:
    student = chance.choice(sorted(students))
    old = students[student]
    students[student] = new = next(at for at in schools if at != old)
    entry = day + timedelta(days=chance.choice([0, 1, 5]))
    with transaction():
        db.session.execute(
            text("UPDATE stint SET exit_date = :day WHERE student_id = :who AND exit_date IS NULL"),
            {"day": day, "who": student},
        )
    letters.student(f"s{_number(student)}", new, entry=entry)
    with transaction():
        touch([student], day)


def _a_visit(chance: random.Random, schools: list[int], students: dict[int, int], days: list[Any]) -> None:
    """Some weeks at a second school, known before they begin, while the enrolment at the first goes on."""
    student = chance.choice(sorted(students))
    second = next(at for at in schools if at != students[student])
    letters.student(f"s{_number(student)}", second, entry=days[chance.randrange(5)], exit=days[chance.randrange(9, 30)])
    with transaction():
        touch([student], days[0])


def _number(student: int) -> str:
    return str(db.session.scalar(text("SELECT key FROM student WHERE id = :id"), {"id": student}))[1:]
