"""A change of the policy, from the first draft to the day it holds, with two people and with one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, timedelta

import pytest

from ew_app.config import Settings
from ew_app.kernel import OPERATOR, Actor, Conflict, Refused, today
from ew_app.services.measuring import policies, policy_changes, policy_texts
from ew_app.services.measuring.policy_writing import NotFit, Wanted
from ew_app.services.people import accounts
from models.audit import Event
from models.base import db
from models.policies import PolicyChange, PolicyVersion
from models.queries import policies as rows
from rules.access import NotAllowed
from rules.policy_difference import difference
from tests.opened import on
from tests.services import world as district
from tests.services.world import World

FEBRUARY = date(2027, 2, 1)
EIGHT = {"bands.tier_2.at_least": "8"}


@pytest.fixture
def two(settings: Settings, built_once: Callable[..., World]) -> Iterator[World]:
    """The district on its day, where a second person approves."""
    settings = replace(settings, today=district.TODAY, policy_approval="two")
    made = built_once(settings, district.build)
    with on(settings):
        yield made


def person(login: str, role: str = "policy_editor") -> Actor:
    accounts.add_person(login=login, name=login.title(), role=role, place="district", by=OPERATOR)
    return accounts.acting_as(login)


def base() -> str:
    version = policies.timeline().on(today()).version
    return version


def begun(by: Actor, **more: str) -> int:
    return policy_changes.begin(base(), Wanted(FEBRUARY, "Agreed on in November", typed=EIGHT | more), by=by)


def change(number: int) -> PolicyChange:
    found = rows.change(number)
    assert found is not None
    return found


def test_a_threshold_from_a_day_on_is_written_into_the_file(world: World) -> None:
    number = begun(person("paula"))
    before, after = policies.stored(base()), policies.stored(change(number).version)
    assert [line.sentence for line in difference(before, after)] == ["Tier 2 starts at 10% → 8% from 1 Feb 2027."]
    assert "    at_least: {2000-01-01: 0.10, 2027-02-01: 0.08}\n" in policy_texts.given(change(number).version)
    assert change(number).authors == ["paula"]


def test_what_cannot_be_is_said_for_every_field(world: World) -> None:
    by = person("paula")
    with pytest.raises(NotFit) as refused:
        begun(by, **{"bands.watch.at_least": "120", "rules.R05.from_member_day": "soon", "rules.R03.at_least": "4"})
    assert refused.value.wrong == {
        "bands.watch.at_least": "Expected a share between 0 and 1, which is 0% to 100%; ten percent is 0.10",
        "rules.R05.from_member_day": "Expected a whole number, 0 or more",
    }
    with pytest.raises(
        NotFit, match="On 2027-02-01 the bands do not rise: watch, tier_2, tier_3 must. Nothing was saved"
    ):
        begun(by, **{"bands.tier_3.at_least": "7"})
    number = begun(by, **{"bands.tier_2.at_least": "25", "bands.tier_3.at_least": "30"})
    assert len(difference(policies.stored(base()), policies.stored(change(number).version))) == 2


def test_two_people_at_once_overwrite_nothing(world: World) -> None:
    paula, quinn = person("paula"), person("quinn")
    number = begun(paula)
    policy_changes.save(number, Wanted(FEBRUARY, "Nine", typed={"bands.tier_2.at_least": "9"}), revision=1, by=quinn)
    with pytest.raises(Conflict, match="Quinn saved this change while you wrote"):
        policy_changes.save(number, Wanted(FEBRUARY, "Seven", typed=EIGHT), revision=1, by=paula)
    assert change(number).note == "Nine" and change(number).authors == ["paula", "quinn"]
    saved = policies.stored(change(number).version)
    assert [line.words for line in difference(policies.stored(base()), saved)] == ["starts at 10% → 9%"]


def test_a_file_is_handed_in_as_it_is_or_refused_with_its_line(world: World) -> None:
    by = person("paula")
    text = "# from the board\nextends: default\nname: ours\nlabel: Ours\n"
    number = policy_changes.hand_in(text, "board.yaml", starts=FEBRUARY, by=by)
    assert policy_texts.given(change(number).version) == text
    with pytest.raises(
        Refused, match="board.yaml, line 5, bands.middle: middle is not known here; allowed: watch, tier"
    ):
        policy_changes.hand_in(text + "bands: {middle: {}}\n", "board.yaml", starts=FEBRUARY, by=by)
    for odd, said in {
        "{": "this is not readable as YAML",
        "\x07": "holds characters that no text has",
        "[" * 9000: "nested far too deeply",
        "? [a]\n: b": "a key is a word, a number or a date",
        "name: 2027-02-31": "2027-02-31 cannot be read here",
        "name: !!python/object:os.system x": "cannot be read here",
        "a: &a [*a, *a]": "nested far too deeply, or holds itself",
        "x" * 600_000: "far larger than a policy",
        "*a " * 40: "repeats parts of itself",
    }.items():
        with pytest.raises(Refused, match=said):
            policy_changes.hand_in(odd, "../../board.yaml", starts=FEBRUARY, by=by)


def test_a_second_person_approves_what_they_did_not_write(two: World) -> None:
    paula, zoe = person("paula"), two.actor("zoe")
    number = begun(paula)
    with pytest.raises(Refused, match="A second person has to approve"):
        policy_changes.put_in_force(number, starts=FEBRUARY, revision=1, by=paula)
    policy_changes.send(number, revision=1, by=paula)
    with pytest.raises(Refused, match="Somebody else has to look at it"):
        policy_changes.approve(number, revision=1, by=paula)
    with pytest.raises(NotAllowed):
        policy_changes.approve(number, revision=1, by=two.actor("paul"))
    policy_changes.approve(number, revision=1, note="Fits the staff we have", by=zoe)
    with pytest.raises(Refused, match="It was approved from 2027-02-01 on"):
        policy_changes.put_in_force(number, starts=FEBRUARY - timedelta(days=1), revision=1, by=paula)
    activation = policy_changes.put_in_force(number, starts=FEBRUARY, revision=1, by=paula)
    row = db.session.get_one(PolicyVersion, activation)
    assert (row.activated_by, row.approved_by, row.reason) == ("paula", "zoe", "Agreed on in November")
    kinds = [
        one.kind for one in db.session.query(Event).filter_by(subject=f"policy_change:{number}").order_by(Event.id)
    ]
    assert kinds == ["policy_change_begun", "policy_change_sent", "policy_change_approved"]
    with pytest.raises(Conflict, match="put in force already"):
        policy_changes.put_in_force(number, starts=FEBRUARY, revision=1, by=paula)
    policies.withdraw(activation, by=paula)
    assert policies.timeline().on(FEBRUARY).version == base()
    later = policy_changes.put_in_force(number, starts=FEBRUARY + timedelta(days=28), revision=1, by=paula)
    assert db.session.get_one(PolicyVersion, later).approved_by == "zoe"


def test_what_is_written_anew_has_to_be_approved_anew(two: World) -> None:
    paula, zoe = person("paula"), two.actor("zoe")
    number = begun(paula)
    policy_changes.send(number, revision=1, by=paula)
    policy_changes.approve(number, revision=1, by=zoe)
    policy_changes.save(number, Wanted(FEBRUARY, "Nine", typed={"bands.tier_2.at_least": "9"}), revision=1, by=paula)
    with pytest.raises(Refused, match="A second person has to approve"):
        policy_changes.put_in_force(number, starts=FEBRUARY, revision=2, by=paula)


def test_a_change_is_returned_with_a_word_and_can_be_let_go_and_taken_up(world: World) -> None:
    paula, zoe = person("paula"), world.actor("zoe")
    number = begun(paula)
    policy_changes.send(number, revision=1, by=paula)
    with pytest.raises(Refused, match="Write down what should be different"):
        policy_changes.give_back(number, revision=1, note=" ", by=zoe)
    policy_changes.give_back(number, revision=1, note="From March, please", by=zoe)
    assert (change(number).state, rows.words_of(number)[0].note) == ("returned", "From March, please")
    policy_changes.drop(number, by=paula)
    assert number not in [one.id for one in rows.open_changes()]
    policy_changes.take_up(number, by=paula)
    assert change(number).state == "editing"


def test_where_one_person_is_enough_the_author_puts_it_in_force(world: World) -> None:
    paula = person("paula")
    number = begun(paula)
    policy_changes.put_in_force(number, starts=today(), revision=1, by=paula)
    assert policies.timeline().on(FEBRUARY).version == change(number).version
    assert policies.timeline().on(today() - timedelta(days=1)).version != change(number).version
    with pytest.raises(NotAllowed):
        begun(world.actor("zoe"))
