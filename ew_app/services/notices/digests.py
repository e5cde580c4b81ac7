"""The words of e-mails to staff, and when each person's digest is due. Case numbers and counts; never a name.

A digest goes out Monday to Friday between the hour its reader chose and the evening, once a day or once a week, and
only when there is something to say.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time

from sqlalchemy import ColumnElement, and_, exists, func, or_, select
from sqlalchemy.dialects.postgresql import insert

from ew_app.kernel import Actor, local, now, operation, settings, today
from ew_app.outbox import Job, enqueue
from ew_app.services.casework import reaching
from ew_app.services.notices import choosing, news, post, week
from ew_app.services.notices.news import News
from models.base import db
from models.notices import Mail, MailChoice
from models.queries import news as work
from models.staff import Person
from rules.counting import are, many
from rules.notices import notices

QUIET_FROM = time(18, 30)  # no digest later than this on the district's clock
SCHOOL_WEEK = range(5)
NAMED = 12  # sentences that an e-mail holds; more of them are counted
AT_A_TIME = 500


@dataclass(frozen=True, slots=True)
class Words:
    """An e-mail: its subject, its text, and the notices it tells of."""

    subject: str
    body: str
    notices: Sequence[int]


def words(mail: Mail, by: Actor) -> Words | None:
    """What this e-mail says to its reader now; None where it would say nothing, or its time is over."""
    if mail.notice_id is not None:
        return _of_one(news.read(by, one=mail.notice_id))
    chosen = choosing.choice_of(mail.person_id)
    if chosen.how_often == "never" or not _in_time(mail, chosen.hour):
        return None
    told = [one for one in news.read(by, mailable=notices().mailed(chosen.left_out)) if not one.over]
    monday = local(now()).weekday() == 0 or chosen.how_often == "weekly"
    due = work.due(mail.person_id, today(), by.grants.standing_in, reaching.openings(by))
    return _digest(told, due, week.line(by) if monday else "")


def _in_time(mail: Mail, hour: int) -> bool:
    """A digest belongs to its day: what could not be sent then stands in the next one."""
    here = local(now())
    return mail.key == _key(mail.person_id, here) and time(hour) <= here.time() < QUIET_FROM


def _of_one(found: Sequence[News]) -> Words | None:
    """Nothing once it is over: the visitors are back, somebody has answered."""
    if not found or found[0].over:
        return None
    one = found[0]
    return Words("Early Warning: please look now", f"{one.sentence}\n\n{_where('/news')}\n", [one.id])


def _digest(told: Sequence[News], due: work.Due, schools: str) -> Words | None:
    if not told and not due.things and not schools:
        return None
    new = [f"- {one.sentence}" for one in told[:NAMED]]
    if len(told) > NAMED:
        new.append(f"- and {len(told) - NAMED} more")
    parts = [
        "\n".join([f"New for you: {len(told)}", *new]) if told else "",
        _due(due),
        schools,
        _where("/news"),
        f"How often this comes, and what it leaves out, is yours to choose: {settings().address}/news/choices",
    ]
    subject = f"Early Warning: {many(len(told) + due.things + bool(schools), 'thing')} for you"
    return Words(subject, "\n\n".join(part for part in parts if part) + "\n", [one.id for one in told])


def _due(due: work.Due) -> str:
    """Cases by number, tasks only counted: what a task is about stands nowhere but behind the sign-in."""
    lines = []
    if due.cases:
        numbers = ", ".join(str(number) for number in due.cases[:NAMED])
        more = f" and {len(due.cases) - NAMED} more" if len(due.cases) > NAMED else ""
        late = f", {due.late_cases} of them late" if due.late_cases else ""
        lines.append(f"{many(len(due.cases), 'case')} {are(len(due.cases))} due{late}: {numbers}{more}")
    if due.tasks:
        late = f", {due.late_tasks} of them late" if due.late_tasks else ""
        lines.append(f"{many(due.tasks, 'task')} {are(due.tasks)} due{late}")
    return "\n".join(lines)


def _where(path: str) -> str:
    return f"Everything stands here: {settings().address}{path}"


# -- when ----------------------------------------------------------------------------------------------------


@operation
def ask_for_due() -> int:
    """Ask for the digest of everybody whose hour has come today; asked twice is one. Returns how many."""
    here = local(now())
    if not post.is_set_up() or here.weekday() not in SCHOOL_WEEK or here.time() >= QUIET_FROM:
        return 0
    wanted = (
        select(Person.id)
        .outerjoin(MailChoice, MailChoice.person_id == Person.id)
        .where(Person.email != "", Person.disabled_at.is_(None), _due_now(here), ~_asked(here))
        .order_by(Person.id)
        .limit(AT_A_TIME)
    )
    found = db.session.scalars(wanted).all()
    for person_id in found:
        row = insert(Mail).values(key=_key(person_id, here), person_id=person_id, created_at=now())
        number = db.session.scalar(row.on_conflict_do_nothing().returning(Mail.id))
        if number is not None:
            enqueue(Job.SEND_MAIL, number)
    return len(found)


def _due_now(here: datetime) -> ColumnElement[bool]:
    daily = func.coalesce(MailChoice.how_often, "daily") == "daily"
    weekly = and_(MailChoice.how_often == "weekly", MailChoice.weekday == here.weekday())
    return and_(func.coalesce(MailChoice.hour, 7) <= here.hour, or_(daily, weekly))


def _asked(here: datetime) -> ColumnElement[bool]:
    return exists().where(Mail.key == func.concat("digest/", Person.id, "/", here.date().isoformat()))


def _key(person_id: int, here: datetime) -> str:
    return f"digest/{person_id}/{here.date().isoformat()}"
