"""Passwords: how long, how common, how kept. Nothing here touches a table."""

from __future__ import annotations

import re

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from ew_app.kernel import Refused

SHORTEST = 15
LONGEST = 128

# What people reach for when asked for something long. A password made of these alone is guessed first.
COMMON = """
    abc admin administrator attendance august autumn baseball basketball blue bulldogs change chicago
    child children class coach computer counselor default district dragon eagles early education
    elementary family first flower football freedom friday fun good green grade hello help high home horse
    house i iloveyou is january july june kids let letmein lincoln lions love loveyou lucky march master
    me middle monday monkey my network new now number october office one open pa55word panthers pass
    passw0rd password pizza please principal public pw q1w2e3r4 qazwsx qwerty qwertyuiop asdf asdfgh
    asdfghjkl zxcv zxcvbn zxcvbnm red school schools secret september shadow sign soccer social spring
    staff star start student students summer sunday sunshine super support system teach teacher teachers
    temp temporary test the this three thursday tigers today trustno1 tuesday two user warning wednesday
    welcome winter wolves word work worker yellow year you your
"""
_WORDS = frozenset(COMMON.split())
_RUNS = ("01234567890123456789", "abcdefghijklmnopqrstuvwxyz", "qwertyuiopasdfghjklzxcvbnm")

# argon2id, 46 MiB twice over on one core: dear to guess, cheap enough for a whole staff at eight in the morning.
_hasher = PasswordHasher(time_cost=2, memory_cost=46 * 1024, parallelism=1)
# Of no password at all, and as dear to try: written down, because to compute one would hold up every start.
_NOBODYS = f"$argon2id$v=19$m={46 * 1024},t=2,p=1${'A' * 22}${'A' * 43}"


def check_strength(password: str, login: str, name: str) -> None:
    """Raises Refused with a sentence when a password is too short, too long or too easy to guess."""
    if len(password) < SHORTEST:
        raise Refused(f"Use at least {SHORTEST} characters. A short sentence is easy to keep in mind.")
    if len(password) > LONGEST:
        raise Refused(f"Use at most {LONGEST} characters.")
    if _easy(password, {login, *name.split()}):
        raise Refused("This password is easy to guess. Add a few words that only you would put together.")


def _easy(password: str, own_words: set[str]) -> bool:
    """Only common words, numbers, repeats, runs of the keyboard, and the person's own name."""
    rest = re.sub(r"[\W_]+", "", password.lower())
    for word in own_words:
        rest = rest.replace(word.lower(), "") if len(word) > 2 else rest
    if len(set(rest)) < 5 or any(rest in run or rest in run[::-1] for run in _RUNS):
        return True
    return _made_of_common_words(rest)


def _made_of_common_words(text: str) -> bool:
    """Whether common words, digits and repeated letters, one after the other, give the whole text."""
    reached = [True] + [False] * len(text)
    for at, letter in enumerate(text):
        if not reached[at]:
            continue
        if letter.isdigit() or (at and letter == text[at - 1]):
            reached[at + 1] = True
        for word in _WORDS:
            if text.startswith(word, at):
                reached[at + len(word)] = True
    return reached[-1]


def hashed(password: str) -> str:
    """The argon2id text to store."""
    return _hasher.hash(password)


def matches(stored: str | None, password: str) -> bool:
    """Whether the password is the stored one. Without a stored one it takes just as long, and is no."""
    try:
        return _hasher.verify(stored or _NOBODYS, password) and stored is not None
    except (VerificationError, InvalidHashError):
        return False


def outdated(stored: str) -> bool:
    """The stored text was made with weaker settings than today's."""
    return _hasher.check_needs_rehash(stored)
