"""Looks at sources in tests: everything that is asked for is done at once, in this process."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ew_app.kernel import OPERATOR, settings
from ew_app.outbox import Job, done_here
from ew_app.services.deciding import flagging
from ew_app.services.sources import clearing, keeping, lining_up, pulling, starting
from ew_app.services.sources.keeping import Wanted
from models.attendance import Batch
from models.base import db
from models.pulls import Pull

AT_ONCE = {
    Job.PULL: pulling.pull,
    Job.LOAD_BATCH: lining_up.load,
    Job.CLEAR_AWAY: clearing.clear_away,
    Job.EVALUATE: flagging.evaluate,
}


def drop_folder(name: str = "sis", **location: Any) -> Path:
    """A source called like its folder, and the folder; a file counts as whole at once."""
    folder = settings().drops / name
    folder.mkdir(parents=True)
    keeping.add(name, folder_wanted(name, **location), by=OPERATOR)
    return folder


def folder_wanted(name: str, *, brings: str = "attendance", said: dict[str, str] | None = None, **place: Any) -> Wanted:
    return Wanted("folder", brings, location={"folder": name, "quiet": 0} | place, said=said or {})


def look(name: str = "sis", **how: Any) -> Pull:
    """Look at a source now, take in what is there, and return what came of it."""
    with done_here(AT_ONCE):
        number = starting.ask(name, by=OPERATOR, **how)
    return pull_numbered(number)


def pull_numbered(number: int) -> Pull:
    return db.session.get_one(Pull, number, populate_existing=True)


def became(pull: Pull) -> list[str]:
    """Status of each delivery of a look, in order."""
    return [db.session.get_one(Batch, number, populate_existing=True).status for number in pull.batches]


def files(folder: Path) -> list[str]:
    """Everything below a folder, the day of a look left out of the names."""
    found = (path.relative_to(folder).parts for path in folder.rglob("*") if path.is_file())
    return sorted("/".join(part for part in parts if not part.startswith("20")) for parts in found)
