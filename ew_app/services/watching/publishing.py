"""What would be published: the public summary, told once of a month and kept as it was worked out.

The public adds and subtracts whatever was ever published. So there is one summary of a month, of the first day counted
in it, from the moment it was prepared: nobody can set two days, or two moments of one day, against each other.
"""

from __future__ import annotations

from dataclasses import asdict
from datetime import date, datetime
from typing import Final

from sqlalchemy import select, text

from ew_app import outbox
from ew_app.kernel import Actor, NotFound, Refused, audit, now, operation, record, today
from ew_app.outbox import Job, enqueue
from ew_app.services.measuring import hindsight
from ew_app.services.watching import parts, public, public_page
from ew_app.services.watching.public import Line, Summary
from models.base import db
from models.queries import boards as rows
from models.taken import TakenPage
from rules import access
from rules.access import Area, Permission

ASKED: Final = "public summary"
NOTHING: Final = "No school day has been counted yet, so there is nothing to publish."
SUMMARY_LOCK: Final = 7421


@operation
def prepare(*, by: Actor) -> None:
    """Ask for the summary of this month. Raises NotAllowed, Refused."""
    access.check(by.grants, Permission.PUBLISH)
    day = _day()
    if _of_month(day) is not None:
        raise Refused(f"The summary of {day:%B} is prepared, and there is one of each month. Take its files.")
    record("summary_asked", by=by, subject="figures:public")
    enqueue(Job.SUM_UP, key=ASKED)


@operation
def sum_up() -> None:
    """Work out the summary of this month and keep it, unless there is one."""
    if told_day() is not None:
        _made(_day(), None)


@operation
def publish(*, by: Actor, as_of: date | None = None, known_at: datetime | None = None) -> Summary:
    """The summary of a month, worked out if nobody has asked for it yet; written down as published. Raises Refused.

    as_of: its day, or none for this month; known_at: the moment it was prepared, or, where nobody did, as of which.
    """
    hindsight.check_come(as_of, known_at)
    day = _day(as_of)
    kept = _made(day, known_at)
    if known_at and known_at != kept.known_at:
        raise Refused(
            f"The summary of {day:%B %Y} was prepared at {public.written(kept.known_at)}, and there is one of each"
            " month. Give that moment, or none."
        )
    audit("summary_published", by=by, subject="figures:public", reason=_about(kept))
    return _read(kept)


def told_day(as_of: date | None = None) -> date | None:
    """The day of which the summary of a month is told: the first on which any school was counted in it."""
    schools = [one.id for one in rows.schools_in(Area(district=True))]
    kept = _of_month(as_of) if as_of else None
    last = as_of or rows.newest_counted(schools, today())
    return date.fromisoformat(kept.told["as_of"]) if kept else parts.told_on(schools, last) if last else None


def _day(as_of: date | None = None) -> date:
    """The day to tell of. Raises Refused where there is none, or another was asked for."""
    day = told_day(as_of)
    if day is None:
        raise Refused(NOTHING)
    if as_of and as_of != day:
        raise Refused(f"A summary is told once of a month, of the first day counted in it: give {day}, or no day.")
    return day


def _of_month(day: date) -> TakenPage | None:
    """The summary of the month of a day, if one was prepared."""
    kept = db.session.scalars(select(TakenPage).where(TakenPage.asked == ASKED).order_by(TakenPage.known_at))
    return next((one for one in kept if one.told["as_of"][:7] == f"{day:%Y-%m}"), None)


def _made(day: date, known_at: datetime | None) -> TakenPage:
    """The summary of the month of a day: the one that is kept, else worked out and kept."""
    db.session.execute(text("SELECT pg_advisory_xact_lock(:space, 0)"), {"space": SUMMARY_LOCK})
    kept = _of_month(day)
    if kept is None:
        moment = known_at or now()
        schools = rows.schools_in(Area(district=True))
        with hindsight.known_at(known_at):
            found = public.worked_out(schools, day, moment)
        told = {"as_of": str(day), "defined_on": str(found.defined_on), "lines": [asdict(line) for line in found.lines]}
        kept = TakenPage(asked=ASKED, known_at=moment, told=told)
        db.session.add(kept)
        db.session.flush()
    return kept


def under_way() -> bool:
    """Whether it is being worked out."""
    return outbox.waits(Job.SUM_UP, ASKED)


def newest() -> Summary | None:
    """The summary that was prepared last."""
    wanted = select(TakenPage).where(TakenPage.asked == ASKED).order_by(TakenPage.known_at.desc()).limit(1)
    kept = db.session.scalar(wanted)
    return _read(kept) if kept else None


@operation
def take(name: str, known_at: datetime, *, by: Actor) -> bytes:
    """One of the files of a prepared summary, written down as published. Raises NotAllowed, NotFound."""
    access.check(by.grants, Permission.PUBLISH)
    kept = db.session.scalar(select(TakenPage).where(TakenPage.asked == ASKED, TakenPage.known_at == known_at))
    content = public_page.files(_read(kept)).get(name) if kept else None
    if kept is None or content is None:
        raise NotFound("No summary with such a file was prepared at that moment.")
    audit("summary_published", by=by, subject="figures:public", reason=f"{name} {_about(kept)}")
    return content


def _about(kept: TakenPage) -> str:
    return f"as of {kept.told['as_of']}, known at {kept.known_at.isoformat()}"


def _read(kept: TakenPage) -> Summary:
    told = kept.told
    lines = tuple(Line(**line) for line in told["lines"])
    return Summary(
        date.fromisoformat(told["as_of"]), public.written(kept.known_at), date.fromisoformat(told["defined_on"]), lines
    )
