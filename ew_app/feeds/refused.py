"""What is wrong with a file: with one row of it (Problem), or with all of it (RefusedFile)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Why(StrEnum):
    """The closed set of reasons for which a whole file is never let in."""

    EMPTY = "empty"
    HEADER_ONLY = "header_only"
    NOT_TEXT = "not_text"
    FORBIDDEN_COLUMN = "forbidden_column"
    NO_REQUIRED_COLUMN = "no_required_column"
    DUPLICATE_COLUMN = "duplicate_column"
    MAPPING = "mapping"
    TWO_WAY_DATES = "two_way_dates"
    UNCLOSED_QUOTE = "unclosed_quote"
    TOO_LARGE = "too_large"
    ARCHIVE = "archive"
    NOT_FOUND = "not_found"
    NOT_RECOGNISED = "not_recognised"


class RefusedFile(Exception):
    """A file of which no row is read; str() is a sentence that says what to change.

    `column` names the column at fault where there is one.
    """

    def __init__(self, why: Why, sentence: str, *, column: str | None = None) -> None:
        super().__init__(sentence)
        self.why = why
        self.column = column

    def of(self, file: str) -> RefusedFile:
        """The same refusal, with the file named first unless the sentence names it already."""
        sentence = str(self)
        return RefusedFile(
            self.why, sentence if sentence.startswith(file) else f"{file}: {sentence}", column=self.column
        )


@dataclass(frozen=True, slots=True)
class Problem:
    """One row that was not read as it stands: physical line (header = 1), a sentence, where and what."""

    line: int
    reason: str
    column: str | None = None
    value: str | None = None
