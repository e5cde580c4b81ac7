"""A source tried out: connect, say what would be taken, take nothing."""

from __future__ import annotations

from ew_app.kernel import Actor, NotFound, Refused, operation, record
from ew_app.services.sources.fetching import ask_of, fetcher
from models.queries import pulls as rows
from rules import access
from rules.access import Permission, Place


def test(name: str, *, by: Actor) -> list[str]:
    """Sentences about what a look would find. Raises CannotFetch, Refused, NotFound, NotAllowed."""
    access.check(by.grants, Permission.KEEP_SOURCES, Place.district())
    source = rows.source(name)
    if source is None:
        raise NotFound(f"There is no source {name}.")
    if source.kind == "by_hand":
        raise Refused(f"The files of {name} come by hand; there is nothing to try out.")
    ask = ask_of(source, cursor=rows.last_cursor(source.id))
    _note(name, by)
    return fetcher(source.kind).test(ask)


@operation
def _note(name: str, by: Actor) -> None:
    record("source_tried", by=by, subject=f"source:{name}")
