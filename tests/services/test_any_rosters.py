"""Whatever rosters come, repeat, change and are taken back, in whatever order: a dictionary tells what must stand."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from ew_app.config import Settings
from ew_app.kernel import OPERATOR
from ew_app.services.rosters import roster
from ew_app.services.rosters.codes import Meaning, map_code
from models.attendance import Batch
from tests.services.rosters import deliver, open_district, rows

SCHOOLS = {"schools": "school_id,name,network_id,network_name\n010,Lakeview,1,North\n020,Hillside,1,North\n"}
NAMED = {"students": "student_id,first_name,last_name\n" + "".join(f"k{number},Ana,Rivera\n" for number in range(4))}
DAYS = [f"2026-08-{day}" for day in (17, 18, 19)]

# Columns of each file: the key, then what a row may say. An empty cell says that there is nothing.
COLUMNS: Mapping[str, tuple[tuple[str, ...], Mapping[str, tuple[str, ...]]]] = {
    "students": (("student_id",), {"grade": ("4", "5", ""), "birth_date": ("2016-03-01", "2015-07-09", "soon")}),
    "enrollments": (
        ("student_id", "school_id", "entry_date"),
        {"exit_date": ("2026-09-04", "2026-10-01", ""), "exit_code": ("W1", "")},
    ),
    "calendar": (("school_id", "date"), {"day_type": ("instructional", "holiday"), "day_value": ("1", "0.5")}),
    "absence_codes": (("school_id", "code"), {"kind": ("absence", "tardy"), "excused": ("excused", "unexcused")}),
    "contacts": (("student_id", "name"), {"phone": ("1", "2", ""), "email": ("a@b", "")}),
}
ALWAYS = {"day_type", "kind", "excused"}  # columns without which the file is no file
UNREAD = "soon"
FIXED = {
    "students": {"first_name": "Ana", "last_name": "Rivera"},
    "absence_codes": {"title": "A code", "absent_fraction": "1"},
    "contacts": {"relation": "mother"},
}  # in every row
STORED = {
    "students": "SELECT key, grade, coalesce(birth_date::text, '') FROM student",
    "enrollments": """SELECT s.key, c.key, entry_date::text, coalesce(exit_date::text, ''), exit_code
        FROM stint t JOIN student s ON s.id = t.student_id JOIN school c ON c.id = t.school_id""",
    "calendar": """SELECT c.key, day::text, day_type, CASE weight WHEN 500 THEN '0.5' ELSE '1' END
        FROM calendar_day d JOIN school c ON c.id = d.school_id""",
    "absence_codes": """SELECT coalesce(c.key, ''), code, kind, excused
        FROM absence_code a LEFT JOIN school c ON c.id = a.school_id""",
    "contacts": "SELECT s.key, name, phone, email FROM contact t JOIN student s ON s.id = t.student_id",
}
NEW = {"day_value": "1"}  # what a new row takes where the file says nothing

Key = tuple[str, ...]
File = dict[Key, dict[str, str]]  # key -> column -> what the cell says


@pytest.fixture(autouse=True)
def district(settings: Settings) -> Iterator[None]:
    """A district without any row, on 30 September 2026."""
    with open_district(settings):
        yield


@pytest.mark.parametrize("seed", [*range(2), *(pytest.param(seed, marks=pytest.mark.deep) for seed in range(2, 20))])
def test_what_stands_is_what_the_remaining_rosters_say(seed: int) -> None:
    chance = random.Random(seed)
    for first in (SCHOOLS, NAMED):
        roster.apply(deliver(first))
    base: dict[str, File] = {"students": {(f"k{number}",): {} for number in range(4)}}
    said: list[tuple[Batch | None, dict[str, File]]] = [(None, base)]
    for _ in range(14):
        taken = [one for one in said if one[0]]
        fate = chance.random()
        if taken and fate < 0.35:
            gone = chance.choice(taken)
            said.remove(gone)
            roster.take_back(gone[0])
        elif taken and fate < 0.55:
            _deliver(chance.choice(taken)[1], said)
        elif fate < 0.65:
            said.append((None, _by_hand(chance)))
        else:
            _deliver(_any_roster(chance), said)
        _check([files for _, files in said])


def _any_roster(chance: random.Random) -> dict[str, File]:
    """Some of the files, each with some of its columns and some rows."""
    found = {}
    for table in chance.sample(list(COLUMNS), chance.choice([1, 2, 3])):
        keys, values = COLUMNS[table]
        columns = [name for name in values if name in ALWAYS or chance.random() < 0.7]
        at = {
            "students": [(f"k{number}",) for number in range(6)],
            "enrollments": [(f"k{n}", s, day) for n in range(4) for s in ("010", "020") for day in DAYS[:2]],
            "calendar": [(school, day) for school in ("010", "020") for day in DAYS],
            "absence_codes": [(school, code) for school in ("", "010") for code in "AE"],
            "contacts": [(f"k{number}", name) for number in range(4) for name in ("Maria", "Luis")],
        }[table]
        chosen = chance.sample(at, chance.randint(1, len(at)))
        found[table] = {key: {name: chance.choice(values[name]) for name in columns} for key in chosen}
    return found


def _by_hand(chance: random.Random) -> dict[str, File]:
    """A person says what a code means."""
    kind, excused = chance.choice(["absence", "tardy", "present"]), chance.choice(["excused", "unexcused"])
    code, school = chance.choice("AE"), chance.choice(["", "010"])
    map_code(Meaning(code, kind, excused, school_key=school or None), by=OPERATOR)
    return {"absence_codes": {(school, code): {"kind": kind, "excused": excused}}}


def _deliver(files: dict[str, File], said: list[tuple[Batch | None, dict[str, File]]]) -> None:
    batch = deliver({table: _written(table, file) for table, file in files.items()})
    roster.apply(batch)
    said.append((batch, files))


def _written(table: str, file: File) -> str:
    columns = list(next(iter(file.values())))
    fixed = FIXED.get(table, {})
    header = [*COLUMNS[table][0], *fixed, *columns]
    lines = [[*key, *fixed.values(), *(row[name] for name in columns)] for key, row in file.items()]
    return "".join(",".join(line) + "\n" for line in [header, *lines])


def _check(said: list[dict[str, File]]) -> None:
    for table, query in STORED.items():
        state: File = {}
        for files in said:
            for key, cells in files.get(table, {}).items():
                new = {name: NEW.get(name, "") for name in COLUMNS[table][1]}
                row = state.setdefault(key, new)
                row.update({name: cell for name, cell in cells.items() if cell != UNREAD})
        expected = sorted((*key, *(row[name] for name in COLUMNS[table][1])) for key, row in state.items())
        assert _stored(query) == expected, table


def _stored(query: str) -> list[tuple[Any, ...]]:
    return sorted(rows(query))
