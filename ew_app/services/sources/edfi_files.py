"""The files of a pull: one resource a file, one row a line, and which school-days they are complete for."""

from __future__ import annotations

import csv
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, TextIO

from ew_app.feeds.header import forbidden

never_kept = cache(forbidden)


@dataclass(frozen=True, slots=True, order=True)
class SchoolDay:
    """A school and a day as the API writes them; of a date with a time only the date counts, in no time zone."""

    school: str
    date: str

    @classmethod
    def of_key(cls, key: Mapping[str, Any]) -> SchoolDay | None:
        """That of a key with `schoolId` and `eventDate`, or None."""
        school, day = key.get("schoolId"), key.get("eventDate")
        return cls(str(school), str(day)[:10]) if school and day else None

    @classmethod
    def of_event(cls, row: Mapping[str, Any]) -> SchoolDay | None:
        """That of an attendance event, whose school is its own or its section's."""
        for name in ("schoolReference", "sectionReference"):
            if isinstance(where := row.get(name), dict) and where.get("schoolId"):
                return cls.of_key({"schoolId": where["schoolId"], "eventDate": row.get("eventDate")})
        return None


class Folder:
    """The folder of one pull. What must never be kept is left out before a line is written, and remembered by name."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._files: dict[Path, TextIO] = {}
        self._left_out: dict[str, set[str]] = {}

    def write(self, name: str, row: Mapping[str, Any]) -> None:
        """Add a row to the file of that name."""
        line = json.dumps(self._without(name, row), ensure_ascii=False, separators=(",", ":"))
        self._open(f"{name}.ndjson").write(f"{line}\n")

    def claim(self, days: Collection[SchoolDay], entered: Collection[SchoolDay], events: str) -> None:
        """Say for which school-days the rows are complete, also where none is left. Of those, the ones that are not
        `entered` do not show that attendance was taken."""
        self._open(f"{events}.ndjson")
        rows = csv.writer(self._open("covers.csv"), lineterminator="\n")
        rows.writerow(["school_id", "date", "taken"])
        rows.writerows([day.school, day.date, "yes" if day in entered else "no"] for day in sorted(days))

    def close(self) -> tuple[Path, ...]:
        """Close the files; those that there are, in the order of their names."""
        for file in self._files.values():
            file.close()
        return tuple(sorted(self._files))

    def left_out(self) -> list[str]:
        """A sentence for each resource of which something may never be kept."""
        return [
            f"{name}: {', '.join(sorted(fields))} left out before anything was written; we never keep this."
            for name, fields in sorted(self._left_out.items())
        ]

    def _open(self, name: str) -> TextIO:
        path = self._root / name
        if path not in self._files:
            self._files[path] = path.open("w", encoding="utf-8", newline="")
        return self._files[path]

    def _without(self, name: str, value: Any) -> Any:
        if isinstance(value, Mapping):
            kept = {key: self._without(name, inner) for key, inner in value.items() if not never_kept(key)}
            if len(kept) < len(value):
                self._left_out.setdefault(name, set()).update(value.keys() - kept.keys())
            return kept
        return [self._without(name, inner) for inner in value] if isinstance(value, list) else value
