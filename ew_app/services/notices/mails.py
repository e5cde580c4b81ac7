"""E-mails to members of staff: each handed over once, tried again while the mail server is away.

A row says that an e-mail is wanted; its words are made from what its reader may see at the moment of sending. `sending`
is committed before the server is spoken to, so that after a crash nobody has to guess: a digest whose fate is not known
is not sent again, because what it told still stands under News and in the next one. An urgent one is sent again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.message import EmailMessage
from email.utils import format_datetime

from sqlalchemy import select, update

from ew_app.kernel import now, operation, settings
from ew_app.outbox import Job, enqueue
from ew_app.services.notices import digests, post
from ew_app.services.notices.digests import Words
from ew_app.services.notices.post import MailFault
from ew_app.services.people import signing_in
from models.base import db
from models.notices import Mail, Notice
from models.staff import Person

PAUSES = tuple(timedelta(minutes=minutes) for minutes in (1, 2, 5, 10, 20, 30, 60))
TRIED_FOR = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Ready:
    """A message with its address, and the notices it tells of."""

    message: EmailMessage
    to: str
    notices: Sequence[int]


def send(mail_id: int) -> None:
    """The queued job: hand one e-mail over, unless it went out, has nothing to say, or nobody may be told."""
    ready = _begin(mail_id)
    if ready is None:
        return
    try:
        post.hand_over(ready.message, ready.to)
    except MailFault as fault:
        _failed(mail_id, fault)
    else:
        _sent(mail_id, ready.notices)


@operation
def try_again() -> int:
    """Ask once more for the e-mails whose next try has come; returns how many."""
    due = select(Mail.id).where(Mail.status == "waiting", Mail.next_try_at <= now()).order_by(Mail.id).limit(200)
    found = db.session.scalars(due).all() if post.is_set_up() else []
    for mail_id in found:
        enqueue(Job.SEND_MAIL, mail_id)
    return len(found)


@operation
def _begin(mail_id: int) -> Ready | None:
    """The message, marked as being sent; None where nothing is to be sent (any more)."""
    mail = db.session.get(Mail, mail_id, with_for_update=True, populate_existing=True)
    if mail is None or mail.status not in ("waiting", "sending"):
        return None
    if mail.status == "sending" and mail.notice_id is None:
        _end(mail, "unclear", "The system stopped while it was handed over.")
        return None
    person = db.session.get_one(Person, mail.person_id)
    by = signing_in.actor_of(person)
    reaches = post.is_set_up() and person.email and person.disabled_at is None and by.grants.held
    words = digests.words(mail, by) if reaches else None
    if words is None:
        _end(mail, "nothing")
        return None
    mail.status, mail.started_at, mail.said = "sending", now(), len(words.notices)
    mail.tries += 1
    return Ready(_message(mail, person.email, words), person.email, words.notices)


def _message(mail: Mail, to: str, words: Words) -> EmailMessage:
    """The words as a message. Its number is the row's, so that a server which gets it twice can tell."""
    message, sender = EmailMessage(), settings().mail_from or "early-warning@localhost"
    message["From"], message["To"], message["Subject"] = sender, to, words.subject
    message["Date"] = format_datetime(now())
    message["Message-ID"] = f"<{mail.key.replace('/', '-')}-{mail.id}@early-warning.{_domain(sender)}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(words.body)
    return message


def _domain(sender: str) -> str:
    return sender.rpartition("@")[2].strip("> ") or "localhost"


@operation
def _sent(mail_id: int, told: Sequence[int]) -> None:
    _end(db.session.get_one(Mail, mail_id, with_for_update=True), "sent")
    db.session.execute(update(Notice).where(Notice.id.in_(told)).values(mailed_at=now()))


@operation
def _failed(mail_id: int, fault: MailFault) -> None:
    """What comes next: nothing more where it may have arrived or never will, another try otherwise."""
    mail = db.session.get_one(Mail, mail_id, with_for_update=True)
    if fault.unclear and mail.notice_id is None:
        _end(mail, "unclear", str(fault))
    elif fault.for_good or now() - mail.created_at > TRIED_FOR:
        _end(mail, "given_up", str(fault))
    else:
        pause = PAUSES[min(mail.tries, len(PAUSES)) - 1]
        mail.status, mail.error, mail.next_try_at = "waiting", str(fault), now() + pause


def _end(mail: Mail, status: str, error: str = "") -> None:
    mail.status, mail.error, mail.ended_at, mail.next_try_at = status, error, now(), None


# -- how it stands -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Standing:
    """E-mails that wait after a failed try or hang, since when and why; and those given up within a week."""

    waiting: int
    since: datetime | None
    error: str
    given_up: int
    unclear: int


def standing() -> Standing:
    """What is not as it should be with the e-mails; numbers only."""
    late = select(Mail).where(Mail.status.in_(("waiting", "sending")), Mail.tries > 0).order_by(Mail.created_at)
    rows = db.session.scalars(late.limit(1000)).all()
    lately = Mail.ended_at > now() - timedelta(days=7)
    ended = db.session.execute(select(Mail.status).where(lately, Mail.status.in_(("given_up", "unclear")))).all()
    states = [row.status for row in ended]
    return Standing(
        waiting=len(rows),
        since=rows[0].created_at if rows else None,
        error=rows[0].error if rows else "",
        given_up=states.count("given_up"),
        unclear=states.count("unclear"),
    )
