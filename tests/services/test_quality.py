"""What the night finds: each check by an example of tests/spec/quality.yaml, and the life of a finding."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from sqlalchemy import select

from ew_app.kernel import Refused, transaction
from ew_app.services.system import quality, upkeep
from ew_app.services.system.quality_checks import BY_KEY, CHECKS
from models.attendance import Mark
from models.base import db
from models.jobs import Outbox
from models.org import AbsenceCode
from models.quality import QualityRun
from models.queries import quality_report
from rules.access import Area
from tests.services.quality_rows import Rows
from tests.services.world import TODAY, World

SPEC: dict[str, dict[str, Any]] = yaml.safe_load(
    (Path(__file__).parents[1] / "spec" / "quality.yaml").read_text(encoding="utf-8")
)
DISTRICT, LINCOLN, DOUGLAS = Area(district=True), Area(schools=frozenset({"LIN"})), Area(schools=frozenset({"DOU"}))


@pytest.fixture
def rows(world: World) -> Rows:
    made = Rows(world)
    made.begin()
    return made


def found(check: str) -> dict[str, int]:
    """School -> rows that the check finds now, by a look at everything."""
    quality.look_now(by=quality.WORKER)
    return {row.school_key: row.count for row in quality_report.findings(DISTRICT) if row.check == check}


def test_every_check_has_an_example_and_words() -> None:
    assert set(SPEC) == set(BY_KEY)
    assert len(BY_KEY) == len(CHECKS)
    for check in CHECKS:
        assert all((check.title, check.means, check.matters, check.mend)), check.key
        assert check.mend.endswith(".") and check.matters.endswith("."), check.key


@pytest.mark.parametrize("check", SPEC)
def test_it_finds_what_is_wrong(rows: Rows, check: str) -> None:
    for row in SPEC[check]["trips"]:
        ((kind, said),) = row.items()
        rows.write(kind, said)
    assert found(check) == SPEC[check]["finds"]


@pytest.mark.parametrize("check", SPEC)
def test_it_leaves_alone_what_is_right(rows: Rows, check: str) -> None:
    for row in SPEC[check]["quiet"]:
        ((kind, said),) = row.items()
        rows.write(kind, said)
    assert found(check) == {}


# -- the life of a finding -----------------------------------------------------------------------------------------


def odd_mark(rows: Rows, day: str = "2026-11-13") -> None:
    rows.write("mark", {"student": "ana", "day": day, "code": "AQ7"})


def the_code() -> quality_report.Row:
    (row,) = [row for row in quality_report.findings(DISTRICT) if row.check == "unknown_codes"]
    return row


def test_a_finding_stays_one_until_it_is_mended_and_then_says_when(rows: Rows) -> None:
    odd_mark(rows)
    first = found("unknown_codes"), the_code()
    odd_mark(rows, "2026-11-12")
    again = found("unknown_codes"), the_code()
    assert (first[0], again[0]) == ({"LIN": 1}, {"LIN": 2})
    assert first[1].id == again[1].id
    assert again[1].examples == [{"day": "2026-11-13", "words": "AQ7"}]
    with transaction():
        db.session.add(AbsenceCode(code="AQ7", kind="absence", absent_fraction=1000))
    assert found("unknown_codes") == {}
    mended = [row for row in quality_report.mended(DISTRICT, TODAY) if row.check == "unknown_codes"]
    assert [(row.id, row.mended_on) for row in mended] == [(first[1].id, TODAY)]


def test_an_example_leads_to_the_file_and_line_and_names_nobody(rows: Rows) -> None:
    rows.write("mark", {"student": "ana", "day": "2026-11-14", "code": "A"})
    found("off_calendar")
    (row,) = [row for row in quality_report.findings(DISTRICT) if row.check == "off_calendar"]
    assert row.examples == [{"student": "S-ana", "day": "2026-11-14", "words": "A", "batch": 1, "line": 2}]


def test_what_is_known_and_right_is_hidden_until_it_grows(rows: Rows, world: World) -> None:
    odd_mark(rows)
    found("unknown_codes")
    clara = world.actor("clara")
    with pytest.raises(Refused):
        quality.know(the_code().id, " ", by=clara, area=LINCOLN)
    quality.know(the_code().id, "A test of the new code", by=clara, area=LINCOLN)
    found("unknown_codes")
    assert (the_code().known, the_code().known_by) == (True, "Clara Ortiz")
    odd_mark(rows, "2026-11-12")
    found("unknown_codes")
    assert not the_code().known, "it has grown"


def test_a_clerk_sees_and_answers_for_the_own_school_alone(rows: Rows, world: World) -> None:
    odd_mark(rows)
    rows.write("student", {"name": "bea"})  # enrolled nowhere: the district's
    found("unknown_codes")
    assert {row.check for row in quality_report.findings(LINCOLN)} == {"unknown_codes", "late_schools"}
    assert not [row for row in quality_report.findings(DOUGLAS) if row.check == "unknown_codes"]
    with pytest.raises(quality.NotFound):
        quality.know(the_code().id, "Not mine to say", by=world.actor("clara"), area=DOUGLAS)


def test_what_is_new_is_counted_against_an_earlier_night(rows: Rows) -> None:
    found("unknown_codes")
    assert quality_report.news(DISTRICT) == 0, "the first look has nothing to compare with"
    with transaction():
        for run in db.session.scalars(select(QualityRun)):
            run.local_date = TODAY.replace(day=13)
        for row in db.session.scalars(select(quality.QualityFinding)):
            row.first_seen = TODAY.replace(day=13)
    odd_mark(rows)
    found("unknown_codes")
    assert (quality_report.news(DISTRICT), quality_report.news(LINCOLN), quality_report.news(DOUGLAS)) == (1, 1, 0)


# -- when it is done -----------------------------------------------------------------------------------------------


def asked() -> int:
    return db.session.query(Outbox).filter_by(job="check_quality").count()


def test_the_night_asks_once_for_each_school_day(rows: Rows) -> None:
    upkeep.nightly()
    assert asked() == 1
    upkeep.nightly()
    assert asked() == 1, "it is under way"
    quality.look(db.session.scalars(select(QualityRun.id)).one())
    upkeep.nightly()
    assert asked() == 1, "this school day is done"


def test_a_look_that_was_interrupted_goes_on_and_one_that_is_through_changes_nothing(rows: Rows) -> None:
    odd_mark(rows)
    run = quality._begun(quality.WORKER)
    quality._one(run, BY_KEY["unknown_codes"])
    with transaction():
        db.session.query(Mark).delete()
    quality.look(run)
    assert the_code().count == 1, "what was looked at is not looked at again"
    counts = db.session.get_one(QualityRun, run).counts
    assert set(counts) == set(BY_KEY)
    quality.look(run)
    assert db.session.get_one(QualityRun, run).counts == counts
