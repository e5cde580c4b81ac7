"""Records of a JSON file: one object a line, one after the other, or arrays of them."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from typing import Any, BinaryIO, Final

from ew_app.feeds.names import add, shortened
from ew_app.feeds.refused import RefusedFile, Why

BLOCK: Final = 1 << 20
LARGEST: Final = 4 << 20  # characters of one object
_BLANK: Final = " \t\r\n\ufeff\x1a\x00"
_SAYS_WHY: Final = ("message", "error_description", "detail", "error", "errors", "title", "fault")
_OF_AN_ERROR: Final = frozenset({*_SAYS_WHY, "code", "status", "statuscode", "type", "correlationid", "traceid"})


def objects(stream: BinaryIO, wanted: Collection[str], seen: set[str]) -> Iterator[tuple[int, dict[str, Any]]]:
    """(number, record) of each object. RefusedFile: broken, cut off, or the error of an API instead of records.

    The number is the line; in an array the place, from 1, going on from one array to the next.

    Where several objects stand on one line, each has a number of its own: the one after the last.

    Fields are the names on the way to a value, joined by dots; a list gives all its values under one name.
    `seen` gathers every name that was met. A file with nothing in it has no record.
    """
    last = 0
    for number, value in _values(stream):
        number = last = max(number, last + 1)
        if not isinstance(value, dict):
            raise RefusedFile(Why.NOT_TEXT, f"Number {number} of the file is not an object. Export it again.")
        _refuse_error(value)
        record: dict[str, Any] = {}
        _flatten(value, "", record, wanted, seen)
        yield number, record


def _refuse_error(value: Mapping[str, Any]) -> None:
    """RefusedFile where an object is what an API says instead of records."""
    said = {name.lower(): inner for name, inner in value.items()}
    if said.keys() <= _OF_AN_ERROR and (why := next((said[name] for name in _SAYS_WHY if said.get(name)), None)):
        words = why if isinstance(why, str) else json.dumps(why)
        raise RefusedFile(
            Why.NOT_TEXT,
            f'This is no list of records but an error that the API gave instead: "{words[:120]}". '
            "Nothing was read; see to that and fetch it again.",
        )


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
    place, began = 0, 0  # objects in arrays so far, and the line on which an open array began
    while sign := text.skip(_BLANK + ","):
        if sign == "[" and not began:
            began = text.line
            text.at += 1
        elif sign == "]" and began:
            began = 0
            text.at += 1
        else:
            place += bool(began)
            line = text.line
            yield (place if began else line), text.value(decoder)
    if began:
        raise RefusedFile(
            Why.NOT_TEXT,
            f"The list that begins on line {began} is not closed: the file ends on line {text.line} after "
            f"{place:,} {'object' if place == 1 else 'objects'} and a ] is missing, so it was cut off and rows may be "
            "missing. Fetch it again.",
        )


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
                    raise self._broken(error) from None
                continue
            self.line += self._held.count("\n", self.at, end)
            self.at = end
            return value

    def _broken(self, error: Exception) -> RefusedFile:
        """Why what begins here cannot be read: the file ends inside it, or it is no JSON."""
        ends = (
            self._ended
            and isinstance(error, json.JSONDecodeError)
            and (error.pos >= len(self._held.rstrip(_BLANK)) or error.msg.startswith("Unterminated string"))
        )
        if ends:
            sentence = f"What begins on line {self.line} has no end: the file was cut off there. Fetch it again."
        else:
            sentence = f"The JSON is broken in what begins on line {self.line}. Export it again."
        return RefusedFile(Why.NOT_TEXT, sentence)

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
