"""Files that went on after they were put away: a writer that paused longer than a look waits still has hold of them.

What lies in `taken` and `refused` is compared at each look of the next days with what was read. A file that begins
with exactly that and goes on comes back to where it lay and is read once more, whole.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Final

from ew_app.kernel import now
from ew_app.services.sources import arrivals
from ew_app.services.sources.arrivals import Late
from ew_app.services.sources.clearing import REFUSED, TAKEN, put_away
from ew_app.services.sources.fetching import Ask, CannotFetch
from ew_app.services.sources.places import Entry, FilePlace, NotYet

WATCHED: Final = timedelta(days=7)  # longer than any writer pauses, also over a weekend without a look
_NUMBERED: Final = re.compile(r" \(\d+\)(?=\.[^.]*$|$)")


@dataclass(frozen=True, slots=True)
class _Lying:
    """A file that was put away, what was read of files of its name that day, and the arrivals of that whole folder."""

    folder: str
    entry: Entry  # named by its path below the place
    same_name: tuple[Late, ...]
    all: tuple[Late, ...]

    @property
    def name(self) -> str:
        return self.same_name[0].seen.name

    @property
    def changed(self) -> bool:
        """Whether it looks unlike everything that was read under its name."""
        looks = (self.entry.size, self.entry.modified)
        return all((late.seen.size, late.seen.modified) != looks for late in self.same_name)


def bring_back(ask: Ask, place: FilePlace, into: Path, *, together: bool) -> list[str]:
    """Put what went on back to where it lay, with the rest of its export where all is read `together`.

    Returns a sentence for each file that has changed; one whose name is taken by a newer file waits for the next look.
    """
    lying, told = list(_lying(ask, place)), list[str]()
    for one in lying:
        if not one.changed:
            continue
        try:
            told += _bring_one_back(one, lying, place, into, together)
        except (CannotFetch, NotYet) as why:
            told.append(str(why))  # the rest of the look does not hang on it
    return told


def _bring_one_back(
    one: _Lying, lying: Sequence[_Lying], place: FilePlace, into: Path, together: bool
) -> Iterator[str]:
    begun = _begun(one, place, into)
    if begun is None and one.folder.startswith(REFUSED):
        begun = one.same_name[-1]  # nothing of it counts, so whatever it has become may be read
    if begun is None:
        if not _is_read(one, into):
            yield _CHANGED.format(name=one.name)
    elif not place.bring_back(one.entry.name, one.name):
        yield _WAITS.format(name=one.name)
    else:
        yield _WENT_ON.format(name=one.name)
        if together:
            _bring_the_rest(begun, one, lying, place)


_WENT_ON: Final = "{name} went on after it was put away, and is read once more."
_WAITS: Final = "{name} went on after it was put away. It is read once more when the newer file of its name is in."
_CHANGED: Final = (
    "{name} was changed after it was taken in. What we read of it counts. "
    "If the change should count, put the file into the folder again."
)


def _lying(ask: Ask, place: FilePlace) -> Iterator[_Lying]:
    by_folder: dict[str, list[Late]] = {}
    for late in arrivals.since(ask, now() - WATCHED):
        for why in (TAKEN, REFUSED):
            by_folder.setdefault(put_away(why, late.at), []).append(late)
    for folder, came in by_folder.items():
        for entry in place.entries(folder):
            if entry.plain and (same := _of_name(entry.name, came)):
                yield _Lying(folder, replace(entry, name=f"{folder}/{entry.name}"), same, tuple(came))


def _of_name(name: str, came: Sequence[Late]) -> tuple[Late, ...]:
    """What was read under a name, which may have got a number when it was put away."""
    exact = tuple(late for late in came if late.seen.name == name)
    return exact or tuple(late for late in came if late.seen.name == _NUMBERED.sub("", name))


def _begun(one: _Lying, place: FilePlace, into: Path) -> Late | None:
    """What was read of the file, where it begins with exactly that and goes on."""
    place.read(one.entry, copy := into / _COPY)
    shorter = [late for late in one.same_name if late.seen.sha256 and late.seen.size < one.entry.size]
    return next((late for late in reversed(shorter) if _hash(copy, late.seen.size) == late.seen.sha256), None)


def _is_read(one: _Lying, into: Path) -> bool:
    """Whether only the time of the file has changed."""
    return _hash(into / _COPY, one.entry.size) in {late.seen.sha256 for late in one.same_name}


_COPY: Final = "put-away"


def _hash(path: Path, size: int) -> str:
    """sha256 of the first `size` bytes."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while size > 0 and (block := file.read(min(size, 1 << 20))):
            digest.update(block)
            size -= len(block)
    return digest.hexdigest()


def _bring_the_rest(begun: Late, one: _Lying, lying: Sequence[_Lying], place: FilePlace) -> None:
    """The other files that were read in the same look, as they were."""
    beside = {late.seen.name for late in one.all if late.pull_id == begun.pull_id} - {one.name}
    for other in lying:
        if other.folder == one.folder and other.name in beside and not other.changed:
            place.bring_back(other.entry.name, other.name)
