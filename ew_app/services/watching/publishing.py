"""What would be published now: the public summary, prepared when somebody asks and kept as it was worked out."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date, datetime
from typing import Final

from sqlalchemy import select

from ew_app import outbox
from ew_app.kernel import Actor, NotFound, Refused, audit, now, operation, record, today
from ew_app.outbox import Job, enqueue
from ew_app.services.watching import public, public_page
from ew_app.services.watching.public import Line, Summary
from models.base import db
from models.queries import boards as rows
from models.taken import TakenPage
from rules import access
from rules.access import Area, Permission

ASKED: Final = "public summary"


@operation
def prepare(*, by: Actor) -> None:
    """Ask for the summary as of the last counted day. Raises NotAllowed, Refused."""
    access.check(by.grants, Permission.PUBLISH)
    if last_day() is None:
        raise Refused("No school day has been counted yet, so there is nothing to publish.")
    record("summary_asked", by=by, subject="figures:public")
    enqueue(Job.SUM_UP, key=ASKED)


@operation
def sum_up() -> None:
    """Work it out and keep it."""
    day = last_day()
    if day is None:
        return
    moment = now()
    found = public.worked_out(rows.schools_in(Area(district=True)), day, moment, None)
    told = {"as_of": str(day), "defined_on": str(found.defined_on), "lines": [asdict(line) for line in found.lines]}
    db.session.add(TakenPage(asked=ASKED, known_at=moment, told=told))


def last_day() -> date | None:
    """The last day that any school was counted."""
    schools = [one.id for one in rows.schools_in(Area(district=True))]
    return max(rows.last_counted(schools, today()).values(), default=None)


def under_way() -> bool:
    """Whether it is being worked out."""
    return outbox.waits(Job.SUM_UP, ASKED)


def newest() -> Summary | None:
    """The summary that was prepared last."""
    kept = db.session.scalar(
        select(TakenPage).where(TakenPage.asked == ASKED).order_by(TakenPage.known_at.desc()).limit(1)
    )
    return _of(kept) if kept else None


@operation
def take(name: str, known_at: datetime, *, by: Actor) -> bytes:
    """One of the files of a prepared summary, written down as published. Raises NotAllowed, NotFound."""
    access.check(by.grants, Permission.PUBLISH)
    kept = db.session.scalar(select(TakenPage).where(TakenPage.asked == ASKED, TakenPage.known_at == known_at))
    content = public_page.files(_of(kept)).get(name) if kept else None
    if kept is None or content is None:
        raise NotFound("No summary with such a file was prepared at that moment.")
    about = f"{name} as of {kept.told['as_of']}, known at {known_at.isoformat()}"
    audit("summary_published", by=by, subject="figures:public", reason=about)
    return content


def _of(kept: TakenPage) -> Summary:
    told = kept.told
    lines = tuple(Line(**line) for line in told["lines"])
    return Summary(
        date.fromisoformat(told["as_of"]), public.written(kept.known_at), date.fromisoformat(told["defined_on"]), lines
    )
