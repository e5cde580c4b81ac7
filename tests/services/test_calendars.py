"""What is due in one's own calendar program: numbers and days, and nothing once the address or its person has ended."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from ew_app.kernel import NotFound
from ew_app.services.notices import calendars
from ew_app.services.people import accounts
from tests.services.one_case import flag_ana
from tests.services.world import World


def token(world: World, login: str = "cora") -> str:
    return calendars.new_address(world.actor(login)).rpartition("/")[2].removesuffix(".ics")


@pytest.mark.parametrize("compartment", [None, "health"])
def test_it_names_nobody_and_is_the_same_whatever_lies_in_a_compartment(world: World, compartment: str | None) -> None:
    flag_ana(world)
    if compartment:
        world.finds("ana", "R13", compartment=compartment)
    told = calendars.feed(token(world)).decode()
    assert told.count("BEGIN:VEVENT") == 3 and "SUMMARY:Case 1001: next step" in told
    assert not any(word in told for word in ("Ana", "Rivera", "health", "R13", "contact", "plan", "Lincoln"))


@pytest.mark.parametrize(
    "ends",
    [
        lambda world: calendars.end_address(world.actor("cora")),
        lambda world: token(world),
        lambda world: world.end("cora"),
        lambda world: accounts.disable(person_id=world.people["cora"], by=boss(world)),
        lambda world: accounts.sign_out_everywhere(person_id=world.people["cora"], by=boss(world)),
    ],
    ids=["ended", "a new one", "no role any more", "shut out", "a lost phone"],
)
def test_the_address_answers_no_more(world: World, ends: Callable[[World], object]) -> None:
    kept = token(world)
    assert calendars.feed(kept)
    ends(world)
    with pytest.raises(NotFound):
        calendars.feed(kept)


def boss(world: World):
    world.give("ada", "Ada Boyd", "system_admin", "district")
    return world.actor("ada")
