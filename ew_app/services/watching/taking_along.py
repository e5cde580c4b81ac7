"""A page of counts as a file: kept as it was told, so that the same day and moment give the same file again.

What a page tells rests on tables that only know today: where everybody stood, how far cases have come. So what was
taken is kept. As long as a page tells the same, it is the same file, with the moment from which it was told so.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import select

from ew_app.kernel import Actor, Refused, audit, local, now, operation
from ew_app.services.measuring.policies import timeline
from models.base import db
from models.taken import TakenPage

ONLY_NOW = "Work on cases is told as it stands today. Leave the day out, or give the moment of a file taken before."
LATELY = 3  # moments that are named where another one was asked for
Cell = int | float | str | None


@dataclass(frozen=True, slots=True)
class Table:
    """One table of a page: what its file is called, what it is headed, columns, rows in their order."""

    key: str
    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]


@dataclass(frozen=True, slots=True)
class Told:
    """What a page tells: as of which day, its tables, and what their columns mean."""

    as_of: date
    tables: Sequence[Table]
    words: Sequence[tuple[str, str]] = ()


@dataclass(frozen=True, slots=True)
class Asked:
    """Which page (`name` in file names), of which place, asked for what; `eyes`: how much its reader may see there."""

    page: str
    title: str
    place: str
    what: Mapping[str, str]
    eyes: str = ""
    live: bool = False  # told as it stands today and of no other day

    @property
    def key(self) -> str:
        """All of it as one text, the same for whoever reads the same."""
        told = {name: value for name, value in self.what.items() if value}
        return json.dumps([self.page, self.place, told, self.eyes], sort_keys=True)


@dataclass(frozen=True, slots=True)
class Taken:
    """A page to take along: from which moment on it was told so, by which rules."""

    asked: Asked
    as_of: str
    known_at: datetime
    policy_version: str
    tables: tuple[Table, ...]
    words: tuple[tuple[str, str], ...]

    @property
    def moment(self) -> str:
        """The moment in UTC, as it is written and can be asked for again."""
        return self.known_at.astimezone(UTC).isoformat()

    @property
    def stamp(self) -> dict[str, str]:
        """What stands in every row."""
        return {"as_of": self.as_of, "known_at": self.moment, "policy_version": self.policy_version}


@operation
def take(asked: Asked, tell: Callable[[], Told], *, by: Actor, known_at: datetime | None = None) -> Taken:
    """The page as a file, written down as taken; `tell` is called where it is asked for now. Raises Refused."""
    found = _kept(asked, known_at) if known_at else _told(asked, tell())
    about = f"{asked.page} as of {found.as_of}, known at {found.moment}"
    audit("figures_taken", by=by, subject=f"figures:{asked.place}", reason=about)
    return found


def _told(asked: Asked, told: Told) -> Taken:
    if asked.live and asked.what["as_of"] != str(told.as_of):
        raise Refused(ONLY_NOW)
    version = timeline().on(told.as_of).version
    content = json.loads(json.dumps(asdict(told) | {"as_of": str(told.as_of), "policy_version": version}))
    last = db.session.scalar(_of(asked).limit(1))
    if last is None or last.told != content:
        last = TakenPage(asked=asked.key, known_at=now(), told=content)
        db.session.add(last)
        db.session.flush()
    return _made(asked, last.known_at, last.told)


def _kept(asked: Asked, moment: datetime) -> Taken:
    kept = db.session.scalars(_of(asked)).all()
    for one in kept:
        if one.known_at == moment:
            return _made(asked, one.known_at, one.told)
    known = ", ".join(one.known_at.astimezone(UTC).isoformat() for one in kept[:LATELY])
    raise Refused(
        "Nobody took this page along at that moment, and it cannot be told of the past. "
        + (f"It was taken along at {known}." if known else "Leave the moment out to take it as it is now.")
    )


def _of(asked: Asked) -> Any:
    return select(TakenPage).where(TakenPage.asked == asked.key).order_by(TakenPage.known_at.desc())


def _made(asked: Asked, moment: datetime, told: Mapping[str, Any]) -> Taken:
    tables = tuple(Table(one["key"], one["title"], one["columns"], one["rows"]) for one in told["tables"])
    words = tuple((name, said) for name, said in told["words"])
    return Taken(asked, told["as_of"], moment, told["policy_version"], tables, words)


def name_of(taken: Taken, by: Actor) -> str:
    """What the file is called: page, place and day, when it was taken on the district's clock, and by whom."""
    where = taken.asked.place.replace(":", "-").replace(" ", "-")
    return f"{taken.asked.page}-{where}-{taken.as_of}-taken-{local(now()):%Y-%m-%dT%H%M}-by-{by.login}"
