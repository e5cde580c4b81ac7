"""Policies as they are kept: texts by their hash, changes under way and what was said of them, and what holds when.

A text is never edited: a change of one letter that means something is another version.
"""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy.dialects.postgresql import ARRAY, TEXT
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Id, Model, to


class PolicyText(Model):
    """A policy by the hash of what it says: its file as it was given, comments and all, with the files it extends."""

    __tablename__ = "policy_text"
    id: Mapped[Id]
    version: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    content: Mapped[str]
    kept_by: Mapped[str]
    kept_at: Mapped[datetime]


class PolicyChange(Model):
    """A change of the policy that somebody works on. `version` is what it says so far, `base` what it began from.

    `starts` is the day it is meant for; `authors` are all who wrote it; `revision` counts how often it was saved.
    state: editing, sent, approved, returned, activated, dropped.
    """

    __tablename__ = "policy_change"
    id: Mapped[Id]
    version: Mapped[str] = mapped_column(index=True)
    base: Mapped[str]
    starts: Mapped[date]
    note: Mapped[str]
    state: Mapped[str]
    revision: Mapped[int]
    authors: Mapped[list[str]] = mapped_column(ARRAY(TEXT))
    begun_at: Mapped[datetime]
    saved_by: Mapped[str]
    saved_at: Mapped[datetime]


class PolicyWord(Model):
    """What one person said of a change: sent, approved, returned; of the version and the day that stood there then."""

    __tablename__ = "policy_word"
    id: Mapped[Id]
    change_id: Mapped[int] = to("policy_change.id")
    version: Mapped[str]
    starts: Mapped[date]
    said: Mapped[str]
    note: Mapped[str]
    said_by: Mapped[str]
    said_at: Mapped[datetime]


class PolicyVersion(Model):
    """A policy put in force from a day, with its text, by whom and why; withdrawn ones never held."""

    __tablename__ = "policy_version"
    id: Mapped[Id]
    version: Mapped[str] = mapped_column(index=True)
    name: Mapped[str]
    content: Mapped[str]
    starts: Mapped[date]
    activated_by: Mapped[str]
    activated_at: Mapped[datetime]
    reason: Mapped[str] = mapped_column(server_default="")
    approved_by: Mapped[str | None]
    withdrawn_by: Mapped[str | None]
    withdrawn_at: Mapped[datetime | None]
