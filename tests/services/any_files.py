"""Attendance files as chance writes them, for two schools with a handful of students."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tests.services.lincoln_and_carver import CARVER, CODES, LINCOLN, covers, csv

SCHOOLS = {"lincoln": LINCOLN, "carver": CARVER}
HEADER = "student_id,school_id,date,code,last_modified"

Key = tuple[str, str, str]  # school, student, day


@dataclass(frozen=True)
class File:
    """A delivery: rows of (code, hour it was modified or None), and the school-days of covers.csv."""

    rows: dict[Key, tuple[str, int | None]]
    covers: frozenset[tuple[str, str]]
    feed: str

    def whole(self) -> set[tuple[str, str]]:
        """The school-days it claims whole."""
        rows = Counter((school, day) for school, _, day in self.rows)
        enough = {at for at, count in rows.items() if 100 * count >= 80 * len(SCHOOLS[at[0]])}
        return set(self.covers) | (enough if self.feed == "full" else set())

    def contents(self) -> dict[str, bytes]:
        lines = [
            f"{student} {school} {day} {code} {'_' if hour is None else f'2026-08-20T{hour:02d}:00:00'}"
            for (school, student, day), (code, hour) in self.rows.items()
        ]
        files = {"attendance.csv": csv(*lines, header=HEADER)}
        if self.covers:
            files["covers.csv"] = covers(*(f"{school} {day}" for school, day in sorted(self.covers)))
        return files


def any_file(chance: random.Random, days: Sequence[str], students: Mapping[str, Sequence[str]] = SCHOOLS) -> File:
    """Up to two days of each school: everybody, most, or a few; some days are claimed in covers.csv."""
    feed = chance.choice(["exception", "full"])
    rows: dict[Key, tuple[str, int | None]] = {}
    for school, names in students.items():
        for day in chance.sample(days, chance.choice([0, 1, 1, 2])):
            share = chance.choice([0.3, 0.9, 1.0])
            for name in names:
                if chance.random() < share:
                    code = chance.choice("PPPAET" if feed == "full" else "AETP")
                    rows[school, name, day] = (code, chance.choice([None, None, 8, 12, 16]))
    spoken_of = {(school, day) for school, _, day in rows}
    claims = frozenset(at for at in sorted(spoken_of) if chance.random() < 0.2)
    assert set(code for code, _ in rows.values()) <= set(CODES)
    return File(rows, claims, feed)


def repeated(chance: random.Random, file: File) -> File:
    """Most rows of a file once more, of which some say something else."""
    rows = {key: row for key, row in file.rows.items() if chance.random() < 0.8}
    changed = {key: (chance.choice("PAET"), hour) for key, (_, hour) in rows.items() if chance.random() < 0.2}
    return File(rows | changed, frozenset(), chance.choice(["exception", "full"]))
