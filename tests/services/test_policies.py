"""Policies kept by hash, put in force from a day, planned and taken back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from ew_app.config import Settings
from ew_app.kernel import OPERATOR, Actor, NotFound, Refused, local, now, today
from ew_app.services.measuring import policies, policy_story, policy_texts
from ew_app.services.measuring.policy_story import Holds
from ew_app.services.people import accounts
from models.audit import AuditRow
from models.base import db
from models.jobs import Outbox
from models.policies import PolicyText, PolicyVersion
from rules.access import NotAllowed
from rules.policy import PRESETS
from tests.opened import on
from tests.services import world as district
from tests.services.world import World

OURS = """\
# What the board agreed on in November.
extends: default
name: ours
label: Ours
bands:
  tier_2:
    at_least: {2000-01-01: 0.10, 2027-02-01: 0.08}   # eight from February
"""


@pytest.fixture
def ours(tmp_path: Path) -> Path:
    file = tmp_path / "ours.yaml"
    file.write_text(OURS, encoding="utf-8")
    return file


def editor() -> Actor:
    try:
        return accounts.acting_as("policy_editor")
    except NotFound:
        accounts.add_person(
            login="policy_editor", name="Paula Edit", role="policy_editor", place="district", by=OPERATOR
        )
        return accounts.acting_as("policy_editor")


def test_a_text_is_kept_once_with_its_comments(world: World, ours: Path) -> None:
    frozen = policy_texts.frozen_file(ours)
    policy = policy_texts.keep(frozen, by=OPERATOR)
    policy_texts.keep(policy_texts.frozen_text(OURS.replace("# What the board", "# What somebody")), by=OPERATOR)
    rows = db.session.query(PolicyText).filter_by(version=policy.version).all()
    assert len(rows) == 1 and policy_texts.given(policy.version) == OURS
    assert policies.stored(policy.version[:12]).version == policy.version
    for unknown in ("", policy.version[:4], "f" * 64, "%" * 10):
        with pytest.raises(NotFound):
            policies.stored(unknown)


def test_a_planned_version_holds_from_its_day_and_can_be_taken_back(world: World, ours: Path) -> None:
    now_held, by = policies.timeline().on(today()).version, editor()
    start = today() + timedelta(days=20)
    version = policies.activate(ours, starts=start, by=by, reason="Agreed on in November").version
    held = policies.timeline()
    assert [held.on(day).version for day in (start - timedelta(days=1), start)] == [now_held, version]
    row = db.session.query(PolicyVersion).filter_by(version=version).one()
    policies.withdraw(row.id, by=by, reason="Later")
    policies.withdraw(row.id, by=by)
    assert policies.timeline().on(start).version == now_held
    done = [one.action for one in db.session.query(AuditRow).filter(AuditRow.actor == by.login).order_by(AuditRow.id)]
    assert done == ["policy_kept", "policy_activated", "policy_withdrawn"]


def test_what_holds_already_is_not_taken_back(world: World, ours: Path) -> None:
    policies.activate(ours, starts=today(), by=OPERATOR)
    row = db.session.query(PolicyVersion).filter_by(name="ours").one()
    with pytest.raises(Refused, match="Put an earlier version in force from today instead"):
        policies.withdraw(row.id, by=OPERATOR)


def test_what_was_laid_over_keeps_the_days_it_held(world: World, ours: Path) -> None:
    """Of two for one day the later one decides; that the first had decided until then is told with its dates."""
    first, later = today() - timedelta(days=30), today() + timedelta(days=30)
    for starts in (first, later):
        policies.activate(ours, starts=starts, by=OPERATOR)
        policies.activate(PRESETS / "five-ten.yaml", starts=starts, by=OPERATOR)
    told = {one.row.starts: one for one in policy_story.story() if one.policy.name == "ours"}
    assert (told[first].holds, told[later].holds) == (Holds.OVERLAID, Holds.REPLACED)
    assert told[first].replaced is not None and told[first].replaced.name == "five-ten"
    assert told[first].until == min(today(), local(now()).date()) and told[later].until is None


def test_an_earlier_day_needs_its_reason(world: World, ours: Path) -> None:
    by, past = editor(), today() - timedelta(days=10)
    with pytest.raises(Refused, match="Say why, or choose today or a later day"):
        policies.activate(ours, starts=past, by=by)
    policies.activate(ours, starts=past, by=by, reason="The board's date")
    assert db.session.query(PolicyVersion).filter_by(name="ours").one().reason == "The board's date"


def test_only_days_that_have_come_in_are_decided_again(world: World, ours: Path) -> None:
    policies.activate(ours, starts=date(2027, 2, 1), by=OPERATOR)
    assert db.session.query(Outbox).filter_by(job="evaluate").count() == 0
    policies.activate(ours, starts=today(), by=OPERATOR)
    assert db.session.query(Outbox).filter_by(job="evaluate").count() == 1


def test_who_may_not_change_the_policy_does_not(world: World, ours: Path) -> None:
    with pytest.raises(NotAllowed, match="write a new version of the rules"):
        policies.activate(ours, starts=today(), by=accounts.acting_as("paul"))


def test_where_two_have_to_agree_nobody_activates_alone(
    settings: Settings, built_once: Callable[..., World], ours: Path
) -> None:
    built_once(replace(settings, today=district.TODAY), district.build)
    asked = pytest.raises(Refused, match="A second person has to approve")
    with on(replace(settings, today=district.TODAY, policy_approval="two")), asked:
        policies.activate(ours, starts=today(), by=OPERATOR)
