"""A delivery taken back leaves every table as it would be had it never come, whatever came before and after it."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
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
from tests.services.lincoln_and_carver import build, covers, csv, load_files, query

DAYS = tuple(f"08-{day}" for day in (17, 18, 19, 20, 21, 24, 25, 26, 27, 28))
NEWCOMERS = {"lincoln": ("ida", "jon"), "carver": ("kim",)}
EVERYBODY = {school: (*SCHOOLS[school], *NEWCOMERS[school]) for school in SCHOOLS}
LASTING, AGAIN = -1, 100  # the number of what is never taken back, and of a file that came twice, from there on
Roster = Mapping[str, tuple[str, ...]]  # table -> rows
STUDENTS, STINTS, CHANGES = "students", "enrollments", "student_changes"
HEADERS = {
    STUDENTS: "student_id,first_name,last_name",
    STINTS: "student_id,school_id,grade,entry_date",
    CHANGES: "student_id,former_student_id",
    "schools": "school_id,name,network_id,network_name",
    "calendar": "school_id,date,day_type",
}


def _named(*names: str) -> tuple[str, ...]:
    return tuple(f"{name},{name.capitalize()},Reyes" for name in names)


# A school to which only rosters speak, and somebody who is known and enrolled nowhere.
BOOKER: Roster = {
    "schools": ("booker,Booker,N,North",),
    STUDENTS: _named("lou", "max", "zed"),
    STINTS: ("lou,booker,9,2026-08-17", "max,booker,9,2026-08-17"),
    "calendar": tuple(f"booker,2026-{day},instructional" for day in DAYS),
}
BROUGHT: Roster = {
    STUDENTS: _named(*(name for names in NEWCOMERS.values() for name in names)),
    STINTS: tuple(f"{name},{school},9,2026-08-17" for school, names in NEWCOMERS.items() for name in names),
}
MISTAKEN: Sequence[Roster] = (
    {STUDENTS: _named("vic", "wes"), STINTS: ("vic,booker,9,2026-08-17", "wes,booker,10,2026-08-20")},
    {STUDENTS: _named("yan"), STINTS: ("yan,booker,9,2026-08-19",), CHANGES: ("yan,gus",)},
    {STINTS: ("lou,booker,10,2026-08-17", "max,booker,9,2026-08-25")},
    {CHANGES: ("zed,ana",)},
    {CHANGES: ("lou,ben", "max,old")},
)

# Of rows that waited for their student several files may say the same; which of them is named is not looked at.
WAITED = "who.key = ANY(ARRAY['ida', 'jon', 'kim'])"
# Of each table what must not depend on a delivery that was taken back; students by their keys, as ids are used up. A
# student who ever had a case keeps the numbers of the status, so these are compared as they are published.
STANDS = {
    "marks": """SELECT b.name, m.school_id, {who}, day, period, code, fraction, last_modified, m.file, m.line
        FROM mark m JOIN batch b ON b.id = m.batch_id {of}""",
    "rolls": """SELECT CASE WHEN {waited} THEN '' ELSE b.name END, school_id, day, code, r.file, {who},
               CASE WHEN {waited} THEN 0 ELSE one.line END, coalesce(one.modified, 0) FROM roll r
        JOIN batch b ON b.id = r.batch_id, unnest(students, lines, modified) one (student_id, line, modified) {of}
        WHERE replaced_by IS NULL""",
    "claims": """SELECT b.name, school_id, day, s.feed, rows, whole FROM submission s JOIN batch b ON b.id = batch_id
        WHERE ended_at IS NULL""",
    "ledger": "SELECT * FROM school_day",
    "tiers": "SELECT {who}, school_id, enrolled_now, tier, too_early, tier_since, rules FROM student_status {of}",
    "standings": "SELECT {who}, since, until, school_id, t.grade, tier, too_early FROM standing t {of}",
    "findings": "SELECT {who}, rule, since, until, numbers, sentence FROM finding {of} WHERE withdrawn_at IS NULL",
    "steps": "SELECT {who}, day, before, after, rules, sentence FROM tier_change {of} WHERE withdrawn_at IS NULL",
    "counts": "SELECT * FROM tier_count",
    "sums of counts": "SELECT * FROM school_count",
    "open cases": "SELECT {who} FROM support_case {of} WHERE status <> 'closed'",
    "waiting": "SELECT student_id FROM touched_student UNION ALL SELECT block FROM touched_block",
}
WHO = {"who": "who.key AS student", "waited": WAITED, "of": "LEFT JOIN student who ON who.id = student_id"}


@dataclass(frozen=True)
class Delivered:
    """A file of that number."""

    number: int
    file: File


@dataclass(frozen=True)
class Enrolled:
    """A roster of that number."""

    number: int
    roster: Roster


@dataclass(frozen=True)
class TakenBack:
    """The file or roster of that number goes out again."""

    number: int


Step = Delivered | Enrolled | TakenBack


@pytest.fixture
def on_its_own(
    settings: Settings, new_database: Callable[[], str], drop_database: Callable[[str], None]
) -> Iterator[Callable[[Sequence[Step]], dict[str, Any]]]:
    """What a life of these steps leaves behind, in a database of its own."""
    made: list[str] = []

    def live(steps: Sequence[Step]) -> dict[str, Any]:
        made.append(new_database())
        with create_app(replace(settings, database_url=made[-1]), screens=False).app_context():
            build()
            try:
                return _lived(steps)
            finally:
                db.session.remove()
                db.engine.dispose()

    yield live
    for url in made:
        drop_database(url)


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.deep) for seed in range(1, 20))])
def test_all_is_as_if_it_had_never_come(on_its_own: Callable[[Sequence[Step]], dict[str, Any]], seed: int) -> None:
    steps = _life(random.Random(seed))
    gone = {step.number for step in steps if isinstance(step, TakenBack)}
    without = [step for step in steps if step.number not in gone]
    assert len(gone) > 1 and len(without) > 2
    found, wanted = on_its_own(steps), on_its_own(without)
    for table in wanted:
        assert found[table] == wanted[table], table


def _life(chance: random.Random) -> list[Step]:
    """Sixteen files, of which some repeat much of an earlier one, and some come twice as they are; now and then one
    goes out again, sooner or later, but not the second of two that are the same.

    Between them rosters come, and all but one go out again; that one names who was unknown until then, and rows about
    them go in with it.
    """
    steps: list[Step] = []
    files: dict[int, File] = {}
    enrolled = chance.randrange(4, 12)
    mistaken = dict(zip(chance.sample(range(2, 14), len(MISTAKEN)), MISTAKEN, strict=True))
    ends = {number: chance.randrange(number + 1, 16) for number in mistaken}
    for number in range(16):
        if number == enrolled:
            steps.append(Enrolled(LASTING, BROUGHT))
        if number in mistaken:
            steps.append(Enrolled(number, mistaken[number]))
        elif file := _next_file(chance, list(files.values())):
            files[number] = file
            steps.append(Delivered(number, file))
            if chance.random() < 0.25:
                steps.append(Delivered(AGAIN + number, file))
        if files and chance.random() < 0.3:
            steps.append(TakenBack(back := chance.choice(list(files))))
            del files[back]
        steps += [TakenBack(roster) for roster, last in ends.items() if last == number]
    return steps


def _next_file(chance: random.Random, sent: Sequence[File]) -> File | None:
    """A file with rows that nobody has sent yet."""
    file = repeated(chance, chance.choice(sent)) if sent and chance.random() < 0.4 else None
    file = file or any_file(chance, DAYS, EVERYBODY)
    return file if file.rows and file not in sent else None


def _lived(steps: Sequence[Step]) -> dict[str, Any]:
    batches: dict[int, int] = {}
    _enrol(BOOKER)
    load_files({"attendance.csv": csv(), "covers.csv": covers(*(f"booker {day}" for day in DAYS))})
    for step in steps:
        if isinstance(step, TakenBack):
            ingest.take_back(batches[step.number], by=OPERATOR)
            ingest.undo(batches[step.number])
        else:
            batches[step.number] = _enrol(step.roster) if isinstance(step, Enrolled) else _deliver(step)
    found = _stands()
    flagging.evaluate_all()
    assert found == _stands(), "deciding for everybody again changes nothing"
    return found


def _deliver(step: Delivered) -> int:
    told = load_files(step.file.contents(), name=f"file {step.number}", feed=step.file.feed, accept_held=True)
    assert told["status"] in ("applied", "duplicate")
    return int(told["batch"])


def _enrol(roster: Roster) -> int:
    files = {f"{table}.csv": "\n".join([HEADERS[table], *rows, ""]).encode() for table, rows in roster.items()}
    batch = ingest.receive(kind="roster", name="roster", files=files, by=OPERATOR)
    assert ingest.load_now(batch) == "applied"
    return batch


def _stands() -> dict[str, Any]:
    found: dict[str, Any] = {table: sorted(map(str, query(asked.format(**WHO)))) for table, asked in STANDS.items()}
    return found | {"measures": list(measures())}
