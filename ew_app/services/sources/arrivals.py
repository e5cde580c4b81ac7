"""The files of a source that were settled, so that each is taken in once per content, whatever the clocks say."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from ew_app.kernel import now, operation
from ew_app.services.sources.fetching import Ask, Found, Seen
from models.base import db
from models.pulls import Arrival
from models.queries import pulls as rows


@dataclass(frozen=True, slots=True)
class Known:
    """The newest file of a name: what it looked like, its content, and whether that still stands."""

    seen: Seen
    refused: bool
    stands: bool
    at: datetime


def known(ask: Ask) -> dict[str, Known]:
    """Name -> the newest file of that name that was settled."""
    newest = rows.newest_arrivals(ask.source_id)
    statuses = rows.statuses([number for row in newest.values() for number in row.batches])
    return {name: _known(row, statuses) for name, row in newest.items()}


def _known(row: Arrival, statuses: Mapping[int, tuple[str, str]]) -> Known:
    """A content stands until what it became was refused, put away or taken back."""
    became = [statuses[number][0] for number in row.batches if number in statuses]
    stands = row.found_as != "refused" and not any(status in rows.STANDS_NO_MORE for status in became)
    return Known(Seen(row.name, row.size, row.modified, row.sha256), row.found_as == "refused", stands, row.at)


def is_settled(ask: Ask, seen: Seen, before: Mapping[str, Known]) -> bool:
    """Whether this very file was looked at before, and nothing was said since that may change the answer."""
    last = before.get(seen.name)
    if last is None or (last.seen.size, last.seen.modified) != (seen.size, seen.modified):
        return False
    return last.stands or ask.changed_at is None or last.at >= ask.changed_at


def is_same_content(seen: Seen, before: Mapping[str, Known]) -> bool:
    """Whether the newest file of this name had the same bytes, and what became of them still stands."""
    last = before.get(seen.name)
    return last is not None and last.stands and last.seen.sha256 == seen.sha256


@operation
def remember(ask: Ask, found: Found, batches: Sequence[int]) -> None:
    """In the transaction that took the files in."""
    became = rows.statuses(batches)
    refused = [sentence for status, sentence in became.values() if status == "refused"]
    _add(ask, found.seen, "refused" if refused else "taken", batches, " ".join(refused))


@operation
def remember_refused(ask: Ask, files: Iterable[Seen], sentence: str) -> None:
    """Files that could not become a delivery."""
    _add(ask, files, "refused", (), sentence)


@operation
def know(ask: Ask, files: Iterable[Seen]) -> None:
    """Files that came again with the content that was taken before; what became of it stays with the name."""
    before = rows.newest_arrivals(ask.source_id)
    for seen in files:
        batches = before[seen.name].batches if seen.name in before else ()
        _add(ask, [seen], "known", batches, "The same content as before.")


@dataclass(frozen=True, slots=True)
class Late:
    """A file that a look found, and when."""

    seen: Seen
    at: datetime
    pull_id: int


def since(ask: Ask, moment: datetime) -> list[Late]:
    """Every file that was settled since a moment, oldest first."""
    return [
        Late(Seen(row.name, row.size, row.modified, row.sha256), row.at, row.pull_id)
        for row in rows.arrivals_since(ask.source_id, moment)
    ]


def waited_for(ask: Ask, words: str, until: datetime) -> bool:
    """Whether a look that ended before a moment has waited, and said so in these words."""
    return rows.waited(ask.source_id, words, until)


# -- moving them out of the way ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Settled:
    """A file that lies where it was found and needs to lie there no more; with `why` it was refused."""

    id: int
    seen: Seen
    at: datetime
    why: str


def settled(ask: Ask) -> list[Settled]:
    """Files whose deliveries have come to an end, oldest first; what is still being loaded stays where it is."""
    found = rows.uncleared(ask.source_id)
    statuses = rows.statuses([number for row in found for number in row.batches])
    return [_settled(row, statuses) for row in found if not _under_way(row, statuses)]


@operation
def cleared(arrival_id: int) -> None:
    """The file is out of the way, or was when somebody looked for it."""
    db.session.get_one(Arrival, arrival_id).cleared_at = now()


def _under_way(row: Arrival, statuses: Mapping[int, tuple[str, str]]) -> bool:
    return any(statuses[number][0] in rows.UNDER_WAY for number in row.batches if number in statuses)


def _settled(row: Arrival, statuses: Mapping[int, tuple[str, str]]) -> Settled:
    became = [statuses[number] for number in row.batches if number in statuses]
    said = [sentence for status, sentence in became if status == "refused"]
    why = row.sentence if row.found_as == "refused" else " ".join(said)
    return Settled(row.id, Seen(row.name, row.size, row.modified, row.sha256), row.at, why)


def _add(ask: Ask, files: Iterable[Seen], found_as: str, batches: Sequence[int], sentence: str) -> None:
    for seen in files:
        row = Arrival(
            source_id=ask.source_id,
            pull_id=ask.pull_id,
            name=seen.name,
            size=seen.size,
            modified=seen.modified,
            sha256=seen.sha256,
            found_as=found_as,
            batches=list(batches),
            sentence=sentence,
            at=now(),
        )
        db.session.add(row)
