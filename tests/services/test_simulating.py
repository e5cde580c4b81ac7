"""Trying a policy: it says what really putting it in force would do, touches nothing, and ends where it was stopped."""

from __future__ import annotations

import random
from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from ew_app.kernel import OPERATOR, NotFound, Refused, transaction
from ew_app.services.deciding import flagging, simulating
from ew_app.services.deciding.simulation_lines import Pair, RoleLoad
from ew_app.services.deciding.simulation_telling import Telling
from ew_app.services.measuring import policies, policy_texts
from models.base import db
from models.queries import simulating as rows
from rules.places import Place
from rules.policy import PRESETS
from rules.room import new_cases_a_week
from tests.services import letters
from tests.services.test_flagging import derived

pytestmark = pytest.mark.usefixtures("app")

DISTRICT = Place.district()
TIERS = {"1": "tier_1", "watch": "watch", "2": "tier_2", "3": "tier_3", "none": "none"}


def small_district(students: int = 40, days: int = 60) -> list[int]:
    """Two schools; most come nearly always, some hardly; one moves, one leaves, one never came."""
    chance = random.Random(4)
    lincoln, carver = letters.school("lincoln"), letters.school("carver")
    for at, first in ((lincoln, 0), (carver, students // 2)):
        years = {}
        for number in range(first, first + students // 2):
            away = chance.choice((0.01, 0.03, 0.06, 0.08, 0.12, 0.3))
            marks = [chance.choice("AAE") if chance.random() < away else "P" for _ in range(days)]
            marks = ["-" if at == carver and day == 17 else mark for day, mark in enumerate(marks)]
            years[f"s{number:03}"] = "".join(marks)
        letters.year(at, years)
    school_days = letters.weekdays(days)
    with transaction():
        db.session.execute(text("UPDATE stint SET exit_date = :day WHERE id = 3"), {"day": school_days[30]})
        db.session.execute(text("UPDATE stint SET exit_date = :day WHERE id = 4"), {"day": school_days[20]})
    mover = db.session.scalar(text("SELECT key FROM student s JOIN stint t ON t.student_id = s.id WHERE t.id = 3"))
    letters.student(str(mover), carver, entry=school_days[31])
    return [lincoln, carver]


def tried(name: str, **more: Any) -> tuple[int, dict[str, Any]]:
    """A shipped policy tried here and now: the number of the trial and its figures."""
    version = simulating.chosen(name, by=OPERATOR)
    number = simulating.ask(version, by=OPERATOR, place=more.pop("place", DISTRICT), queued=False, **more)
    simulating.go_on(number, lambda *_: None)
    found = rows.figures(number)
    assert found is not None
    return number, found


def stored_by_week() -> dict[str, dict[str, int]]:
    """Monday -> tier -> students, from the counts that evaluation stores, on the last counted day of each week."""
    counted = db.session.execute(
        text("""
            SELECT DISTINCT ON (school_id, date_trunc('week', day), grade) date_trunc('week', day)::date AS monday, c.*
            FROM tier_count c ORDER BY school_id, date_trunc('week', day), grade, day DESC
        """)
    ).mappings()
    found: dict[str, Counter[str]] = {}
    for row in counted:
        week = found.setdefault(row["monday"].isoformat(), Counter())
        week.update({tier: row[column] for tier, column in TIERS.items()})
    return {monday: {tier: n for tier, n in week.items() if n} for monday, week in found.items()}


def stored_at_the_end() -> dict[str, dict[str, Any]]:
    last = db.session.execute(
        text("""
            SELECT school_id, sum(tier_1) AS tier_1, sum(watch) AS watch, sum(tier_2) AS tier_2, sum(tier_3) AS tier_3,
                   sum("none") AS "none", sum(too_early) AS too_early
            FROM tier_count c
            WHERE day = (SELECT max(day) FROM tier_count l WHERE l.school_id = c.school_id) GROUP BY 1
        """)
    ).mappings()
    return {str(row["school_id"]): {tier: int(row[c]) for tier, c in TIERS.items() if row[c]} for row in last}


def simulated_at_the_end(side: dict[str, Any]) -> dict[str, Any]:
    return {school: figures["tiers"] for school, figures in side["schools"].items() if "tiers" in figures}


def open_cases() -> dict[str, int]:
    """School -> cases that are open."""
    found = db.session.execute(text("SELECT school_id, count(*) FROM support_case WHERE closed_on IS NULL GROUP BY 1"))
    return {str(school): number for school, number in found}


@pytest.mark.parametrize("slice_of", [2_500, 7])
def test_a_trial_says_what_putting_it_in_force_does(monkeypatch: pytest.MonkeyPatch, slice_of: int) -> None:
    """Preset A is in force and preset B is tried; then B is really put in force, and everybody decided again."""
    monkeypatch.setattr(simulating, "SLICE", slice_of)
    small_district()
    flagging.evaluate_all()
    before = derived()
    _, figures = tried("five-ten")
    assert derived() == before
    assert figures["in_force"]["tiers"] == stored_by_week()
    assert simulated_at_the_end(figures["in_force"]) == stored_at_the_end()
    standing = {school: one["standing"] for school, one in figures["in_force"]["schools"].items() if "standing" in one}
    assert standing == open_cases()
    policies.activate(PRESETS / "five-ten.yaml", starts=letters.FIRST_DAY - timedelta(days=30), by=OPERATOR)
    flagging.evaluate_all()
    assert derived() != before
    assert figures["candidate"]["tiers"] == stored_by_week()
    assert simulated_at_the_end(figures["candidate"]) == stored_at_the_end()


def test_a_trial_counts_only_its_schools_and_each_slice_once() -> None:
    lincoln, carver = small_district(students=12)
    number, figures = tried("five-ten", place=Place.of_school("carver"))
    assert set(figures["candidate"]["schools"]) == {str(carver)}
    simulating.work(number, 1)  # delivered twice
    assert rows.figures(number) == figures
    assert figures["candidate"]["students"] == 7  # the one who moved there too


def test_a_trial_at_one_school_leaves_out_what_happened_at_another() -> None:
    """Ana's case opened at Lincoln before she moved: its owners are there, and none of it is Carver's."""
    lincoln, carver = letters.school("lincoln"), letters.school("carver")
    days = letters.weekdays(45)
    ana = letters.student("ana", lincoln, exit=days[29])
    letters.student("ana", carver, entry=days[30])
    for day in days[15:25]:
        letters.mark(ana, lincoln, day, "A")
    letters.submit(lincoln, days)
    letters.submit(carver, days)
    for name in ("default", "five-ten"):
        _, figures = tried(name, place=Place.of_school("carver"))
        assert figures["candidate"]["students"] == 1
        assert figures["candidate"]["rules"]["R02"] == {}  # R17 still stands there, as its tier has not been left
        assert set(figures["candidate"]["schools"]) == {str(carver)}
    _, figures = tried("default", place=Place.of_school("lincoln"))
    assert figures["candidate"]["rules"]["R17"] == {"met": 1, "opened": 1}


def test_a_candidate_that_counts_other_enrolments_is_of_other_students(tmp_path: Path) -> None:
    """Ana moved on without coming and is nobody's student by the candidate alone; Bo's groups are still his own."""
    lincoln, days = letters.school("lincoln"), letters.weekdays(45)
    letters.student("ana", lincoln, exit=days[2])
    with transaction():
        db.session.execute(text("UPDATE stint SET exit_code = 'Moved'"))
    bo = letters.student("bo", lincoln, grade="1")
    for day in days[15:25]:
        letters.mark(bo, lincoln, day, "A")
    letters.submit(lincoln, days)
    (tmp_path / "ours.yaml").write_text("extends: default\nname: o\nlabel: Ours\nno_show_exit_codes: [Moved]\n")
    version = simulating.from_file(tmp_path / "ours.yaml", by=OPERATOR)
    number = simulating.ask(version, by=OPERATOR, place=DISTRICT, queued=False)
    simulating.go_on(number, lambda *_: None)
    both = rows.figures(number)
    assert both is not None
    assert [both[side]["students"] for side in ("in_force", "candidate")] == [2, 1]
    assert both["candidate"]["groups"]["grade"].keys() == both["in_force"]["groups"]["grade"].keys() == {"PK to 2"}


def test_a_trial_whose_command_ends_waits_for_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    small_district(students=6)
    monkeypatch.setattr(simulating.simulated, "figures", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        tried("five-ten")
    (trial,) = simulating.seen(OPERATOR)
    assert trial.status == "cancelled"


def test_what_cannot_be_used_any_more_is_not_tried(tmp_path: Path) -> None:
    """A version that was kept when less was asked of a policy."""
    small_district(students=6)
    version = simulating.chosen("five-ten", by=OPERATOR)
    with transaction():
        row = policy_texts.text_row(version)
        row.content = policy_texts.frozen_text(
            "name: old\nlabel: Old\nextends: default\nrules: {R22: {restricted: , level: 3, clears: tier_exit}}\n"
        )
    assert policy_texts.stored(version).label == "Old"
    with pytest.raises(Refused, match="cannot be used any more.*R22: stls is kept in a compartment"):
        simulating.ask(version, by=OPERATOR, place=DISTRICT)
    with pytest.raises(Refused, match="R22"):
        policies.put_in_force(version, starts=letters.FIRST_DAY, by=OPERATOR)


def pairs(*counts: int) -> list[Pair]:
    return [Pair(count, count) for count in counts]


def test_tens_keep_one_child_and_its_complement_back() -> None:
    telling = Telling(exact=False)
    rows_ = telling.table([pairs(400, 31, 4), pairs(300, 54, 20), pairs(200, 12, 3)])
    shown = [[pair.candidate for pair in row] for row in rows_]
    assert shown[0][2] is None and shown[2][2] is None  # small
    assert all(count is None or count % 10 == 0 for row in shown for count in row)
    assert sum(count is None for count in shown[0]) > 1  # the row's total would tell the small one
    one, other = telling.count(Pair(107, 107)), telling.count(Pair(107, 105))
    assert (one.candidate_words, other.candidate_words) == ("about 110", "about 110") and other.change == 0
    assert telling.count(Pair(30, 9)).candidate_words == "kept back"
    assert telling.weeks_over([9, 1, 12], 0) == 1
    assert Telling(exact=True).table([pairs(4, 2)]) == [pairs(4, 2)]


def test_a_stopped_trial_counts_no_further() -> None:
    small_district(students=6)
    number = simulating.ask(simulating.chosen("five-ten", by=OPERATOR), by=OPERATOR, place=DISTRICT)
    assert db.session.scalar(text("SELECT args FROM outbox WHERE job = 'simulate'")) == [number, 1]
    simulating.cancel(number, by=OPERATOR)
    simulating.work(number, 1)
    assert rows.figures(number) is None
    assert simulating.one(number, OPERATOR).status == "cancelled"


def test_without_attendance_there_is_nothing_to_try_on() -> None:
    letters.school("lincoln")
    with pytest.raises(Refused, match="No attendance of that school year"):
        tried("five-ten")
    with pytest.raises(NotFound):
        tried("five-ten", place=Place.of_school("nowhere"))
    with pytest.raises(NotFound, match="no such version"):
        simulating.chosen("deadbeef", by=OPERATOR)


def monitoring(folder: Path, dates: str) -> Path:
    """A policy like the shipped one, with three unexcused days only counted."""
    file = folder / "careful.yaml"
    file.write_text(f"name: careful\nlabel: Careful\nextends: default\nrules:\n  R03:\n    mode: {dates}\n")
    return file


def test_a_rule_in_monitor_mode_is_counted_and_does_nothing(tmp_path: Path) -> None:
    """From the day on: no finding and no tier of it stand, and what it began before is over."""
    letters.year(letters.school("lincoln"), {"ana": "P" * 20 + "AAA" + "P" * 7})
    flagging.evaluate_all()
    assert {"R03", "R07"} <= rules_found()
    policies.activate(
        monitoring(tmp_path, "{2000-01-01: monitor}"), starts=letters.FIRST_DAY - timedelta(days=30), by=OPERATOR
    )
    flagging.evaluate_all()
    assert "R03" not in rules_found() and "R07" in rules_found()
    number = simulating.count_monitored()
    assert number is not None
    simulating.work(number, 1)
    figures = rows.figures(number)
    assert figures is not None
    assert figures["in_force"]["rules"]["R03"] == {"met": 1}
    trial = simulating.monitored()
    assert trial is not None and trial.id == number
    assert simulating.seen(OPERATOR) == []
    assert simulating.count_monitored() != number and rows.one(number) is None


def test_from_its_day_on_a_rule_is_only_counted(tmp_path: Path) -> None:
    letters.year(letters.school("lincoln"), {"ana": "P" * 10 + "AAA" + "P" * 7})
    starts = letters.weekdays(15)[14]
    policies.activate(
        monitoring(tmp_path, f"{{2000-01-01: active, {starts}: monitor}}"), starts=letters.FIRST_DAY, by=OPERATOR
    )
    flagging.evaluate_all()
    spans = db.session.execute(text("SELECT since, until FROM finding WHERE rule = 'R03' AND withdrawn_at IS NULL"))
    assert list(map(tuple, spans)) == [(letters.weekdays(13)[12], starts)]


def rules_found() -> set[str]:
    return set(db.session.scalars(text("SELECT rule FROM finding WHERE withdrawn_at IS NULL")))


def test_who_is_there_for_part_of_the_week_has_room_for_part_of_the_cases() -> None:
    none = Pair(0, 0)
    load = RoleLoad("School social worker", none, none, none, stated=(None, 20, 0))
    assert (load.people, load.hours, load.without_hours) == (3, 20, 1)
    assert load.room == new_cases_a_week(None) + new_cases_a_week(20) < 2 * new_cases_a_week(None)
    assert "stated" not in load.told(), "nobody's hours stand alone in a file"
