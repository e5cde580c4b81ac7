"""The month's tables are told at night, school by school, before anybody asks; a large place waits for that."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from flask import current_app
from sqlalchemy import text

from ew_app.alone import NotAllDone
from ew_app.kernel import transaction
from ew_app.outbox import Job, perform
from ew_app.services.system import upkeep
from ew_app.services.watching import groups, kept, telling
from models.base import db
from models.people import Student
from models.queries.boards import schools_in
from models.tiers import Standing
from rules.access import Area
from tests.opened import statements
from tests.services.test_goals import recounted
from tests.services.world import TODAY, YEAR_BEGAN, World, rows

TOLD = "SELECT schools, by, day, names::text, counts::text, shown::text, leaves::text FROM told_part ORDER BY 1, 2, 3"
FIRST = (YEAR_BEGAN, 0), (date(2026, 10, 7), 2)  # Tier 1 all year, or Tier 2 from October


@pytest.fixture
def counted(world: World) -> World:
    """Thirty students of two grades at each school, every third in Tier 2, all counted today."""
    with transaction():
        for number in range(30 * len(world.schools)):
            school = sorted(world.schools.values())[number % len(world.schools)]
            student = Student(
                key=f"p{number}", first_name="P", last_name=str(number), grade="9", low_income=number < 50
            )
            db.session.add(student)
            db.session.flush()
            grade, tier = "8" if number % 2 else "9", 2 if number % 7 < 2 else 0
            at = {"school_id": school, "grade": grade, "student_id": student.id, "too_early": False}
            db.session.add(Standing(since=YEAR_BEGAN, tier=tier, **at))
    recounted(world, **dict.fromkeys(world.schools, TODAY))
    return world


def waiting() -> list[tuple[int, str]]:
    asked = "SELECT id, key FROM outbox WHERE job = 'tell_parts' AND done_at IS NULL ORDER BY id"
    return [(number, key) for number, key in rows(asked)]


def work() -> list[str]:
    """Do what is asked for, in its order; returns what it was."""
    found = waiting()
    for number, _ in found:
        assert perform(Job.TELL_PARTS, number, telling.tell)
    return [key for _, key in found]


def asked_for() -> list[Any]:
    """Every table as people ask for it: of schools first, then networks, then the district."""
    every = schools_in(Area(district=True))
    for one in every:
        groups.by_grade(one.id, TODAY)
        groups.groups([one], TODAY, compartments=["stls", "iep_504"])
    for key in sorted({one.network.key for one in every}):
        groups.groups(schools_in(Area(networks=frozenset({key}))), TODAY, compartments=["stls", "iep_504"])
    groups.groups(every, TODAY, compartments=["stls", "iep_504"])
    return rows(TOLD)


def test_the_night_tells_what_people_would_be_told_and_once(counted: World) -> None:
    by_people = asked_for()
    with transaction():
        db.session.execute(text("DELETE FROM told_part"))
    assert telling.ask_for_all() == telling.ask_for_all() == 3, "asked twice is once"
    assert work() == ["network N1", "network N2", "district"]
    assert rows(TOLD) == by_people and {by for _, by, *_ in by_people} >= {"grade", "low_income", "cause"}
    telling.tell("N1", TODAY.isoformat())
    telling.tell("", TODAY.isoformat())
    assert rows(TOLD) == by_people and telling.ask_for_all() == 0 and not waiting()


def test_a_school_whose_day_comes_later_is_told_a_later_night(counted: World) -> None:
    recounted(counted, DOU=date(2026, 10, 30))
    telling.ask_for_all()
    work()
    recounted(counted, DOU=TODAY)
    school = kept.fingerprint([counted.schools["DOU"]])
    mine = f"SELECT max(day) FROM told_part WHERE schools = '{school}'"
    assert rows(mine) < [(date(2026, 11, 1),)]
    assert telling.ask_for_all() == 1 and work() == ["network N1"]
    assert rows(mine) >= [(date(2026, 11, 1),)] and telling.ask_for_all() == 0


def test_the_district_waits_for_its_networks(counted: World) -> None:
    telling.ask_for_all()
    (_, *_, (number, key)) = waiting()
    assert perform(Job.TELL_PARTS, number, telling.tell) and key == "district" and rows(TOLD) == []
    assert work() == ["network N1", "network N2", "district"]
    every = kept.fingerprint(counted.schools.values())
    assert (every, "cause") in {(schools, by) for schools, by, *_ in rows(TOLD)}


def test_a_piece_that_takes_long_goes_on_as_another(counted: World, monkeypatch: pytest.MonkeyPatch) -> None:
    by_people = asked_for()
    with transaction():
        db.session.execute(text("DELETE FROM told_part"))
    monkeypatch.setattr(telling, "SLICE", timedelta(0))
    telling.ask_for_all()
    while waiting():
        work()
    assert rows(TOLD) == by_people


def test_what_is_wrong_with_one_school_stops_no_other(counted: World, monkeypatch: pytest.MonkeyPatch) -> None:
    told, broken = telling._all_of, counted.schools["LIN"]

    def all_of(schools: Any, day: date) -> None:
        if [one.id for one in schools] == [broken]:
            raise RuntimeError("its rows are broken")
        told(schools, day)

    monkeypatch.setattr(telling, "_all_of", all_of)
    with pytest.raises(NotAllDone, match="tables of school LIN"):
        telling.tell("N1", TODAY.isoformat())
    assert kept.fingerprint([counted.schools["DOU"]]) in {schools for schools, *_ in rows(TOLD)}


def test_who_would_wait_long_asks_for_it_and_reads_how_far_it_is(
    counted: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    every = sorted(counted.schools.values())
    assert telling.too_long([every]) == "", "so few are told while somebody waits"
    assert not waiting()
    monkeypatch.setattr(telling, "AT_ONCE", 2)
    assert telling.too_long([every]).startswith("The tables of this month are being counted: 0 of 3 schools so far.")
    assert [key for _, key in waiting()] == ["network N1", "network N2", "district"]
    (number, _), *_ = waiting()
    perform(Job.TELL_PARTS, number, telling.tell)
    assert "2 of 3 schools" in telling.too_long([every])
    assert telling.too_long([[one] for one in every]) == "", "of one school a file tells at once"
    work()
    assert telling.too_long([every]) == ""


def test_asking_costs_the_same_for_more_schools(counted: World, monkeypatch: pytest.MonkeyPatch) -> None:
    every = sorted(counted.schools.values())
    app, sent = current_app._get_current_object(), []  # type: ignore[attr-defined]
    telling.ask_for_all()
    monkeypatch.setattr(telling, "AT_ONCE", 0)
    for some in (every[:1], every):
        with statements(app) as asked:
            assert telling.too_long([some])
        sent.append(len(asked))
    assert sent[0] == sent[1]


def test_the_night_asks_for_it(counted: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upkeep.everybody, "begin", lambda _: False)
    monkeypatch.setattr(upkeep.everybody, "go_on", lambda *_: True)
    upkeep.nightly(TODAY.isoformat())
    assert [key for _, key in waiting()] == ["network N1", "network N2", "district"]
