"""From the text of one cell to a value; each different text of a column is read once."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from ew_app.feeds.formats import Column, ColumnType, DateOrder
from ew_app.feeds.refused import RefusedFile, Why

LONGEST_CELL: Final = 4096
MOST_REMEMBERED: Final = 500_000
DAY_NUMBERS_FROM: Final = date(1899, 12, 30)  # where spreadsheets begin to count
FIRST_YEAR, LAST_YEAR = 1950, 2200
EMPTY_WORDS: Final = frozenset({"", "NULL", r"\N"})
SURROUNDING: Final = " \t\n\r\f\v\x1a\ufeff\u00a0"

_CLOCK = r"(?:[T ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:[.,][0-9]+)?)? ?(?:Z|[+-][0-9]{2}:?[0-9]{2})?)?"
_ISO = re.compile(rf"([0-9]{{4}})(?:-([0-9]{{2}})-([0-9]{{2}}){_CLOCK}|([0-9]{{2}})([0-9]{{2}}))", re.ASCII)
_SLASHED = re.compile(rf"([0-9]{{1,2}})([/.-])([0-9]{{1,2}})\2([0-9]{{4}}|[0-9]{{2}})(?:{_CLOCK}|[T ].*)", re.ASCII)
_NUMBER = re.compile(r"(?:[0-9]+\.?[0-9]*|\.[0-9]+)", re.ASCII)
_SPREADSHEET_NUMBER = re.compile(r"[0-9]+(?:[.,][0-9]+)?[eE]\+[0-9]+", re.ASCII)
_DAY_NUMBER = re.compile(r"([2-7][0-9]{4})(?:\.[0-9]+)?", re.ASCII)  # 1954 to 2119
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_YES, _NO = frozenset({"true", "yes", "y", "t", "1"}), frozenset({"false", "no", "n", "f", "0"})


class Unreadable:
    """Stands where a cell could not be read: the text as delivered and a sentence."""

    __slots__ = ("reason", "value")

    def __init__(self, value: str, reason: str) -> None:
        self.value, self.reason = shown(value), reason


def shown(text: str) -> str:
    """The beginning of a cell as people may see it, a NUL character by its picture: no table can hold one."""
    return text[:80].replace("\0", "\u2400")


class Memo(dict[str, object]):
    """text -> value of one column; its `blank` for an empty cell, Unreadable for one that cannot be read.

    `found_unreadable` stays False as long as no cell failed, so clean files pay nothing for the search.
    """

    __slots__ = ("_column", "_read", "found_unreadable")

    def __init__(self, column: Column, read: Callable[[str], object]) -> None:
        super().__init__()
        self._read = read
        self._column = column
        self.found_unreadable = False

    def __missing__(self, raw: str) -> object:
        value = self[raw] = self._value(raw)
        return value

    def _value(self, raw: str) -> object:
        text = raw.strip(SURROUNDING)
        try:
            if text in EMPTY_WORDS:
                if not self._column.may_be_blank:
                    raise ValueError("A value is needed here and the cell is empty.")
                return self._column.blank
            if len(text) > LONGEST_CELL:
                raise ValueError(f"The cell is longer than {LONGEST_CELL} characters.")
            if "\0" in text:
                raise ValueError("The cell holds a NUL byte: this line of the file is damaged.")
            return self._read(text)
        except ValueError as error:
            self.found_unreadable = True
            return Unreadable(raw, str(error))


class ColumnReader:
    """Reads one column of a file, chunk after chunk."""

    def __init__(self, column: Column, order: DateOrder) -> None:
        self.name, self.blank, self.keep_row = column.name, column.blank, column.keep_row
        self._is_id = column.type is ColumnType.ID
        self._dates = DateReader(order)
        self._memo = Memo(column, _reading_of(column, self._dates))

    @property
    def found_unreadable(self) -> bool:
        """Whether any cell so far could not be read."""
        return self._memo.found_unreadable

    def read(self, texts: Sequence[str]) -> list[Any]:
        """A value for each text; Unreadable where there is none."""
        if self._is_id and _mostly_different(texts) and _clean_ids(texts):
            return list(texts)
        if len(self._memo) > MOST_REMEMBERED:
            self._memo.clear()
        return list(map(self._memo.__getitem__, texts))

    def refuse_two_ways(self) -> None:
        """RefusedFile while nothing in the file tells whether its dates are month first or day first."""
        if text := self._dates.two_ways:
            raise RefusedFile(
                Why.TWO_WAY_DATES,
                f'The dates in column "{self.name}" can be read two ways: "{text[:20]}" may be month first '
                "or day first. We do not guess. Export dates as 2026-09-14 (year, month, day).",
                column=self.name,
            )


def _mostly_different(texts: Sequence[str]) -> bool:
    """Whether remembering each text would not pay, judged by the first thousand."""
    some = texts[:1000]
    return len(set(some)) * 2 > len(some)


def _clean_ids(texts: Sequence[str]) -> bool:
    """Whether all of them are ids as they stand: a few passes in C instead of a look at each."""
    together = "".join(texts)
    return (
        together.isprintable()
        and not any(mark in together for mark in " +\\")
        and "" not in texts
        and "NULL" not in texts
        and max(map(len, texts)) <= LONGEST_CELL
    )


def _reading_of(column: Column, dates: DateReader) -> Callable[[str], object]:
    match column.type:
        case ColumnType.DATE:
            return dates.read
        case ColumnType.CHOICE:
            return lambda text: read_choice(text, column.choices)
        case ColumnType.WHOLE:
            return lambda text: read_whole(text, column.at_most)
        case ColumnType.DAYS:
            return lambda text: read_days(text, column.at_most)
    return _PLAIN[column.type]


def read_id(text: str) -> str:
    """An id or code, exactly as written; refuses what a spreadsheet made of a long number."""
    if _SPREADSHEET_NUMBER.fullmatch(text):
        raise ValueError(
            "A spreadsheet has turned this id into a rounded number; export it with the column set to text."
        )
    if _CONTROL.search(text):
        raise ValueError("There is a line break or control character in this cell; is a quotation mark missing?")
    return text


def read_text(text: str) -> str:
    """Free text, as written."""
    return text


def read_fraction(text: str) -> int:
    """'0'..'1' -> thousandths, floored: '0.9999' is 999."""
    number = _decimal(text, "This is not a part of a day between 0 and 1, such as 0.5.")
    if number > 1:
        raise ValueError("This is more than one whole day; a part of a day is between 0 and 1.")
    return int(number * 1000)


def read_days(text: str, at_most: int | None = None) -> int:
    """A number of days -> thousandths of a day, floored: '12.5' is 12500."""
    number = _decimal(text, "This is not a number of days, such as 12.5.")
    if at_most is not None and number > at_most:
        raise ValueError(f"This is more than {at_most} days.")
    return int(number * 1000)


def read_whole(text: str, at_most: int | None = None) -> int:
    """A whole number, zero or more, up to `at_most`; '45.0' is 45."""
    number = _decimal(text, "This is not a whole number, zero or more.")
    if number != int(number):
        raise ValueError("This is not a whole number, zero or more.")
    if at_most is not None and number > at_most:
        raise ValueError(f"This is more than {at_most}.")
    return int(number)


def read_decimal(text: str) -> Decimal:
    """A decimal number, zero or more, kept exact."""
    return _decimal(text, "This is not a number.")


def _decimal(text: str, sentence: str) -> Decimal:
    if len(text) > 40 or not _NUMBER.fullmatch(text):
        raise ValueError(sentence)
    return Decimal(text)


def read_yes_no(text: str) -> bool:
    """true/false, yes/no, y/n, t/f, 1/0 in any case."""
    word = text.lower()
    if word in _YES:
        return True
    if word in _NO:
        return False
    raise ValueError("This is neither yes nor no; write true or false.")


def read_choice(text: str, choices: tuple[str, ...]) -> str:
    """One of `choices`, whatever its case, spaces or hyphens."""
    word = re.sub(r"[\s-]+", "_", text.lower())
    if word not in choices:
        raise ValueError(f"This is none of: {', '.join(choices)}.")
    return word


def read_timestamp(text: str) -> datetime:
    """ISO date and time; aware when an offset or Z is written, else naive local time."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError("This is not a date and time such as 2026-09-14T08:30:00.") from None
    _check_year(moment.year)
    return moment


class DateReader:
    """Dates of one column in the order its format declares; remembers whether they could be read two ways.

    `two_ways` holds the first date that reads two ways, as long as no other cell has told which way is meant.
    """

    def __init__(self, order: DateOrder) -> None:
        self._order = order
        self._told = False
        self._two_ways: str | None = None

    @property
    def two_ways(self) -> str | None:
        return None if self._told else self._two_ways

    def read(self, text: str) -> date:
        """The date as written; a time or offset behind it never moves it to another day."""
        if found := _ISO.fullmatch(text):
            self._told = True
            year, month, day, month2, day2 = found.groups()
            return _date(int(year), int(month or month2), int(day or day2))
        if found := _SLASHED.fullmatch(text):
            first, _, second, year = found.groups()
            return self._slashed(text, int(first), int(second), year)
        if found := _DAY_NUMBER.fullmatch(text):
            meant = DAY_NUMBERS_FROM + timedelta(days=int(found[1]))
            raise ValueError(
                f"This looks like a spreadsheet's number for a day ({text} is its number for {meant}). Format the "
                "column as 2026-09-14 (year, month, day), or as text, and save it as CSV again."
            )
        raise ValueError("This is not a date written like 2026-09-14.")

    def _slashed(self, text: str, first: int, second: int, year: str) -> date:
        if self._order is DateOrder.ISO:
            self._note(text, first, second)
            raise ValueError("This date is not written like 2026-09-14 (year, month, day).")
        if len(year) != 4:
            raise ValueError("This year has only two digits; write all four.")
        month_first = self._order is DateOrder.MONTH_FIRST
        month, day = (first, second) if month_first else (second, first)
        read = f"There is no such date when the {'month' if month_first else 'day'} is read first, as in this file."
        return _date(int(year), month, day, read)

    def _note(self, text: str, first: int, second: int) -> None:
        if max(first, second) > 12:
            self._told = True
        elif first != second and self._two_ways is None:
            self._two_ways = text


def _date(year: int, month: int, day: int, sentence: str = "No year has such a date; look at month and day.") -> date:
    _check_year(year)
    try:
        return date(year, month, day)
    except ValueError:
        raise ValueError(sentence) from None


def _check_year(year: int) -> None:
    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise ValueError(f"The year is not between {FIRST_YEAR} and {LAST_YEAR}.")


_PLAIN: dict[ColumnType, Callable[[str], object]] = {
    ColumnType.ID: read_id,
    ColumnType.TEXT: read_text,
    ColumnType.FRACTION: read_fraction,
    ColumnType.DECIMAL: read_decimal,
    ColumnType.YES_NO: read_yes_no,
    ColumnType.TIMESTAMP: read_timestamp,
}
