"""How the text of a setting becomes its value; a ValueError carries the words after "it must be"."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

SHORTEST_SECRET_KEY = 16


def as_given(text: str) -> str:
    return text


def database_url(text: str) -> str:
    """Any spelling of a PostgreSQL address, as plain `postgresql://...`."""
    scheme, separator, rest = text.partition("://")
    if not separator or scheme not in {"postgresql", "postgres", "postgresql+psycopg"}:
        raise ValueError("an address like postgresql://user@host:5432/name (PostgreSQL is the only database)")
    return f"postgresql://{rest}"


def redis_url(text: str) -> str:
    if not text.startswith(("redis://", "rediss://")):
        raise ValueError("an address like redis://host:6379/0, or rediss:// for TLS")
    return text


def smtp_url(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in {"smtp", "smtps"} or not parts.hostname or parts.path.strip("/"):
        raise ValueError("an address like smtp://user@mail.example.org:587, or smtps:// for TLS from the first byte")
    return text


def public_url(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("the address people type, like https://attendance.example.org")
    return text.rstrip("/")


def secret_key(text: str) -> str:
    if len(text) < SHORTEST_SECRET_KEY:
        raise ValueError(f"at least {SHORTEST_SECRET_KEY} characters that nobody can guess")
    return text


def timezone(text: str) -> ZoneInfo:
    try:
        return ZoneInfo(text)
    except (KeyError, ValueError, OSError) as error:
        raise ValueError("a time zone name like America/Chicago") from error


def date(text: str) -> datetime.date:
    try:
        return datetime.date.fromisoformat(text)
    except ValueError as error:
        raise ValueError("a date like 2026-09-30") from error


def whole(low: int, high: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        allowed = f"a whole number from {low} to {high}"
        if not text.isascii() or not text.isdigit() or not low <= int(text) <= high:
            raise ValueError(allowed)
        return int(text)

    return parse


def either(*words: str) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if text not in words:
            raise ValueError(f"one of {', '.join(words)}")
        return text

    return parse


def folder(text: str) -> Path:
    return Path(text).expanduser().absolute()
