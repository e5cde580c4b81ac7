"""Words that often tell what is kept only for some (policies/kept_words.yaml): whoever writes them looks once more."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import cache
from pathlib import Path

import yaml

from rules.roles import FieldClass

KEPT_WORDS_FILE = Path(__file__).parent / "policies" / "kept_words.yaml"
ORDINARY = "not"


def only_for_some(text: str) -> str:
    """The first words of a text that often tell what is kept only for some, as they stand there; '' for none."""
    hit = _first(text)
    return text[hit[0] : hit[1]] if hit else ""


def where_kept(text: str) -> FieldClass | None:
    """The compartment to which these first words belong."""
    hit = _first(text)
    return hit[2] if hit else None


def _first(text: str) -> tuple[int, int, FieldClass] | None:
    plain = _plain(text)
    ordinary = [hit.span() for hit in _patterns()[ORDINARY].finditer(plain)]
    found = [
        (*hit.span(), FieldClass(name))
        for name, pattern in _patterns().items()
        if name != ORDINARY
        for hit in pattern.finditer(plain)
        if not any(begins < hit.end() and hit.start() < ends for begins, ends in ordinary)
    ]
    return min(found, key=lambda one: (one[0], -one[1]), default=None)


@cache
def _patterns() -> dict[str, re.Pattern[str]]:
    """Compartment, or "not" -> what matches its words. ValueError for a compartment that is none."""
    document = yaml.safe_load(KEPT_WORDS_FILE.read_text(encoding="utf-8"))
    ordinary = document.pop(ORDINARY)
    if unknown := [name for name in document if not FieldClass(name).restricted]:
        raise ValueError(f"kept_words.yaml names what is no compartment: {unknown}.")
    words = {name: _one_of([*said["en"], *said["es"]]) for name, said in document.items()}
    return words | {ORDINARY: _one_of(ordinary)}


def _one_of(entries: Iterable[str]) -> re.Pattern[str]:
    """Longer ways to say something first, so that the whole of it is found."""
    ways = sorted((str(entry) for entry in entries), key=lambda entry: -len(entry.split()))
    return re.compile("|".join(map(_way, ways)), re.IGNORECASE)


def _way(entry: str) -> str:
    words = ("|".join(_word(one) for one in word.split("|")) for word in entry.split())
    return r"(?<!\w)" + r"\s+".join(f"(?:{word})" for word in words) + r"(?!\w)"


def _word(word: str) -> str:
    return re.escape(word).replace(r"\*", r"\w*")


def _plain(text: str) -> str:
    """The text without accents, each letter in its place."""
    return "".join(unicodedata.normalize("NFD", letter)[0] for letter in text)
