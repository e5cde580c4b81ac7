"""Names and texts as Ed-Fi and others write them in XML and JSON, brought to one form."""

from __future__ import annotations

import re
from typing import Any

from ew_app.feeds.cells import LONGEST_CELL

_OF_CHANGES = re.compile(r"_(?:deletes|keychanges)\b", re.IGNORECASE)
_NOT_A_NAME = re.compile(r"[^0-9a-z]+")
_DESCRIPTOR = re.compile(r"(?:uri|https?)://[^#\s]*#(.*)", re.DOTALL)


def shortened(name: str) -> str:
    """One name in lower case, letters and digits alone, without `descriptor` at its end."""
    return _NOT_A_NAME.sub("", name.lower()).removesuffix("descriptor")


def meant(text: str) -> str:
    """A text without the namespace of a descriptor: what stands behind the #."""
    found = _DESCRIPTOR.fullmatch(text) if "://" in text else None
    return found.group(1).strip() if found else text


def add(record: dict[str, Any], key: str, text: str) -> None:
    """Say one thing more: a field that is there already becomes a list. Endless texts are cut where none may be."""
    text = meant(text[: LONGEST_CELL + 1])
    if key not in record:
        record[key] = text
    elif isinstance(record[key], list):
        record[key].append(text)
    else:
        record[key] = [record[key], text]


def tells_changes(file_name: str) -> bool:
    """Whether a file holds what an API tells of deletions or changed keys, as `calendarDates_deletes.json` does."""
    return _OF_CHANGES.search(file_name) is not None
