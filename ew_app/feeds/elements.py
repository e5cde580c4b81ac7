"""Records of an XML file: the elements below its root, one after the other, each on its line.

Read by expat from the standard library, which never fetches anything. A file that declares a document type is
refused before its first element, so there are no entities to expand, and what is kept at a time is one record.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import suppress
from typing import Any, BinaryIO, Final
from xml.parsers import expat

from ew_app.feeds.names import add, shortened
from ew_app.feeds.refused import RefusedFile, Why

BLOCK: Final = 64 << 10
MOST_AT_ONCE: Final = 4 << 20  # bytes of one tag, or characters of one record
DEEPEST: Final = 60
_GROUPS: Final = ("identity", "codevalue")
_SAID: Final = ("id", "ref")  # attributes that name an element, or another


def elements(
    stream: BinaryIO, name: str, wanted: Collection[str], seen: set[str], tops: set[str]
) -> Iterator[tuple[int, dict[str, Any]]]:
    """(line, record) of each element of that name below the root, whatever its namespace. RefusedFile.

    Fields are the names on the way to a text, joined by dots; names that end in Identity, and CodeValue, only group.
    `id` and `ref` are what an element says of itself and of another. `seen` gathers every name that was met, `tops`
    those of the elements below the root, in lower case. Where several elements stand on one line, each has a number of
    its own: the one after the last.
    """
    reader = _Elements(name.lower(), wanted, seen)
    fed = 0
    while block := stream.read(BLOCK):
        fed += len(block)
        reader.feed(block)
        if fed - reader.done > MOST_AT_ONCE:
            raise RefusedFile(Why.NOT_TEXT, "One tag of the file has no end within 4 MB. Export it again.")
        yield from reader.found()
    reader.feed(b"", last=True)
    yield from reader.found()
    tops |= reader.tops


def root_of(head: bytes) -> str:
    """The local name of the root element, from the first bytes of a file; nothing if there is none."""
    found: list[str] = []
    parser = expat.ParserCreate()
    parser.StartElementHandler = lambda name, _: found.append(_local(name))
    with suppress(expat.ExpatError, LookupError, ValueError):
        parser.Parse(head, False)
    return found[0] if found else ""


class _Elements:
    """A file on its way through the parser. `tops`: the names of all elements below the root so far."""

    def __init__(self, name: str, wanted: Collection[str], seen: set[str]) -> None:
        self._name, self._wanted, self._seen = name, wanted, seen
        self._parser = expat.ParserCreate()
        self._parser.buffer_text = True
        self._parser.StartDoctypeDeclHandler = _refuse_doctype
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._text
        self._ready: list[tuple[int, dict[str, Any]]] = []
        self._keys: dict[str, str] = {}  # name of an element -> its part of a field's name, "" if it only groups
        self._path: list[str] = []  # the field that each open element stands for
        self._record: dict[str, Any] | None = None
        self._line = self._last_line = self._size = 0
        self._texts: list[str] = []
        self.tops: set[str] = set()

    @property
    def done(self) -> int:
        """How many bytes are understood."""
        return self._parser.CurrentByteIndex

    def feed(self, block: bytes, *, last: bool = False) -> None:
        try:
            self._parser.Parse(block, last)
        except expat.ExpatError as error:
            raise RefusedFile(
                Why.NOT_TEXT,
                f"The XML is broken on line {error.lineno} ({expat.ErrorString(error.code)}). Export it again.",
            ) from None
        except (LookupError, ValueError) as error:
            raise RefusedFile(Why.NOT_TEXT, f"The XML cannot be read: {error}. Export it as UTF-8.") from None

    def found(self) -> list[tuple[int, dict[str, Any]]]:
        """The records that are complete by now."""
        ready, self._ready = self._ready, []
        return ready

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        path = self._path
        if len(path) > DEEPEST:
            raise RefusedFile(Why.NOT_TEXT, f"The XML is nested more than {DEEPEST} deep. Export it again.")
        if len(path) < 2:
            path.append("")
            if len(path) == 2:
                self._begin(_local(name).lower())
        else:
            key = self._keys[name] if name in self._keys else self._learn(name)
            path.append(f"{path[-1]}.{key}" if key and path[-1] else key or path[-1])
        if self._record is not None:
            self._texts.clear()
            for said in attributes:
                if said in _SAID:
                    self._say(f"{path[-1]}.{said}".lstrip("."), attributes[said])

    def _begin(self, local: str) -> None:
        """An element below the root: a record, if it is one of those that are asked for."""
        self.tops.add(local)
        if local == self._name:
            self._record, self._size = {}, 0
            self._line = max(self._parser.CurrentLineNumber, self._last_line + 1)

    def _learn(self, name: str) -> str:
        local = _local(name)
        self._seen.add(local)
        key = self._keys[name] = "" if local.lower().endswith(_GROUPS) else shortened(local)
        return key

    def _text(self, text: str) -> None:
        if self._record is None:
            return
        self._size += len(text)
        if self._size > MOST_AT_ONCE:
            raise RefusedFile(Why.NOT_TEXT, f"The element on line {self._line} holds more than 4 MB of text.")
        self._texts.append(text)

    def _end(self, _: str) -> None:
        field = self._path.pop()
        if self._record is None:
            return
        if self._texts:
            if text := "".join(self._texts).strip():
                self._say(field, text)
            self._texts.clear()
        if len(self._path) == 1:
            self._ready.append((self._line, self._record))
            self._last_line, self._record = self._line, None

    def _say(self, field: str, text: str) -> None:
        if self._record is not None and field in self._wanted:
            add(self._record, field, text)


def _local(name: str) -> str:
    return name.rpartition(":")[2]


def _refuse_doctype(*_: object) -> None:
    raise RefusedFile(
        Why.NOT_TEXT, "The file declares a document type of its own, which no school export needs. It was not opened."
    )
