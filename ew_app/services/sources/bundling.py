"""Which new files belong together: a zip stands alone, a roster is one, attendance goes with what it covers."""

from __future__ import annotations

from collections.abc import Sequence

from ew_app.feeds.parts import ATTENDANCE, CLAIMS, ending_of, table_named
from ew_app.services.sources.places import Entry


def bundles(entries: Sequence[Entry]) -> list[list[Entry]]:
    """Files in the order in which they came, as the deliveries they make: the roster first, then the rest.

    covers.csv and submitted.csv go with the attendance file of the same ending; where one has no such file, all
    attendance of this look is one delivery, because it may speak of any of it.
    """
    roster = [entry for entry in entries if _table(entry) not in (None, *ATTENDANCE)]
    attendance = [entry for entry in entries if _table(entry) in ATTENDANCE]
    others = [[entry] for entry in entries if _table(entry) is None]
    made = [*_by_day(attendance), *others]
    made.sort(key=lambda bundle: max((entry.order, entry.name) for entry in bundle))
    return [roster, *made] if roster else made


def _by_day(attendance: Sequence[Entry]) -> list[list[Entry]]:
    files: dict[str, list[Entry]] = {}
    for entry in attendance:
        if _table(entry) not in CLAIMS:
            files.setdefault(ending_of(entry.name), []).append(entry)
    claims = [entry for entry in attendance if _table(entry) in CLAIMS]
    if any(ending_of(claim.name) not in files for claim in claims):
        return [list(attendance)]
    for claim in claims:
        files[ending_of(claim.name)].append(claim)
    return list(files.values())


def _table(entry: Entry) -> str | None:
    return table_named(entry.name)
