"""Which passwords are taken, and that none is kept readable."""

from __future__ import annotations

import time

import pytest

from ew_app.kernel import Refused
from ew_app.services.people import passwords


@pytest.mark.parametrize(
    "password",
    [
        "rain on the tin roof 41",
        "correct horse battery staple",
        "wir sitzen am langen Tisch",
        "öäüß öäüß Straße Bücher",
        "kX9!vQ2@mZ7#pL4$",
        "x" * 4 + "Wandering Albatross seven",
    ],
)
def test_long_and_odd_is_good(password: str) -> None:
    passwords.check_strength(password, "nurse", "Nora Vale")


@pytest.mark.parametrize(
    "password",
    [
        "passwordpassword",
        "Password Password 2026!",
        "attendance attendance 1",
        "123456789012345",
        "aaaaaaaaaaaaaaaaaaaa",
        "abababababababab",
        "qwertyuiopasdfghjkl",
        "mnbvcxzlkjhgfdsapoiuytrewq",
        "abcdefghijklmnopqrstuvwxyz",
        "welcome school 2026",
        "noravale nurse 2026",
        "Summer-Winter-Spring-2026",
    ],
)
def test_long_and_common_is_refused(password: str) -> None:
    with pytest.raises(Refused, match="easy to guess"):
        passwords.check_strength(password, "nurse", "Nora Vale")


@pytest.mark.parametrize(("length", "sentence"), [(14, "at least 15"), (129, "at most 128")])
def test_length_has_two_ends(length: int, sentence: str) -> None:
    with pytest.raises(Refused, match=sentence):
        passwords.check_strength(("rain on the tin roof " * 7)[:length], "nurse", "Nora Vale")


@pytest.mark.parametrize("length", [15, 128])
def test_both_ends_are_taken(length: int) -> None:
    passwords.check_strength(("rain on the tin roof " * 7)[:length], "nurse", "Nora Vale")


def test_no_password_takes_long_to_judge() -> None:
    began = time.perf_counter()
    with pytest.raises(Refused):
        passwords.check_strength("1" * 128, "nurse", "Nora Vale")
    passwords.check_strength("passwordpass" * 10 + "é~ß", "nurse", "Nora Vale")
    assert time.perf_counter() - began < 1


def test_what_is_stored_is_argon2id_and_differs_each_time() -> None:
    one, other = passwords.hashed("rain on the tin roof"), passwords.hashed("rain on the tin roof")
    assert one.startswith("$argon2id$") and one != other
    assert passwords.matches(one, "rain on the tin roof") and not passwords.matches(one, "rain on the tin roof ")
    assert not passwords.matches(None, "rain on the tin roof")
    assert not passwords.outdated(passwords._NOBODYS), "whoever is not there is tried as long as whoever is"
    assert not passwords.matches("not a hash", "anything")
