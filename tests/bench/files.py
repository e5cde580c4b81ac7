"""Files cut from those of a made-up district: by school, without a school, and corrections of old rows."""

from __future__ import annotations

import csv
import random
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

Row = dict[str, str]


@dataclass(frozen=True, slots=True)
class Day:
    """The files of one day: attendance, and which schools sent it."""

    attendance: Path
    covers: Path

    @classmethod
    def of(cls, attendance: Path) -> Day:
        """The covers file lies beside, under the same date."""
        return cls(attendance, attendance.with_name(attendance.name.replace("attendance-", "covers-")))

    @property
    def date(self) -> str:
        """As in the files."""
        return self.attendance.stem.removeprefix("attendance-")

    def only(self, wanted: Callable[[str], bool], folder: Path) -> Day:
        """The same day's files for some schools."""
        folder.mkdir(parents=True, exist_ok=True)
        cut = Day(folder / self.attendance.name, folder / self.covers.name)
        for source, target in ((self.attendance, cut.attendance), (self.covers, cut.covers)):
            _write(target, (row for row in read(source) if wanted(row["school_id"])))
        return cut

    def by_school(self, folder: Path) -> list[Day]:
        """The day as each school would send its own; rows of other days are left out."""
        rows: dict[str, list[Row]] = defaultdict(list)
        for row in read(self.attendance):
            if row["date"] == self.date:
                rows[row["school_id"]].append(row)
        found = []
        for school in sorted({row["school_id"] for row in read(self.covers)} & rows.keys()):
            at = folder / school
            at.mkdir(parents=True, exist_ok=True)
            day = Day(at / self.attendance.name, at / self.covers.name)
            _write(day.attendance, rows[school])
            _write(day.covers, [{"school_id": school, "date": self.date}])
            found.append(day)
        return found


def corrections(days: Sequence[Day], number: int, target: Path) -> Path:
    """So many absences of the past, scattered over the days, that turn out to be excused."""
    chance = random.Random(number)
    wanted = max(number // len(days), 1)
    found: list[Row] = []
    for day in days:
        absent = [row for row in read(day.attendance) if row["date"] == day.date and row["code"] == "A"]
        found += chance.sample(absent, min(wanted, len(absent)))
    changed = {"code": "E", "last_modified": f"{days[-1].date}T23:00:00"}
    _write(target, ({**row, **changed} for row in found[:number]))
    return target


def read(path: Path) -> Iterable[Row]:
    """The rows of a file."""
    with path.open(encoding="utf-8", newline="") as lines:
        yield from csv.DictReader(lines)


def _write(path: Path, rows: Iterable[Row]) -> None:
    with path.open("w", encoding="utf-8", newline="") as lines:
        writer: csv.DictWriter[str] | None = None
        for row in rows:
            if writer is None:
                writer = csv.DictWriter(lines, list(row))
                writer.writeheader()
            writer.writerow(row)
