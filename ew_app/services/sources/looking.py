"""Looking for files: which are new, whether they are whole, which belong together, in which order they go in.

A file is whole when it looks the same twice, some seconds apart, and no other file of the place changes meanwhile:
systems write the files of one export one after the other. Names that senders give to unfinished files are passed
over, and a source may name a file without which nothing is taken.
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Any, Final

from ew_app.feeds import OURS
from ew_app.kernel import Refused, day_text, local
from ew_app.services.sources import added_later, arrivals, cut_off
from ew_app.services.sources.arrivals import Known
from ew_app.services.sources.bundling import bundles
from ew_app.services.sources.clearing import MOVE, REFUSED, TAKEN, put_away
from ew_app.services.sources.fetching import Answer, Ask, Fetched, Field, Found, Seen
from ew_app.services.sources.places import Entry, FilePlace, NotYet
from rules.counting import many

LEAVE: Final = "leave"
BY_FORMAT: Final = "by the format"
PATTERNS: Final = "*.csv *.txt *.tsv *.zip *.xml *.json *.ndjson *.jsonl"
UNFINISHED: Final = ("*.tmp", "*.temp", "*.part", "*.partial", "*.filepart", "*.crdownload", "*.writing", "~*", ".*")
LONGEST_NAME: Final = 200  # bytes
MOST_FILES: Final = 200  # in one look; the rest comes with the next
QUIET: Final = 10  # seconds
LARGEST: Final = 2048  # megabytes

FIELDS: Final = (
    Field("names", "Files to take", "Patterns with a space between them.", default=PATTERNS, rare=True),
    Field(
        "together",
        "All files are one export",
        "For exports in several tables: whenever one is new, all are read together. So it is where a format is said.",
        Answer.YES_NO,
        default=BY_FORMAT,
    ),
    Field(
        "wait_for",
        "Wait for this file",
        "If your system writes one when it has finished, such as done.txt. Nothing is taken before it is there.",
        rare=True,
    ),
    Field(
        "quiet",
        "Seconds without a change",
        "before a file counts as whole.",
        Answer.NUMBER,
        default=str(QUIET),
        rare=True,
    ),
    Field("largest", "Largest file in MB", "A larger one is refused.", Answer.NUMBER, default=str(LARGEST), rare=True),
)


@dataclass(frozen=True, slots=True)
class How:
    """What a location says about its files."""

    names: tuple[str, ...]
    together: bool
    wait_for: str
    quiet: int
    largest: int
    moves: bool

    @classmethod
    def of(cls, ask: Ask) -> How:
        place = ask.location
        together = place.get("together", ask.said.get("format", OURS) != OURS)
        patterns = tuple(str(place.get("names", PATTERNS)).lower().split())
        numbers = int(place.get("quiet", QUIET)), int(place.get("largest", LARGEST))
        return cls(patterns, bool(together), place.get("wait_for", ""), *numbers, place.get("afterwards") == MOVE)

    def wants(self, name: str) -> bool:
        """Whether a file of this name is for us, and finished as far as its name tells."""
        plain = name.lower()
        if any(fnmatch(plain, pattern) for pattern in UNFINISHED):
            return False
        return self.is_mark(name) or any(fnmatch(plain, pattern) for pattern in self.names)

    def is_mark(self, name: str) -> bool:
        """Whether it is the file that says that the others are whole."""
        return bool(self.wait_for) and fnmatch(name.lower(), self.wait_for.lower())


def checked(given: Mapping[str, Any], *, moves: bool) -> dict[str, Any]:
    """The answers to FIELDS and `afterwards` as they are kept. Raises Refused."""
    kept: dict[str, Any] = {
        name: text for name in ("names", "wait_for") if (text := str(given.get(name) or "").strip())
    }
    if given.get("together") not in (None, "", BY_FORMAT):
        kept["together"] = yes(given["together"])
    for name, low, high in (("quiet", 0, 120), ("largest", 1, 100_000)):
        if given.get(name) not in (None, ""):
            kept[name] = whole(given[name], name, low, high)
    afterwards = given.get("afterwards") or (MOVE if moves else LEAVE)
    if afterwards not in (MOVE, LEAVE):
        raise Refused("What becomes of a file that was taken: it is moved, or left where it is.")
    return kept | {"afterwards": afterwards}


def yes(given: Any) -> bool:
    """What a tick, or a word at the command line, says."""
    return given in (True, "yes", "true", "1", "on")


def whole(given: Any, name: str, low: int, high: int) -> int:
    """A whole number that somebody typed. Raises Refused."""
    try:
        number = int(str(given))
    except ValueError:
        raise Refused(f"{name}: {given} is not a whole number.") from None
    if not low <= number <= high:
        raise Refused(f"{name}: give a number from {low} to {high:,}.")
    return number


class FileFetcher(ABC):
    """Fetching from a place where files lie; what kind of place it is, the heirs know."""

    @abstractmethod
    def opened(self, ask: Ask) -> AbstractContextManager[FilePlace]:
        """The place, open. Raises CannotFetch."""

    def test(self, ask: Ask) -> list[str]:
        """Connect and say in sentences what would be taken; takes nothing."""
        how = How.of(ask)
        with self.opened(ask) as place:
            look = _Look(ask, how, place.entries())
        new = [f"{entry.name}, {_size(entry.size)}" for entry in look.new]
        would = f"{many(len(new), 'file')} would be taken: {'; '.join(new[:20])}." if new else "No new file is there."
        return [would, *look.told]

    def fetch(self, ask: Ask, into: Path) -> Fetched:
        """Bring what is new and whole."""
        how = How.of(ask)
        with self.opened(ask) as place:
            back = added_later.bring_back(ask, place, into, together=how.together) if how.moves else []
            look = _Look(ask, how, place.entries())
            look.told += back
            if not look.chosen:
                return Fetched(refused=tuple(look.refused), told=tuple(look.told))
            time.sleep(how.quiet)
            if moving := _changed(look, _Look(ask, how, place.entries())):
                return Fetched(told=(_still_written(moving), *back), again=True)
            try:
                read = _Bundles(ask, look, place, into)
            except NotYet as rest:
                return Fetched(told=(str(rest),), again=True, progress=True)
            if moving := _changed(look, _Look(ask, how, place.entries())):
                return Fetched(told=(_still_written(moving), *back), again=True)
            if unfinished := "" if how.wait_for else cut_off.unfinished(ask, read.found):
                return Fetched(told=(unfinished, *back), again=True)
        return Fetched(
            found=tuple(read.found),
            known=tuple(read.known),
            refused=tuple(look.refused),
            told=tuple(look.told),
            again=look.more,
            progress=look.more,
        )

    def clear(self, ask: Ask) -> None:
        """Move what was settled to `taken` or `refused`, by day; what is there no more is left at that."""
        waiting = arrivals.settled(ask) if How.of(ask).moves else []
        if not waiting:
            return
        with self.opened(ask) as place:
            there = {entry.name: entry for entry in place.entries() if entry.plain}
            for one in waiting:
                entry = there.get(one.seen.name)
                if entry is not None and entry.is_same(one.seen):
                    folder = put_away(REFUSED if one.why else TAKEN, one.at)
                    place.move(entry, folder, _note(ask, one) if one.why else "")
                    del there[one.seen.name]
                arrivals.cleared(one.id)


class _Look:
    """What lies in a place, sorted out: `chosen` files are to be fetched now, `marks` only say that they are whole."""

    def __init__(self, ask: Ask, how: How, entries: Sequence[Entry]) -> None:
        self.before: Mapping[str, Known] = arrivals.known(ask)
        self.how, self.told, self.refused = how, list[str](), list[tuple[Seen, str]]()
        wanted = [entry for entry in sorted(entries, key=lambda one: (one.order, one.name)) if self._fits(entry)]
        unsettled = [entry for entry in wanted if not arrivals.is_settled(ask, entry.seen(), self.before)]
        self.marks = [entry for entry in unsettled if how.is_mark(entry.name)]
        files = [entry for entry in unsettled if not how.is_mark(entry.name)]
        self.new = [entry for entry in files if self._is_small(entry)]
        self.more = len(self.new) > MOST_FILES and not how.together
        self.chosen = self._chosen(wanted)

    def _fits(self, entry: Entry) -> bool:
        if not self.how.wants(entry.name):
            return False
        if not _can_be_kept(entry.name):
            self.told.append(f"A file is called {ascii(entry.name)[:80]}. Such a name cannot be kept: rename it.")
            return False
        if not entry.plain:
            self.told.append(f"{entry.name} is a folder, a link or something else that is no file; it is left alone.")
        return entry.plain

    def _is_small(self, entry: Entry) -> bool:
        if entry.size <= self.how.largest << 20:
            return True
        sentence = (
            f"{entry.name} has {_size(entry.size)}, more than the {self.how.largest:,} MB that this source may send."
        )
        self.refused.append((entry.seen(), sentence))
        return False

    def _chosen(self, wanted: Sequence[Entry]) -> list[Entry]:
        if not self.new:
            return []
        if self.how.wait_for and not self.marks:
            self.told.append(
                f"{many(len(self.new), 'file')} {'wait' if len(self.new) > 1 else 'waits'} for {self.how.wait_for}."
            )
            return []
        if self.how.together:
            return [e for e in wanted if not self.how.is_mark(e.name) and e.size <= self.how.largest << 20]
        return self.new[:MOST_FILES]

    @property
    def watched(self) -> dict[str, Entry]:
        """Everything that must stay as it is while files are read."""
        return {entry.name: entry for entry in (*self.new, *self.chosen, *self.marks)}


class _Bundles:
    """The chosen files, read into folders of their own by what belongs together; content known before is left out."""

    def __init__(self, ask: Ask, look: _Look, place: FilePlace, into: Path) -> None:
        self.found: list[Found] = []
        self.known: list[Seen] = [mark.seen() for mark in look.marks]
        together = [look.chosen] if look.how.together else bundles(look.chosen)
        for number, entries in enumerate(together):
            self._read(entries, look, place, into / str(number))

    def _read(self, entries: Sequence[Entry], look: _Look, place: FilePlace, folder: Path) -> None:
        folder.mkdir(mode=0o700)
        seen = tuple(entry.seen(place.read(entry, folder / entry.name)) for entry in entries)
        if all(arrivals.is_same_content(one, look.before) for one in seen):
            self.known += seen
            return
        files = (folder,) if len(entries) > 1 else (folder / entries[0].name,)
        self.found.append(Found(_name(entries), files, seen))


def _name(entries: Sequence[Entry]) -> str:
    names = ", ".join(entry.name for entry in entries)
    return names if len(names) <= LONGEST_NAME else f"{entries[0].name} and {len(entries) - 1} more"


def _can_be_kept(name: str) -> bool:
    """Whether it is the name of a file here: a server may call its files as it likes, even `../../home`."""
    odd = not name.isprintable() or "/" in name or "\\" in name
    return not odd and len(name.encode()) <= LONGEST_NAME


def _changed(first: _Look, second: _Look) -> list[str]:
    """Names that came, went or look different now."""
    before, after = first.watched, second.watched
    return sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))


def _still_written(names: Iterable[str]) -> str:
    shown = list(names)
    more = f" and {len(shown) - 3} more" if len(shown) > 3 else ""
    return f"Still being written: {', '.join(shown[:3])}{more}. Nothing was taken yet."


def _size(size: int) -> str:
    return f"{size / (1 << 20):,.1f} MB" if size >= 1 << 20 else f"{size:,} bytes"


def _note(ask: Ask, one: arrivals.Settled) -> str:
    """The text that lies beside a refused file."""
    at = local(one.at)
    return (
        f"{one.seen.name}\nSource {ask.name}, {day_text(at.date())} {at:%H:%M}\n\n"
        f"This file was not taken in, and nothing was changed by it.\n\n{one.why}\n\n"
        "What to do: mend the file, or what is said about it under Import, Sources, and put it into the folder again.\n"
    )
