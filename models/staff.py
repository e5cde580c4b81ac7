"""People who sign in, what they are granted, their sessions."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import CheckConstraint, Index, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import Id, Model, to


class Person(Model):
    """A member of staff with a sign-in; disabled people keep their history and lose every access at once."""

    __tablename__ = "person"
    id: Mapped[Id]
    login: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    email: Mapped[str] = mapped_column(default="")
    password_hash: Mapped[str | None]
    totp_secret: Mapped[str | None]
    totp_last_step: Mapped[int | None]
    is_demo: Mapped[bool] = mapped_column(default=False)
    list_keys: Mapped[bool] = mapped_column(default=False)  # lists take j, k and the like from the keyboard
    failed_logins: Mapped[int] = mapped_column(default=0)
    locked_until: Mapped[datetime | None]
    disabled_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    grants: Mapped[list[Grant]] = relationship(
        back_populates="person", order_by="Grant.id", foreign_keys="Grant.person_id"
    )


class Grant(Model):
    """A role at a place for a time. `place` is district, network:KEY or school:KEY.

    The deputy stands in while the person is away (both days inclusive), after the last day, or once shut out. While the
    person is away, what is theirs already and falls due stands on the deputy's list too.
    `department` (a key of the routing table) narrows a department contact; '' serves every department. `hours`: how
    many a week are stated for this; without any it is the whole week that routing.yaml names.
    """

    __tablename__ = "role_grant"
    __table_args__ = (
        CheckConstraint("ends IS NULL OR ends >= starts", name="dates"),
        CheckConstraint("away_until IS NULL OR away_until >= away_from", name="away"),
        CheckConstraint("hours BETWEEN 0 AND 60", name="hours"),
        Index("ix_role_grant_role_place", "role", "place"),
        Index("ix_role_grant_deputy_id", "deputy_id", postgresql_where=text("deputy_id IS NOT NULL")),
    )
    id: Mapped[Id]
    person_id: Mapped[int] = to("person.id")
    role: Mapped[str]
    place: Mapped[str]
    homeroom: Mapped[str] = mapped_column(default="")
    department: Mapped[str] = mapped_column(default="")
    deputy_id: Mapped[int | None] = to("person.id", index=False)
    starts: Mapped[date]
    ends: Mapped[date | None]
    away_from: Mapped[date | None]
    away_until: Mapped[date | None]
    hours: Mapped[int | None]
    person: Mapped[Person] = relationship(back_populates="grants", foreign_keys=[person_id])


class SignIn(Model):
    """A server-side session: the cookie carries only the token whose hash is stored here.

    `proved_at` is empty between the password and the second factor: such a session opens no page.
    """

    __tablename__ = "sign_in"
    id: Mapped[Id]
    token_hash: Mapped[str] = mapped_column(unique=True)
    person_id: Mapped[int] = to("person.id")
    created_at: Mapped[datetime]
    last_seen: Mapped[datetime]
    proved_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    ip: Mapped[str] = mapped_column(default="")


class ApiToken(Model):
    """What a script of one person shows instead of a password; only its hash is stored.

    It never gives a right of its own: what it opens is what its person may see at that moment. `last_day`: the last
    day on which it is taken. `hint`: its last letters, by which its person tells one from another.
    """

    __tablename__ = "api_token"
    id: Mapped[Id]
    token_hash: Mapped[str] = mapped_column(unique=True)
    person_id: Mapped[int] = to("person.id")
    name: Mapped[str]
    hint: Mapped[str]
    made_at: Mapped[datetime]
    last_day: Mapped[date]
    used_at: Mapped[datetime | None]
    used_from: Mapped[str] = mapped_column(default="")
    ended_at: Mapped[datetime | None]


class Draft(Model):
    """A form that was sent after its session had ended: kept for its writer alone and for a short time.

    Somebody who had several pages open has several.
    """

    __tablename__ = "draft"
    id: Mapped[Id]
    person_id: Mapped[int] = to("person.id")
    path: Mapped[str]
    fields: Mapped[list[list[str]]] = mapped_column(JSONB)  # [name, value] in the order of the form
    kept_at: Mapped[datetime]
