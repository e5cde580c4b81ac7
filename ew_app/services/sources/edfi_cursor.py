"""Where a pull stands in the changes of an Ed-Fi API."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Cursor:
    """The change version up to which everything was read, and which resources were.

    left: the schools whose attendance is still to be read up to it, where that takes longer than one pull may; after:
    the version from which on that is so.
    """

    version: int | None = None
    read: frozenset[str] = frozenset()
    left: tuple[str, ...] = ()
    after: int | None = None

    @classmethod
    def of(cls, kept: Mapping[str, Any] | None) -> Cursor:
        """The cursor that a pull left; what is none starts from the beginning."""
        if not kept or "version" not in kept:
            return cls()
        return cls(kept["version"], frozenset(kept["read"]), tuple(kept.get("left", ())), kept.get("after"))

    def kept(self) -> dict[str, Any]:
        """The same in words that can be stored; nothing where there is no version to go on from."""
        if self.left:
            left = {"left": list(self.left), "after": self.after}
            return {"version": self.version, "read": sorted(self.read)} | left
        return {} if self.version is None else {"version": self.version, "read": sorted(self.read)}


@dataclass(frozen=True, slots=True)
class Window:
    """Changes after one version up to and with another. after None: from the beginning; until None: not counted."""

    after: int | None
    until: int | None

    @property
    def is_empty(self) -> bool:
        return self.after is not None and self.after == self.until

    @property
    def query(self) -> dict[str, Any]:
        """The question for the rows of the window."""
        query = {} if self.after is None else {"minChangeVersion": self.after + 1}
        return query if self.until is None else {**query, "maxChangeVersion": self.until}

    @property
    def whole(self) -> list[dict[str, Any]]:
        """The questions for all rows there are: a row that changes while they are read has left the first answer
        and stands in the second."""
        if self.until is None:
            return [{}]
        return [{"maxChangeVersion": self.until}, {"minChangeVersion": self.until + 1}]
