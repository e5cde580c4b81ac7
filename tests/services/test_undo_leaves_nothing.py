"""A delivery taken back leaves every table as it would be had it never come, whatever came before and after it."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pytest

from ew_app.config import Settings
from ew_app.factory import create_app
from ew_app.kernel import OPERATOR
from ew_app.services.deciding import flagging
from ew_app.services.deliveries import ingest
from ew_app.services.measuring.measures import measures
from models.base import db
from tests.services.any_files import SCHOOLS, File, any_file, repeated
from tests.services.lincoln_and_carver import build, load_files, query

DAYS = tuple(f"08-{day}" for day in (17, 18, 19, 20, 21, 24, 25, 26, 27, 28))
NEWCOMERS = {"lincoln": ("ida", "jon"), "carver": ("kim",)}
EVERYBODY = {school: (*SCHOOLS[school], *NEWCOMERS[school]) for school in SCHOOLS}
FIRST = "student_id,first_name,last_name"
STINTS = "student_id,school_id,grade,entry_date"

# Of each table what must not depend on a delivery that was taken back. A student who ever had a case keeps the numbers
# of the status, so these are compared as they are published.
STANDS = {
    "marks": """SELECT b.name, school_id, student_id, day, period, code, fraction, last_modified, m.file, line
        FROM mark m JOIN batch b ON b.id = batch_id""",
    "rolls": """SELECT b.name, school_id, day, code, r.file, one.* FROM roll r JOIN batch b ON b.id = batch_id,
        unnest(students, lines, modified) one WHERE replaced_by IS NULL""",
    "claims": """SELECT b.name, school_id, day, s.feed, rows, whole FROM submission s JOIN batch b ON b.id = batch_id
        WHERE ended_at IS NULL""",
    "ledger": "SELECT * FROM school_day",
    "tiers": "SELECT student_id, school_id, enrolled_now, tier, too_early, tier_since, rules FROM student_status",
    "standings": "SELECT * FROM standing",
    "findings": "SELECT student_id, rule, since, until, numbers, sentence FROM finding WHERE withdrawn_at IS NULL",
    "steps": "SELECT student_id, day, before, after, rules, sentence FROM tier_change WHERE withdrawn_at IS NULL",
    "counts": "SELECT * FROM tier_count",
    "open cases": "SELECT student_id FROM support_case WHERE status <> 'closed'",
    "waiting": "SELECT student_id FROM touched_student UNION ALL SELECT block FROM touched_block",
}


@dataclass(frozen=True)
class Delivered:
    """A file of that number."""

    number: int
    file: File


@dataclass(frozen=True)
class TakenBack:
    """The file of that number goes out again."""

    number: int


@dataclass(frozen=True)
class Enrolled:
    """A roster names who was unknown until now; rows about them go in then."""


Step = Delivered | TakenBack | Enrolled


@pytest.fixture
def on_its_own(
    settings: Settings, new_database: Callable[[], str], drop_database: Callable[[str], None]
) -> Iterator[Callable[[Sequence[Step]], dict[str, Any]]]:
    """What a life of these steps leaves behind, in a database of its own."""
    made: list[str] = []

    def live(steps: Sequence[Step]) -> dict[str, Any]:
        made.append(new_database())
        with create_app(replace(settings, database_url=made[-1])).app_context():
            build()
            try:
                return _lived(steps)
            finally:
                db.session.remove()
                db.engine.dispose()

    yield live
    for url in made:
        drop_database(url)


@pytest.mark.parametrize("seed", [*range(3), *(pytest.param(seed, marks=pytest.mark.deep) for seed in range(3, 20))])
def test_all_is_as_if_it_had_never_come(on_its_own: Callable[[Sequence[Step]], dict[str, Any]], seed: int) -> None:
    steps = _life(random.Random(seed))
    gone = {step.number for step in steps if isinstance(step, TakenBack)}
    without = [step for step in steps if isinstance(step, Enrolled) or step.number not in gone]
    assert len(gone) > 1 and len(without) > 5
    found, wanted = on_its_own(steps), on_its_own(without)
    for table in wanted:
        assert found[table] == wanted[table], table


def _life(chance: random.Random) -> list[Step]:
    """Sixteen files, of which some repeat an earlier one; now and then one goes out again, sooner or later."""
    steps: list[Step] = []
    files: dict[int, File] = {}
    enrolled = chance.randrange(4, 12)
    for number in range(16):
        if number == enrolled:
            steps.append(Enrolled())
        file = repeated(chance, chance.choice(list(files.values()))) if files and chance.random() < 0.4 else None
        file = file or any_file(chance, DAYS, EVERYBODY)
        if file.rows and file not in files.values():
            files[number] = file
            steps.append(Delivered(number, file))
        if files and chance.random() < 0.3:
            steps.append(TakenBack(back := chance.choice(list(files))))
            del files[back]
    return steps


def _lived(steps: Sequence[Step]) -> dict[str, Any]:
    batches: dict[int, int] = {}
    for step in steps:
        if isinstance(step, Enrolled):
            _enrol()
        elif isinstance(step, TakenBack):
            ingest.take_back(batches[step.number], by=OPERATOR)
            ingest.undo(batches[step.number])
        else:
            batches[step.number] = _deliver(step)
    found = _stands()
    flagging.evaluate_all()
    assert found == _stands(), "deciding for everybody again changes nothing"
    return found


def _deliver(step: Delivered) -> int:
    told = load_files(step.file.contents(), name=f"file {step.number}", feed=step.file.feed, accept_held=True)
    assert told["status"] == "applied"
    return int(told["batch"])


def _enrol() -> None:
    pairs = [(name, school) for school, names in NEWCOMERS.items() for name in names]
    files = {
        "students.csv": "\n".join([FIRST, *(f"{name},{name.capitalize()},Reyes" for name, _ in pairs), ""]).encode(),
        "enrollments.csv": "\n".join(
            [STINTS, *(f"{name},{school},9,2026-08-17" for name, school in pairs), ""]
        ).encode(),
    }
    batch = ingest.receive(kind="roster", name="roster", files=files, by=OPERATOR)
    assert ingest.load_now(batch) == "applied"


def _stands() -> dict[str, Any]:
    found: dict[str, Any] = {table: sorted(map(str, query(asked))) for table, asked in STANDS.items()}
    return found | {"measures": list(measures())}
