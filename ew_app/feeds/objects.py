"""Records of a JSON file: one object a line, one after the other, or one array of them."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from typing import Any, BinaryIO, Final

from ew_app.feeds.names import add, shortened
from ew_app.feeds.refused import RefusedFile, Why

BLOCK: Final = 1 << 20
LARGEST: Final = 4 << 20  # characters of one object
_BLANK: Final = " \t\r\n\ufeff\x1a\x00"


def objects(stream: BinaryIO, wanted: Collection[str], seen: set[str]) -> Iterator[tuple[int, dict[str, Any]]]:
    """(number, record) of each object. RefusedFile. The number is the line; in an array the place, from 1.

    Where several objects stand on one line, each has a number of its own: the one after the last.

    Fields are the names on the way to a value, joined by dots; a list gives all its values under one name.
    `seen` gathers every name that was met. A file with nothing in it has no record.
    """
    last = 0
    for number, value in _values(stream):
        number = last = max(number, last + 1)
        if not isinstance(value, dict):
            raise RefusedFile(Why.NOT_TEXT, f"Number {number} of the file is not an object. Export it again.")
        record: dict[str, Any] = {}
        _flatten(value, "", record, wanted, seen)
        yield number, record


def _flatten(value: Any, path: str, record: dict[str, Any], wanted: Collection[str], seen: set[str]) -> None:
    if isinstance(value, Mapping):
        for name, inner in value.items():
            seen.add(name)
            short = shortened(name)
            _flatten(inner, f"{path}.{short}" if path else short, record, wanted, seen)
    elif isinstance(value, list):
        for inner in value:
            _flatten(inner, path, record, wanted, seen)
    elif value is not None and path in wanted:
        add(record, path, str(value).lower() if isinstance(value, bool) else str(value).strip())


def _values(stream: BinaryIO) -> Iterator[tuple[int, Any]]:
    """(number, value) one after the other; numbers stay texts, as they were written."""
    decoder = json.JSONDecoder(parse_int=str, parse_float=str, parse_constant=str)
    text = _Text(stream)
    in_array = text.skip(_BLANK) == "["
    if in_array:
        text.at += 1
    place = 0
    while (sign := text.skip(_BLANK + ",")) and not (in_array and sign == "]"):
        place += 1
        line = text.line
        yield (place if in_array else line), text.value(decoder)


class _Text:
    """The text of a file, a block at a time: `at` is where we are in what is held, `line` the line there."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream, self._held, self.at, self.line = stream, "", 0, 1
        self._rest = b""
        self._ended = False

    def skip(self, signs: str) -> str:
        """The next sign that is none of these, or nothing at the end."""
        while True:
            while self.at < len(self._held):
                sign = self._held[self.at]
                if sign not in signs:
                    return sign
                self.line += sign == "\n"
                self.at += 1
            if not self._more():
                return ""

    def value(self, decoder: json.JSONDecoder) -> Any:
        """The value that begins here. RefusedFile if it is broken or never ends."""
        while True:
            try:
                value, end = decoder.raw_decode(self._held, self.at)
            except (ValueError, RecursionError) as error:
                if isinstance(error, RecursionError) or len(self._held) - self.at > LARGEST or not self._more():
                    raise RefusedFile(
                        Why.NOT_TEXT, f"The JSON is broken in what begins on line {self.line}. Export it again."
                    ) from None
                continue
            self.line += self._held.count("\n", self.at, end)
            self.at = end
            return value

    def _more(self) -> bool:
        """Hold another block; False at the end of the file."""
        if self._ended:
            return False
        block = self._stream.read(BLOCK)
        self._ended = not block
        data = self._rest + block
        try:
            text = data.decode()
            self._rest = b""
        except UnicodeDecodeError as error:
            if self._ended or error.start < len(data) - 3:
                raise RefusedFile(Why.NOT_TEXT, "The file is not UTF-8. Export it as UTF-8.") from None
            text, self._rest = data[: error.start].decode(), data[error.start :]
        self._held, self.at = self._held[self.at :] + text, 0
        return True
