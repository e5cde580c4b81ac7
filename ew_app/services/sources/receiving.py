"""What was fetched, handed over exactly like an upload: by an actor named after the source, with every check."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from ew_app.feeds import ATTENDANCE, TABLES, Delivery, RefusedFile, Said, open_delivery
from ew_app.kernel import Actor, Refused, operation
from ew_app.services.deliveries import ingest
from ew_app.services.deliveries.remembering import matched_before, said_before
from ew_app.services.deliveries.upload_reading import columns_unknown
from ew_app.services.sources import lining_up
from ew_app.services.sources.fetching import Ask, Found
from rules.access import Grants

POSITION = "source"
LOGIN = "source:"  # before the name of a source, where a login stands


def actor(name: str) -> Actor:
    """Who a source is in the history of what it brought."""
    return Actor(LOGIN + name, name, POSITION, grants=Grants.operator())


@operation
def receive(ask: Ask, found: Found) -> list[int]:
    """Keep one delivery, the roster in it before its attendance; returns the batches. Refused: nothing was kept.

    They are loaded one after the other. A file with a column that must never be here is a batch that was refused.
    """
    batches = [
        ingest.receive(
            kind=kind,
            name=_name(found, delivery),
            files=delivery,
            by=actor(ask.name),
            source=ask.name,
            options=_options(ask, kind, delivery) | dict(found.options),
            in_line=True,
        )
        for kind, delivery in _by_kind(ask, _opened(ask, found))
    ]
    lining_up.move_up(ask.source_id)
    return batches


def _opened(ask: Ask, found: Found) -> Delivery:
    try:
        return open_delivery(found.files, Said.of(ask.said), _tables(ask), said_before(ask.name))
    except RefusedFile as refused:
        raise Refused(str(refused)) from refused


def _tables(ask: Ask) -> list[str]:
    """What is looked for in an export."""
    wanted = {"attendance": (True,), "roster": (False,), "both": (False, True)}[ask.brings]
    return [table for table in TABLES if (table in ATTENDANCE) in wanted]


def _by_kind(ask: Ask, delivery: Delivery) -> Iterator[tuple[str, Delivery]]:
    """The parts that the source is there for. Refused where there is none of them."""
    kinds = ("roster", "attendance") if ask.brings == "both" else (ask.brings,)
    found = [(kind, _only(delivery, kind)) for kind in kinds]
    if not any(one.parts for _, one in found):
        words = "a roster or attendance" if ask.brings == "both" else ask.brings
        raise Refused(f"There is no file in {delivery.name} that holds {words}.")
    return (pair for pair in found if pair[1].parts)


def _only(delivery: Delivery, kind: str) -> Delivery:
    return replace(
        delivery, parts=tuple(p for p in delivery.parts if (p.table in ATTENDANCE) == (kind == "attendance"))
    )


def _name(found: Found, delivery: Delivery) -> str:
    names = ", ".join(part.name for part in delivery.parts)
    return (found.name or names)[:200]


def _options(ask: Ask, kind: str, delivery: Delivery) -> dict[str, Any]:
    """What was said of the source's files, and the columns that somebody matched for an earlier one."""
    options: dict[str, Any] = {"exit": ask.said["exit"]} if ask.said.get("exit") else {}
    if not (mapping := matched_before(ask.name, kind)):
        return options
    try:
        tried = options | {"mapping": mapping}
        return options if columns_unknown(delivery.parts, tried) else tried
    except Refused:
        return options  # ingest says what is wrong with it, and keeps that it came
