"""A session: what its cookie holds, and what ends it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask

from ew_app.kernel import OPERATOR, now, transaction
from ew_app.services.people import accounts, granting
from models.base import db
from models.staff import Person, SignIn
from tests.web.conftest import SignInAs, age, held_token, hold, is_in


def test_the_cookie_holds_a_token_whose_hash_alone_is_stored(app: Flask, sign_in: SignInAs) -> None:
    browser = sign_in("nurse")
    with app.app_context():
        stored = [row.token_hash for row in db.session.query(SignIn)]
    assert held_token(browser) not in stored and is_in(browser)


def test_sign_out_ends_the_session_for_every_copy_of_the_cookie(app: Flask, sign_in: SignInAs) -> None:
    browser = sign_in("nurse")
    copy = app.test_client()
    hold(copy, held_token(browser))
    answer = browser.send("/sign-out")
    assert answer.headers["Clear-Site-Data"] == '"cache", "cookies", "storage"'
    assert not is_in(browser) and not is_in(copy)


@pytest.mark.parametrize(
    ("back", "still_in"),
    [
        ({"last_seen": timedelta(minutes=29)}, True),
        ({"last_seen": timedelta(minutes=31)}, False),
        ({"created_at": timedelta(hours=11, minutes=59)}, True),
        ({"created_at": timedelta(hours=12, minutes=1)}, False),
    ],
)
def test_a_session_ends_when_idle_or_old(
    app: Flask, sign_in: SignInAs, back: dict[str, timedelta], still_in: bool
) -> None:
    browser = sign_in("nurse")
    age(app, **back)
    assert is_in(browser) is still_in


def test_any_page_keeps_a_session_from_idling(app: Flask, sign_in: SignInAs) -> None:
    browser = sign_in("nurse")
    age(app, last_seen=timedelta(minutes=20))
    assert is_in(browser)
    age(app, last_seen=timedelta(minutes=20))
    assert is_in(browser)


def _disable(numbers: dict[str, int]) -> None:
    accounts.disable(person_id=numbers["nurse"], by=OPERATOR)


def _end_role(numbers: dict[str, int]) -> None:
    granting.end_role(grant_id=numbers["nurse_grant"], by=OPERATOR)


def _give_role(numbers: dict[str, int]) -> None:
    granting.give_role(person_id=numbers["nurse"], role="partner", place="district", by=OPERATOR)


def _sign_out_everywhere(numbers: dict[str, int]) -> None:
    accounts.sign_out_everywhere(person_id=numbers["nurse"], by=OPERATOR)


@pytest.mark.parametrize("change", [_disable, _end_role, _give_role, _sign_out_everywhere])
def test_a_change_of_access_ends_every_session_at_the_next_click(
    app: Flask, world: dict[str, int], sign_in: SignInAs, change: Callable[[dict[str, int]], None]
) -> None:
    browsers = [sign_in("nurse"), sign_in("nurse")]
    assert all(is_in(browser) for browser in browsers)
    with app.app_context():
        change(world)
    assert not any(is_in(browser) for browser in browsers)


def test_a_role_that_ran_out_overnight_opens_nothing(app: Flask, world: dict[str, int], sign_in: SignInAs) -> None:
    browser = sign_in("nurse")
    with app.app_context(), transaction():
        person = db.session.get_one(Person, world["nurse"])
        person.grants[0].ends = now().date() - timedelta(days=2)
    assert not is_in(browser)
