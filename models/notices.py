"""What members of staff are told: notices, how each wants them by e-mail, and the e-mails themselves."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, SmallInteger, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from models.base import BigId, Id, Model, to
from models.org import EMPTY, one_of

HOW_OFTEN = ("never", "daily", "weekly")
MAIL_STATES = ("waiting", "sending", "sent", "nothing", "unclear", "given_up")


class Notice(Model):
    """Something one person is told. It keeps no words: they are made, and its reader's rights asked, when it is read.

    `once` names the occasion: a person is told of it one time. `numbers`: what its sentence counts; a count of a day
    grows with the day, and is new again whenever it has.
    """

    __tablename__ = "notice"
    __table_args__ = (
        UniqueConstraint("person_id", "once"),
        CheckConstraint(
            "num_nonnulls(case_id, task_id, school_id, visit_id, hand_over_id, opening_id) <= 1", name="about"
        ),
        Index("ix_notice_unread", "person_id", "id", postgresql_where=text("read_at IS NULL")),
    )
    id: Mapped[BigId]
    person_id: Mapped[int] = to("person.id", index=False)
    kind: Mapped[str]
    once: Mapped[str]
    case_id: Mapped[int | None] = to("support_case.id", index=False)
    task_id: Mapped[int | None] = to("task.id", index=False)
    school_id: Mapped[int | None] = to("school.id", index=False)
    visit_id: Mapped[int | None] = to("visit.id", index=False)
    hand_over_id: Mapped[int | None] = to("hand_over.id", index=False)
    opening_id: Mapped[int | None] = to("crisis_opening.id", index=False)
    numbers: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default=EMPTY)
    at: Mapped[datetime]
    read_at: Mapped[datetime | None]
    mailed_at: Mapped[datetime | None]


class MailChoice(Model):
    """How a person wants to be told by e-mail; without a row, daily at seven with nothing left out.

    weekday: 0 for Monday, of weekly e-mails. hour: from which hour on, on the district's clock.
    """

    __tablename__ = "mail_choice"
    __table_args__ = (
        one_of("how_often", HOW_OFTEN),
        CheckConstraint("hour BETWEEN 5 AND 18", name="hour"),
        CheckConstraint("weekday BETWEEN 0 AND 4", name="weekday"),
    )
    person_id: Mapped[int] = to("person.id", primary_key=True, index=False)
    how_often: Mapped[str] = mapped_column(default="daily")
    hour: Mapped[int] = mapped_column(SmallInteger, default=7)
    weekday: Mapped[int] = mapped_column(SmallInteger, default=0)
    left_out: Mapped[list[str]] = mapped_column(JSONB, default=list, server_default=text("'[]'"))


class Mail(Model):
    """An e-mail to one person, once for its `key`. It keeps no words either: they are made when it is sent.

    waiting: to be sent, or tried again at `next_try_at`. sending: being handed over. nothing: there was nothing to say,
    or nobody to say it to. unclear: it was handed over and the answer was lost; it is not sent a second time.
    given_up: refused for good, or for too long. notice_id: the urgent notice it is about; otherwise it is a digest.
    """

    __tablename__ = "mail"
    __table_args__ = (
        one_of("status", MAIL_STATES),
        Index("ix_mail_open", "next_try_at", postgresql_where=text("status IN ('waiting', 'sending')")),
        Index("ix_mail_person_id", "person_id"),
    )
    id: Mapped[Id]
    key: Mapped[str] = mapped_column(unique=True)
    person_id: Mapped[int] = to("person.id", index=False)
    notice_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("notice.id"))
    status: Mapped[str] = mapped_column(default="waiting", server_default="waiting")
    created_at: Mapped[datetime]
    next_try_at: Mapped[datetime | None]
    started_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    tries: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    said: Mapped[int] = mapped_column(default=0, server_default=text("0"))  # how many notices it told of
    error: Mapped[str] = mapped_column(default="", server_default="")


class CalendarAddress(Model):
    """The secret address at which a person's calendar program asks for what is due; a new one ends the old.

    asked_at: when a program last asked, to the day.
    """

    __tablename__ = "calendar_address"
    person_id: Mapped[int] = to("person.id", primary_key=True, index=False)
    token_hash: Mapped[str] = mapped_column(unique=True)
    made_at: Mapped[datetime]
    asked_at: Mapped[datetime | None]
